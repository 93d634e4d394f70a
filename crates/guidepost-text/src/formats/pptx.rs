//! Slides of PowerPoint: each is a page, headed by its title. Speaker notes follow their slide.

use std::collections::{HashMap, HashSet};

use super::archive::Archive;
use super::docx::relations;
use super::xml::{self, Xml};
use crate::reading::{Inline, Reading, Writer};

const PRESENTATION: &str = "ppt/presentation.xml";

/// Reads a presentation.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(why) => return Reading::nothing(why),
    };
    let Some(presentation) = archive.xml(PRESENTATION) else {
        return Reading::nothing("it holds no presentation");
    };
    let targets = relations(&archive.xml(&relations_of(PRESENTATION)).unwrap_or_default(), PRESENTATION);
    let mut writer = Writer::default();
    let mut warnings = Vec::new();
    let mut layouts = HashMap::new();
    let mut first_title = None;
    let mut read = HashSet::new();
    // A presentation that names a slide twice would read it twice.
    let parts = slides(&presentation).into_iter().filter_map(|id| targets.get(&id));
    for (at, part) in parts.filter(|part| read.insert(part.as_str())).enumerate() {
        if !writer.has_room() {
            break;
        }
        writer.page();
        let Some(xml) = archive.xml(part) else { continue };
        let links = relations(&archive.xml(&relations_of(part)).unwrap_or_default(), part);
        let mut slide = Slide::new(&links);
        warnings.extend(xml::walk(&xml, &mut |event| slide.take(event)).err());
        first_title = first_title.or_else(|| Some(slide.title.join(" ")).filter(|title| !title.is_empty()));
        let level = heading_level(&mut archive, &links, &mut layouts);
        slide.write(level, at + 1, &mut writer);
        if let Some(xml) = leading_to(&links, "/notesSlides/").and_then(|part| archive.xml(part)) {
            write_notes(&xml, &mut writer);
        }
    }
    let mut metadata = super::core_metadata(&mut archive, None);
    if metadata.title.is_empty() {
        metadata.title = first_title.unwrap_or_default();
    }
    warnings.append(&mut archive.warnings);
    writer.finish(metadata, warnings)
}

fn relations_of(part: &str) -> String {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    format!("{folder}/_rels/{name}.rels")
}

/// The one part in a folder that relations lead to. Of several the first by name, in every run.
fn leading_to<'a>(links: &'a HashMap<String, String>, folder: &str) -> Option<&'a String> {
    links.values().filter(|target| target.contains(folder)).min()
}

/// The relations that lead to the slides, in their order.
fn slides(presentation: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let _ = xml::walk(presentation, &mut |event| {
        if let Xml::Start("sldId", attributes) = event {
            ids.extend(attributes.get("r:id"));
        }
    });
    ids
}

/// Title slides and section headers stand above the slides that follow.
fn heading_level(
    archive: &mut Archive,
    links: &HashMap<String, String>,
    layouts: &mut HashMap<String, usize>,
) -> usize {
    let Some(part) = leading_to(links, "/slideLayouts/") else { return 2 };
    if let Some(level) = layouts.get(part) {
        return *level;
    }
    let mut level = 2;
    let _ = xml::walk(&archive.xml(part).unwrap_or_default(), &mut |event| {
        if let Xml::Start("sldLayout", attributes) = event {
            let kind = attributes.get("type").unwrap_or_default();
            level = if matches!(kind.as_str(), "title" | "secHead") { 1 } else { 2 };
        }
    });
    layouts.insert(part.clone(), level);
    level
}

/// What a shape holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Title,
    /// The bulleted body.
    Body,
    /// A text box or anything else with text.
    Other,
    /// Slide number, date, footer.
    Furniture,
}

enum Block {
    /// Depth, whether it carries a number, and the text.
    Item(usize, bool, String),
    Paragraph(String),
    Table(Vec<Vec<String>>),
}

struct Slide<'a> {
    links: &'a HashMap<String, String>,
    title: Vec<String>,
    blocks: Vec<Block>,
    shape: Shape,
    inline: Inline,
    in_text: bool,
    skipped: usize,
    level: usize,
    bullet: bool,
    numbered: bool,
    rows: Vec<Vec<String>>,
    cell: Option<Vec<String>>,
}

