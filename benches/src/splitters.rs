//! Chunkers to compare with: windows of tokens, and LangChain's recursive character splitter.

use guidepost_text::Span;

/// Windows of `size` tokens, each `overlap` tokens over the one before. `tokens` are where the tokens are.
pub fn windows(tokens: &[Span], size: usize, overlap: usize) -> Vec<Span> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < tokens.len() {
        let end = (start + size).min(tokens.len());
        windows.push(Span { start: tokens[start].start, end: tokens[end - 1].end });
        if end == tokens.len() {
            break;
        }
        start += size - overlap;
    }
    windows
}

/// `RecursiveCharacterTextSplitter` with its default separators, which stay at the beginning of what follows, and no
/// overlap: the coarsest separator parts the text, neighbors are joined up to `size` characters, what is longer goes on with the
/// next separator. White space at either end is cut off.
pub fn recursive(text: &str, size: usize) -> Vec<Span> {
    let mut chunks = Vec::new();
    let whole = Span { start: 0, end: text.len() };
    split(text, whole, &["\n\n", "\n", " ", ""], size, &mut chunks);
    chunks.into_iter().map(|span| trim(text, span)).filter(|span| span.start < span.end).collect()
}

fn split(text: &str, span: Span, separators: &[&str], size: usize, chunks: &mut Vec<Span>) {
    let inner = span.of(text);
    let at =
        separators.iter().position(|separator| inner.contains(separator)).unwrap_or(separators.len() - 1);
    let mut joined: Option<(Span, usize)> = None;
    for part in parts(inner, separators[at]) {
        let part = Span { start: span.start + part.start, end: span.start + part.end };
        let length = part.of(text).chars().count();
        joined = match joined {
            Some((before, used)) if used + length <= size && length < size => {
                Some((Span { start: before.start, end: part.end }, used + length))
            }
            before => {
                chunks.extend(before.map(|(span, _)| span));
                if length < size || at + 1 == separators.len() {
                    Some((part, length))
                } else {
                    split(text, part, &separators[at + 1..], size, chunks);
                    None
                }
            }
        };
    }
    chunks.extend(joined.map(|(span, _)| span));
}

/// Parts that touch each other, each but the first beginning with the separator; characters where that is empty.
fn parts(text: &str, separator: &str) -> Vec<Span> {
    let cuts: Vec<usize> = match separator {
        "" => text.char_indices().map(|(at, _)| at).skip(1).collect(),
        _ => text.match_indices(separator).map(|(at, _)| at).filter(|&at| at > 0).collect(),
    };
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([text.len()]);
    starts.zip(ends).map(|(start, end)| Span { start, end }).collect()
}

fn trim(text: &str, span: Span) -> Span {
    let inner = span.of(text);
    let start = span.start + inner.len() - inner.trim_start().len();
    Span { start, end: start + inner.trim().len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_all_tokens() {
        let tokens: Vec<Span> = (0..5).map(|at| Span { start: at * 2, end: at * 2 + 1 }).collect();
        let drawn = |size, overlap| -> Vec<(usize, usize)> {
            windows(&tokens, size, overlap).into_iter().map(|span| (span.start, span.end)).collect()
        };
        assert_eq!(drawn(2, 0), [(0, 3), (4, 7), (8, 9)]);
        assert_eq!(drawn(4, 2), [(0, 7), (4, 9)]);
        assert_eq!(drawn(9, 3), [(0, 9)]);
    }

    #[test]
    fn the_recursive_splitter_goes_from_coarse_to_fine() {
        let text = "aaa bbb\nccc\n\nddd eee fff ggg\n\nhh";
        let drawn =
            |size| -> Vec<&str> { recursive(text, size).into_iter().map(|span| span.of(text)).collect() };
        assert_eq!(drawn(40), [text]);
        assert_eq!(drawn(18), ["aaa bbb\nccc", "ddd eee fff ggg", "hh"]);
        assert_eq!(drawn(9), ["aaa bbb", "ccc", "ddd eee", "fff ggg", "hh"]);
        let letters = ["aa", "a", "b", "bb", "c", "cc", "d", "dd", "e", "ee", "f", "ff", "g", "gg", "h", "h"];
        assert_eq!(drawn(2), letters);
    }
}
