//! Markdown to sections: headings make them, and the list inside a `markmap` block is an outline of more headings.

mod dialects;
mod mdx;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

pub(crate) use dialects::Source;

use crate::vocabulary::cut_label;
use crate::{Block, BlockKind, Section, Span};

/// What of Markdown is understood beyond CommonMark.
pub(crate) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM)
    .union(Options::ENABLE_WIKILINKS);

/// Cuts a text along the headings of its `source`. Spans count from the beginning of `text`.
pub(crate) fn sections(text: &str, source: &Source) -> Vec<Section> {
    let mut outline = Outline::default();
    let mut heading: Option<Heading> = None;
    let mut depth = 0usize;
    for (event, range) in Parser::new_ext(&source.text, OPTIONS).into_offset_iter() {
        if let Some(heading) = &mut heading {
            heading.read(&event, range.clone(), &source.text);
        }
        // Only where it is asked for: thousands of quotations in one another can end in the same white space.
        let span = || source.span(&range);
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                heading =
                    Some(Heading { level: rank(level), span: span(), label: String::new(), hidden: 0..0 });
                depth += 1;
            }
            Event::Start(tag) => {
                match block_kind(&tag, depth) {
                    Some(_) if is_markmap(&tag) => read_markmap(text, span(), &mut outline),
                    Some(_) if matches!(tag, Tag::HtmlBlock) && is_comment(span().of(text)) => {}
                    Some(kind) => outline.push(Block { kind, span: span() }),
                    None => {}
                }
                depth += 1;
            }
            Event::End(TagEnd::Heading(_)) if depth == 1 => {
                depth -= 1;
                match heading.take() {
                    Some(heading) if heading.is_paragraph(text) => {
                        outline.push(Block { kind: BlockKind::Text, span: heading.span });
                    }
                    Some(heading) => outline.open(heading.level, &heading.label, heading.span),
                    None => {}
                }
            }
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
    outline.sections
}

/// A heading whose label is being read.
struct Heading {
    level: usize,
    span: Span,
    label: String,
    /// What the label leaves out.
    hidden: Range<usize>,
}

impl Heading {
    /// Whether this is a paragraph above a line of signs that were not meant to underline it, as scraped text has them.
    fn is_paragraph(&self, text: &str) -> bool {
        cut_label(&self.label).1 && self.span.of(text).lines().count() > 2
    }

