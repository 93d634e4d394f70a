//! Archives around made-up parts.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What sets the parts of an input apart: a byte that UTF-8 never holds.
pub(crate) const SEAM: u8 = 0xff;

/// The file that fuzz bytes stand for. Bytes that begin as an archive does are the whole file. All others are its parts,
/// in the order of `parts` and set apart by a [`SEAM`]; where one is missing or empty, the sound one given there takes
/// its place.
pub fn archive(bytes: &[u8], parts: &[(&str, &str)]) -> Vec<u8> {
    if bytes.starts_with(b"PK") {
        return bytes.to_vec();
    }
    let mut made_up = bytes.split(|&byte| byte == SEAM);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, sound) in parts {
        let part = made_up.next().filter(|part| !part.is_empty()).unwrap_or(sound.as_bytes());
        zip.start_file(*name, stored).expect("memory is writable");
        zip.write_all(part).expect("memory is writable");
    }
    zip.finish().expect("memory is writable").into_inner()
}
