//! What an update has to do: what is on disk, held against what the index knows. Costs a stat per file; only
//! files whose stat differs are read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::generation_record::GenerationRecord;
use crate::walk::{self, Listing};
use crate::{Changes, DocumentRecord, IndexError, ShippedGuide, SourceRecord};

/// Something to know about a guide, or about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The guide, as citations give it.
    pub path: Option<String>,
    /// What there is to know.
    pub message: String,
}

/// A guide that is there now.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) source: usize,
    pub(crate) relative: String,
    /// As citations give it.
    pub(crate) path: String,
    pub(crate) origin: Origin,
    pub(crate) bytes: u64,
    pub(crate) modified_ns: u64,
    /// Number of the guide in the index, if it is there.
    pub(crate) known: Option<usize>,
    pub(crate) state: State,
}

#[derive(Debug, Clone)]
pub(crate) enum Origin {
    File(PathBuf),
    Shipped(&'static [u8]),
    /// Its folder cannot be reached; what the index has stays.
    OutOfReach,
}

/// How a guide compares with the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The same stat, or the same text.
    Same,
    /// Another time of change, the same text; or an earlier version read it.
    Touched,
    /// Another text, or new.
    Changed,
}

/// All guides that are there now, and what was noticed on the way.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// When the disk was looked at, seconds since 1970: nothing was listed or read before.
    pub(crate) looked: u64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) other_kinds: std::collections::BTreeMap<String, usize>,
    pub(crate) removed: usize,
}

/// A file changed this shortly before it was looked at may have changed again within the same tick of the file system's
/// clock (of FAT, two seconds): its text is looked at, not only its stat. So is that of a file from the future.
const RACY_NS: u64 = 2_000_000_000;

impl Plan {
    pub(crate) fn new(
        sources: &[SourceRecord],
        shipped: &[ShippedGuide],
        old: Option<&GenerationRecord>,
    ) -> Result<Plan, IndexError> {
        let mut plan = Plan { looked: now(), ..Plan::default() };
        let known = Known::new(old);
        for (source, record) in sources.iter().enumerate() {
            match &record.folder {
                None => plan.entries.extend(shipped.iter().map(|guide| shipped_entry(source, record, guide))),
                Some(folder) => match walk::list(folder) {
                    Ok(listing) => plan.take_listing(source, record, listing),
                    Err(error) => plan.keep_unreachable(source, record, &known, error)?,
                },
            }
        }
        for entry in &mut plan.entries {
            entry.known = known.find(sources, entry);
            entry.state = state(entry, old, &mut plan.warnings);
            let outdated = old.is_some_and(|old| !old.is_current() || !old.has_current_postings());
            if outdated && entry.state == State::Same && !matches!(entry.origin, Origin::OutOfReach) {
                entry.state = State::Touched;
            }
        }
        let kept = plan.entries.iter().filter(|entry| entry.known.is_some()).count();
        plan.removed = known.len().saturating_sub(kept);
        Ok(plan)
    }

    pub(crate) fn changes(&self) -> Changes {
        let count = |test: fn(&&Entry) -> bool| self.entries.iter().filter(test).count();
        Changes {
            added: count(|entry| entry.known.is_none() && entry.state == State::Changed),
            changed: count(|entry| entry.known.is_some() && entry.state == State::Changed),
            removed: self.removed,
            touched: count(|entry| entry.state == State::Touched),
        }
    }

    fn take_listing(&mut self, source: usize, record: &SourceRecord, listing: Listing) {
        let entry = |found: walk::Found| Entry {
            source,
            path: format!("{}/{}", record.name, found.relative),
            relative: found.relative,
            origin: Origin::File(found.path),
            bytes: found.bytes,
            modified_ns: found.modified_ns,
            known: None,
            state: State::Changed,
        };
        self.entries.extend(listing.files.into_iter().map(entry));
        let warning = |message| Warning { path: None, message };
        self.warnings.extend(listing.problems.into_iter().map(warning));
        for (kind, count) in listing.other_kinds {
            *self.other_kinds.entry(kind).or_default() += count;
        }
    }

    /// A folder that was there and is not (a drive that is not plugged in): its guides stay as they were. A folder
    /// that never was in the index is an error.
    fn keep_unreachable(
        &mut self,
        source: usize,
        record: &SourceRecord,
        known: &Known,
        error: IndexError,
    ) -> Result<(), IndexError> {
        let Some(before) = known.of_source(record) else { return Err(error) };
        self.warnings.push(Warning {
            path: None,
            message: format!("{error}; its {} guides stay as they were last read", before.len()),
        });
        self.entries.extend(before.into_iter().map(|document| Entry {
            source,
            relative: document.relative.clone(),
            path: format!("{}/{}", record.name, document.relative),
            origin: Origin::OutOfReach,
            bytes: document.bytes,
            modified_ns: unseen_time(document, known.record),
            known: None,
            state: State::Same,
        }));
        Ok(())
    }
}

fn shipped_entry(source: usize, record: &SourceRecord, guide: &ShippedGuide) -> Entry {
    Entry {
        source,
        relative: guide.path.to_owned(),
        path: format!("{}/{}", record.name, guide.path),
        origin: Origin::Shipped(guide.bytes),
        bytes: guide.bytes.len() as u64,
        modified_ns: 0,
        known: None,
        state: State::Changed,
    }
}

