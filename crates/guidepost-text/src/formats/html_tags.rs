//! Rewrites a page into what its text needs: few attributes, no scripts, no styles, no comments, no drawings.
//!
//! A parser made for browsers takes time that grows with the square of the attributes of one tag, or of how deep tags
//! nest. It is given tags that cannot do that, in small pieces, and looked at in between.

use dom_query::Document;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};

/// Attributes that tell what an element is, or where a link leads.
const KEPT: [&str; 16] = [
    "href",
    "class",
    "id",
    "role",
    "hidden",
    "aria-hidden",
    "name",
    "property",
    "content",
    "colspan",
    "alt",
    "rel",
    "itemprop",
    "style",
    "start",
    "data-lang",
];

/// Longest value of an attribute in bytes; pictures are written into attributes whole.
const MAX_VALUE: usize = 2000;

/// Elements without text of the page.
const DROPPED: [&str; 12] = [
    "script", "style", "svg", "noscript", "template", "iframe", "object", "canvas", "audio", "video", "math",
    "xmp",
];

/// Elements that never have content.
const VOID: [&str; 10] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"];

/// Most nodes of a page, and how deep they may nest.
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 400;

/// Bytes that are parsed between two looks at what has grown.
const PIECE: usize = 1024;

/// Parses a page. What was not parsed, because the page grows too large or too deep, is a warning.
pub(super) fn parse(html: &str, warnings: &mut Vec<String>) -> Document {
    let tidied = tidy(html);
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let mut parser = parse_document(Document::default(), options);
    let mut at = 0;
    while at < tidied.len() {
        let end = tidied.floor_char_boundary(at + PIECE);
        parser.process(StrTendril::from(&tidied[at..end]));
        at = end;
        let tree = &parser.tokenizer.sink.sink.tree;
        if at < tidied.len() && (tree.len() > MAX_NODES || depth(tree) > MAX_DEPTH) {
            let share = at * 100 / tidied.len();
            warnings
                .push(format!("its elements are too many or nested too deep; read up to {share} % of it"));
            break;
        }
    }
    parser.finish()
}

/// How deep the element that was made last may lie. It is the last child of a last child and so on; but what stands in
/// a table and in none of its cells is put before the table.
fn depth(tree: &dom_query::Tree) -> usize {
    let mut deepest = 0;
    let mut looked_at = 0;
    let mut nodes = vec![(tree.root(), 0)];
    while let Some((node, depth)) = nodes.pop() {
        looked_at += 1;
        deepest = deepest.max(depth);
        if depth > MAX_DEPTH || looked_at > 4 * MAX_DEPTH {
            return MAX_DEPTH + 1;
        }
        let Some(last) = node.last_child() else { continue };
        let is_table = last.node_name().is_some_and(|name| &*name == "table");
        nodes.extend(last.prev_sibling().filter(|_| is_table).map(|before| (before, depth + 1)));
        nodes.push((last, depth + 1));
    }
    deepest
}

/// The page with only those tags and attributes that matter.
fn tidy(html: &str) -> String {
    let mut tidied = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        tidied.push_str(&rest[..at]);
        rest = &rest[at..];
        let next = rest.as_bytes().get(1).copied().unwrap_or(b' ');
        rest = match next {
            b'!' | b'?' => declaration(rest, &mut tidied),
            b'/' | b'a'..=b'z' | b'A'..=b'Z' => tag(rest, &mut tidied),
            _ => {
                tidied.push_str("&lt;");
                &rest[1..]
            }
        };
    }
    tidied.push_str(rest);
    tidied
}

/// Comments and declarations are left out; what a CDATA section holds is text.
fn declaration<'a>(rest: &'a str, tidied: &mut String) -> &'a str {
    let after = |mark: &str| rest.split_once(mark).map_or("", |(_, after)| after);
    if rest.starts_with("<!--") {
        return rest.strip_prefix("<!-->").unwrap_or_else(|| after("-->"));
    }
    if let Some(data) = rest.strip_prefix("<![CDATA[") {
        let (text, after) = data.split_once("]]>").unwrap_or((data, ""));
        tidied.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
        return after;
    }
    after(">")
}

