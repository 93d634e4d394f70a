//! Documents of LibreOffice Writer and whatever else writes OpenDocument text.

use std::collections::{HashMap, HashSet};

use super::archive::Archive;
use super::xml::{self, Attributes, Xml};
use crate::Metadata;
use crate::reading::{Inline, Reading, Writer};

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(why) => return Reading::nothing(why),
    };
    let Some(content) = archive.xml("content.xml") else {
        return Reading::nothing("it holds no OpenDocument text");
    };
    let mut styles = Styles::default();
    styles.read(&archive.xml("styles.xml").unwrap_or_default());
    styles.read(&content);
    let mut body = Body { styles, ..Body::default() };
    let mut warnings = Vec::new();
    warnings.extend(xml::walk(&content, &mut |event| body.take(event)).err());
    body.end_code();
    for (label, text) in std::mem::take(&mut body.notes) {
        body.writer.markdown(&format!("[^{label}]: {text}"));
    }
    let [title, author, date] =
        xml::texts(&archive.xml("meta.xml").unwrap_or_default(), ["title", "creator", "date"]);
    let metadata = Metadata {
        title: body.title.take().or(title).unwrap_or_default(),
        author,
        date,
        ..Metadata::default()
    };
    warnings.append(&mut archive.warnings);
    body.writer.finish(metadata, warnings)
}

#[derive(Default)]
struct Styles {
    parents: HashMap<String, String>,
    /// Levels of list styles whose items carry numbers.
    numbered: HashSet<(String, usize)>,
}

impl Styles {
    fn read(&mut self, xml: &str) {
        let mut list = String::new();
        let _ = xml::walk(xml, &mut |event| {
            let Xml::Start(name, attributes) = event else { return };
            match name {
                "style" => {
                    let names = attributes.get("style:name").zip(attributes.get("style:parent-style-name"));
                    self.parents.extend(names);
                }
                "list-style" => list = attributes.get("style:name").unwrap_or_default(),
                "list-level-style-number" => {
                    let level = attributes.get("level").and_then(|level| level.parse().ok()).unwrap_or(1);
                    self.numbered.insert((list.clone(), level));
                }
                _ => {}
            }
        });
    }

    /// Whether a paragraph style is one of these, or based on it.
    fn is(&self, style: &str, wanted: &[&str]) -> bool {
        let mut at = style;
        // Styles may be based on each other in a circle.
        for _ in 0..16 {
            if wanted.contains(&at) {
                return true;
            }
            let Some(parent) = self.parents.get(at) else { return false };
            at = parent;
        }
        false
    }
}

/// Names under which Writer keeps its built-in styles for code.
const CODE: [&str; 3] = ["Preformatted_20_Text", "Source_20_Code", "Source_20_Text"];

/// Elements whose text is not the document's, or said elsewhere.
const SKIPPED: [&str; 9] = [
    "annotation",
    "tracked-changes",
    "table-of-content",
    "alphabetical-index",
    "note-citation",
    "forms",
    "desc",
    "sequence-decls",
    "meta",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Title,
    Heading(usize),
    Code,
    Text,
}

#[derive(Default)]
struct Body {
    styles: Styles,
    writer: Writer,
    title: Option<String>,
    inline: Inline,
    role: Option<Role>,
    skipped: usize,
    /// The open lists, each with its style and the number of its last item.
    lists: Vec<(String, usize)>,
    /// A paragraph that begins an item carries its mark; those after it do not.
    begins_item: bool,
    tables: usize,
    rows: Vec<Vec<String>>,
    cell: Vec<String>,
    code: Vec<String>,
    /// The running text around the note that is being read.
    around_note: Option<(Inline, Option<Role>)>,
    notes: Vec<(usize, String)>,
}

impl Body {
    fn take(&mut self, event: Xml) {
        match event {
            Xml::Start(name, _) if SKIPPED.contains(&name) => self.skipped += 1,
            Xml::End(name) if SKIPPED.contains(&name) => self.skipped = self.skipped.saturating_sub(1),
            _ if self.skipped > 0 => {}
            Xml::Start(name, attributes) => self.start(name, &attributes),
            Xml::End(name) => self.end(name),
            Xml::Text(text) => match self.role {
                Some(Role::Code) => self.code_text(text),
                Some(_) => self.inline.text(text),
                None => {}
            },
        }
    }

