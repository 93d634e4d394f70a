//! Markdown to sections: headings make them, and the list inside a `markmap` block is an outline of more headings.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::vocabulary::cut_label;
use crate::{Block, BlockKind, Section, Span};

/// Cuts the text from byte `start` on. Spans count from the beginning of `text`.
pub(crate) fn sections(text: &str, start: usize) -> Vec<Section> {
    let mut outline = Outline::default();
    let mut heading: Option<(usize, Span, String)> = None;
    let mut depth = 0usize;
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES;
    for (event, range) in Parser::new_ext(&text[start..], options).into_offset_iter() {
        // Only where it is asked for: thousands of quotations in one another can end in the same white space.
        let span = || Span { start: start + range.start, end: start + range.end }.trim(text);
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                heading = Some((rank(level), span(), String::new()));
                depth += 1;
            }
            Event::Start(tag) => {
                match block_kind(&tag, depth) {
                    Some(_) if is_markmap(&tag) => read_markmap(text, span(), &mut outline),
                    Some(kind) => outline.push(Block { kind, span: span() }),
                    None => {}
                }
                depth += 1;
            }
            Event::End(TagEnd::Heading(_)) if depth == 1 => {
                depth -= 1;
                if let Some((level, span, label)) = heading.take() {
                    outline.open(level, &label, span);
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, _, label)) = &mut heading {
                    label.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, _, label)) = &mut heading {
                    label.push(' ');
                }
            }
            _ => {}
        }
    }
    outline.sections
}

/// The headings that are open, and the sections so far.
#[derive(Default)]
struct Outline {
    open: Vec<(usize, String)>,
    sections: Vec<Section>,
}

impl Outline {
    fn open(&mut self, level: usize, label: &str, heading: Span) {
        // An item of an outline can begin with lines of code.
        let label = label.replace('\n', " ");
        let label = label.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}');
        self.open.retain(|&(outer, _)| outer < level);
        if label.is_empty() {
            return;
        }
        let (label, overlong) = cut_label(label);
        self.open.push((level, label));
        let blocks = if overlong { vec![Block { kind: BlockKind::Text, span: heading }] } else { Vec::new() };
        self.sections.push(Section { heading_path: self.path(), level, heading, blocks });
    }

    fn push(&mut self, block: Block) {
        let path = self.path();
        let fits = self.sections.last().is_some_and(|section| section.heading_path == path);
        if !fits {
            let level = self.open.last().map_or(0, |&(level, _)| level);
            let heading = Span { start: block.span.start, end: block.span.start };
            self.sections.push(Section { heading_path: path, level, heading, blocks: Vec::new() });
        }
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }

    fn path(&self) -> Vec<String> {
        self.open.iter().map(|(_, label)| label.clone()).collect()
    }

    fn level(&self) -> usize {
        self.open.last().map_or(0, |&(level, _)| level)
    }
}

fn rank(level: HeadingLevel) -> usize {
    level as usize
}

/// Which outermost elements become blocks. An item is one when its list is outermost.
fn block_kind(tag: &Tag, depth: usize) -> Option<BlockKind> {
    match (tag, depth) {
        (Tag::Paragraph | Tag::BlockQuote(_) | Tag::HtmlBlock | Tag::FootnoteDefinition(_), 0) => {
            Some(BlockKind::Text)
        }
        (Tag::CodeBlock(_), 0) => Some(BlockKind::Lines),
        (Tag::Table(_), 0) => Some(BlockKind::Table),
        (Tag::Item, 1) => Some(BlockKind::ListItem),
        _ => None,
    }
}

fn is_markmap(tag: &Tag) -> bool {
    match tag {
        Tag::CodeBlock(CodeBlockKind::Fenced(info)) => info.split_whitespace().any(|word| word == "markmap"),
        _ => false,
    }
}

