//! Office documents and books are ZIP archives of XML. Parts are unpacked one at a time, each up to a limit, and all
//! of them together up to another: what an archive says of its own sizes is not believed.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

/// Longest part in bytes, unpacked.
const MAX_PART: u64 = 32 << 20;

/// Most bytes that are unpacked from one archive.
const MAX_TOTAL: u64 = 128 << 20;

/// Most parts of an archive.
const MAX_PARTS: usize = 20_000;

pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
    /// What could not be unpacked, one sentence each.
    pub(super) warnings: Vec<String>,
}

impl<'a> Archive<'a> {
    /// Opens an archive; the error says why it is none.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Archive<'a>, String> {
        // An encrypted or old document is an OLE file.
        if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            return Err("it is encrypted, or of an Office older than 2007".to_owned());
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("it is damaged ({error})"))?;
        if zip.len() > MAX_PARTS {
            return Err(format!("it has {} parts, and {MAX_PARTS} are the most", zip.len()));
        }
        Ok(Archive { zip, left: MAX_TOTAL, warnings: Vec::new() })
    }

    /// The bytes of a part; `None` where there is no such part. One that cannot be unpacked is a warning.
    pub(super) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let unpacked = self.unpack(name);
        unpacked.unwrap_or_else(|error| {
            self.warnings.push(format!("its part `{name}` cannot be read: {error}"));
            None
        })
    }

    /// The XML of a part.
    pub(super) fn xml(&mut self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| super::xml::decode(&bytes))
    }

    fn unpack(&mut self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let part = match self.zip.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let limit = MAX_PART.min(self.left);
        let mut bytes = Vec::new();
        let read = part.take(limit + 1).read_to_end(&mut bytes);
        self.left = self.left.saturating_sub(bytes.len() as u64);
        if bytes.len() as u64 > limit {
            return Err(format!("it has more than {} MB", limit >> 20));
        }
        read.map_err(|error| error.to_string())?;
        Ok(Some(bytes))
    }
}

/// The part that a reference in another part names, both below the root of the archive. `..` never leads out of it.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    let folder = match reference.starts_with('/') {
        true => "",
        false => base.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(reference.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Undoes the `%20` of a reference.
pub(super) fn percent_decoded(reference: &str) -> String {
    let bytes = reference.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_in_the_archive() {
        for (base, reference, expected) in [
            ("ppt/slides/slide1.xml", "../notes/n.xml", "ppt/notes/n.xml"),
            ("a.xml", "../../etc/passwd", "etc/passwd"),
            ("OEBPS/content.opf", "text/ch1.xhtml#top", "OEBPS/text/ch1.xhtml"),
            ("word/document.xml", "/word/x.xml", "word/x.xml"),
        ] {
            assert_eq!(resolve(base, reference), expected);
        }
        assert_eq!(percent_decoded("a%20b%zz%2"), "a b%zz%2");
    }
}
