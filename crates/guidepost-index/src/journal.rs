//! What a model has made for an update that is not finished: kept as it is made, so that an update which is stopped,
//! killed or cut off from power does not embed anything twice. No index: nothing is searched in it.
//!
//! ```text
//! INDEX/unfinished.embeddings
//!   {"format":1,"model":...}   a line of JSON: what has to be equal for the records to be of use
//!   records                    length u32, checksum u64 (of length and body, BLAKE3), body; all little endian
//!   body                       length of the key u32, key, vector f32, then, where codes are kept, 1u8 and codes u64, else 0u8
//! ```
//!
//! Records are only ever appended. What does not hold its checksum, and everything behind it, was being written when
//! the power went, and is cut off. The writer's lock is held by whoever opens it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use guidepost_text::{Embed, Embedding};
use serde::{Deserialize, Serialize};

use crate::plan::now;
use crate::tokens::CODES;
use crate::{IndexError, files};

/// Its name in the index directory.
pub(crate) const NAME: &str = "unfinished.embeddings";

const FORMAT: u32 = 1;

/// Records reach the operating system at once, which is enough for a process that is killed. For a machine that loses power
/// they are forced to disk this often.
const SYNC_EVERY: Duration = Duration::from_secs(2);

/// Seconds that embeddings of an update which is never taken up again are kept.
const KEEP_SECONDS: u64 = 7 * 24 * 60 * 60;

/// No record is longer; a length above it is damage.
const LONGEST: usize = 64 << 20;

/// Length and checksum.
const PREFIX: usize = 12;

/// What a model made of one passage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The chunk's.
    pub(crate) key: String,
    pub(crate) vector: Embedding,
    /// Codes of its tokens, where they were wanted.
    pub(crate) codes: Option<Vec<u64>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// The fingerprint.
    model: String,
    /// Components of each vector.
    dimensions: usize,
    /// How tokens are coded.
    codes: String,
    /// Seconds since 1970.
    started: u64,
}

/// Where the embeddings of an update are put down as they are made.
pub(crate) struct Journal {
    path: PathBuf,
    header: Header,
    /// `None` before the first record is appended to a new one, and after the disk refused.
    file: Option<File>,
    /// Bytes that were sound when it was opened; 0 where there was none.
    sound: u64,
    /// Where the records that it had when it was opened begin, by key. Those stay on disk: they can be many.
    stored: HashMap<String, Stored>,
    /// Records appended.
    appended: usize,
    synced: Instant,
    refused: Option<io::Error>,
}

struct Stored {
    /// Where the record begins.
    at: u64,
    has_codes: bool,
    /// Whether it is one of this update's passages.
    is_wanted: bool,
}

impl Journal {
    /// Opens the journal of an earlier update. One of another model or format is removed; none at all is as good as an
    /// empty one.
    ///
    /// # Errors
    /// A file that is there and can neither be read nor removed.
    pub(crate) fn open(index: &Path, embedder: &dyn Embed) -> Result<Journal, IndexError> {
        let path = index.join(NAME);
        let mut journal = Journal {
            header: Header {
                format: FORMAT,
                model: embedder.fingerprint().to_owned(),
                dimensions: embedder.dimensions(),
                codes: CODES.to_owned(),
                started: now(),
            },
            file: None,
            sound: 0,
            stored: HashMap::new(),
            appended: 0,
            synced: Instant::now(),
            refused: None,
            path,
        };
        journal.read().map_err(IndexError::io("read", &journal.path))?;
        Ok(journal)
    }

