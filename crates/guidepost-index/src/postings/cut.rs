//! Where a text is cut into words, and how else each could be written.
//!
//! `Node.js` is two words, `node` and `js`, that others write as one; `camelCase` is one word made of two; `C++` is a word
//! with its sign. What stands in a text are its words, one after another: only they count for its length and for phrases.
//! Letters are neither folded nor stemmed here.

use super::analyzer::Form;

/// A word, or another way to write it, as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) form: Form,
    /// First byte in the text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    pub(super) text: String,
}

/// Most words that are also taken as one: longer chains are paths and dates.
const MOST_JOINED: usize = 4;
/// Longest such word in bytes.
const LONGEST_JOINED: usize = 40;

/// All words and their variants; the words in order, each followed by its variants.
pub(super) fn cut(text: &str) -> Vec<Cut> {
    let atoms = atoms(text);
    let mut cuts = Vec::new();
    let mut first = 0;
    while first < atoms.len() {
        let mut end = first + 1;
        while end < atoms.len() && is_joined(text, &atoms[end - 1], &atoms[end]) {
            end += 1;
        }
        let compound = &atoms[first..end];
        compound.iter().for_each(|atom| cut_atom(text, atom, &mut cuts));
        cuts.extend(joined(text, compound));
        first = end;
    }
    cuts
}

/// Letters and digits without a gap, with the signs that belong to them.
struct Atom {
    /// With the dot before it, as in `.NET`.
    start: usize,
    /// Letters and digits alone.
    bare: (usize, usize),
    /// With the signs behind it, as in `C++`.
    end: usize,
    is_cjk: bool,
}

fn atoms(text: &str) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let is_cjk = is_cjk(first);
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = chars.next_if(|&(_, c)| belongs(c, is_cjk)) {
            end = at + c.len_utf8();
        }
        let signs = if is_cjk { 0 } else { signs_behind(&text[start..end], &text[end..]) };
        let dot = usize::from(!is_cjk && first.is_alphabetic() && has_dot_of_its_own(&text[..start]));
        atoms.push(Atom { start: start - dot, bare: (start, end), end: end + signs, is_cjk });
    }
    atoms
}

/// Whether a character goes on with a word; accents may be characters of their own.
fn belongs(c: char, is_cjk: bool) -> bool {
    is_accent(c) || c.is_alphanumeric() && self::is_cjk(c) == is_cjk
}

/// An accent that follows its letter.
pub(super) fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Letters of scripts that put no space between words.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{323af}')
}

/// Number of bytes behind a word that belong to it: `C++`, `C#`, `A+`, `Security+`.
fn signs_behind(word: &str, rest: &str) -> usize {
    let is_letters = word.chars().all(|c| c.is_alphabetic() || is_accent(c));
    let next = |signs: usize| rest[signs..].chars().next();
    let ends = |signs: usize| next(signs).is_none_or(|c| !c.is_alphanumeric() && c != '+' && c != '#');
    match rest.as_bytes() {
        [b'+', b'+', ..] if is_letters && (ends(2) || next(2).is_some_and(|c| c.is_ascii_digit())) => 2,
        [b'+', ..] if is_letters && ends(1) => 1,
        [b'#', ..] if is_letters && word.len() == 1 && ends(1) => 1,
        _ => 0,
    }
}

/// Whether the dot before a word is the word's: `.NET`, and neither `end.Next` nor `...and`.
fn has_dot_of_its_own(before: &str) -> bool {
    let mut before = before.chars().rev();
    before.next() == Some('.') && before.next().is_none_or(|c| !c.is_alphanumeric() && !".)]".contains(c))
}

/// Whether two neighbors are parts of one name: nothing between them, or one sign that names are written with.
fn is_joined(text: &str, left: &Atom, right: &Atom) -> bool {
    if left.is_cjk || right.is_cjk {
        return false;
    }
    let mut gap = text[left.end..right.start].chars();
    match (gap.next(), gap.next()) {
        (None, _) => true,
        (Some('-' | '\u{2010}' | '\u{2011}' | '.' | '_' | '/' | '&'), None) => true,
        // O'Reilly, but neither don't nor we'll.
        (Some('\'' | '’'), None) => right.bare.1 - right.bare.0 > 2,
        _ => false,
    }
}

fn cut_atom(text: &str, atom: &Atom, cuts: &mut Vec<Cut>) {
    let (start, end) = atom.bare;
    let bare = &text[start..end];
    if atom.is_cjk {
        return cuts.extend(pairs(text, start, end));
    }
    let whole = |form| cut_at(text, form, atom.start, atom.end);
    // `C` is no part of `C++`: it would be found wherever the other is. `security` is one of `Security+`.
    let sign_tells = atom.end > end && bare.chars().count() == 1;
    match atom.start < start || sign_tells {
        true => cuts.push(whole(Form::Word)),
        false => cuts.push(cut_at(text, Form::Word, start, end)),
    }
    if atom.start < start {
        cuts.push(cut_at(text, Form::Part, start, end));
    } else if atom.end > end && !sign_tells {
        cuts.push(whole(Form::Joined));
    }
    cuts.extend(
        case_parts(bare).into_iter().map(|(from, to)| cut_at(text, Form::Part, start + from, start + to)),
    );
    cuts.extend(spelled_out(bare).map(|text| Cut { form: Form::Joined, start, end, text }));
}