    fn start(&mut self, name: &str, attributes: &Attributes) {
        match name {
            "h" => {
                let level = attributes.get("outline-level").and_then(|level| level.parse().ok());
                self.role = Some(Role::Heading(level.unwrap_or(1)));
            }
            "p" => self.begin_paragraph(&attributes.get("text:style-name").unwrap_or_default()),
            "list" => {
                let outer = self.lists.last().map(|(style, _)| style.clone());
                let style = attributes.get("text:style-name").or(outer).unwrap_or_default();
                self.lists.push((style, 0));
            }
            "list-item" | "list-header" => {
                self.begins_item = true;
                if let Some((_, number)) = self.lists.last_mut() {
                    *number += 1;
                }
            }
            "s" => {
                let count: usize = attributes.get("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                self.white(&" ".repeat(count.min(200)));
            }
            "tab" => self.white("    "),
            "line-break" if self.role == Some(Role::Code) => self.code.push(String::new()),
            "line-break" => self.inline.line_break(),
            "a" => self.inline.open_link(&attributes.get("href").unwrap_or_default()),
            "note-body" => self.begin_note(),
            "table" => {
                self.end_code();
                self.tables += 1;
            }
            "table-row" if self.tables == 1 => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h" => self.end_paragraph(),
            "a" => self.inline.close_link(),
            "list" => {
                self.lists.pop();
                self.begins_item = false;
            }
            "note-body" => self.end_note(),
            "table-cell" if self.tables == 1 => {
                let cell = std::mem::take(&mut self.cell).join(" ");
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            "table" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.writer.table(&std::mem::take(&mut self.rows));
                }
            }
            _ => {}
        }
    }

    fn begin_paragraph(&mut self, style: &str) {
        let role = match () {
            () if self.styles.is(style, &CODE) => Role::Code,
            () if self.styles.is(style, &["Title"]) => Role::Title,
            () => Role::Text,
        };
        self.role = Some(role);
        if role == Role::Code {
            self.code.push(String::new());
        }
    }

    fn end_paragraph(&mut self) {
        let role = self.role.take().unwrap_or(Role::Text);
        let text = self.inline.take();
        if role == Role::Code || self.around_note.is_some() {
            if !text.is_empty() {
                self.inline.text(&format!("{text} "));
            }
            return;
        }
        self.end_code();
        if text.is_empty() {
            return;
        }
        match role {
            _ if self.tables > 0 => self.cell.push(text),
            Role::Title => {
                self.title.get_or_insert_with(|| text.clone());
                self.writer.heading(1, &text);
            }
            Role::Heading(level) => self.writer.heading(level, &text),
            _ => self.write_text(&text),
        }
    }

    fn write_text(&mut self, text: &str) {
        let depth = self.lists.len();
        let Some((style, number)) = self.lists.last() else { return self.writer.paragraph(text) };
        if !std::mem::take(&mut self.begins_item) {
            return self.writer.item_paragraph(text);
        }
        let numbered = self.styles.numbered.contains(&(style.clone(), depth));
        let mark = if numbered { format!("{number}.") } else { "-".to_owned() };
        self.writer.item(depth - 1, &mark, text);
    }

    fn begin_note(&mut self) {
        let number = self.notes.len() + 1;
        self.inline.text(&format!("[^{number}]"));
        self.around_note.get_or_insert((std::mem::take(&mut self.inline), self.role));
    }

    fn end_note(&mut self) {
        let Some((inline, role)) = self.around_note.take() else { return };
        let text = std::mem::replace(&mut self.inline, inline).take();
        self.notes.push((self.notes.len() + 1, text));
        self.role = role;
    }

    fn white(&mut self, space: &str) {
        match self.role {
            Some(Role::Code) => self.code_text(space),
            _ => self.inline.text(space),
        }
    }

    fn code_text(&mut self, text: &str) {
        if let Some(line) = self.code.last_mut() {
            line.push_str(text);
        }
    }

    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.code).join("\n");
        self.writer.code("", &code);
    }
}
