//! What MDX puts between Markdown: lines of a module, comments, and tags of components. All are found only where they
//! take whole lines; within a line they are text.

/// Longest attributes of a tag and longest comment in bytes, and longest piece of a module in lines. What is longer is
/// taken for text.
const MAX_ATTRIBUTES: usize = 1_000;
const MAX_COMMENT: usize = 4_000;
const MAX_LINES: usize = 200;

/// A tag of a component. Components have names with a capital.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tag<'a> {
    Open(&'a str),
    Close(&'a str),
    /// Opened and closed at once, or without a name.
    Empty,
}

/// The tags that make up the next lines whole, and the length of those lines with their break.
pub(super) fn lines_of_tags(text: &str) -> Option<(Vec<Tag<'_>>, usize)> {
    let mut tags = Vec::new();
    let mut at = 0;
    loop {
        at += blanks(&text[at..]);
        if let Some(end) = line_end(&text[at..]).filter(|_| !tags.is_empty()) {
            return Some((tags, at + end));
        }
        let (tag, length) = tag(&text[at..])?;
        tags.push(tag);
        at += length;
    }
}

/// The tag that begins a text, and its length.
pub(super) fn tag(text: &str) -> Option<(Tag<'_>, usize)> {
    let closing = text.starts_with("</");
    let begin = 1 + usize::from(closing);
    let inner = text.strip_prefix('<').and_then(|_| text.get(begin..))?;
    if inner.starts_with('>') {
        return Some((Tag::Empty, begin + 1));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let name = &inner[..inner.find(|c| !is_name(c)).unwrap_or(inner.len())];
    let attributes = &inner[name.len()..];
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    if closing {
        return attributes.starts_with('>').then_some((Tag::Close(name), begin + name.len() + 1));
    }
    let separate = attributes.starts_with(|c: char| c.is_whitespace() || matches!(c, '/' | '>'));
    let end = if separate { attributes_end(attributes)? } else { return None };
    let tag = if attributes[..end].ends_with("/>") { Tag::Empty } else { Tag::Open(name) };
    Some((tag, begin + name.len() + end))
}

/// Where the attributes of a tag end, its bracket included.
fn attributes_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut braces = 0usize;
    for (at, byte) in text.bytes().enumerate().take(MAX_ATTRIBUTES) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => braces += 1,
            (None, b'}') => braces = braces.checked_sub(1)?,
            (None, b'>') if braces == 0 => return Some(at + 1),
            (None, b'<') if braces == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The length of the lines of a comment of MDX.
pub(super) fn comment(text: &str) -> Option<usize> {
    let begin = blanks(text);
    let inner = text[begin..].strip_prefix("{/*")?;
    let length = inner[..inner.floor_char_boundary(MAX_COMMENT)].find("*/}")?;
    let end = begin + "{/*".len() + length + "*/}".len();
    let behind = end + blanks(&text[end..]);
    Some(behind + line_end(&text[behind..])?)
}

/// The length of the lines that import or export something. They end before a blank line outside brackets.
pub(super) fn module_lines(text: &str) -> Option<usize> {
    if !text.starts_with("import ") && !text.starts_with("export ") {
        return None;
    }
    let mut length = 0;
    let mut open = 0i64;
    for line in text.split_inclusive('\n').take(MAX_LINES) {
        if line.trim().is_empty() && open <= 0 {
            break;
        }
        open += line
            .bytes()
            .map(|byte| i64::from(b"{[(".contains(&byte)) - i64::from(b"}])".contains(&byte)))
            .sum::<i64>();
        length += line.len();
    }
    is_module(&text[..length]).then_some(length)
}

fn is_module(lines: &str) -> bool {
    let quoted = |word: &str| ["'", "\""].iter().any(|quote| lines.contains(&format!("{word} {quote}")));
    let has = |signs: &str| lines.contains(|c| signs.contains(c));
    let after = |words: [&'static str; 3]| words.iter().any(|word| lines[7..].starts_with(word));
    if lines.starts_with("import ") {
        return quoted(" from") || lines.starts_with("import '") || lines.starts_with("import \"");
    }
    (after(["const ", "let ", "var "]) && has("="))
        || (after(["function ", "async ", "class "]) && has("({"))
        || (after(["default ", "{", "* from "]) && has("({;'\""))
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// The length of the line break that a text begins with; 0 at its end.
fn line_end(text: &str) -> Option<usize> {
    (text.is_empty() || text.starts_with('\n')).then_some(usize::from(!text.is_empty()))
}