/// Copies one tag with the attributes that matter; an element without text of the page goes with all it holds.
fn tag<'a>(rest: &'a str, tidied: &mut String) -> &'a str {
    let closing = rest.starts_with("</");
    let body = &rest[if closing { 2 } else { 1 }..];
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '>' | '<' | '"' | '\'' | '&');
    let end = body.find(ends).unwrap_or(body.len());
    let name = body[..end].to_ascii_lowercase();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || body[end..].starts_with(['<', '"', '\'', '&'])
    {
        tidied.push_str("&lt;");
        return &rest[1..];
    }
    let start = tidied.len();
    tidied.push_str(if closing { "</" } else { "<" });
    tidied.push_str(&name);
    let (after, self_closed) = attributes(&body[end..], (!closing).then_some(&mut *tidied));
    tidied.push('>');
    if DROPPED.contains(&name.as_str()) {
        tidied.truncate(start);
        return if closing || self_closed { after } else { behind(after, &name) };
    }
    // XHTML closes empty elements at once; a page that is no XHTML ignores the mark, and so do browsers.
    if self_closed && matches!(name.as_str(), "a" | "title" | "span" | "p" | "td" | "div" | "textarea" | "i")
    {
        tidied.push_str(&format!("</{name}>"));
    }
    if VOID.contains(&name.as_str()) && closing {
        tidied.truncate(start);
    }
    after
}

/// Reads attributes up to the end of the tag; copies those that matter. The second part: whether the tag ends with a
/// slash.
fn attributes<'a>(mut rest: &'a str, mut tidied: Option<&mut String>) -> (&'a str, bool) {
    let mut seen = [false; KEPT.len()];
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix('>') {
            return (after, false);
        }
        if let Some(after) = trimmed.strip_prefix("/>") {
            return (after, true);
        }
        if trimmed.is_empty() {
            return ("", false);
        }
        let Some(skipped) = trimmed.strip_prefix(['/', '=', '"', '\'']) else {
            let (name, value, after) = attribute(trimmed);
            let kept = KEPT.iter().position(|kept| name.eq_ignore_ascii_case(kept)).filter(|&at| !seen[at]);
            if let (Some(at), Some(tidied)) = (kept, tidied.as_deref_mut()) {
                seen[at] = true;
                let value = &value[..value.floor_char_boundary(MAX_VALUE)];
                tidied.push_str(&format!(" {}=\"{}\"", KEPT[at], value.replace('"', "&quot;")));
            }
            rest = after;
            continue;
        };
        rest = skipped;
    }
}

/// The name and value of the attribute that begins here, and what follows it.
fn attribute(text: &str) -> (&str, &str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
        return (name, "", rest);
    };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, after) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return (name, value, after);
        }
    }
    let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
    (name, &value[..end], &value[end..])
}

/// What follows the end of an element, or nothing where it is never closed.
fn behind<'a>(text: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| from + at) {
        let after = &text[at + 2..];
        if after.len() >= name.len() && after.as_bytes()[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        from = at + 2;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_what_matters() {
        for (html, expected) in [
            ("<P onclick='x' CLASS=a>1 < 2</P>", "<p class=\"a\">1 &lt; 2</p>"),
            ("a<!-- <b> -->b<script>if (a<b) '</p>'</script >c<br/>", "abc<br>"),
            ("<a href='x>y' title=\">\">z</a>", "<a href=\"x>y\">z</a>"),
            ("<a id=\"n\"/>text<title/>", "<a id=\"n\"></a>text<title></title>"),
            ("<![CDATA[a<b]]> <unclosed", "a&lt;b <unclosed>"),
            ("<script>never closed", ""),
            ("<a id=1 id=2 /x=3>", "<a id=\"1\">"),
            ("Vec<", "Vec&lt;"),
        ] {
            assert_eq!(tidy(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_pages_are_cut_short() {
        let mut attributes = "<p ".to_owned();
        (0..300_000).for_each(|n| attributes.push_str(&format!("a{n} ")));
        for page in [
            "<div>".repeat(500_000),
            "<b><p>".repeat(300_000),
            "<table><td>".repeat(200_000),
            "<table>".to_owned() + &"<ul>".repeat(200_000),
            "<table><ul>".repeat(200_000),
            (0..100_000).map(|n| format!("<b class={n}>")).collect::<String>() + &"<p>x</p>".repeat(100_000),
            attributes,
            "<".repeat(1_000_000),
            "<a href=\"".repeat(300_000),
            "<script>".repeat(300_000),
        ] {
            let document = parse(&page, &mut Vec::new());
            assert!(document.tree.len() <= 2 * MAX_NODES);
        }
    }
}
