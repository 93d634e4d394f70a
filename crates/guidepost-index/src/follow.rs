//! Follows folders: says when something in them may have changed and things have been quiet since. It never says what
//! changed: looking costs an update a stat per file, and is right whatever notifications were lost or misunderstood.
//!
//! Where the system does not notify, on network drives above all, it simply says so every few seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode};
use notify::{Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::generation::CURRENT;

/// Changes are taken up when there has been none for so long: a save is several events, a checkout thousands.
const QUIET: Duration = Duration::from_millis(500);
/// While changes go on and on, they are taken up this long after the first.
const AT_LATEST: Duration = Duration::from_secs(5);
/// Once more after each time: for what was written into a new folder before the system watched it, and past the two seconds
/// in which a file's time of change does not vouch for its text.
const AGAIN: Duration = Duration::from_millis(2500);
/// How often folders are looked at that the system does not watch.
const POLL: Duration = Duration::from_secs(5);
/// How often the followed folders themselves are looked at: whether they are gone, or back, or others.
const LOOK_AT_FOLDERS: Duration = Duration::from_secs(1);
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(100);

/// How folders are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// By the system's notifications where it has them.
    Notified,
    /// By looking every few seconds.
    Polled,
}

/// Why it is time to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed.
    Look,
    /// The stop is set.
    Stop,
}

/// Follows the folders of an index.
pub struct Follower {
    index: PathBuf,
    following: Following,
    folders: Vec<Followed>,
    watcher: Option<RecommendedWatcher>,
    noticed: Arc<Mutex<Noticed>>,
    polled: Vec<(PathBuf, String)>,
    polled_at: Instant,
    looked_at_folders: Instant,
    /// What `CURRENT` said then: another process may have added a folder.
    current: Option<String>,
}

struct Followed {
    folder: PathBuf,
    identity: Option<Identity>,
}

/// Tells a folder from another one that has taken its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    number: (u64, u64),
    created: Option<SystemTime>,
}

impl Follower {
    /// Follows nothing yet. Changes within the index directory are the index's own, and none.
    pub fn new(index: &Path, following: Following) -> Self {
        Follower {
            index: index.canonicalize().unwrap_or_else(|_| index.to_owned()),
            following,
            folders: Vec::new(),
            watcher: None,
            noticed: Arc::default(),
            polled: Vec::new(),
            polled_at: Instant::now(),
            looked_at_folders: Instant::now(),
            current: None,
        }
    }

    /// Follows these folders, and no others any more.
    pub fn follow(&mut self, folders: &[PathBuf]) {
        if !self.folders.iter().map(|followed| &followed.folder).eq(folders) {
            self.folders = folders.iter().map(|folder| Followed::new(folder)).collect();
            self.attach();
        }
    }

    /// Folders that are looked at every few seconds, as the system does not notify of them, each with the reason.
    pub fn polled(&self) -> &[(PathBuf, String)] {
        &self.polled
    }

    /// Waits until it is time to look at the folders, or until `stop` is set.
    pub fn wait(&mut self, stop: &AtomicBool) -> Wake {
        loop {
            if stop.load(Ordering::Relaxed) {
                return Wake::Stop;
            }
            if self.look_at_folders() || self.take_noticed() {
                return Wake::Look;
            }
            std::thread::sleep(TICK);
        }
    }

    /// Whether something was noticed and it is time to say so.
    fn take_noticed(&mut self) -> bool {
        let mut noticed = lock(&self.noticed);
        let due = noticed.take_due(Instant::now());
        let lost = due && std::mem::take(&mut noticed.lost);
        drop(noticed);
        if lost {
            // Among what was lost may have been new folders, which nobody watches now.
            self.attach();
        }
        due
    }

