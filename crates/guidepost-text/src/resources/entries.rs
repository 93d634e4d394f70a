//! Entries: the headings, paragraphs, list items and table cells of a guide as running text, with what is marked in it
//! and where each byte of it stands. What an entry means is not known here.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::records;
use crate::{Block, Document, markdown};

/// A piece of running text.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Number of its section.
    pub(super) section: usize,
    pub(super) form: Form,
    /// Without markup; line breaks are spaces.
    pub(super) text: String,
    /// What is set off in it, in order.
    pub(super) marks: Vec<Mark>,
    /// The cells of a row, and the fields of an item that names them.
    pub(super) fields: Vec<Field>,
    /// Offset in the text and in the document of each stretch that was taken over as it stands.
    places: Vec<(usize, usize)>,
}

/// What an entry is in its section.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Paragraph,
    Heading,
    /// An item of a list; `depth` counts from 0.
    Item {
        depth: usize,
    },
    /// A row of a table; semicolons part its cells.
    Row,
    /// A drawing, or code that does not say which.
    Drawing,
}

/// A named part of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The name of the column.
    pub(super) name: String,
    /// First byte in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

/// Something set off from the text around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) style: Style,
    /// First byte in the entry's text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

/// How something is set off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    /// Italic.
    Emphasis,
    /// Bold.
    Strong,
    /// Between quotation marks, which are not part of it.
    Quoted,
    /// Set as code.
    Code,
    /// A link to a target.
    Link(String),
}

impl Mark {
    /// Where a link leads, if it leads to the web.
    pub(super) fn address(&self) -> Option<&str> {
        match &self.style {
            Style::Link(target) if target.starts_with("http://") || target.starts_with("https://") => {
                Some(target)
            }
            _ => None,
        }
    }
}

impl Entry {
    /// The offset in the document's text of an offset in this text.
    pub(super) fn place(&self, offset: usize) -> usize {
        let at = self.places.partition_point(|&(start, _)| start <= offset);
        let (start, place) = at.checked_sub(1).map_or((0, 0), |at| self.places[at]);
        place + (offset - start)
    }

    pub(super) fn is_item(&self) -> bool {
        matches!(self.form, Form::Item { .. } | Form::Row)
    }

    /// Bytes of what stands before a colon.
    pub(super) fn label_length(&self) -> usize {
        self.text.find(':').map_or(0, |at| at + 1)
    }

    /// Where the link within two offsets leads, if it leads to the web.
    pub(super) fn url_within(&self, start: usize, end: usize) -> Option<String> {
        let within = self.marks.iter().filter(|mark| start <= mark.start && mark.end <= end);
        within.filter_map(|mark| mark.address()).next().map(str::to_owned)
    }

    fn push(&mut self, text: &str, place: usize) {
        self.places.push((self.text.len(), place));
        self.text.push_str(text);
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    /// Finds what stands between quotation marks, and brings all marks in order.
    fn finish(mut self) -> Entry {
        for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')] {
            let mut from = 0;
            while let Some(start) = self.text[from..].find(open).map(|at| from + at + open.len_utf8()) {
                let Some(end) = self.text[start..].find(close).map(|at| start + at) else { break };
                self.marks.push(Mark { style: Style::Quoted, start, end });
                from = end + close.len_utf8();
            }
        }
        if matches!(self.form, Form::Item { .. }) {
            self.fields = records::fields_of_item(&self.text);
        }
        self.marks.retain(|mark| !self.text[mark.start..mark.end].trim().is_empty());
        self.marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
        self
    }
}

/// Longest entry in bytes, and most marks in one: what is longer names nothing for a reader, and what looks at all pairs of
/// its marks would not end.
const MAX_TEXT: usize = 16 << 10;
const MAX_MARKS: usize = 500;

/// The entries of a document, in reading order.
pub(super) fn entries(document: &Document) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, section) in document.sections.iter().enumerate() {
        if section.heading.start < section.heading.end {
            entries.push(heading(document, number));
        }
        for block in &section.blocks {
            let read = read_block(&document.text, *block);
            entries.extend(read.into_iter().map(|entry| Entry { section: number, ..entry }));
        }
    }
    entries.retain(|entry| {
        !entry.text.trim().is_empty() && entry.text.len() <= MAX_TEXT && entry.marks.len() <= MAX_MARKS
    });
    entries.into_iter().map(Entry::finish).collect()
}

fn heading(document: &Document, number: usize) -> Entry {
    let section = &document.sections[number];
    let text = section.heading_path.last().cloned().unwrap_or_default();
    let places = vec![(0, section.heading.start)];
    Entry { section: number, form: Form::Heading, text, places, ..Entry::default() }
}

