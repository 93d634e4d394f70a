//! What the streams of a PDF would unpack to, measured before anything is kept of them.

use std::io::Read;
use std::ops::Range;

use flate2::bufread::ZlibDecoder;

/// Most bytes that all streams but pictures may unpack to, and any single picture.
const MAX_UNPACKED: u64 = 384 << 20;

/// Longest stream in bytes that is packed in a way that is not measured. It makes at most 1,400 times as much.
const MAX_UNMEASURED: usize = 256 << 10;

/// Longest description of a stream in bytes.
const MAX_DICTIONARY: usize = 4_000;

/// What the streams of a PDF come to.
pub(super) struct Streams {
    /// Bytes that all but pictures unpack to.
    pub(super) unpacked: usize,
    /// Length in bytes of the longest that may be drawn again and again.
    pub(super) longest_form: usize,
}

/// Steps that looking for the objects of a damaged PDF may take, for each byte of it and in any case.
const STEPS_PER_BYTE: usize = 8;
const MIN_STEPS: usize = 4 << 20;

/// Whether the objects of a PDF can be looked for in a time that grows with its length. Where the table of its objects is
/// damaged, hayro-syntax 0.9.0 tries to read one at every place that looks like a beginning; if none of them ends before
/// the file does, it reads the file as often.
pub(super) fn objects_end(bytes: &[u8]) -> bool {
    let mut left = MIN_STEPS + STEPS_PER_BYTE * bytes.len();
    let begins = |at: &usize| match bytes[*at] {
        b'o' => bytes[*at..].starts_with(b"obj"),
        b'<' => bytes[*at..].starts_with(b"<<") && (*at == 0 || bytes[at - 1].is_ascii_whitespace()),
        _ => false,
    };
    for at in (0..bytes.len()).filter(begins) {
        let start = if bytes[at] == b'o' { at + 3 } else { at };
        match left.checked_sub(length_of_object(&bytes[start..], left)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

/// Bytes up to where every bracket of an object is closed; a little more than `most` where that is far.
fn length_of_object(bytes: &[u8], most: usize) -> usize {
    let (mut brackets, mut parentheses) = (0, 0);
    let mut at = 0;
    while at < bytes.len() && at <= most {
        let two = bytes.get(at..at + 2).unwrap_or_default();
        match bytes[at] {
            b'\\' if parentheses > 0 => at += 1,
            b'(' => parentheses += 1,
            b')' if parentheses > 0 => parentheses -= 1,
            _ if parentheses > 0 => {}
            b'%' => {
                let line = &bytes[at..bytes.len().min(at + most + 1)];
                at += line.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(line.len());
                continue;
            }
            b'[' => brackets += 1,
            b']' => brackets -= 1,
            b'<' if two == b"<<" => (brackets, at) = (brackets + 1, at + 1),
            b'>' if two == b">>" => (brackets, at) = (brackets - 1, at + 1),
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {}
        }
        at += 1;
        if brackets <= 0 && parentheses == 0 {
            break;
        }
    }
    at
}

/// Measures the streams of a PDF; `None` where it cannot be unpacked in the memory that a guide may take. Pictures are
/// not unpacked to read text, but whether a stream is one is only its own word; so a picture may not be a bomb either.
pub(super) fn measure_streams(bytes: &[u8]) -> Option<Streams> {
    let mut left = MAX_UNPACKED;
    let mut longest = 0;
    let mut behind = 0;
    // Looked up once: a file can be made of millions of beginnings of streams.
    let [objects, pictures, lzw, flate, forms, ends] =
        [&b"obj"[..], b"/Image", b"/LZWDecode", b"/FlateDecode", b"/Form", b"endstream"]
            .map(|word| Places::of(word, bytes));
    let end_of_stream = |start| ends.next(start).unwrap_or(bytes.len());
    for start in stream_starts(bytes) {
        // A stream begins inside another only where somebody wants it to.
        if start < behind {
            continue;
        }
        let about = start.saturating_sub(MAX_DICTIONARY)..start;
        let about = objects.last(&about).unwrap_or(about.start)..start;
        let is_picture = pictures.count(&about) > 0;
        if lzw.count(&about) > 0 && !is_picture && end_of_stream(start) - start > MAX_UNMEASURED {
            return None;
        }
        let limit = if is_picture { MAX_UNPACKED } else { left };
        let (unpacked, packed, packed_twice) = measure(&bytes[start..], limit);
        if unpacked > limit || (packed_twice && flate.count(&about) > 1) {
            return None;
        }
        if !is_picture {
            left -= unpacked;
            if forms.count(&about) > 0 {
                let plain = if unpacked == 0 { end_of_stream(start) - start } else { 0 };
                longest = longest.max(plain).max(unpacked as usize);
            }
        }
        behind = start + packed;
    }
    Some(Streams { unpacked: (MAX_UNPACKED - left) as usize, longest_form: longest })
}

/// Offsets of the bytes behind every `stream` that has a line break after it.
fn stream_starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let found = bytes.windows(7).enumerate().filter(|(_, window)| window.starts_with(b"stream"));
    found.filter_map(|(at, window)| match (window[6], bytes.get(at + 7)) {
        (b'\r', Some(b'\n')) => Some(at + 8),
        (b'\r' | b'\n', _) => Some(at + 7),
        _ => None,
    })
}

/// Where a word stands.
struct Places {
    length: usize,
    /// Offsets in bytes, ascending.
    starts: Vec<usize>,
}

impl Places {
    fn of(word: &[u8], bytes: &[u8]) -> Places {
        let first = |&(_, byte): &(usize, &u8)| *byte == word[0];
        let starts = bytes.iter().enumerate().filter(first).map(|(at, _)| at);
        Places { length: word.len(), starts: starts.filter(|&at| bytes[at..].starts_with(word)).collect() }
    }

    /// Those that lie in a range.
    fn within(&self, range: &Range<usize>) -> &[usize] {
        let first = self.starts.partition_point(|&at| at < range.start);
        let end = self.starts.partition_point(|&at| at + self.length <= range.end);
        self.starts.get(first..end).unwrap_or_default()
    }

    fn count(&self, range: &Range<usize>) -> usize {
        self.within(range).len()
    }

    fn last(&self, range: &Range<usize>) -> Option<usize> {
        self.within(range).last().copied()
    }

    /// The first from an offset on.
    fn next(&self, from: usize) -> Option<usize> {
        self.starts.get(self.starts.partition_point(|&at| at < from)).copied()
    }
}

/// How much a stream unpacks to, up to a little more than the limit; how long it is packed; and whether what comes out
/// looks packed again. What is not packed, or not in this way, unpacks to nothing.
fn measure(stream: &[u8], limit: u64) -> (u64, usize, bool) {
    let zlib = stream.len() > 2
        && stream[0] & 0x0f == 8
        && (u16::from(stream[0]) << 8 | u16::from(stream[1])) % 31 == 0;
    if !zlib {
        return (0, 0, false);
    }
    let mut decoder = ZlibDecoder::new(stream);
    let mut buffer = [0u8; 32 * 1024];
    let mut packed_twice = false;
    while decoder.total_out() <= limit {
        let before = decoder.total_out();
        match decoder.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) if before == 0 && count > 2 => packed_twice = buffer[0] == 0x78,
            Ok(_) => {}
        }
    }
    (decoder.total_out(), decoder.total_in() as usize, packed_twice)
}
