//! Undoes mojibake: UTF-8 that somebody read in another encoding and saved again.
//!
//! Whole sequences are the business of `plsfix`, a port of ftfy. What it rightly leaves alone are sequences that
//! lost bytes on the way: code pages have holes (0x81, 0x8D, ... in Windows-1254; all of 0x80 to 0x9F in
//! ISO 8859-7), and programs drop what falls into them. Those characters cannot be recovered, but their remains
//! (`ğŸ`, `ï¸`, `π€`, `β`) can be recognized and taken out. Sound text is never touched: every rule needs a pair of
//! characters that no language writes, or a document full of them.
//!
//! Lines stay where they are: repair changes characters, never line breaks.

use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1252, WINDOWS_1254};
use plsfix::{TextFixerConfig, fix_text};

/// Repairs a text; what was changed is one warning.
pub(crate) fn repair(text: String, warnings: &mut Vec<String>) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut tally = Tally::default();
    let greek = is_greek_debris(&text);
    let mut repaired = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.is_ascii() {
            repaired.push_str(line);
            continue;
        }
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        // Partial ones first: what is left of them looks like whole sequences of yet another encoding.
        let partial = undo_partial_sequences(line, &mut tally);
        let whole = undo_whole_sequences(&partial, &mut tally);
        repaired.push_str(&if greek { undo_greek(&whole, &mut tally) } else { whole });
        repaired.push_str(end);
    }
    if tally.repaired + tally.lost > 0 {
        warnings.push(format!(
            "text garbled by a wrong encoding (mojibake) was repaired; places mended: {}, characters lost: {}",
            tally.repaired, tally.lost
        ));
    }
    repaired
}

#[derive(Default)]
struct Tally {
    repaired: usize,
    lost: usize,
}

/// What plsfix may do here: encodings only. Its other fixes would change sound text.
const ENCODING_ONLY: TextFixerConfig = TextFixerConfig {
    unescape_html: Some(false),
    remove_terminal_escapes: false,
    fix_encoding: true,
    restore_byte_a0: true,
    replace_lossy_sequences: false,
    decode_inconsistent_utf8: true,
    fix_c1_controls: false,
    fix_latin_ligatures: false,
    fix_character_width: false,
    uncurl_quotes: false,
    fix_line_breaks: false,
    remove_control_chars: false,
    normalization: None,
    max_decode_length: i32::MAX,
};

/// plsfix goes over a text many times, and cuts a longer one anywhere, even through a character.
const MAX_SEGMENT: usize = 64 << 10;

/// plsfix resolves HTML entities whatever it is told; text that shows them would lose them. This stands for their `&`
/// meanwhile: a control character, the same in every code page.
const MASK: char = '\u{1}';

fn undo_whole_sequences(line: &str, tally: &mut Tally) -> String {
    let mut repaired = String::with_capacity(line.len());
    for segment in segments(line) {
        let masked = segment.replace(MASK, "").replace('&', MASK.encode_utf8(&mut [0; 4]));
        let fixed = fix_text(&masked, Some(&ENCODING_ONLY));
        if fixed == masked || fixed.contains('\n') {
            repaired.push_str(segment);
        } else {
            tally.repaired += 1;
            repaired.push_str(&fixed.replace(MASK, "&"));
        }
    }
    repaired
}

/// Parts of a line, cut behind a space if there is one. Nearly always the whole.
fn segments(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let limit = (0..=rest.len().min(MAX_SEGMENT)).rev().find(|&at| rest.is_char_boundary(at))?;
        let space = rest[..limit].rfind(' ').filter(|_| limit < rest.len()).map(|at| at + 1);
        let (segment, after) = rest.split_at(space.unwrap_or(limit));
        rest = after;
        Some(segment)
    })
}

/// Takes out or completes what is left of sequences that lost bytes, run by run.
fn undo_partial_sequences(line: &str, tally: &mut Tally) -> String {
    let mut repaired = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
        repaired.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let mended = [WINDOWS_1252, WINDOWS_1254, MACINTOSH].into_iter().find_map(|page| mend_run(run, page));
        rest = after;
        match mended {
            Some((text, lost)) => {
                tally.lost += lost;
                tally.repaired += usize::from(lost == 0);
                // The space that set a lost symbol off from its word goes with it.
                if text.is_empty() && repaired.chars().next_back().is_none_or(char::is_whitespace) {
                    rest = rest.strip_prefix(' ').unwrap_or(rest);
                }
                repaired.push_str(&text);
            }
            None => repaired.push_str(run),
        }
    }
    repaired.push_str(rest);
    repaired
}