    /// Whether the followed folders are others than before, or to be polled, or the index is another.
    fn look_at_folders(&mut self) -> bool {
        if self.looked_at_folders.elapsed() < LOOK_AT_FOLDERS {
            return false;
        }
        self.looked_at_folders = Instant::now();
        let others = self.folders.iter_mut().fold(false, |others, followed| followed.is_another() | others);
        if others {
            self.attach();
        }
        let is_time_to_poll = !self.polled.is_empty() && self.polled_at.elapsed() >= POLL;
        if is_time_to_poll {
            self.polled_at = Instant::now();
        }
        let current = self.read_current();
        let before = std::mem::replace(&mut self.current, current);
        others || is_time_to_poll || before != self.current
    }

    /// Watches all folders that are there, from scratch.
    fn attach(&mut self) {
        // Whatever changed before they were watched.
        lock(&self.noticed).again = Some(Instant::now());
        self.polled.clear();
        self.watcher = None;
        if self.following == Following::Polled {
            return self.poll_all("as asked for");
        }
        let (noticed, index) = (Arc::clone(&self.noticed), self.index.clone());
        let notice = move |event: notify::Result<Event>| lock(&noticed).event(event, &index);
        match RecommendedWatcher::new(notice, Config::default().with_follow_symlinks(false)) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => return self.poll_all(&error.to_string()),
        }
        let is_full = std::mem::take(&mut lock(&self.noticed).full);
        for followed in self.folders.iter().filter(|followed| followed.identity.is_some()) {
            if let Some(reason) = self.watcher.as_mut().and_then(|watcher| followed.watch(watcher, is_full)) {
                self.polled.push((followed.folder.clone(), reason));
            }
        }
    }

    fn poll_all(&mut self, reason: &str) {
        let there = self.folders.iter().filter(|followed| followed.identity.is_some());
        self.polled = there.map(|followed| (followed.folder.clone(), reason.to_owned())).collect();
    }

    fn read_current(&self) -> Option<String> {
        fs::read_to_string(self.index.join(CURRENT)).ok()
    }
}

impl Followed {
    fn new(folder: &Path) -> Self {
        Followed { folder: folder.to_owned(), identity: identity(folder) }
    }

    fn is_another(&mut self) -> bool {
        let now = identity(&self.folder);
        std::mem::replace(&mut self.identity, now.clone()) != now
    }

    /// Has it watched; if it has to be polled instead, why.
    fn watch(&self, watcher: &mut RecommendedWatcher, is_full: bool) -> Option<String> {
        if is_full {
            return Some(FULL.to_owned());
        }
        if let Some(kind) = network_drive(&self.folder) {
            return Some(format!("it is on a drive ({kind}) that does not tell of changes made elsewhere"));
        }
        let error = watcher.watch(&self.folder, RecursiveMode::Recursive).err()?;
        match error.kind {
            // Gone again: noticed by its identity.
            ErrorKind::PathNotFound => None,
            ErrorKind::MaxFilesWatch => Some(FULL.to_owned()),
            _ => Some(error.to_string()),
        }
    }
}

const FULL: &str = "the system watches no more folders; on Linux, fs.inotify.max_user_watches is the limit";

/// What notifications have told since somebody looked.
#[derive(Default)]
struct Noticed {
    first: Option<Instant>,
    last: Option<Instant>,
    /// When to look although nothing was noticed.
    again: Option<Instant>,
    /// Notifications were lost.
    lost: bool,
    /// The system's limit was met.
    full: bool,
}

impl Noticed {
    fn event(&mut self, event: notify::Result<Event>, index: &Path) {
        match event {
            Ok(event) => {
                self.lost |= event.need_rescan();
                if event.need_rescan() || is_change(&event, index) {
                    self.change(Instant::now());
                }
            }
            Err(error) => {
                self.full |= matches!(error.kind, ErrorKind::MaxFilesWatch);
                self.lost = true;
                self.change(Instant::now());
            }
        }
    }

