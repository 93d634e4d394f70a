//! What the streams of a PDF would unpack to, measured before anything is kept of them.

use std::io::Read;

use flate2::bufread::ZlibDecoder;

/// Most bytes that all streams but pictures may unpack to, and any single picture.
const MAX_UNPACKED: u64 = 384 << 20;

/// Longest stream in bytes that is packed in a way that is not measured. It makes at most 1,400 times as much.
const MAX_UNMEASURED: usize = 256 << 10;

/// Longest description of a stream in bytes.
const MAX_DICTIONARY: usize = 4_000;

/// Length in bytes of the longest stream that may be drawn again and again; `None` where a PDF cannot be unpacked in the
/// memory that a guide may take. Pictures are not unpacked to read text, but whether a stream is one is only its own
/// word; so a picture may not be a bomb either.
pub(super) fn longest_form(bytes: &[u8]) -> Option<usize> {
    let mut left = MAX_UNPACKED;
    let mut longest = 0;
    let mut behind = 0;
    for start in stream_starts(bytes) {
        // A stream begins inside another only where somebody wants it to.
        if start < behind {
            continue;
        }
        let about = &bytes[start.saturating_sub(MAX_DICTIONARY)..start];
        let about = &about[about.windows(3).rposition(|word| word == b"obj").unwrap_or(0)..];
        let has = |name: &[u8]| about.windows(name.len()).filter(|window| *window == name).count();
        let is_picture = has(b"/Image") > 0;
        if has(b"/LZWDecode") > 0 && !is_picture && end_of_stream(bytes, start) - start > MAX_UNMEASURED {
            return None;
        }
        let limit = if is_picture { MAX_UNPACKED } else { left };
        let (unpacked, packed, packed_twice) = measure(&bytes[start..], limit);
        if unpacked > limit || (packed_twice && has(b"/FlateDecode") > 1) {
            return None;
        }
        if !is_picture {
            left -= unpacked;
            if has(b"/Form") > 0 {
                let plain = if unpacked == 0 { end_of_stream(bytes, start) - start } else { 0 };
                longest = longest.max(plain).max(unpacked as usize);
            }
        }
        behind = start + packed;
    }
    Some(longest)
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

fn end_of_stream(bytes: &[u8], start: usize) -> usize {
    let end = bytes[start..].windows(9).position(|window| window == b"endstream");
    end.map_or(bytes.len(), |end| start + end)
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
