//! What a fetch tells while it runs.

/// Listens to a fetch.
pub type FetchProgress<'a> = &'a mut dyn FnMut(FetchEvent<'_>);

/// A step of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchEvent<'a> {
    /// Another process is fetching the same model; this one waits for it.
    Waiting,
    /// A source is tried.
    Trying {
        /// Its name, for people.
        source: &'a str,
    },
    /// A source could not help; the next one is tried.
    Failed {
        /// Its name, for people.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// Bytes have arrived.
    Bytes {
        /// So far.
        done: u64,
        /// In all.
        total: u64,
    },
}