/// Reads a run of non-ASCII characters as bytes of `page`. `None` unless all of it is UTF-8 with holes.
/// Otherwise the text that could be saved, and how many characters could not.
fn mend_run(run: &str, page: &'static Encoding) -> Option<(String, usize)> {
    let (bytes, _, unmappable) = page.encode(run);
    if unmappable || !has_signature(&bytes, page) {
        return None;
    }
    let mut text = String::new();
    let mut lost = 0;
    let mut at = 0;
    while at < bytes.len() {
        let (length, character) = mend_character(&bytes[at..], page)?;
        match character {
            Some(c) => text.push(c),
            None => lost += 1,
        }
        at += length;
    }
    Some((text, lost))
}

/// Byte pairs that begin an emoji (F0 9F), general punctuation (E2 80) or a variation selector (EF B8). As
/// characters of a Western code page they read `ðŸ`, `ğŸ`, `â€`, `ï¸`, which no language writes. Mac Roman has no
/// printable F0 (it is Apple's logo), so there an emoji begins with 9F. Symbols (E2 84 to E2 9F) need all three bytes to be told: `‚úÖ`, `âš¡`.
fn has_signature(bytes: &[u8], page: &'static Encoding) -> bool {
    let pair = bytes.windows(2).any(|pair| matches!(pair, [0xF0, 0x9F] | [0xE2, 0x80] | [0xEF, 0xB8]));
    let symbol = bytes.windows(3).any(|three| match three {
        [0xE2, 0x84..=0x9F, third] => is_continuation(*third),
        [0x9F, second, third] => page == MACINTOSH && is_continuation(*second) && is_continuation(*third),
        _ => false,
    });
    pair || symbol
}

fn is_continuation(byte: u8) -> bool {
    (0x80..0xC0).contains(&byte)
}