    fn change(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// Whether it is time to look; if so, all is forgotten.
    fn take_due(&mut self, now: Instant) -> bool {
        let is_quiet = self.last.is_some_and(|last| now >= last + QUIET);
        let is_late = self.first.is_some_and(|first| now >= first + AT_LATEST);
        if is_quiet || is_late {
            (self.first, self.last, self.again) = (None, None, Some(now + AGAIN));
            return true;
        }
        self.again.take_if(|again| now >= *again).is_some()
    }
}

/// Whether a guide may read otherwise after it. Reading is none, or each update would be followed by the next.
fn is_change(event: &Event, index: &Path) -> bool {
    let only_read = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    let within_index = !event.paths.is_empty() && event.paths.iter().all(|path| path.starts_with(index));
    !only_read && !within_index
}

fn lock(noticed: &Mutex<Noticed>) -> MutexGuard<'_, Noticed> {
    noticed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `None` where there is no folder.
fn identity(folder: &Path) -> Option<Identity> {
    let metadata = folder.metadata().ok().filter(fs::Metadata::is_dir)?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::dev(&metadata);
    #[cfg(unix)]
    let number = (number, std::os::unix::fs::MetadataExt::ino(&metadata));
    #[cfg(not(unix))]
    let number = (0, 0);
    Some(Identity { number, created: metadata.created().ok() })
}

/// The kind of network drive a folder is on, if it is on one.
#[cfg(target_os = "linux")]
fn network_drive(folder: &Path) -> Option<&'static str> {
    /// Numbers of linux/magic.h, and of file systems that bring their own.
    const KINDS: [(u32, &str); 9] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
        (0x00C3_6400, "Ceph"),
        (0x5346_414F, "AFS"),
        (0x786F_4256, "VirtualBox"),
    ];
    let kind = rustix::fs::statfs(folder).ok()?.f_type as u32;
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Elsewhere, whoever names a folder has to know: see [`Following::Polled`].
#[cfg(not(target_os = "linux"))]
fn network_drive(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, ModifyKind};

    use super::*;

    #[test]
    fn changes_are_due_when_it_is_quiet_or_late_and_once_more() {
        // Milliseconds at which something is noticed; those at which it is due, asked every 100.
        for (events, due) in [
            (vec![], vec![]),
            (vec![0], vec![500, 3000]),
            (vec![0, 400, 800], vec![1300, 3800]),
            ((0..70).map(|at| at * 100).collect(), vec![5000, 7400, 9900]),
            (vec![0, 2000], vec![500, 2500, 5000]),
        ] {
            let start = Instant::now();
            let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
            let mut noticed = Noticed::default();
            let mut found = Vec::new();
            for now in (0..20_000).step_by(100) {
                if events.contains(&now) {
                    noticed.change(at(now));
                }
                if noticed.take_due(at(now)) {
                    found.push(now);
                }
            }
            assert_eq!(found, due, "{events:?}");
        }
    }

    #[test]
    fn reading_and_the_index_itself_are_no_changes() {
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let closed = |mode| EventKind::Access(AccessKind::Close(mode));
        for (kind, path, expected) in [
            (modified, "/guides/a.md", true),
            (EventKind::Create(CreateKind::Folder), "/guides/new", true),
            (closed(AccessMode::Write), "/guides/a.md", true),
            (closed(AccessMode::Read), "/guides/a.md", false),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), "/guides/a.md", false),
            (modified, "/guides/index/LOCK", false),
        ] {
            let event = Event::new(kind).add_path(path.into());
            assert_eq!(is_change(&event, Path::new("/guides/index")), expected, "{event:?}");
        }
    }

    #[test]
    fn lost_notifications_are_a_change_and_a_new_beginning() {
        let mut noticed = Noticed::default();
        noticed.event(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), Path::new("/index"));
        assert!(noticed.lost && noticed.first.is_some());
        noticed.event(Err(notify::Error::new(ErrorKind::MaxFilesWatch)), Path::new("/index"));
        assert!(noticed.full);
    }
}