fn cut_at(text: &str, form: Form, start: usize, end: usize) -> Cut {
    Cut { form, start, end, text: text[start..end].to_owned() }
}

/// Every two neighboring characters; one that stands alone is a word.
fn pairs(text: &str, start: usize, end: usize) -> Vec<Cut> {
    let mut bounds: Vec<usize> = text[start..end].char_indices().map(|(at, _)| start + at).collect();
    bounds.push(end);
    match bounds.len() {
        2 => vec![cut_at(text, Form::Word, start, end)],
        _ => bounds.windows(3).map(|pair| cut_at(text, Form::Word, pair[0], pair[2])).collect(),
    }
}

/// The parts of `camelCase` and `HTTPServer`, of two letters and more; none of a word of one part. `APIs` is one part.
fn case_parts(word: &str) -> Vec<(usize, usize)> {
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    let is_upper = |at: usize| chars.get(at).is_some_and(|(_, c)| c.is_uppercase());
    let is_lower = |at: usize| chars.get(at).is_some_and(|(_, c)| c.is_lowercase());
    let is_plural = |at: usize| at + 2 == chars.len() && chars[at + 1].1 == 's';
    let begins = |at: &usize| {
        let at = *at;
        is_upper(at) && (!is_upper(at - 1) || is_lower(at + 1) && !is_plural(at))
    };
    let mut bounds = vec![0];
    bounds.extend((1..chars.len()).filter(begins).map(|at| chars[at].0));
    if bounds.len() == 1 {
        return Vec::new();
    }
    bounds.push(word.len());
    let parts = bounds.windows(2).map(|part| (part[0], part[1]));
    parts.filter(|&(from, to)| word[from..to].chars().count() > 1).collect()
}

/// The German way to write umlauts without having them.
fn spelled_out(word: &str) -> Option<String> {
    let letter = |c: char| match c {
        'ä' | 'Ä' => Some("ae"),
        'ö' | 'Ö' => Some("oe"),
        'ü' | 'Ü' => Some("ue"),
        _ => None,
    };
    if !word.contains(|c| letter(c).is_some()) {
        return None;
    }
    Some(word.chars().map(|c| letter(c).map_or_else(|| c.to_string(), str::to_owned)).collect())
}

/// Several words written as one: `scikitlearn`, `cicd`, `nodejs`. Between digits the sign stays: 3.11 is not 311.
fn joined(text: &str, compound: &[Atom]) -> Option<Cut> {
    let (first, last) = (compound.first()?, compound.last()?);
    if compound.len() < 2 || compound.len() > MOST_JOINED || last.end - first.start > LONGEST_JOINED {
        return None;
    }
    let mut whole = text[first.start..first.end].to_owned();
    for pair in compound.windows(2) {
        let (left, right) = (&text[pair[0].start..pair[0].end], &text[pair[1].start..pair[1].end]);
        if left.ends_with(|c: char| c.is_numeric()) && right.starts_with(|c: char| c.is_numeric()) {
            whole.push_str(&text[pair[0].end..pair[1].start]);
        }
        whole.push_str(right);
    }
    Some(Cut { form: Form::Joined, start: first.start, end: last.end, text: whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words stand as they are, joined forms behind `=`, parts behind `<`.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = |cut: Cut| {
            let sign = match cut.form {
                Form::Word => "",
                Form::Joined => "=",
                _ => "<",
            };
            format!("{sign}{}", cut.text)
        };
        assert_eq!(cut(text).into_iter().map(shown).collect::<Vec<_>>().join(" "), expected, "{text}");
    }

    #[test]
    fn names_with_signs_are_words() {
        check("C++, C# and F#.", "C++ C# and F#");
        check("C++17 (g++)", "C++ 17 =C++17 g++");
        check("CompTIA A+ and Security+", "CompTIA <Comp <TIA A+ and Security =Security+");
        check("a+b 3+ years, PR#12, C##", "a b 3 years PR 12 C");
        check(".NET or ASP.NET", ".NET <NET or ASP NET =ASPNET");
        check("(.NET) ...and end.Next", ".NET <NET and end Next =endNext");
    }

    #[test]
    fn parts_are_words_and_the_whole_is_a_variant() {
        check("Node.js", "Node js =Nodejs");
        check("CI/CD, A/B", "CI CD =CICD A B =AB");
        check("scikit-learn GPT-4 k8s", "scikit learn =scikitlearn GPT 4 =GPT4 k8s");
        check("snake_case R&D O'Reilly don't", "snake case =snakecase R D =RD O Reilly =OReilly don t");
        check("3.11 24/7 v1.2", "3 11 =3.11 24 7 =24/7 v1 2 =v1.2");
        check("https://a.b.example.com/c-d", "https a b example com c d");
        check("one -- two - three", "one two three");
    }

    #[test]
    fn case_tells_parts() {
        check("camelCase HTTPServer", "camelCase <camel <Case HTTPServer <HTTP <Server");
        check("APIs PhD iOS OAuth2Client", "APIs PhD <Ph iOS <OS OAuth2Client <Auth2 <Client");
        check("WORD Word word", "WORD Word word");
    }

    #[test]
    fn other_scripts_are_cut_as_they_are_read() {
        check("機械学習とPython", "機械 械学 学習 習と Python");
        check("本 한국어", "本 한국 국어");
        check("Müller re\u{301}sume\u{301}", "Müller =Mueller re\u{301}sume\u{301}");
        check("обучение машин", "обучение машин");
    }
}
