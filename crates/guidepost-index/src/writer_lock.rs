//! One writer at a time. The lock is the operating system's, so it goes with the process however that ends; the
//! process id inside only tells people whom they wait for.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::IndexError;

/// Name of the file.
pub(crate) const LOCK: &str = "LOCK";

/// What to do while another process writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience<'a> {
    /// Until it is through, or this is set.
    Wait(&'a AtomicBool),
    GiveUp,
}

/// Holds the lock until dropped.
pub(crate) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock. `on_wait` hears once whom it waits for.
    pub(crate) fn take(
        index: &Path,
        patience: Patience<'_>,
        mut on_wait: impl FnMut(&str),
    ) -> Result<WriterLock, IndexError> {
        let path = index.join(LOCK);
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open().map_err(IndexError::io("write", &path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(IndexError::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) => {
                    let Patience::Wait(stop) = patience else {
                        return Err(IndexError::Locked { path: index.to_owned(), holder: holder(&mut file) });
                    };
                    if stop.load(Ordering::Relaxed) {
                        return Err(IndexError::Interrupted { kept: None });
                    }
                    if !std::mem::replace(&mut told, true) {
                        on_wait(&holder(&mut file));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        let mut sign = || {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        sign().map_err(IndexError::io("write", &path))?;
        Ok(WriterLock { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(id) => format!("process {id}"),
        None => "unknown process".to_owned(),
    }
}
