//! How many multiplications and additions of f32 this processor can do in a second, measured: what the forward pass is
//! compared with.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

use super::kernels::Kernels;
use super::simd::Simd;
use super::team::Team;
use crate::ModelError;

/// Chains of dependent operations: more than latency times units of any processor.
const CHAINS: usize = 12;
/// Operations of a chain in one timing; about a millisecond.
const ROUNDS: usize = 300_000;
/// Timings, of which the fastest counts.
const TIMINGS: usize = 30;

/// Measured peak of fused multiply-adds of f32 on so many threads at once, in GFLOP/s (a multiply-add is two).
///
/// # Errors
/// [`ModelError::Threads`] when the system refuses threads.
pub fn measured_peak(threads: usize) -> Result<f64, ModelError> {
    let kernels = Kernels::best();
    let team = Team::new(threads)?;
    let fastest = Mutex::new(f64::INFINITY);
    for _ in 0..TIMINGS {
        let slowest = Mutex::new(0.0_f64);
        team.run(|member| {
            member.wait();
            let start = Instant::now();
            // SAFETY: these kernels suit the processor.
            black_box(unsafe { (kernels.multiply_add)(ROUNDS) });
            let seconds = start.elapsed().as_secs_f64();
            let mut slowest = slowest.lock().expect("nobody panics");
            *slowest = slowest.max(seconds);
        });
        let mut fastest = fastest.lock().expect("nobody panics");
        *fastest = fastest.min(slowest.into_inner().expect("nobody panics"));
    }
    let operations = 2 * CHAINS * kernels.lanes * ROUNDS * threads;
    Ok(operations as f64 / fastest.into_inner().expect("nobody panics") / 1e9)
}

/// So many multiply-adds in each of [`CHAINS`] registers.
///
/// # Safety
/// The processor has `S`'s instructions.
#[inline(always)]
pub(crate) unsafe fn multiply_add<S: Simd>(rounds: usize) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = S::splat(black_box(0.999));
        let mut sums = [S::splat(1.0); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = S::fused(*sum, factor, factor);
            }
        }
        let mut total = S::splat(0.0);
        for sum in sums {
            total = S::add(total, sum);
        }
        S::sum(total)
    }
}
