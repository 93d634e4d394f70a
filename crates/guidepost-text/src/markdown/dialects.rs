//! What dialects add to Markdown and its parser does not know, taken out or moved before it is parsed: imports, comments
//! and components of MDX, indented admonitions and tabs of MkDocs, the end of an admonition of Docusaurus. Links of
//! wikis, callouts and footnotes the parser knows itself.
//!
//! Every byte that stays remembers where it stood, so spans are those of the file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::mdx::{self, Tag};
use crate::Span;

/// Markdown as the parser is to see it.
pub(crate) struct Source<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where runs of bytes begin in `text`, and where in the file; never empty.
    runs: Vec<(usize, usize)>,
}

impl<'a> Source<'a> {
    /// The text from byte `start` on, as it stands.
    pub(crate) fn verbatim(text: &'a str, start: usize) -> Self {
        Source { text: Cow::Borrowed(&text[start..]), runs: vec![(0, start)] }
    }

    /// The text from byte `start` on, without what only dialects know.
    pub(crate) fn of_dialects(text: &'a str, start: usize) -> Self {
        let mut rewriter = Rewriter::new(text, start);
        while rewriter.at < text.len() {
            rewriter.line();
        }
        Source { text: Cow::Owned(rewriter.kept), runs: rewriter.runs }
    }

    /// Where a range of the parser's text stands in the file, without white space at either end.
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        let Span { start, end } = Span { start: range.start, end: range.end }.trim(&self.text);
        match end - start {
            0 => Span { start: self.locate(start), end: self.locate(start) },
            _ => Span { start: self.locate(start), end: self.locate(end - 1) + 1 },
        }
    }

    fn locate(&self, at: usize) -> usize {
        let (here, there) = self.runs[self.runs.partition_point(|&(here, _)| here <= at) - 1];
        there + (at - here)
    }
}

/// Most bodies that are open at once.
const MAX_OPEN: usize = 32;

/// What indents the lines below it.
enum Body<'a> {
    /// Ends before a line that is indented by fewer columns.
    Admonition(usize),
    /// Ends with its closing tag; its first line tells the columns.
    Component(&'a str, Option<usize>),
}

/// Goes through a text line by line.
struct Rewriter<'a> {
    text: &'a str,
    at: usize,
    kept: String,
    runs: Vec<(usize, usize)>,
    /// What is open, outermost first.
    bodies: Vec<Body<'a>>,
    /// The sign and the length of the fence around the code that is open.
    fence: Option<(char, usize)>,
    /// Where every component is closed last.
    closed: HashMap<&'a str, usize>,
    after_blank: bool,
}

