//! How a CUDA device is opened. Not what runs on it.

use candle_core::Device;
use candle_core::cuda_backend::cudarc::driver::result::{DriverError, device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;

/// Opens GPU number `number`, counted from 0.
///
/// Not through `Device::new_cuda`, whose stream is CUDA's per-thread one: a model loaded by one thread and run by
/// another would have its copies and its kernels in two streams that nothing orders, and two threads would share one
/// cuBLAS workspace. Here all threads share one stream, so the order of calls is the order on the device.
///
/// # Errors
/// No driver, no such GPU; in the driver's words.
pub(crate) fn open(number: usize) -> Result<Device, candle_core::Error> {
    let opened = Device::new_cuda_with_stream(number)?;
    let cuda = opened.as_cuda_device()?;
    // SAFETY: the events order tensors between streams, and this device has one stream for its whole life.
    unsafe { cuda.disable_event_tracking() };
    // A GPU without pools is slower, not unusable.
    let _ = keep_freed_memory(number);
    Ok(opened)
}

/// Lets the pool keep what tensors free. Its default is to give everything back to the driver at each wait, so that
/// the next batch maps its memory anew.
fn keep_freed_memory(number: usize) -> Result<(), DriverError> {
    let mut everything = u64::MAX;
    // SAFETY: the device was just opened under this number, its pool lives as long as the driver, and the attribute
    // is an u64 that the call only reads.
    unsafe {
        let pool = device::get_default_mem_pool(device::get(number as i32)?)?;
        mem_pool::set_attribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, (&raw mut everything).cast())
    }
}