impl<'a> Slide<'a> {
    fn new(links: &'a HashMap<String, String>) -> Self {
        Slide {
            links,
            title: Vec::new(),
            blocks: Vec::new(),
            shape: Shape::Other,
            inline: Inline::default(),
            in_text: false,
            skipped: 0,
            level: 0,
            bullet: true,
            numbered: false,
            rows: Vec::new(),
            cell: None,
        }
    }

    fn take(&mut self, event: Xml) {
        match event {
            Xml::Start("Fallback", _) => self.skipped += 1,
            Xml::End("Fallback") => self.skipped = self.skipped.saturating_sub(1),
            _ if self.skipped > 0 => {}
            Xml::Start(name, attributes) => self.start(name, &attributes),
            Xml::End(name) => self.end(name),
            Xml::Text(text) if self.in_text => self.inline.text(text),
            Xml::Text(_) => {}
        }
    }

    fn start(&mut self, name: &str, attributes: &xml::Attributes) {
        match name {
            "sp" | "graphicFrame" => self.shape = Shape::Other,
            "ph" => {
                self.shape = match attributes.get("type").as_deref() {
                    Some("title" | "ctrTitle") => Shape::Title,
                    Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg") => Shape::Furniture,
                    Some("subTitle") => Shape::Other,
                    _ => Shape::Body,
                }
            }
            "p" => (self.level, self.bullet, self.numbered) = (0, true, false),
            "pPr" => self.level = attributes.get("lvl").and_then(|level| level.parse().ok()).unwrap_or(0),
            "buNone" => self.bullet = false,
            "buAutoNum" => self.numbered = true,
            "t" => self.in_text = true,
            "br" => self.inline.text(" "),
            "hlinkClick" => {
                let target = attributes.get("r:id").and_then(|id| self.links.get(&id).cloned());
                self.inline.open_link(&target.unwrap_or_default());
            }
            "tbl" => self.rows.clear(),
            "tr" => self.rows.push(Vec::new()),
            "tc" => self.cell = Some(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "r" => self.inline.close_link(),
            "p" => self.end_paragraph(),
            "tc" => {
                let cell = self.cell.take().unwrap_or_default().join(" ");
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            "tbl" => self.blocks.push(Block::Table(std::mem::take(&mut self.rows))),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let text = self.inline.take();
        if text.is_empty() {
            return;
        }
        match (&mut self.cell, self.shape) {
            (Some(cell), _) => cell.push(text),
            (None, Shape::Title) => self.title.push(text),
            (None, Shape::Body) if self.bullet => {
                self.blocks.push(Block::Item(self.level, self.numbered, text))
            }
            (None, Shape::Body | Shape::Other) => self.blocks.push(Block::Paragraph(text)),
            (None, Shape::Furniture) => {}
        }
    }

    /// A slide without a title is headed by its number: its text belongs to no slide before it.
    fn write(self, level: usize, number: usize, writer: &mut Writer) {
        match self.title.is_empty() {
            true => writer.heading(2, &format!("Slide {number}")),
            false => writer.heading(level, &self.title.join(" ")),
        }
        // The number of the last item of the present list.
        let mut number = 0;
        for block in &self.blocks {
            number = if matches!(block, Block::Item(0, true, _)) { number + 1 } else { 0 };
            match block {
                Block::Item(0, true, text) => writer.item(0, &format!("{number}."), text),
                Block::Item(level, _, text) => writer.item(*level, "-", text),
                Block::Paragraph(text) => writer.paragraph(text),
                Block::Table(rows) => writer.table(rows),
            }
        }
    }
}

fn write_notes(xml: &str, writer: &mut Writer) {
    let links = HashMap::new();
    let mut notes = Slide::new(&links);
    let _ = xml::walk(xml, &mut |event| notes.take(event));
    for block in &notes.blocks {
        if let Block::Item(_, _, text) | Block::Paragraph(text) = block {
            writer.paragraph(text);
        }
    }
}
