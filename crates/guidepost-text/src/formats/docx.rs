//! Documents of Word: paragraphs whose styles tell headings, lists and code; tables; links; footnotes.

use std::collections::HashMap;

use super::archive::{Archive, resolve};
use super::xml::{self, Xml};
use crate::reading::{Inline, Reading, Writer};

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(why) => return Reading::nothing(why),
    };
    let Some(document) = archive.xml("word/document.xml") else {
        return Reading::nothing("it holds no Word document");
    };
    let mut body = Body {
        styles: styles(&archive.xml("word/styles.xml").unwrap_or_default()),
        lists: lists(&archive.xml("word/numbering.xml").unwrap_or_default()),
        links: relations(
            &archive.xml("word/_rels/document.xml.rels").unwrap_or_default(),
            "word/document.xml",
        ),
        ..Body::default()
    };
    let mut warnings = Vec::new();
    warnings.extend(xml::walk(&document, &mut |event| body.take(event)).err());
    body.end_paragraph();
    body.end_code();
    // Notes have relations of their own.
    body.links.clear();
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(notes) = archive.xml(notes) {
            warnings.extend(xml::walk(&notes, &mut |event| body.take(event)).err());
            body.end_paragraph();
        }
    }
    let metadata = super::core_metadata(&mut archive, body.title.take());
    warnings.append(&mut archive.warnings);
    body.writer.finish(metadata, warnings)
}

/// What a paragraph's style says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Title,
    Heading(usize),
    Code,
    ListItem,
}

/// The roles of styles by their identifier, those of the styles they are based on included.
fn styles(xml: &str) -> HashMap<String, Role> {
    let mut roles: HashMap<String, Role> = HashMap::new();
    let mut based_on: HashMap<String, String> = HashMap::new();
    let mut style = String::new();
    let _ = xml::walk(xml, &mut |event| {
        let Xml::Start(name, attributes) = event else { return };
        match name {
            "style" => style = attributes.get("styleId").unwrap_or_default(),
            "name" => {
                if let Some(role) = attributes.get("val").and_then(|name| role_of(&name)) {
                    roles.insert(style.clone(), role);
                }
            }
            "basedOn" => {
                based_on.insert(style.clone(), attributes.get("val").unwrap_or_default());
            }
            "outlineLvl" => {
                if let Some(level) = outline_level(&attributes) {
                    roles.entry(style.clone()).or_insert(Role::Heading(level));
                }
            }
            _ => {}
        }
    });
    let inherited = |style: &String| {
        let mut at = style;
        // Styles may be based on each other in a circle.
        for _ in 0..16 {
            if let Some(role) = roles.get(at) {
                return Some((style.clone(), *role));
            }
            at = based_on.get(at)?;
        }
        None
    };
    let all = based_on.keys().filter_map(inherited).collect::<Vec<_>>();
    roles.extend(all);
    roles
}

fn role_of(name: &str) -> Option<Role> {
    let name = name.to_lowercase();
    if let Some(level) = name.strip_prefix("heading ") {
        return level.trim().parse().ok().filter(|level| (1..=9).contains(level)).map(Role::Heading);
    }
    match name.as_str() {
        "title" => Some(Role::Title),
        "source code" | "preformatted text" | "html preformatted" => Some(Role::Code),
        name if name.starts_with("list") => Some(Role::ListItem),
        _ => None,
    }
}

