//! A source cut into what a reader takes in at once: a sentence, a list item, a row of a table with the heads of its columns.
//! Markup is left out: signs of emphasis would count as tokens.

use guidepost_text::{Span, begins_anew, sentences};

use crate::prompt::on_one_line;

/// A source's text without markup, and where its pieces stand in it.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

/// A sentence, a row or a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Span,
    pub(super) kind: PieceKind,
    /// The same number for the sentences of a list item or paragraph; a row has one of its own.
    pub(super) block: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Heading,
    Row,
    Sentence,
}

impl Pieces {
    pub(super) fn of(headings: &[String], text: &str) -> Pieces {
        let mut made = Pieces::default();
        if !headings.is_empty() {
            made.add(&headings.join(". "), PieceKind::Heading, 0);
        }
        let (mut block, mut end, mut head) = (0, 0, Vec::new());
        for span in sentences(text) {
            let raw = span.of(text);
            let apart = begins_anew(raw) || text[end..span.start].contains("\n\n");
            block += usize::from(apart || end == 0);
            end = span.end;
            if !raw.starts_with('|') {
                head.clear();
                // A heading flows into a paragraph right below it.
                let kind = if raw.starts_with('#') && !raw.contains('\n') {
                    PieceKind::Heading
                } else {
                    PieceKind::Sentence
                };
                made.add(raw, kind, block);
            } else if text[span.end..].trim_start().lines().next().is_some_and(is_rule) {
                head = cells(raw);
            } else {
                made.add(&with_heads(&head, &cells(raw)), PieceKind::Row, block);
            }
        }
        made
    }

    fn add(&mut self, raw: &str, kind: PieceKind, block: usize) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(&plain(raw));
        self.pieces.push(Piece { span: Span { start, end: self.text.len() }, kind, block });
    }

    /// Each piece.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.pieces.iter().map(|piece| piece.span.of(&self.text)).collect()
    }

    /// The list items, rows and paragraphs.
    pub(super) fn blocks(&self) -> Vec<Span> {
        let mut spans: Vec<(usize, Span)> = Vec::new();
        for piece in self.pieces.iter().filter(|piece| piece.kind != PieceKind::Heading) {
            match spans.last_mut() {
                Some((block, span)) if *block == piece.block => *span = span.join(piece.span),
                _ => spans.push((piece.block, piece.span)),
            }
        }
        spans.into_iter().map(|(_, span)| span).collect()
    }

    /// Rows, and the parts of sentences between these signs.
    pub(super) fn segments(&self, signs: &[char]) -> Vec<Span> {
        let told = self.pieces.iter().filter(|piece| piece.kind != PieceKind::Heading);
        let cut = |piece: &Piece| match piece.kind {
            PieceKind::Sentence => segments(&self.text, piece.span, signs),
            _ => vec![piece.span],
        };
        told.flat_map(cut).collect()
    }

    /// How many items or rows stand together, for each list and table: numbers that a reader counts.
    pub(super) fn counts(&self) -> Vec<f64> {
        let is_item = |span: &Span| self.text[span.start..].starts_with(|c: char| "-*+•".contains(c));
        let rows = self.pieces.iter().filter(|piece| piece.kind == PieceKind::Row).count();
        let items = self.blocks().iter().filter(|span| is_item(span)).count();
        [rows, items].into_iter().filter(|count| *count > 1).map(|count| count as f64).collect()
    }
}

/// The parts of a span behind each of these signs that a blank follows.
pub(super) fn segments(text: &str, within: Span, signs: &[char]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = within.start;
    let inner = within.of(text);
    for (at, sign) in inner.char_indices().filter(|(_, c)| signs.contains(c)) {
        let next = at + sign.len_utf8();
        if inner[next..].starts_with(char::is_whitespace) {
            spans.push(Span { start, end: within.start + next });
            start = within.start + next;
        }
    }
    spans.push(Span { start, end: within.end });
    spans.retain(|span| span.of(text).chars().any(char::is_alphanumeric));
    spans
}

/// The line between the heads of a table and its rows.
fn is_rule(line: &str) -> bool {
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| "|-: \t".contains(c))
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A row as a sentence could say it: what each cell is, and the cell.
fn with_heads(heads: &[String], cells: &[String]) -> String {
    let named = |(at, cell): (usize, &String)| match heads.get(at).filter(|head| !head.is_empty()) {
        Some(head) => format!("{head}: {cell}"),
        None => cell.clone(),
    };
    cells.iter().enumerate().map(named).collect::<Vec<_>>().join("; ")
}

/// A text in one line, without emphasis, code marks and the targets of links.
fn plain(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let (mark, body) = text.split_at(usize::from(text.starts_with("* ")));
    let body: String = body.chars().filter(|c| !"*`[".contains(*c)).collect();
    on_one_line(&format!("{mark}{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let made = Pieces::of(&["Roofs".to_owned(), "Slate".to_owned()], text);
        let blocks: Vec<&str> = made.blocks().into_iter().map(|span| span.of(&made.text)).collect();
        assert_eq!(blocks, expected);
    }

    #[test]
    fn blocks_are_items_rows_and_paragraphs() {
        check(
            "It is\nslate. It holds.\n\nA [wall](wall.md) is `brick`.",
            &["It is slate.\nIt holds.", "A wall is brick."],
        );
        check("- **Slate**: old. Gray.\n- *Tile*: red.", &["- Slate: old.\nGray.", "- Tile: red."]);
        check(
            "| Stone | Price |\n| --- | --- |\n| Slate | 10 |\n| Tile | 4 |",
            &["Stone: Slate; Price: 10", "Stone: Tile; Price: 4"],
        );
        check("| Slate | 10 |\n\n# Tiles\n\nThey are red.", &["Slate; 10", "They are red."]);
    }

    #[test]
    fn segments_end_at_signs_before_blanks() {
        let text = "Slate 4.5; tile 3, both: gray";
        let found = segments(text, Span { start: 0, end: text.len() }, &[';', ':', '.']);
        let found: Vec<&str> = found.into_iter().map(|span| span.of(text).trim()).collect();
        assert_eq!(found, ["Slate 4.5;", "tile 3, both:", "gray"]);
    }
}