/// Reads the list inside a `markmap` fence: items with items below them are headings, the others their text.
fn read_markmap(text: &str, fence: Span, outline: &mut Outline) {
    let Some(inner) = inside_fence(text, fence) else { return };
    let base = outline.level();
    let mut items: Vec<Item> = Vec::new();
    for (event, range) in Parser::new(inner.of(text)).into_offset_iter() {
        let span = Span { start: inner.start + range.start, end: inner.start + range.end };
        match event {
            Event::Start(Tag::List(_)) => {
                let level = base + items.len();
                let shallow = items.len() <= MAX_OUTLINE;
                if let Some(item) = items.last_mut().filter(|item| shallow && !item.is_heading) {
                    item.is_heading = true;
                    let line = Span { start: item.span.start, end: span.start }.trim(text);
                    outline.open(level, &item.label, line);
                }
            }
            Event::Start(Tag::Item) => items.push(Item { label: String::new(), span, is_heading: false }),
            Event::End(TagEnd::Item) => {
                let level = base + items.len();
                match items.pop() {
                    // Below the deepest heading, an item's text is already part of the item above it.
                    Some(item) if !item.is_heading && items.len() <= MAX_OUTLINE => {
                        outline.open.retain(|&(outer, _)| outer < level);
                        outline.push(Block { kind: BlockKind::ListItem, span: item.span.trim(text) });
                    }
                    _ => {}
                }
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(item) = items.last_mut().filter(|item| !item.is_heading) {
                    item.label.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(item) = items.last_mut().filter(|item| !item.is_heading) {
                    item.label.push(' ');
                }
            }
            _ => {}
        }
    }
    outline.open.retain(|&(level, _)| level <= base);
}

/// Levels of an outline that become headings; deeper items are text of the last.
const MAX_OUTLINE: usize = 12;

struct Item {
    label: String,
    span: Span,
    is_heading: bool,
}

/// The lines between the two fences; the closing one may be missing at the end of a file.
fn inside_fence(text: &str, fence: Span) -> Option<Span> {
    let block = fence.of(text);
    let first = block.find('\n')? + 1;
    let last = block.rfind('\n').filter(|&at| block[at + 1..].trim_start().starts_with(['`', '~']));
    let end = last.map_or(block.len(), |at| at + 1);
    (first <= end).then_some(Span { start: fence.start + first, end: fence.start + end })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each section as one line: its path, then its blocks.
    fn draw(text: &str) -> String {
        let line = |section: &Section| {
            let blocks: Vec<&str> = section.blocks.iter().map(|block| block.span.of(text)).collect();
            format!("{}: {}", section.heading_path.join(" > "), blocks.join(" | "))
        };
        sections(text, 0).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(draw(text), expected.join("\n"));
    }

    #[test]
    fn headings_make_sections() {
        check(
            "before\n\n# A\none\n\ntwo\n\n## B\n- x\n- y\n\n# C",
            &[": before", "A: one | two", "A > B: - x | - y", "C: "],
        );
        check(
            "Setext\n===\n\n### *Deep* `code`\ntext\n\n## Up\n",
            &["Setext: ", "Setext > Deep code: text", "Setext > Up: "],
        );
        check("Two\nlines\\\nthree\n===\n", &["Two lines three: "]);
        check(
            "# A\n```\n# not a heading\n```\n| a |\n|---|\n| b |\n",
            &["A: ```\n# not a heading\n``` | | a |\n|---|\n| b |"],
        );
        check(
            "# A\n> quoted\n> # not a heading\n\n1. one\n   - nested\n2. two\n",
            &["A: > quoted\n> # not a heading | 1. one\n   - nested | 2. two"],
        );
    }

    #[test]
    fn markmap_lists_are_outlines() {
        check(
            "# A\n```markdown markmap\n- Data\n\n  - Analyst\n    - Pandas\n    - Seaborn\n  - Tools\n- Last\n```\nafter",
            &[
                "A: ",
                "A > Data: ",
                "A > Data > Analyst: - Pandas | - Seaborn",
                "A > Data: - Tools",
                "A: - Last | after",
            ],
        );
        check("```markmap\n-     a\n      b\n  - c\n```\n", &["a b: - c"]);
        check("```markmap\n- only\n", &[": - only"]);
        check("```markmap\n```\n", &[""]);
    }
}
