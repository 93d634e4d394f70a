//! A PDF around made-up streams, and what to do about panics that the reader of PDF catches itself.

use std::panic;

use crate::archive::SEAM;

/// The file that fuzz bytes stand for. Bytes that begin as a PDF does are the whole file. All others are streams that
/// are not packed, set apart by a `SEAM`: the content of the one page, the map from codes to characters of both its
/// fonts, a form that the page may draw, and a glyph of a font that is drawn by hand.
pub fn pdf(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"%PDF") {
        return bytes.to_vec();
    }
    let mut made_up = bytes.split(|&byte| byte == SEAM);
    let mut next = || made_up.next().unwrap_or_default();
    let objects = [
        plain("<< /Type /Catalog /Pages 2 0 R >>"),
        plain("<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        plain(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << \
             /Font << /F1 8 0 R /F2 9 0 R /F3 10 0 R >> /XObject << /X 6 0 R >> >> >>",
        ),
        stream("", next()),
        stream("", next()),
        stream("/Type /XObject /Subtype /Form /BBox [0 0 612 792]", next()),
        stream("", next()),
        plain("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >>"),
        plain(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] \
             /FirstChar 97 /LastChar 97 /Widths [600] /Encoding << /Differences [97 /a] >> \
             /CharProcs << /a 7 0 R >> /Resources << /XObject << /X 6 0 R >> >> /ToUnicode 5 0 R >>",
        ),
        plain(
            "<< /Type /Font /Subtype /Type0 /BaseFont /Courier /Encoding /Identity-H /ToUnicode 5 0 R \
             /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Courier /DW 600 \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>",
        ),
    ];
    let mut file = b"%PDF-1.7\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        file.extend(format!("{} 0 obj\n", at + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    file.extend(b"trailer << /Root 1 0 R /Size 11 >>\n%%EOF\n");
    file
}

fn plain(object: &str) -> Vec<u8> {
    object.as_bytes().to_vec()
}

fn stream(about: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< /Length {} {about} >>\nstream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// The reader of PDF catches panics of its library, the one place where that is done. libfuzzer-sys ends the process at
/// any panic, caught or not; this lets those pass that begin in a library, with a line that says where.
pub fn let_caught_panics_pass() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |about| {
        let library = about.location().filter(|place| place.file().contains("/registry/src/"));
        match library {
            Some(place) => eprintln!("a panic to be caught: {place}"),
            None => end(about),
        }
    }));
}
