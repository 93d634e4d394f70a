//! Characters that nobody sees, or sees as another: control characters, zero-width ones, soft hyphens, non-breaking
//! spaces, full-width letters. They part words from those who look for them, and hide the marks of headings and lists.
//!
//! What a script needs stays: joiners in emoji and in scripts that join, direction marks next to text that runs from right to left, zero-width
//! spaces where words have no others, full-width punctuation in East Asian text. Line breaks stay as they are.

/// Tidies a text. Nothing that a reader would miss changes, so there is nothing to report.
pub(crate) fn tidy(text: String) -> String {
    if !text.chars().any(is_odd) {
        return text;
    }
    let mut tidied = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.chars().any(is_odd) {
            Line::new(line).tidy(&mut tidied);
        } else {
            tidied.push_str(line);
        }
    }
    tidied
}

/// Whether a character may have to change.
fn is_odd(c: char) -> bool {
    match c {
        '\t' | '\n' | ' '..='~' => false,
        '\0'..='\u{a0}' | '\u{ad}' => true,
        '\u{61c}' | '\u{2007}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3000}' | '\u{feff}' => true,
        '\u{ff01}'..='\u{ff5e}' | '\u{fff9}'..='\u{fffc}' => true,
        _ => false,
    }
}

/// What the characters of a line depend on.
struct Line<'a> {
    text: &'a str,
    /// Where nothing but white space and zero-width spaces follows.
    end: usize,
    runs_left: bool,
    east_asian: bool,
}

impl<'a> Line<'a> {
    fn new(text: &'a str) -> Self {
        Line {
            text,
            end: text.trim_end_matches(|c: char| c == '\u{200b}' || c.is_whitespace()).len(),
            runs_left: text.chars().any(runs_left),
            east_asian: text.chars().any(is_east_asian),
        }
    }

    fn tidy(&self, tidied: &mut String) {
        let begin = tidied.len();
        let mut blank = true;
        let mut chars = self.text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let before = tidied[begin..].chars().next_back();
            blank &= before.is_none_or(char::is_whitespace);
            let after = chars.peek().map(|&(_, next)| next);
            match c {
                '\u{a0}' | '\u{2007}' | '\u{202f}' => {
                    // Four spaces in front would turn text into code.
                    let indents = blank && tidied[begin..].len() >= 3;
                    if !indents {
                        tidied.push(' ');
                    }
                }
                '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => tidied.push(' '),
                '\u{200b}' if self.keeps_break(at, before, after) => tidied.push(c),
                '\u{200c}' | '\u{200d}' if joins(before) || joins(after) => tidied.push(c),
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                    if self.runs_left =>
                {
                    tidied.push(c);
                }
                '\u{3000}' if !self.east_asian => tidied.push(' '),
                '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
                    tidied.push(narrow(c));
                }
                '\u{ff01}'..='\u{ff5e}' if !self.east_asian => tidied.push(narrow(c)),
                '\u{3000}' | '\u{ff01}'..='\u{ff5e}' => tidied.push(c),
                _ if is_odd(c) => {}
                _ => tidied.push(c),
            }
        }
    }

    /// A zero-width space parts the words of some scripts, and at the end of a line it is what scraped pages leave of a
    /// heading's anchor, which tells the heading.
    fn keeps_break(&self, at: usize, before: Option<char>, after: Option<char>) -> bool {
        let parts = |c: Option<char>| c.is_some_and(|c| is_east_asian(c) || is_unspaced(c));
        at >= self.end || parts(before) || parts(after)
    }
}

fn narrow(c: char) -> char {
    char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
}

fn runs_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}')
}

/// Han, kana, bopomofo, hangul, and their own punctuation.
fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{2fff}' | '\u{3001}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff61}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}

/// Scripts of South East Asia that put no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1950}'..='\u{1aaf}')
}

/// Whether a joiner next to it can mean something: not in Latin, Greek and Cyrillic, nor in punctuation.
fn joins(c: Option<char>) -> bool {
    c.is_some_and(|c| c >= '\u{530}' && !matches!(c, '\u{1e00}'..='\u{1fff}' | '\u{2000}'..='\u{20cf}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, tidied: &str) {
        assert_eq!(tidy(text.to_owned()), tidied);
        assert_eq!(tidy(tidied.to_owned()), tidied, "tidying twice");
        assert_eq!(text.matches('\n').count(), tidied.matches('\n').count());
    }

    #[test]
    fn invisible_characters_go() {
        check("Ent\u{ad}wick\u{ad}lung", "Entwicklung");
        check("data\u{200b}base, \u{feff}word\u{2060}joiner", "database, wordjoiner");
        check("a\u{0}b\u{7}c\u{1b}d\u{7f}e\tf", "abcde\tf");
        check("one\u{c}two\u{2028}three\u{85}four\n", "one two three four\n");
        check("Auf\u{200c}lage fi\u{200d}x", "Auflage fix");
        check("left\u{200e} to \u{202a}right\u{202c}", "left to right");
        check("object \u{fffc}, \u{fff9}note\u{fffb}", "object , note");
    }

    #[test]
    fn spaces_that_do_not_break_become_spaces() {
        check("10\u{a0}km, 5\u{202f}%, 1\u{2007}000", "10 km, 5 %, 1 000");
        check("#\u{a0}Heading\n-\u{a0}item", "# Heading\n- item");
        check("\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}text", "   text");
        check("-\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}text", "-     text");
    }

    #[test]
    fn full_width_letters_become_letters() {
        check("Ｐｙｔｈｏｎ３", "Python3");
        check("Ｈｅｌｌｏ，　Ｗｏｒｌｄ！", "Hello, World!");
        check("Ｐｙｔｈｏｎを学ぶ！", "Pythonを学ぶ！");
    }

    #[test]
    fn headings_of_scraped_pages_keep_their_mark() {
        check("What It Is\u{200b}\nText\n", "What It Is\u{200b}\nText\n");
    }

    #[test]
    fn what_a_script_needs_stays() {
        for text in [
            "👩‍💻 👨‍👩‍👧 🏳️‍🌈 ❤️ 🏴\u{e0067}\u{e0062}\u{e007f}",
            "می‌خواهم برنامه‌نویس شوم",
            "क्‍ष श्री‌मान्",
            "ශ්‍රී ලංකාව",
            "ภาษา\u{200b}ไทย",
            "ខ្ញុំ\u{200b}រៀន",
            "שלום\u{200f}! \u{202b}HTML\u{202c} ב-",
            "العربية\u{200f} (HTML)",
            "これは「全角」です。（例：１）　次へ".replace('１', "1").as_str(),
            "你好，世界！这是（测试）。",
            "한국어 문장입니다. 둘째 문장！",
            "Nyvå, žluťoučký, ağaç, Ελλάδα, Привет, հայերեն, ქართული, አማርኛ",
        ] {
            check(text, text);
        }
    }
}
