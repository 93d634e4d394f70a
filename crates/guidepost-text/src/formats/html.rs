//! Web pages: their main content as Markdown, without menus, banners and footers.
//!
//! What is main, the page says itself (`main`, `article`); where it does not, the reader mode of a browser is asked. It
//! is asked only where the text lies: it rewrites headings, which citations need as they are.

use std::collections::HashSet;

use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};

use super::html_tags::parse;
use crate::Metadata;
use crate::reading::{Inline, Reading, Writer};

/// Reads a page.
pub(super) fn read(html: &str) -> Reading {
    let mut warnings = Vec::new();
    let page = parse(html, &mut warnings);
    let mut writer = Writer::default();
    let main = main_content(&page);
    if let Some(main) = &main {
        write(main, &mut writer);
    }
    writer.finish(metadata(&page, main.as_ref()), warnings)
}

/// Writes a whole page, which has no menus: a chapter of a book. Returns its title.
pub(super) fn write_chapter(html: &str, writer: &mut Writer, warnings: &mut Vec<String>) {
    let page = parse(html, warnings);
    if let Some(body) = page.body() {
        write(&body, writer);
    }
}

fn metadata(page: &Document, main: Option<&NodeRef>) -> Metadata {
    let named = |selector: &str| {
        let content = page.select_single(selector).attr("content")?;
        Some(content.trim().to_owned()).filter(|content| !content.is_empty())
    };
    let one_heading = main.is_some_and(|main| count(main, "h1") == 1);
    let whole_title = || inline_text(&page.select_single("title").nodes().first().copied()?).into();
    // A page's title names its site, too; its one heading does not.
    let title = if one_heading { None } else { title(page).or_else(whole_title) };
    Metadata {
        title: title.unwrap_or_default(),
        author: named("meta[name=author]"),
        date: named("meta[name=date]").or_else(|| named("meta[property='article:published_time']")),
        ..Metadata::default()
    }
}

/// The one heading of the outermost level, wherever it stands.
fn title(page: &Document) -> Option<String> {
    let headings = page.select("h1");
    let heading = headings.nodes().first().filter(|_| headings.length() == 1)?;
    Some(inline_text(heading)).filter(|title| !title.is_empty())
}

fn count(node: &NodeRef, name: &str) -> usize {
    node.descendants_it().filter(|node| is(node, name)).count()
}

fn is(node: &NodeRef, name: &str) -> bool {
    node.node_name().is_some_and(|own| &*own == name)
}

/// Text outside links, in characters: menus have none.
fn weight(node: &NodeRef) -> usize {
    let words = |text: &str| text.split_whitespace().map(|word| word.chars().count()).sum::<usize>();
    node.children_it(false)
        .map(|child| match () {
            () if child.is_text() => words(&child.text()),
            () if !child.is_element() || is(&child, "a") || is_furniture(&child) => 0,
            () => weight(&child),
        })
        .sum()
}

/// A page whose marked main content has less of its text than this says nothing by it.
const ENOUGH: f64 = 0.4;

fn main_content(page: &Document) -> Option<NodeRef<'_>> {
    let body = page.body()?;
    let all = weight(&body);
    let holds_enough = |node: &NodeRef| weight(node) as f64 >= ENOUGH * all as f64;
    for selector in ["main, [role=main]", "article"] {
        let marked = page.select(selector);
        if let [one] = marked.nodes()
            && holds_enough(one)
        {
            return Some(*one);
        }
    }
    Some(readable(page, &body).filter(holds_enough).unwrap_or(body))
}

/// Most elements that the reader mode looks at; it takes several passes over all of them.
const MAX_READABLE: usize = 50_000;

/// The smallest element that holds nearly all that the reader mode keeps.
fn readable<'a>(page: &'a Document, body: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    if page.tree.len() > MAX_READABLE {
        return None;
    }
    let copy = page.clone();
    // Names survive, so what it keeps can be found again.
    let elements = || copy.root().descendants().into_iter().filter(NodeRef::is_element);
    elements().enumerate().for_each(|(at, element)| element.set_attr("id", &format!("guidepost-{at}")));
    let config = Config { disable_json_ld: true, ..Config::default() };
    let article = Readability::with_document(copy.clone(), None, Some(config)).ok()?.parse().ok()?;
    let kept = Document::fragment(article.content);
    let names: HashSet<String> =
        kept.root().descendants_it().filter_map(|node| node.attr("id")).map(|id| id.to_string()).collect();
    let kept: HashSet<_> = page
        .root()
        .descendants_it()
        .filter(NodeRef::is_element)
        .enumerate()
        .filter(|(at, _)| names.contains(&format!("guidepost-{at}")))
        .map(|(_, element)| element.id)
        .collect();
    let mut smallest = *body;
    let all = share(body, &kept);
    let holds_all = |node: &NodeRef| {
        let container = CONTAINERS.iter().any(|name| is(node, name));
        container && all > 0 && share(node, &kept) * 100 >= all * 95
    };
    while let Some(child) = smallest.children_it(false).find(holds_all) {
        smallest = child;
    }
    Some(smallest)
}