/// The guides of the index, by folder and path.
struct Known<'a> {
    by_place: HashMap<(Option<&'a Path>, &'a str), usize>,
    record: Option<&'a GenerationRecord>,
}

impl<'a> Known<'a> {
    fn new(record: Option<&'a GenerationRecord>) -> Self {
        let documents = record.map_or(&[][..], |record| &record.documents);
        let folder = |document: &DocumentRecord| {
            let sources = record.map_or(&[][..], |record| &record.sources);
            sources.get(document.source).and_then(|source| source.folder.as_deref())
        };
        let by_place = documents
            .iter()
            .enumerate()
            .map(|(at, document)| ((folder(document), document.relative.as_str()), at));
        Known { by_place: by_place.collect(), record }
    }

    fn len(&self) -> usize {
        self.by_place.len()
    }

    fn find(&self, sources: &[SourceRecord], entry: &Entry) -> Option<usize> {
        self.by_place.get(&(sources[entry.source].folder.as_deref(), entry.relative.as_str())).copied()
    }

    /// The guides of a source; `None` where the index does not hold it.
    fn of_source(&self, record: &SourceRecord) -> Option<Vec<&'a DocumentRecord>> {
        let known = self.record?;
        let source = known.sources.iter().position(|source| source.folder == record.folder)?;
        Some(known.documents.iter().filter(|document| document.source == source).collect())
    }
}

fn state(entry: &mut Entry, old: Option<&GenerationRecord>, warnings: &mut Vec<Warning>) -> State {
    let Some((old, known)) = old.zip(entry.known) else { return State::Changed };
    let before = &old.documents[known];
    let same_stat = before.bytes == entry.bytes && before.modified_ns == entry.modified_ns;
    match &entry.origin {
        Origin::OutOfReach => State::Same,
        Origin::File(_) if same_stat && is_settled(entry.modified_ns, old.looked) && before.was_read() => {
            State::Same
        }
        Origin::File(path) => match std::fs::read(path) {
            Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() != before.hash => State::Changed,
            // Once its time is past, a new generation can vouch for it by its stat alone.
            Ok(_) if !same_stat || is_settled(entry.modified_ns, now()) => State::Touched,
            Ok(_) => State::Same,
            Err(_) if !before.was_read() => State::Same,
            Err(error) => {
                let message = format!("cannot be read ({error}); it stays as it was last read");
                warnings.push(Warning { path: Some(entry.path.clone()), message });
                // The stat of a text that nobody has seen says nothing of the text that the index has.
                (entry.bytes, entry.modified_ns) = (before.bytes, unseen_time(before, Some(old)));
                State::Same
            }
        },
        Origin::Shipped(bytes) if blake3::hash(bytes).to_hex().as_str() == before.hash => State::Same,
        Origin::Shipped(_) => State::Changed,
    }
}

/// Whether a change after `seconds` (since 1970) to a file that was changed at `modified_ns` would show in that time. In none it
/// never would.
fn is_settled(modified_ns: u64, seconds: u64) -> bool {
    modified_ns > 0 && modified_ns.saturating_add(RACY_NS) < seconds.saturating_mul(1_000_000_000)
}

/// The time of change to remember of a guide that cannot be looked at now. The look to come vouches for it no more than the last one
/// did: where that was too soon after the change, a time that the file does not have.
fn unseen_time(before: &DocumentRecord, old: Option<&GenerationRecord>) -> u64 {
    let is_vouched_for = old.is_some_and(|old| is_settled(before.modified_ns, old.looked));
    before.modified_ns.saturating_add(u64::from(!is_vouched_for))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// A guide of five bytes that changed ten seconds after 1970, in an index whose disk was looked at so many after.
    fn looked_at(seconds: u64) -> GenerationRecord {
        let guide = json!({
            "source": 0, "relative": "a.md", "path": "guides/a.md", "bytes": 5, "modified_ns": 10 * SECOND, "hash": "abc",
            "metadata": {"title": "A"}, "first_chunk": 0, "chunks": 0, "segment": 0, "first_row": 0, "number": 0,
        });
        let record = json!({
            "format": 2, "generation": 1, "fingerprint": "", "finder": "", "keeps_tokens": false, "analyzer": "",
            "dimensions": null, "written": 999, "looked": seconds, "chunks": 0, "sources": [], "documents": [guide],
            "segments": [], "files": {},
        });
        serde_json::from_value(record).expect("it has all that a record has")
    }

    /// A text that nobody has seen: the index remembers the stat of the one that it has, or none that the file can have.
    #[test]
    fn a_guide_that_cannot_be_read_is_looked_at_when_it_can() {
        for (looked, expected) in [(100, 10 * SECOND), (11, 10 * SECOND + 1), (0, 10 * SECOND + 1)] {
            let mut entry = Entry {
                source: 0,
                relative: "a.md".to_owned(),
                path: "guides/a.md".to_owned(),
                origin: Origin::File(PathBuf::from("a folder that is not there/a.md")),
                bytes: 7,
                modified_ns: 20 * SECOND,
                known: Some(0),
                state: State::Changed,
            };
            let mut warnings = Vec::new();
            assert_eq!(state(&mut entry, Some(&looked_at(looked)), &mut warnings), State::Same);
            assert_eq!((entry.bytes, entry.modified_ns), (5, expected), "looked at {looked}");
            assert!(warnings[0].message.contains("cannot be read"), "{warnings:?}");
        }
    }
}