    fn read(&mut self, event: &Event, range: Range<usize>, source: &str) {
        match event {
            Event::Text(part) | Event::Code(part) => {
                let hidden = self.hidden.contains(&range.start);
                let from = if hidden { self.hidden.end - range.start } else { 0 };
                self.label.push_str(part.get(from..).unwrap_or_default());
            }
            Event::SoftBreak | Event::HardBreak => self.label.push(' '),
            // `![[Note]]` names a file.
            Event::Start(Tag::Image { link_type: LinkType::WikiLink { .. }, .. }) => self.hidden = range,
            // `[[paper]](address)` is a link with brackets in its text.
            Event::Start(Tag::Link { link_type: LinkType::WikiLink { .. }, .. }) => {
                let behind = source[range.end..].lines().next().unwrap_or_default();
                let address = behind.find(')').filter(|_| behind.starts_with('('));
                self.hidden = range.end..range.end + address.map_or(0, |end| end + 1);
            }
            _ => {}
        }
    }
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

/// Whether HTML is nothing but comments.
fn is_comment(html: &str) -> bool {
    let mut rest = html.trim();
    while let Some((_, behind)) = rest.strip_prefix("<!--").and_then(|inner| inner.split_once("-->")) {
        rest = behind.trim_start();
    }
    rest.is_empty()
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
        sections(text, &Source::of_dialects(text, 0)).iter().map(line).collect::<Vec<_>>().join("\n")
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
        let paragraph = format!("{}\nand more", "word ".repeat(60).trim_end());
        check(&format!("# A\n\n{paragraph}\n===\n\nB\n"), &[&format!("A: {paragraph}\n=== | B")]);
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

    #[test]
    fn links_of_wikis_read_as_their_label() {
        check("# On [[Note|bees]]\nsee [[Other]]", &["On bees: see [[Other]]"]);
        check("# [[Bees]] ![[icon.png|20]]\n![[Hive#Frames]]", &["Bees: ![[Hive#Frames]]"]);
        check(
            "# A [[1]](https://example.org) [[2]](b) (c)\n#bee #winter\n\n#tag",
            &["A 1 2 (c): #bee #winter | #tag"],
        );
    }

    #[test]
    fn callouts_are_text() {
        check("> [!NOTE]\n> Bees sting.\n\nx", &[": > [!NOTE]\n> Bees sting. | x"]);
        check(
            "> [!faq]- Do they?\n> > [!tip] Yes\n> > they do",
            &[": > [!faq]- Do they?\n> > [!tip] Yes\n> > they do"],
        );
        check(
            ":::note[Mind]\n\nBees sting.\n\n- often\n:::\n\n| a |\n|---|\n| b |\n:::\n",
            &[": :::note[Mind] | Bees sting. | - often | | a |\n|---|\n| b |"],
        );
    }

    #[test]
    fn what_an_admonition_indents_is_no_code() {
        check(
            "# A\n!!! note \"Mind\"\n    Bees sting.\n\n    - often\n    - twice\n\n        code\n\n\tTab.\n\nafter\n\n    code",
            &[
                "A: !!! note \"Mind\"\n    Bees sting. | - often | - twice\n\n        code | Tab. | after | code",
            ],
        );
        check(
            "???+ tip\n\n    ```\n    !!! note\n        x\n    ```\n    !!! danger\n\n        Deep.\n\n    Less.\n",
            &[": ???+ tip | ```\n    !!! note\n        x\n    ``` | !!! danger | Deep. | Less."],
        );
        check(
            "=== \"One\"\n\n    ## Part\n\n    text\n\n=== \"Two\"\n\n    more",
            &[": === \"One\"", "Part: text | === \"Two\" | more"],
        );
        check("Wow!!! note\n\n    code\n\nTitle\n===\n\n    code", &[": Wow!!! note | code", "Title: code"]);
    }

    #[test]
    fn footnotes_are_text() {
        check(
            "# A[^1]\ntext[^1]\n\n[^1]: A note.\n    Its end.\n",
            &["A: text[^1] | [^1]: A note.\n    Its end."],
        );
    }

    #[test]
    fn comments_are_no_text() {
        check("<!--\n# Old\n\ntext\n-->\n# A <!-- b -->\n<!-- c --> <!-- d -->\n\ntext", &["A: text"]);
        check("<!-- c --> kept\n\n{/* gone\n\n# B\n*/}\n", &[": <!-- c --> kept"]);
    }

    #[test]
    fn components_leave_their_text() {
        check(
            "import Tabs from '@theme/Tabs';\nimport {\n  A,\n\n  B } from \"b\";\n\nexport const c = {\n\n  d: 1,\n};\n\n# A\n\
             <Tabs>\n<TabItem value=\"x\"\n  on={() => { go(\"}>\") }}>\n## B\ntext\n\n- item\n</TabItem></Tabs>\n<Card />\nend",
            &["A: ", "A > B: text | - item | end"],
        );
        check(
            "<Steps>\n    <Step>\n        ### One\n\n        Do it:\n\n        - a\n            - b\n    </Step>\n</Steps>\n\nend\n\n    code",
            &["One: Do it: | - a\n            - b | end | code"],
        );
        check(
            "```jsx\n<Tabs>\nimport a from 'b'\n```\n    <Card />\n",
            &[": ```jsx\n<Tabs>\nimport a from 'b'\n``` | <Card />"],
        );
    }

    #[test]
    fn text_that_looks_like_a_module_or_a_component_stays() {
        for text in [
            "import os",
            "import what you need, from wherever you like",
            "export default values are none",
            "text\nimport a from 'b'",
            "<Ctrl>+C copies",
            "<B>never closed",
            "Use `<Card />` or Vec<T>.",
            "{/* never closed",
            "<A href={",
            "!!!",
        ] {
            check(text, &[&format!(": {text}")]);
        }
    }

    #[test]
    fn dialects_change_nothing_where_there_are_none() {
        let guide = include_str!("../../../tests/fixtures/formats/guide.md");
        assert_eq!(
            sections(guide, &Source::of_dialects(guide, 0)),
            sections(guide, &Source::verbatim(guide, 0))
        );
    }
}