/// Elements that hold main content, and are none themselves.
const CONTAINERS: [&str; 9] = ["div", "section", "article", "center", "form", "table", "tbody", "tr", "td"];

/// Characters that stand directly in kept elements.
fn share(node: &NodeRef, kept: &HashSet<dom_query::NodeId>) -> usize {
    let own = if kept.contains(&node.id) { node.immediate_text().trim().len() } else { 0 };
    let below = |node: NodeRef| if kept.contains(&node.id) { node.immediate_text().trim().len() } else { 0 };
    own + node.descendants_it().filter(NodeRef::is_element).map(below).sum::<usize>()
}

/// What stands around the content of every page of a site.
fn is_furniture(node: &NodeRef) -> bool {
    let Some(name) = node.node_name() else { return false };
    let role = node.attr_or("role", "");
    let hidden = node.has_attr("hidden")
        || &*node.attr_or("aria-hidden", "") == "true"
        || node.attr_or("style", "").replace(' ', "").contains("display:none");
    match &*name {
        "nav" | "footer" | "dialog" | "menu" | "button" | "select" | "input" | "textarea" | "head"
        | "title" => true,
        // Footnotes are asides of their document, and notes asides of their section.
        "aside" => !role.starts_with("doc-") && !is_inside(node, &["main", "article"]),
        "header" => count(node, "h1") == 0 && !is_inside(node, &["main", "article", "section"]),
        _ => hidden || matches!(&*role, "navigation" | "banner" | "contentinfo" | "search" | "complementary"),
    }
}

fn is_inside(node: &NodeRef, names: &[&str]) -> bool {
    node.ancestors_it(None).any(|outer| names.iter().any(|name| is(&outer, name)))
}

/// The text of an element as one run of words, with its links and code.
fn inline_text(node: &NodeRef) -> String {
    let mut inline = Inline::default();
    add_inline(node, &mut inline);
    inline.take()
}

fn add_inline(node: &NodeRef, inline: &mut Inline) {
    for child in node.children_it(false) {
        if child.is_text() {
            inline.text(&child.text());
        } else if child.is_element() && !add_leaf(&child, inline) {
            // Blocks in a cell or heading are words like any others.
            let block = !INLINE.iter().any(|name| is(&child, name));
            if block {
                inline.text(" ");
            }
            add_inline(&child, inline);
            if block {
                inline.text(" ");
            }
        }
    }
}

/// Elements that go on in the line they stand in.
const INLINE: [&str; 28] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "data", "del", "dfn", "em", "font", "i", "ins", "label", "mark",
    "q", "ruby", "s", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr", "big",
];

/// Adds an element of a line that is more than its text; `false` where it is not.
fn add_leaf(node: &NodeRef, inline: &mut Inline) -> bool {
    let Some(name) = node.node_name() else { return true };
    match &*name {
        _ if is_furniture(node) => {}
        "br" => inline.line_break(),
        "code" | "kbd" | "samp" | "tt" => inline.code(&node.text()),
        "a" => add_link(node, inline),
        "sup" if count(node, "a") == 0 => {
            let text = node.text();
            inline.text(&format!("^{}", text.trim()));
        }
        "img" | "picture" | "hr" => {}
        _ => return false,
    }
    true
}

fn add_link(node: &NodeRef, inline: &mut Inline) {
    match &*node.attr_or("role", "") {
        "doc-backlink" => return,
        "doc-noteref" => return inline.text(&format!("[^{}]", node.text().trim())),
        _ => {}
    }
    let text = node.text();
    // Sites put a sign beside every heading that leads to it.
    if matches!(text.trim(), "¶" | "#" | "§" | "🔗" | "") {
        return;
    }
    inline.open_link(&node.attr_or("href", ""));
    add_inline(node, inline);
    inline.close_link();
}

fn write(node: &NodeRef, writer: &mut Writer) {
    let mut page =
        Page { writer, inline: Inline::default(), lists: Vec::new(), begins_item: false, quotes: 0 };
    page.children(node);
    page.flush();
}

struct Page<'w> {
    writer: &'w mut Writer,
    inline: Inline,
    /// The open lists: whether their items carry numbers, and the number of the last item.
    lists: Vec<(bool, usize)>,
    /// A paragraph that begins an item carries its mark; those after it do not.
    begins_item: bool,
    quotes: usize,
}