impl<'a> Rewriter<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        let closed = text.match_indices("</").filter_map(|(at, _)| match mdx::tag(&text[at..]) {
            Some((Tag::Close(name), _)) => Some((name, at)),
            _ => None,
        });
        Rewriter {
            text,
            at: start,
            kept: String::with_capacity(text.len() - start),
            runs: vec![(0, start)],
            bodies: Vec::new(),
            fence: None,
            closed: closed.collect(),
            after_blank: true,
        }
    }

    /// Takes the next line, or all lines of what begins there.
    fn line(&mut self) {
        let rest = &self.text[self.at..];
        let line = &rest[..rest.find('\n').map_or(rest.len(), |at| at + 1)];
        let words = line.trim();
        if words.is_empty() || self.fence.is_some() {
            self.pass_fence(words);
            self.keep(line);
        } else {
            self.leave_admonitions(columns(line));
            match self.removable(rest, line) {
                Some(length) => return self.remove(length),
                None => self.text_line(line),
            }
        }
        self.after_blank = words.is_empty();
    }

    /// Keeps a line of text, and notes what it opens.
    fn text_line(&mut self, line: &'a str) {
        if let Some(Body::Component(_, indent @ None)) = self.bodies.last_mut() {
            *indent = Some(columns(line));
        }
        let base = self.base();
        let indent = columns(line).saturating_sub(base);
        self.pass_fence(line.trim());
        self.keep(line);
        if indent < 4 && opens_admonition(line.trim()) {
            self.open(Body::Admonition(base + 4));
        }
    }

    /// How long what begins here and is no text is, up to the end of a line.
    fn removable(&mut self, rest: &'a str, line: &str) -> Option<usize> {
        let in_component = self.bodies.iter().any(|body| matches!(body, Body::Component(..)));
        let indented = columns(line).saturating_sub(self.base()) >= 4;
        if indented && !in_component {
            return None;
        }
        let words = line.trim();
        if words.len() >= 3 && words.bytes().all(|byte| byte == b':') {
            return Some(line.len());
        }
        if self.after_blank
            && let Some(length) = mdx::module_lines(rest)
        {
            return Some(length);
        }
        if let Some(length) = mdx::comment(rest) {
            return Some(length);
        }
        let (tags, length) = mdx::lines_of_tags(rest)?;
        tags.into_iter().for_each(|tag| self.pass_tag(tag));
        Some(length)
    }

    fn pass_tag(&mut self, tag: Tag<'a>) {
        match tag {
            // What is never closed has no body.
            Tag::Open(name) if self.closed.get(name).is_some_and(|&last| last > self.at) => {
                self.open(Body::Component(name, None));
            }
            Tag::Close(name) => {
                let named = |body: &Body| matches!(body, Body::Component(open, _) if *open == name);
                let depth = self.bodies.iter().rposition(named).unwrap_or(self.bodies.len());
                self.bodies.truncate(depth);
            }
            Tag::Open(_) | Tag::Empty => {}
        }
    }

    fn open(&mut self, body: Body<'a>) {
        if self.bodies.len() < MAX_OPEN {
            self.bodies.push(body);
        }
    }

    fn leave_admonitions(&mut self, columns: usize) {
        while matches!(self.bodies.last(), Some(Body::Admonition(indent)) if columns < *indent) {
            self.bodies.pop();
        }
    }

    /// Columns by which what is open indents its lines.
    fn base(&self) -> usize {
        let indent = |body: &Body| match body {
            Body::Admonition(indent) => Some(*indent),
            Body::Component(_, indent) => *indent,
        };
        self.bodies.iter().rev().find_map(indent).unwrap_or(0)
    }

    /// Notes where code begins and ends.
    fn pass_fence(&mut self, words: &str) {
        let sign = words.chars().next().filter(|sign| matches!(sign, '`' | '~'));
        let length = sign.map_or(0, |sign| words.len() - words.trim_start_matches(sign).len());
        let info = &words[length..];
        match (self.fence, sign) {
            (None, Some(sign)) if length >= 3 && !info.contains('`') => self.fence = Some((sign, length)),
            (Some(open), Some(sign)) if open.0 == sign && length >= open.1 && info.is_empty() => {
                self.fence = None;
            }
            _ => {}
        }
    }

    /// Keeps a line without what indents it.
    fn keep(&mut self, line: &str) {
        let base = self.base();
        let mut columns = 0;
        let indent = line.bytes().take_while(|byte| {
            let inside = columns < base && matches!(byte, b' ' | b'\t');
            columns += if *byte == b'\t' { 4 - columns % 4 } else { 1 };
            inside
        });
        let indent = indent.count();
        self.push(indent, line.len());
    }

    /// Keeps nothing but the end of the last line.
    fn remove(&mut self, length: usize) {
        let end = usize::from(self.text[self.at..self.at + length].ends_with('\n'));
        self.push(length - end, length);
        self.after_blank = true;
    }

    /// Keeps the bytes between two offsets from here, and goes on behind them.
    fn push(&mut self, from: usize, to: usize) {
        let run = (self.kept.len(), self.at + from);
        if from > 0 && from < to {
            self.runs.push(run);
        }
        self.kept.push_str(&self.text[run.1..self.at + to]);
        self.at += to;
    }
}

/// Columns of white space at the beginning of a line.
fn columns(line: &str) -> usize {
    let mut columns = 0;
    for byte in line.bytes() {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += 4 - columns % 4,
            _ => break,
        }
    }
    columns
}

/// `!!! note`, `??? tip "Title"`, `=== "Tab"`: what stands below is indented and no code.
fn opens_admonition(words: &str) -> bool {
    let kind = ["!!! ", "???+ ", "??? "].iter().find_map(|mark| words.strip_prefix(mark));
    let tab = ["=== ", "===! ", "===+ "].iter().find_map(|mark| words.strip_prefix(mark));
    kind.is_some_and(|kind| kind.trim_start().starts_with(|c: char| c.is_ascii_alphabetic() || c == '"'))
        || tab.is_some_and(|title| title.trim_start().starts_with('"'))
}