fn read_block(text: &str, block: Block) -> Vec<Entry> {
    let mut reader = Reader { start: block.span.start, ..Reader::default() };
    for (event, range) in Parser::new_ext(block.span.of(text), markdown::OPTIONS).into_offset_iter() {
        reader.read(event, range.start);
    }
    reader.close_all()
}

#[derive(Default)]
struct Reader {
    /// First byte of the block.
    start: usize,
    done: Vec<Entry>,
    /// The entries that are being read, outermost first: a paragraph, or items within items.
    open: Vec<Entry>,
    /// Marks whose end is not reached.
    opened: Vec<(Style, usize)>,
    /// Names of a table's columns.
    columns: Vec<String>,
    code: Code,
}

/// Which code is being read.
#[derive(Default, PartialEq, Eq)]
enum Code {
    #[default]
    None,
    /// It may be a drawing.
    Drawing,
    /// A program.
    Program,
}

impl Reader {
    fn read(&mut self, event: Event, at: usize) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code != Code::Program => self.text(&text, at),
            Event::Code(text) => {
                let from = self.length();
                self.text(&text, at + 1);
                self.mark(Style::Code, from);
            }
            Event::SoftBreak | Event::HardBreak => self.top().space(),
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag) {
        match tag {
            Tag::Item => {
                let depth = self.open.iter().filter(|entry| matches!(entry.form, Form::Item { .. })).count();
                self.flush();
                self.open.push(Entry { form: Form::Item { depth }, ..Entry::default() });
            }
            Tag::Paragraph | Tag::Heading { .. } => match self.open.last_mut() {
                Some(entry) => entry.space(),
                None => self.open.push(Entry::default()),
            },
            Tag::TableHead | Tag::TableRow => self.open.push(Entry { form: Form::Row, ..Entry::default() }),
            Tag::TableCell => {
                let cell = self.top().fields.len();
                let name = self.columns.get(cell).cloned().unwrap_or_default();
                let row = self.top();
                if cell > 0 {
                    row.text.push_str("; ");
                }
                let start = row.text.len();
                row.fields.push(Field { name, start, end: start });
            }
            Tag::CodeBlock(kind) => {
                let drawn = matches!(&kind, CodeBlockKind::Fenced(language) if language.trim().is_empty());
                self.code = if drawn { Code::Drawing } else { Code::Program };
                self.open.push(Entry { form: Form::Drawing, ..Entry::default() });
            }
            Tag::Emphasis => self.begin_mark(Style::Emphasis),
            Tag::Strong => self.begin_mark(Style::Strong),
            Tag::Link { dest_url, .. } => self.begin_mark(Style::Link(dest_url.into_string())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Item => self.close(),
            TagEnd::Paragraph | TagEnd::Heading(_) if matches!(&self.open[..], [entry] if entry.form == Form::Paragraph) =>
            {
                self.close();
            }
            TagEnd::TableHead => {
                let head = self.open.pop().unwrap_or_default();
                self.columns =
                    head.fields.iter().map(|cell| head.text[cell.start..cell.end].to_owned()).collect();
            }
            TagEnd::TableRow => self.close(),
            TagEnd::TableCell => {
                let end = self.length();
                if let Some(cell) = self.top().fields.last_mut() {
                    cell.end = end;
                }
            }
            TagEnd::CodeBlock => {
                self.code = Code::None;
                self.close();
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link => {
                if let Some((style, from)) = self.opened.pop() {
                    self.mark(style, from);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, at: usize) {
        let place = self.start + at;
        let entry = self.top();
        match text.contains('\n') {
            true => entry.push(&text.replace('\n', " "), place),
            false => entry.push(text, place),
        }
    }

    fn begin_mark(&mut self, style: Style) {
        let from = self.length();
        self.opened.push((style, from));
    }

    fn mark(&mut self, style: Style, start: usize) {
        let end = self.length();
        if start < end {
            self.top().marks.push(Mark { style, start, end });
        }
    }

    fn length(&mut self) -> usize {
        self.top().text.len()
    }

    /// The innermost entry that is being read; a paragraph where there is none.
    fn top(&mut self) -> &mut Entry {
        if self.open.is_empty() {
            self.open.push(Entry::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// What an item says before the items below it comes before them.
    fn flush(&mut self) {
        if let Some(entry) = self.open.last_mut() {
            let form = entry.form.clone();
            self.done.push(std::mem::replace(entry, Entry { form, ..Entry::default() }));
        }
    }

    fn close(&mut self) {
        self.done.extend(self.open.pop());
    }

    fn close_all(mut self) -> Vec<Entry> {
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}