impl Page<'_> {
    fn children(&mut self, node: &NodeRef) {
        for child in node.children_it(false) {
            if child.is_text() {
                self.inline.text(&child.text());
            } else if child.is_element() {
                self.element(&child);
            }
        }
    }

    fn element(&mut self, node: &NodeRef) {
        let Some(name) = node.node_name() else { return };
        if is_furniture(node) {
            return;
        }
        match &*name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.writer.heading(level, &inline_text(node));
            }
            "pre" => {
                self.flush();
                self.writer.code(&language(node), &node.text());
            }
            "ul" | "ol" => self.list(node, &name),
            "li" => {
                self.flush();
                if let Some((_, number)) = self.lists.last_mut() {
                    *number += 1;
                }
                self.begins_item = true;
                self.block(node);
            }
            "table" if !is_layout(node) => {
                self.flush();
                self.writer.table(&rows(node));
            }
            "blockquote" => {
                self.flush();
                self.quotes += 1;
                self.block(node);
                self.quotes -= 1;
            }
            _ if add_leaf(node, &mut self.inline) => {}
            name if INLINE.contains(&name) => self.children(node),
            _ => self.block(node),
        }
    }

    fn block(&mut self, node: &NodeRef) {
        self.flush();
        self.children(node);
        self.flush();
    }

    fn list(&mut self, node: &NodeRef, name: &str) {
        self.flush();
        let before = node.attr("start").and_then(|start| start.parse::<usize>().ok()).unwrap_or(1);
        self.lists.push((name == "ol", before.saturating_sub(1)));
        self.block(node);
        self.lists.pop();
        self.begins_item = false;
    }

    /// Writes the running text so far.
    fn flush(&mut self) {
        let text = self.inline.take();
        if text.is_empty() {
            return;
        }
        match self.lists.last() {
            Some((numbered, number)) if std::mem::take(&mut self.begins_item) => {
                let mark = if *numbered { format!("{number}.") } else { "-".to_owned() };
                self.writer.item(self.lists.len() - 1, &mark, &text);
            }
            Some(_) => self.writer.item_paragraph(&text),
            None if self.quotes > 0 => self.writer.quote(&text),
            None => self.writer.paragraph(&text),
        }
    }
}

/// The language of a piece of code, as highlighters note it on the element or around it.
fn language(node: &NodeRef) -> String {
    let inner = node.children_it(false).find(|child| is(child, "code"));
    let classes = [inner, Some(*node), node.parent()].into_iter().flatten();
    let named = |node: NodeRef| {
        let class = node.class().map(|class| class.to_string()).unwrap_or_default();
        let marked = class.split_whitespace().find_map(|word| {
            ["language-", "lang-", "highlight-", "brush:"].iter().find_map(|mark| word.strip_prefix(mark))
        });
        // pandoc: `sourceCode python`.
        let pandoc = class.strip_prefix("sourceCode ").filter(|rest| !rest.contains(' '));
        let own = node.attr("data-lang").map(|language| language.to_string());
        own.or(marked.or(pandoc).map(str::to_owned))
    };
    let word = |language: &String| language.chars().all(|c| c.is_ascii_alphanumeric() || "+#-_.".contains(c));
    classes.filter_map(named).find(word).unwrap_or_default()
}

/// Tables that only put things beside each other hold headings, lists or tables.
fn is_layout(table: &NodeRef) -> bool {
    let blocks = ["table", "h1", "h2", "h3", "h4", "pre", "form"];
    let role = table.attr_or("role", "");
    matches!(&*role, "presentation" | "none")
        || table.descendants_it().any(|node| blocks.iter().any(|name| is(&node, name)))
}

fn rows(table: &NodeRef) -> Vec<Vec<String>> {
    let rows = table.descendants_it().filter(|node| is(node, "tr"));
    let cells = |row: NodeRef| {
        let mut cells = Vec::new();
        for cell in row.children_it(false).filter(|cell| is(cell, "td") || is(cell, "th")) {
            cells.push(inline_text(&cell));
            let span = cell.attr("colspan").and_then(|span| span.parse::<usize>().ok()).unwrap_or(1);
            cells.extend((1..span.min(20)).map(|_| String::new()));
        }
        cells
    };
    rows.map(cells).filter(|cells| !cells.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::formats::read;

    #[track_caller]
    fn check(page: &str, expected: &str) {
        assert_eq!(read(Format::Html, page.as_bytes()).text, expected);
    }

    #[test]
    fn menus_and_banners_are_left_out() {
        let story =
            "<p>Bees fly far, and come home with what they found; that takes a morning.</p>".repeat(3);
        let text = "Bees fly far, and come home with what they found; that takes a morning.\n";
        let text = [text; 3].join("\n");
        let menu = "<li><a href=/a>One</a><li><a href=/b>Two</a>".repeat(20);
        check(
            &format!("<nav><ul>{menu}</ul></nav><main><h1>Bees</h1>{story}</main><footer>2020</footer>"),
            &format!("# Bees\n\n{text}"),
        );
        check(
            &format!(
                "<div class=sidebar><ul>{menu}</ul></div><div class=content><h2>Bees</h2>{story}{story}</div>"
            ),
            &format!("## Bees\n\n{text}\n{text}"),
        );
        check(
            &format!("<header><a href=/>Site</a></header><h1>Bees</h1>{story}"),
            &format!("# Bees\n\n{text}"),
        );
    }

    #[test]
    fn what_is_code_stays_code() {
        check("<p>Café: <code>Vec&lt;T&gt;</code> &lt;b&gt;</p>", "Café: `Vec<T>` <b>\n");
        check(
            "<pre><code class='language-rust'>fn f() -&gt; &amp;str {\n    \"é\"\n}</code></pre>",
            "```rust\nfn f() -> &str {\n    \"é\"\n}\n```\n",
        );
        check("<h2>Using <code>Vec</code><a class=anchor href=#x>¶</a></h2><p>x", "## Using `Vec`\n\nx\n");
    }
}
