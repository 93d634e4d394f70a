//! Bytes to text. Knows encodings; does not know mojibake, which is text that somebody else decoded wrongly.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes any bytes. What is not text at all gives an empty string; whatever was guessed or lost is a warning.
/// Line ends become `\n`, which keeps every line number.
pub(crate) fn decode(bytes: &[u8], warnings: &mut Vec<String>) -> String {
    decode_as(bytes, None, warnings)
}

/// Decodes a web page, which may name its own encoding. That it is UTF-8 needs no name.
pub(crate) fn decode_html(bytes: &[u8], warnings: &mut Vec<String>) -> String {
    let named = if std::str::from_utf8(bytes).is_ok() { None } else { named_encoding(bytes) };
    decode_as(bytes, named, warnings)
}

/// `<meta charset="..">`, or the same in `<meta http-equiv="Content-Type" ..>`, among the first bytes of a page.
fn named_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let (_, value) = head.split_once("charset=")?;
    let value = value.trim_start_matches(['"', '\'', ' ']);
    let name = value.split(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c)).next()?;
    Encoding::for_label(name.as_bytes()).filter(|encoding| encoding.is_ascii_compatible())
}

fn decode_as(bytes: &[u8], named: Option<&'static Encoding>, warnings: &mut Vec<String>) -> String {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or_else(|| unmarked_utf_16(bytes));
    if marked.is_none() && looks_binary(bytes) {
        warnings.push(
            "not text: it holds NUL bytes or mostly control characters; nothing was read from it".into(),
        );
        return String::new();
    }
    let known = marked.or(named);
    if let Some((text, stray)) = mostly_utf_8(bytes).filter(|_| known.is_none()) {
        warnings.push(format!("bytes that are not valid UTF-8 were read as windows-1252: {stray}"));
        return with_line_feeds(text);
    }
    let encoding = known.unwrap_or_else(|| guess(bytes));
    let (text, used, damaged) = encoding.decode(bytes);
    if used != UTF_8 && named.is_none() {
        warnings.push(format!("read as {}, not UTF-8", used.name()));
    }
    if damaged {
        warnings.push(format!("some bytes are not valid {} and were replaced", used.name()));
    }
    with_line_feeds(text.into_owned())
}

fn with_line_feeds(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// UTF-8 into which somebody pasted a few bytes of something else: the text, and how many. `None` where it is not mostly
/// UTF-8.
fn mostly_utf_8(bytes: &[u8]) -> Option<(String, usize)> {
    let (mut sound, mut stray) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        stray += chunk.invalid().len();
    }
    if stray == 0 || sound < 4 * stray {
        return None;
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        match chunk.invalid() {
            [] => {}
            [byte] => text.push_str(&WINDOWS_1252.decode_without_bom_handling(&[*byte]).0),
            // The beginning of a longer sequence.
            _ => text.push('\u{fffd}'),
        }
    }
    Some((text, stray))
}

/// UTF-16 whose mark is missing: every other byte is NUL often enough, and none of the others.
fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    let encoding = match (zeros(0), zeros(1)) {
        (0, high) if high * 8 > head.len() => UTF_16LE,
        (high, 0) if high * 8 > head.len() => UTF_16BE,
        _ => return None,
    };
    let (text, damaged) = encoding.decode_without_bom_handling(&head[..head.len() & !1]);
    (!damaged && !looks_binary(text.as_bytes())).then_some(encoding)
}

/// Text holds no NUL and hardly any control character.
fn looks_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let control =
        head.iter().filter(|&&b| b < 32 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    head.contains(&0) || control * 10 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, warning: Option<&str>) {
        let mut warnings = Vec::new();
        assert_eq!(decode(bytes, &mut warnings), text);
        match warning {
            Some(part) => assert!(warnings.iter().any(|w| w.contains(part)), "no `{part}` in {warnings:?}"),
            None => assert_eq!(warnings, Vec::<String>::new()),
        }
    }

    #[test]
    fn any_bytes_are_accepted() {
        check(b"", "", None);
        check("caf\u{e9}".as_bytes(), "café", None);
        check(b"\xef\xbb\xbfwith a mark", "with a mark", None);
        check(b"one\r\ntwo\rthree", "one\ntwo\nthree", None);
        check(b"\xff\xfeh\x00i\x00", "hi", Some("UTF-16LE"));
        check(
            b"na\xefve caf\xe9 d\xe9j\xe0 vu, l'\xe9t\xe9",
            "naïve café déjà vu, l'été",
            Some("windows-1252"),
        );
        check(b"h\x00i\x00 \x00\xe9\x00", "hi é", Some("UTF-16LE"));
        check(b"\x00h\x00i\x00!\x00 ", "hi! ", Some("UTF-16BE"));
        check(
            &encoding_rs::SHIFT_JIS.encode("日本語の文章を読む。これは試験です").0,
            "日本語の文章を読む。これは試験です",
            Some("Shift_JIS"),
        );
        check(
            &encoding_rs::WINDOWS_1251.encode("Съешь ещё этих мягких французских булок").0,
            "Съешь ещё этих мягких французских булок",
            Some("windows-1251"),
        );
        check(
            &["déjà vu, où ça, naïve, ".as_bytes(), b"caf\xe9"].concat(),
            "déjà vu, où ça, naïve, café",
            Some("windows-1252: 1"),
        );
        check(b"\x7fELF\x02\x01\x01\x00\x00\x00", "", Some("not text"));
        check(b"\xef\xbb\xbfbroken \xff end", "broken \u{fffd} end", Some("replaced"));
    }
}
