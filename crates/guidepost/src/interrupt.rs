//! Ctrl-C, and being asked to end: a first time, work that takes long is brought to where it can go on later; a second time, the
//! program ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::console::Console;

/// What shells expect of a program that was interrupted: 128 and the signal's number.
pub(crate) const EXIT_CODE: u8 = 130;

/// How soon a first Ctrl-C is answered.
const ANSWER_WITHIN: Duration = Duration::from_millis(100);

/// From now on, the first Ctrl-C only says so and sets what is returned.
pub(crate) fn catch(console: &Console) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the shutdown looks whether an earlier signal has set it.
        flag::register_conditional_shutdown(signal, i32::from(EXIT_CODE), Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .context("cannot listen for Ctrl-C")?;
    }
    let (console, noticed) = (console.clone(), Arc::clone(&stop));
    // A signal's handler may not print; whoever is interrupted may be busy for seconds.
    std::thread::spawn(move || {
        while !noticed.load(Ordering::Relaxed) {
            std::thread::sleep(ANSWER_WITHIN);
        }
        console.note("stopping; press Ctrl-C again to end at once");
    });
    Ok(stop)
}