/// One character from the front: how many bytes it took, and what it was if enough of them are left.
fn mend_character(bytes: &[u8], page: &'static Encoding) -> Option<(usize, Option<char>)> {
    if page == MACINTOSH && bytes[0] == 0x9F {
        let tail = bytes.get(1..3).filter(|tail| tail.iter().all(|&b| is_continuation(b)))?;
        return Some((3, single(&[0xF0, 0x9F, tail[0], tail[1]])));
    }
    let expected = match bytes[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let found = 1 + bytes[1..].iter().take(expected - 1).take_while(|&&b| is_continuation(b)).count();
    match single(&bytes[..found]) {
        // An invisible selector that follows a symbol says nothing without it.
        Some('\u{fe0f}') if found == bytes.len() => Some((found, None)),
        Some(c) => Some((found, Some(c))),
        // A lone lead byte is a letter of the code page: sound text.
        None if found == 1 => None,
        None => Some((found, None)),
    }
}

fn single(bytes: &[u8]) -> Option<char> {
    std::str::from_utf8(bytes).ok()?.chars().next()
}

/// Whether a text holds the remains of UTF-8 read as Greek (Windows-1253, ISO 8859-7) with the control range lost:
/// at least two of the telling pairs, and no Greek word. Remains are made of the lead bytes F0, E2 and EF (π, β, ο)
/// and of continuation bytes (capitals with an accent), which make no words.
fn is_greek_debris(text: &str) -> bool {
    let telling = ["π€", "π\u{a0}", "π¤", "π₯", "π\u{385}", "πΊ", "οΈ", "β\u{a0}", "β€"];
    let hits: usize = telling.iter().map(|pair| text.matches(pair).count()).sum();
    let remains = |word: &str| word.chars().all(|c| "πβοΆΈΉΊΌΎΏ".contains(c));
    hits >= 2 && text.split(|c: char| !is_greek(c)).all(remains)
}

fn is_greek(c: char) -> bool {
    ('\u{370}'..='\u{3ff}').contains(&c) && c != '\u{385}'
}

/// Takes the remains out of one line. A `β` between words was a dash or an arrow, at the end of a heading a
/// zero-width space (web pages put one into their anchors), which tells the heading to whoever cuts the text.
fn undo_greek(line: &str, tally: &mut Tally) -> String {
    let debris =
        |c: char| is_greek(c) || matches!(c, '€' | '\u{a0}' | '¤' | '₯' | '\u{385}' | '‘' | '’' | '¨' | '¦');
    let before = line.chars().filter(|&c| is_greek(c)).count();
    if before == 0 {
        return line.to_owned();
    }
    tally.lost += before;
    let start = line.trim_start_matches(|c| debris(c) || c == ' ');
    let (body, anchor) = match start.strip_suffix('β') {
        Some(body) => (body, "\u{200b}"),
        None => (start, ""),
    };
    let dashed = body.replace(" β ", " – ");
    let kept: String = dashed.chars().filter(|&c| !is_greek(c)).collect();
    kept + anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(damaged: &str, sound: &str) {
        let mut warnings = Vec::new();
        assert_eq!(repair(damaged.to_owned(), &mut warnings), sound);
        assert_eq!(warnings.is_empty(), damaged == sound, "{warnings:?}");
    }

    /// Reads UTF-8 as the code page, as the damaging program did, losing what the page cannot hold.
    fn damage(text: &str, page: &'static Encoding) -> String {
        let misread = page.decode_without_bom_handling(text.as_bytes()).0;
        misread.chars().filter(|c| !c.is_control() || *c == '\n').filter(|&c| c != '\u{f8ff}').collect()
    }

    #[test]
    fn whole_sequences_are_recovered() {
        check(&damage("What’s expected – naïve café", WINDOWS_1252), "What’s expected – naïve café");
        check(&damage("Here’s a plan", MACINTOSH), "Here’s a plan");
        check(&damage("🚀 Launch", WINDOWS_1252), "🚀 Launch");
        check(&damage("✅ Done", MACINTOSH), "✅ Done");
    }

    #[test]
    fn nested_damage_is_undone() {
        for text in ["It’s naïve – déjà vu", "Größe: 5 €", "žluťoučký kůň", "Ещё не конец"]
        {
            let twice = WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0;
            let twice = WINDOWS_1252.decode_without_bom_handling(twice.as_bytes()).0.into_owned();
            check(&twice, text);
        }
    }

    #[test]
    fn damaged_lines_keep_their_html_entities() {
        let sound = "Don’t write &lt;div&gt; &amp; &eacute;";
        check(&damage(sound, WINDOWS_1252), sound);
    }

    #[test]
    fn long_lines_are_repaired_in_segments() {
        let sound = "It’s a café – ".repeat(30_000);
        check(&damage(&sound, WINDOWS_1252), &sound);
        let unbroken = "é".repeat(1_500_000);
        check(&unbroken, &unbroken);
    }

    #[test]
    fn sequences_that_lost_bytes_are_completed_or_taken_out() {
        check(&damage("🧠 Core", MACINTOSH), "🧠 Core");
        check("- ğŸ Python Developer", "- Python Developer");
        check("- ğŸ–¥ï¸ Software", "- 🖥 Software");
        check("- âš¡ APIs", "- ⚡ APIs");
    }

    #[test]
    fn remains_of_greek_are_taken_out() {
        check(
            "π€ AI\nWhat It Isβ\nπ οΈ Skillsβ\nπΊοΈ Roadmapβ\nAWS Certified β Specialty",
            "AI\nWhat It Is\u{200b}\nSkills\u{200b}\nRoadmap\u{200b}\nAWS Certified – Specialty",
        );
    }

    #[test]
    fn sound_text_is_left_alone() {
        for text in [
            "café, naïve, Ångström, €5, “quoted” – dash… 日本語 한국어 🙂👩‍💻",
            "Çok güzel, İstanbul'da ağaç, ışık; şöyle böyle",
            "Η Ελλάδα, τα ελληνικά γράμματα, π ≈ 3.14, α και β",
            "Il dit « café» et «là» ; déjà vu, où ça ?",
            "Příliš žluťoučký kůň úpěl ďábelské ódy",
            "Съешь ещё этих мягких французских булок, її",
            "the constant π and the coefficient β",
            "½ ÷ ² × ° § ¶ © ® ™ ¿ ¡",
            "Tiếng Việt có dấu: Đường, người, được",
            "Zażółć gęślą jaźń; Łódź, ćwierć",
            "Árvíztűrő tükörfúrógép",
            "Þetta er íslenska: æ, ö, ð, þ",
            "Ça coûte 20 € ; « l’œuvre » à Noël – où ?",
            "¿Qué? ¡Sí! El niño, la pingüina, 1.º y 2.ª",
            "São Paulo, ações, às vezes, não",
            "ÅÄÖ åäö, smörgåsbord, blåbærsyltetøy",
            "Ελληνικά: Άνθρωπος, «λόγος», έτσι – ναι…",
            "Українська: її, є, ґанок, під’їзд",
            "Български език; Српски: ђ, љ, њ, ћ, џ",
            "עברית: שלום עולם, „ציטוט”",
            "العربية: مرحبا بالعالم، ٪١٠٠",
            "فارسی: می‌خواهم برنامه‌نویس شوم",
            "हिन्दी: नमस्ते दुनिया, क्षेत्र",
            "தமிழ்: வணக்கம் உலகம்",
            "ภาษาไทย: สวัสดีชาวโลก",
            "中文：你好，世界！《书名》、“引号”",
            "日本語：こんにちは、世界！「引用」…",
            "한국어: 안녕하세요, 세계!",
            "ქართული: გამარჯობა; Հայերեն: Բարեւ; አማርኛ: ሰላም",
            "∀x ∈ ℝ: ⌈x⌉ ≥ x ⇒ α ≤ β², √2 ≈ 1,41 ± ½",
            "┌──┬──┐ │ ╠══╣ ░▒▓ █",
            "★ ✓ → ← • ◦ ▪ ① Ⅳ ™ № ‰ † ‡",
            "l’été &amp; &lt;div&gt; &nbsp; &eacute; &#10; &quot;",
            "Größe, Maß, Äpfel, Öl, über",
        ] {
            check(text, text);
        }
    }
}
