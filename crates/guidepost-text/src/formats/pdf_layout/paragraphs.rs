//! From lines to what they make up: paragraphs, headings, items of lists, code and tables.

use super::fonts::{Fonts, step};
use super::pieces::Line;
use super::tables::{cells, goes_on_in_cell};
use crate::list_mark;
use crate::reading::Writer;

/// Writes the lines of all pages.
pub(super) fn write(pages: &[Vec<Line>], fonts: Fonts) -> Writer {
    let mut text = Text { writer: Writer::default(), fonts, open: None, lists: Vec::new() };
    for lines in pages {
        // A sentence that goes on across pages stays in one paragraph, on the page where it begins.
        let goes_on = lines.first().is_some_and(|line| text.goes_on_over_page(line));
        if !goes_on {
            text.flush();
        }
        text.begin_page(lines, goes_on);
    }
    text.flush();
    text.writer
}

struct Text {
    writer: Writer,
    fonts: Fonts,
    open: Option<Open>,
    /// Left ends of the marks of the open lists, outermost first.
    lists: Vec<f32>,
}

/// What is being put together from lines.
struct Open {
    kind: Kind,
    text: String,
    /// The line that was added last.
    last: Line,
    /// Left end of the lines, and the right end that they reach.
    left: f32,
    right: f32,
    rows: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Heading(usize),
    Paragraph,
    Item,
    Code,
    Table,
}

impl Text {
    /// Whether a paragraph of the page before ends in the middle of a sentence that this line goes on with, or a table
    /// of the page before has another row here.
    fn goes_on_over_page(&self, line: &Line) -> bool {
        let small = line.begins_small();
        self.open.as_ref().is_some_and(|open| {
            if open.kind == Kind::Table {
                return line.pieces.len() == open.last.pieces.len();
            }
            let running = matches!(open.kind, Kind::Paragraph | Kind::Item);
            running
                && small
                && !open.text.ends_with(['.', '!', '?', ':'])
                && self.kind(line) == Kind::Paragraph
        })
    }

    fn begin_page(&mut self, lines: &[Line], goes_on: bool) {
        let mut rest = lines;
        if let (true, Some((first, others))) = (goes_on, lines.split_first()) {
            self.append(first);
            let more = others.iter().take_while(|line| self.continues(line)).count();
            others[..more].iter().for_each(|line| self.append(line));
            rest = &others[more..];
            self.flush();
        }
        self.writer.page();
        for (at, line) in rest.iter().enumerate() {
            self.add(line, rest.get(at + 1));
        }
    }

    fn add(&mut self, line: &Line, next: Option<&Line>) {
        if self.continues(line) {
            return self.append(line);
        }
        self.flush();
        let mut kind = self.kind(line);
        // One row alone is a line with a gap in it.
        let row =
            |next: &Line| self.kind(next) == Kind::Table || goes_on_in_cell(std::slice::from_ref(line), next);
        if kind == Kind::Table && !next.is_some_and(row) {
            kind = Kind::Paragraph;
        }
        self.open = Some(Open {
            kind,
            text: line.text(),
            last: line.clone(),
            left: line.first().x0,
            right: line.x1(),
            rows: vec![line.clone()],
        });
    }

    fn kind(&self, line: &Line) -> Kind {
        let text = line.text();
        match () {
            () if line.pieces.len() > 1 => Kind::Table,
            // Code may begin with a dash, but not with a bullet.
            () if line.is_code() && !text.starts_with('•') => Kind::Code,
            () if list_mark(&text).is_some() && self.fonts.level(line).is_none() => Kind::Item,
            () => self.fonts.level(line).map_or(Kind::Paragraph, Kind::Heading),
        }
    }

    /// Whether a line belongs to what is open.
    fn continues(&self, line: &Line) -> bool {
        let Some(open) = &self.open else { return false };
        let (above, below) = (open.last.first(), line.first());
        let distance = below.y - above.y;
        let near = distance > 0.0 && distance < self.fonts.leading * above.size.max(self.fonts.body) * 1.28;
        let kind = self.kind(line);
        match open.kind {
            Kind::Table => kind == Kind::Table || (near && goes_on_in_cell(&open.rows, line)),
            Kind::Code => kind == Kind::Code && distance < 4.0 * above.size && distance > 0.0,
            Kind::Heading(level) => {
                kind == Kind::Heading(level) && near && step(above.size) == step(below.size)
            }
            Kind::Paragraph | Kind::Item => {
                let same = (above.size - below.size).abs() < 0.15 * above.size;
                // The next column begins above where this one ends.
                let next_column = distance < 0.0 && !ends_sentence(&open.text);
                let indented = below.x0 > open.left + 0.8 * below.size && open.kind == Kind::Paragraph;
                let short = open.last.x1() < open.right - 6.0 * above.size && ends_sentence(&open.text);
                kind == Kind::Paragraph && same && (near || next_column) && !indented && !short
            }
        }
    }

    fn append(&mut self, line: &Line) {
        let Some(open) = &mut self.open else { return };
        let text = line.text();
        match open.kind {
            Kind::Code => {
                // Blank lines show as a wider gap.
                let distance =
                    (line.first().y - open.last.first().y) / (self.fonts.leading * line.first().size);
                let blank = if distance > 1.6 { "\n" } else { "" };
                let column = (line.first().x0 - open.left).max(0.0) / (0.6 * line.first().size);
                let indent = " ".repeat(column.round().min(80.0) as usize);
                open.text.push_str(&format!("\n{blank}{indent}{text}"));
            }
            _ => join_words(&mut open.text, &text),
        }
        // A paragraph whose first line is indented goes on at the margin.
        open.left = if open.kind == Kind::Code { open.left } else { open.left.min(line.first().x0) };
        open.right = open.right.max(line.x1());
        open.rows.push(line.clone());
        open.last = line.clone();
    }

    fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.kind != Kind::Item {
            self.lists.clear();
        }
        match open.kind {
            Kind::Heading(level) => self.writer.heading(level, open.text.trim_start_matches("• ")),
            Kind::Paragraph => self.writer.paragraph(&open.text),
            Kind::Code => self.writer.code("", &open.text),
            Kind::Table => self.writer.table(&cells(&open.rows)),
            Kind::Item => self.write_item(&open),
        }
    }

    /// Writes an item as deep as its mark is indented.
    fn write_item(&mut self, open: &Open) {
        let left = open.rows[0].first().x0;
        self.lists.retain(|mark| *mark < left - 2.0);
        let depth = self.lists.len();
        self.lists.push(left);
        let end = list_mark(&open.text).unwrap_or(0);
        let (mark, text) = open.text.split_at(end);
        let numbered = mark.starts_with(|c: char| c.is_ascii_digit());
        self.writer.item(depth, if numbered { mark.trim() } else { "-" }, text.trim());
    }
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', ':'])
}

/// Adds a line to a paragraph. A word that was divided at the end of the line is whole again.
pub(super) fn join_words(text: &mut String, line: &str) {
    let small = line.chars().next().is_some_and(char::is_lowercase);
    let stem = text.strip_suffix(['-', '\u{ad}', '‐']);
    let divided = stem.is_some_and(|stem| stem.ends_with(char::is_alphabetic));
    if divided && small {
        text.pop();
    } else if !divided && !text.ends_with(' ') {
        text.push(' ');
    }
    text.push_str(line);
}