    /// The record of one of this update's passages, if an earlier update left one, with codes where they are wanted.
    pub(crate) fn find(&mut self, key: &str, with_codes: bool) -> Option<Record> {
        let stored = self.stored.get_mut(key)?;
        stored.is_wanted = true;
        if with_codes && !stored.has_codes {
            return None;
        }
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(stored.at)).ok()?;
        let (record, _) = read_record(&mut BufReader::new(file), self.header.dimensions).ok()??;
        Some(record)
    }

    /// Says that a passage, of which the index knows already, is one of this update's: an update that was killed right behind
    /// its commit put it down.
    pub(crate) fn claim(&mut self, key: &str) {
        self.stored.get_mut(key).into_iter().for_each(|stored| stored.is_wanted = true);
    }

    /// Puts records down.
    pub(crate) fn append<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        if self.refused.is_some() {
            return;
        }
        let records: Vec<Vec<u8>> = records.map(encode).collect();
        match self.write(&records.concat()) {
            Ok(()) => self.appended += records.len(),
            // Embedding goes on: what is lost is the safety, not the update.
            Err(error) => (self.refused, self.file) = (Some(error), None),
        }
    }

    /// Forces to disk what was put down.
    pub(crate) fn sync(&mut self) {
        self.synced = Instant::now();
        if let Some(Err(error)) = self.file.as_ref().map(File::sync_data) {
            self.refused = Some(error);
        }
    }

    /// Records that were put down since it was opened.
    pub(crate) fn appended(&self) -> usize {
        self.appended
    }

    /// Why embeddings are not kept any more, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        let error = self.refused.as_ref()?;
        Some(format!(
            "`{}` cannot be written ({error}): an interrupted update would start over",
            self.path.display()
        ))
    }

    /// The update is committed. What another one left here, as that of a folder which is not in the index yet, stays for
    /// it for a week.
    pub(crate) fn finish(self) {
        let is_old = now().saturating_sub(self.header.started) > KEEP_SECONDS;
        // Neither can fail in a way that matters: what stays is read, and not wanted, the next time.
        let has_others = self.stored.values().any(|stored| !stored.is_wanted);
        let _ = match (has_others && !is_old, &self.file) {
            (true, Some(file)) => file.set_len(self.sound),
            (true, None) => Ok(()),
            (false, _) => fs::remove_file(&self.path),
        };
    }

    fn read(&mut self) -> io::Result<()> {
        let mut file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let bytes = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let Some(started) = self.read_header(&mut reader)? else {
            drop(file);
            return fs::remove_file(&self.path);
        };
        self.header.started = started;
        self.sound = reader.stream_position()?;
        while let Some((record, length)) = read_record(&mut reader, self.header.dimensions)? {
            let (at, has_codes) = (self.sound, record.codes.is_some());
            self.sound += length as u64;
            if has_codes || !self.stored.contains_key(&record.key) {
                self.stored.insert(record.key, Stored { at, has_codes, is_wanted: false });
            }
        }
        drop(reader);
        if self.sound < bytes {
            file.set_len(self.sound)?;
        }
        file.seek(SeekFrom::Start(self.sound))?;
        self.file = Some(file);
        Ok(())
    }

    /// When the journal was begun; `None` where it is of no use here.
    fn read_header(&self, reader: &mut impl BufRead) -> io::Result<Option<u64>> {
        let mut line = Vec::new();
        reader.take(1 << 16).read_until(b'\n', &mut line)?;
        let found: Option<Header> = serde_json::from_slice(&line).ok();
        let wanted = &self.header;
        let fits = |found: &Header| {
            (found.format, &found.model, found.dimensions, &found.codes)
                == (wanted.format, &wanted.model, wanted.dimensions, &wanted.codes)
        };
        Ok(found.filter(|found| fits(found) && line.ends_with(b"\n")).map(|found| found.started))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(self.create()?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            if self.synced.elapsed() >= SYNC_EVERY {
                self.synced = Instant::now();
                file.sync_data()?;
            }
        }
        Ok(())
    }

    fn create(&self) -> io::Result<File> {
        let mut file = File::create(&self.path)?;
        let mut header = serde_json::to_vec(&self.header)?;
        header.push(b'\n');
        file.write_all(&header)?;
        file.sync_data()?;
        files::sync_folder(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(file)
    }
}

fn encode(record: &Record) -> Vec<u8> {
    let vector = record.vector.as_slice();
    let codes = record.codes.as_deref();
    let mut bytes = vec![0; PREFIX];
    bytes.extend((record.key.len() as u32).to_le_bytes());
    bytes.extend(record.key.as_bytes());
    bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
    bytes.push(u8::from(codes.is_some()));
    bytes.extend(codes.unwrap_or_default().iter().flat_map(|word| word.to_le_bytes()));
    let length = ((bytes.len() - PREFIX) as u32).to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    let checksum = checksum(length, &bytes[PREFIX..]);
    bytes[4..PREFIX].copy_from_slice(&checksum);
    bytes
}

/// The next record and its bytes; `None` at the end, or where what follows is no whole record.
fn read_record(reader: &mut impl Read, dimensions: usize) -> io::Result<Option<(Record, usize)>> {
    let mut prefix = Vec::new();
    reader.take(PREFIX as u64).read_to_end(&mut prefix)?;
    let Some((length, expected)) = prefix.split_first_chunk::<4>() else { return Ok(None) };
    let bytes = u32::from_le_bytes(*length) as usize;
    if bytes > LONGEST {
        return Ok(None);
    }
    let mut body = Vec::new();
    reader.take(bytes as u64).read_to_end(&mut body)?;
    if body.len() < bytes || expected != checksum(*length, &body) {
        return Ok(None);
    }
    Ok(decode(&body, dimensions).map(|record| (record, PREFIX + bytes)))
}

fn decode(body: &[u8], dimensions: usize) -> Option<Record> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (vector, rest) = rest.split_at_checked(dimensions * 4)?;
    let (&has_codes, codes) = rest.split_first()?;
    let vector = vector.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let codes = codes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    Some(Record {
        key: String::from_utf8(key.to_vec()).ok()?,
        vector: Embedding::from_unit(vector),
        codes: (has_codes == 1).then_some(codes),
    })
}

fn checksum(length: [u8; 4], body: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&length).update(body);
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    first
}

#[cfg(test)]
mod tests;