/// Word counts outline levels from 0, and 9 is running text.
fn outline_level(attributes: &xml::Attributes) -> Option<usize> {
    let level: usize = attributes.get("val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

/// Whether the items of a list and level carry numbers, by list number and level.
fn lists(xml: &str) -> HashMap<(String, usize), bool> {
    let mut numbered: HashMap<(String, usize), bool> = HashMap::new();
    let mut by_list = HashMap::new();
    let (mut definition, mut list, mut level) = (String::new(), String::new(), 0);
    let _ = xml::walk(xml, &mut |event| {
        let Xml::Start(name, attributes) = event else { return };
        let value = || attributes.get("val").unwrap_or_default();
        match name {
            "abstractNum" => definition = attributes.get("abstractNumId").unwrap_or_default(),
            "lvl" => level = attributes.get("ilvl").and_then(|n| n.parse().ok()).unwrap_or(0),
            "numFmt" => {
                numbered.insert((definition.clone(), level), !matches!(value().as_str(), "bullet" | "none"));
            }
            "num" => list = attributes.get("numId").unwrap_or_default(),
            "abstractNumId" => {
                by_list.insert(list.clone(), value());
            }
            _ => {}
        }
    });
    let levels = |(list, definition): (String, String)| {
        let kind = |level| Some(((list.clone(), level), *numbered.get(&(definition.clone(), level))?));
        (0..9).filter_map(kind).collect::<Vec<_>>()
    };
    by_list.into_iter().flat_map(levels).collect()
}

/// What the relations of a part lead to, by identifier: addresses as they are, parts by their place in the archive.
pub(super) fn relations(xml: &str, part: &str) -> HashMap<String, String> {
    let mut targets = HashMap::new();
    let _ = xml::walk(xml, &mut |event| {
        let Xml::Start("Relationship", attributes) = event else { return };
        if let Some((id, target)) = attributes.get("Id").zip(attributes.get("Target")) {
            let outside = attributes.get("TargetMode").is_some_and(|mode| mode == "External");
            targets.insert(id, if outside { target } else { resolve(part, &target) });
        }
    });
    targets
}

#[derive(Default)]
struct Body {
    styles: HashMap<String, Role>,
    lists: HashMap<(String, usize), bool>,
    links: HashMap<String, String>,
    writer: Writer,
    title: Option<String>,
    inline: Inline,
    /// Inside `w:t`, the only element whose text is the document's.
    in_text: bool,
    /// Depth inside parts that say something twice or not at all.
    skipped: usize,
    role: Option<Role>,
    list: Option<String>,
    level: usize,
    /// Tables may stand in tables; the rows belong to the outermost.
    tables: usize,
    rows: Vec<Vec<String>>,
    cell: Vec<String>,
    code: Vec<String>,
    counters: Vec<usize>,
    note: Option<String>,
}

impl Body {
    fn take(&mut self, event: Xml) {
        match event {
            Xml::Start("Fallback" | "instrText" | "del" | "moveFrom", _) => self.skipped += 1,
            Xml::End("Fallback" | "instrText" | "del" | "moveFrom") => {
                self.skipped = self.skipped.saturating_sub(1);
            }
            _ if self.skipped > 0 => {}
            Xml::Start(name, attributes) => self.start(name, &attributes),
            Xml::End(name) => self.end(name),
            Xml::Text(text) if self.in_text && self.is_code() => self.code_text(text),
            Xml::Text(text) if self.in_text => self.inline.text(text),
            Xml::Text(_) => {}
        }
    }

    fn start(&mut self, name: &str, attributes: &xml::Attributes) {
        match name {
            "p" => self.begin_paragraph(),
            "pStyle" => {
                let style = attributes.get("val").unwrap_or_default();
                self.role = self.styles.get(&style).copied().or(self.role);
            }
            "outlineLvl" => self.role = outline_level(attributes).map(Role::Heading).or(self.role),
            // Number 0 takes a paragraph out of the list of its style.
            "numId" => self.list = attributes.get("val").filter(|list| list != "0"),
            "ilvl" => self.level = attributes.get("val").and_then(|n| n.parse().ok()).unwrap_or(0),
            "t" => self.in_text = true,
            "tab" | "ptab" => self.inline.text(" "),
            "br" | "cr" if self.is_code() => self.code.push(String::new()),
            "br" | "cr" => self.inline.line_break(),
            "noBreakHyphen" => self.inline.text("-"),
            "hyperlink" => {
                let target = attributes.get("id").and_then(|id| self.links.get(&id).cloned());
                self.inline.open_link(&target.unwrap_or_default());
            }
            "footnoteReference" | "endnoteReference" => {
                let id = attributes.get("id").unwrap_or_default();
                self.inline.text(&format!("[^{id}]"));
            }
            "footnote" | "endnote" => self.note = attributes.get("id"),
            "tbl" => {
                self.end_code();
                self.tables += 1;
            }
            "tr" if self.tables == 1 => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "hyperlink" => self.inline.close_link(),
            "tc" if self.tables == 1 => {
                let cell = std::mem::take(&mut self.cell).join(" ");
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.writer.table(&std::mem::take(&mut self.rows));
                }
            }
            _ => {}
        }
    }

    /// A text box stands inside the paragraph it is anchored to, which then ends early.
    fn begin_paragraph(&mut self) {
        if !self.inline.is_empty() {
            self.end_paragraph();
        }
        (self.role, self.list, self.level) = (None, None, 0);
    }

    fn end_paragraph(&mut self) {
        let code = self.is_code();
        let text = self.inline.take();
        if code {
            return self.code.push(String::new());
        }
        self.end_code();
        if text.is_empty() {
            return;
        }
        if self.tables > 0 {
            return self.cell.push(text);
        }
        if let Some(note) = &self.note {
            return self.writer.markdown(&format!("[^{note}]: {text}"));
        }
        match (self.role, &self.list) {
            (Some(Role::Title), _) => {
                self.title.get_or_insert_with(|| text.clone());
                self.writer.heading(1, &text);
            }
            (Some(Role::Heading(level)), _) => self.writer.heading(level, &text),
            (_, Some(list)) => {
                let numbered = self.lists.get(&(list.clone(), self.level)).copied().unwrap_or(false);
                let mark = self.mark(numbered);
                return self.writer.item(self.level, &mark, &text);
            }
            (Some(Role::ListItem), None) => self.writer.item(0, "-", &text),
            _ => self.writer.paragraph(&text),
        }
        self.counters.clear();
    }

    /// The next mark of a list at the present level; levels below begin anew.
    fn mark(&mut self, numbered: bool) -> String {
        let level = self.level.min(8);
        self.counters.resize(level + 1, 0);
        self.counters[level] += 1;
        if numbered { format!("{}.", self.counters[level]) } else { "-".to_owned() }
    }

    fn is_code(&self) -> bool {
        self.role == Some(Role::Code) && self.tables == 0
    }

    fn code_text(&mut self, text: &str) {
        match self.code.last_mut() {
            Some(line) => line.push_str(text),
            None => self.code.push(text.to_owned()),
        }
    }

    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.code).join("\n");
        self.writer.code("", &code);
    }
}
