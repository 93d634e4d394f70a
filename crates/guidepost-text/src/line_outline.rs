//! Sections of texts whose headings are told line by line: plain text, AsciiDoc, reStructuredText. What a heading is,
//! each of them says itself.

use crate::vocabulary::cut_label;
use crate::{Block, BlockKind, Section, Span, list_mark};

/// A line of the text.
pub(crate) struct Line<'a> {
    /// Without white space at either end.
    pub(crate) text: &'a str,
    /// Where that is.
    pub(crate) span: Span,
    /// Bytes of white space before it.
    pub(crate) indent: usize,
}

/// What begins at a line.
pub(crate) enum Mark {
    /// A heading that takes a number of lines; 1 is the outermost level.
    Heading { level: usize, label: String, lines: usize },
    /// Lines that belong together and are taken as they are.
    Verbatim { lines: usize },
    /// Nothing but text.
    None,
}

/// Cuts the text from byte `start` on. Spans count from the beginning of `text`. `mark` tells what begins at a line.
/// Blank lines at the beginning are not shown to it.
pub(crate) fn cut(text: &str, start: usize, mark: &mut dyn FnMut(&[Line], usize) -> Mark) -> Vec<Section> {
    let lines = read_lines(text, start);
    let lines = &lines[lines.iter().take_while(|line| line.text.is_empty()).count()..];
    let mut sections: Vec<Section> = Vec::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    // The lines of the paragraph or list item that is being gathered.
    let mut gathered: Option<Block> = None;
    let mut at = 0;
    while at < lines.len() {
        let line = &lines[at];
        let taken = match mark(lines, at) {
            Mark::Heading { level, label, lines: taken } if !label.is_empty() => {
                place(&mut sections, gathered.take());
                path.retain(|&(outer, _)| outer < level);
                let (label, overlong) = cut_label(&label);
                path.push((level, label));
                let heading_path = path.iter().map(|(_, label)| label.clone()).collect();
                // The label may stand on another line than the first.
                let whole = line.span.join(lines[(at + taken).min(lines.len()) - 1].span);
                let text = Block { kind: BlockKind::Text, span: whole };
                let blocks = if overlong { vec![text] } else { Vec::new() };
                sections.push(Section { heading_path, level, heading: line.span, blocks });
                taken
            }
            Mark::Verbatim { lines: taken } => {
                place(&mut sections, gathered.take());
                let last = lines[(at + taken).min(lines.len()) - 1].span;
                place(&mut sections, Some(Block { kind: BlockKind::Lines, span: line.span.join(last) }));
                taken
            }
            Mark::Heading { .. } | Mark::None => {
                gather(&mut sections, &mut gathered, line);
                1
            }
        };
        at += taken.max(1);
    }
    place(&mut sections, gathered);
    sections
}

/// Adds a line to what is being gathered; a blank line or another list item ends that.
fn gather(sections: &mut Vec<Section>, gathered: &mut Option<Block>, line: &Line) {
    let item = list_mark(line.text).is_some();
    if line.text.is_empty() || item {
        place(sections, gathered.take());
    }
    if line.text.is_empty() {
        return;
    }
    let kind = if item { BlockKind::ListItem } else { BlockKind::Text };
    let block = gathered.get_or_insert(Block { kind, span: line.span });
    block.span = block.span.join(line.span);
}

fn place(sections: &mut Vec<Section>, block: Option<Block>) {
    let Some(block) = block else { return };
    if sections.is_empty() {
        let heading = Span { start: block.span.start, end: block.span.start };
        sections.push(Section { heading_path: Vec::new(), level: 0, heading, blocks: Vec::new() });
    }
    if let Some(section) = sections.last_mut() {
        section.blocks.push(block);
    }
}

fn read_lines(text: &str, start: usize) -> Vec<Line<'_>> {
    let mut at = start;
    text[start..]
        .split_inclusive('\n')
        .map(|line| {
            let span = Span { start: at, end: at + line.len() }.trim(text);
            let indent = span.start - at;
            at += line.len();
            Line { text: span.of(text), span, indent }
        })
        .collect()
}

/// Each section as one line, for tests: its path, then its blocks.
#[cfg(test)]
pub(crate) fn draw(text: &str, sections: &[Section]) -> Vec<String> {
    let line = |section: &Section| {
        let blocks: Vec<&str> = section.blocks.iter().map(|block| block.span.of(text)).collect();
        format!("{}: {}", section.heading_path.join(" > "), blocks.join(" | "))
    };
    sections.iter().map(line).collect()
}
