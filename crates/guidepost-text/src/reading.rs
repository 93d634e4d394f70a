//! A reading: the Markdown text that stands for a file which is no text of lines itself. Citations count its lines.
//!
//! Readers of formats say what they find, block by block, to a [`Writer`]; it alone knows how Markdown is written. So
//! a paragraph that looks like a heading stays a paragraph, and no reading grows without end.

use crate::Metadata;

/// A file as text.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) text: String,
    /// First line of every page, 1-based; empty where the format has no pages.
    pub(crate) pages: Vec<u32>,
    pub(crate) metadata: Metadata,
    /// What could not be read, one sentence each.
    pub(crate) warnings: Vec<String>,
}

impl Reading {
    /// A file of which nothing could be read.
    pub(crate) fn nothing(why: impl Into<String>) -> Reading {
        Reading { warnings: vec![format!("{}; nothing was read from it", why.into())], ..Reading::default() }
    }
}

/// Longest reading in bytes, as long as the longest text file.
const MAX_READING: usize = 16 << 20;

/// Deepest list that is drawn as deep as it is.
const MAX_DEPTH: usize = 12;

/// Writes a reading.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// Line breaks in `text`.
    lines: u32,
    pages: Vec<u32>,
    /// Depth of the list item that was written last, if nothing but list items followed.
    item: Option<usize>,
    full: bool,
}

impl Writer {
    /// What follows stands on a new page.
    pub(crate) fn page(&mut self) {
        self.pages.push(self.lines + 1);
    }

    /// A heading; 1 is the outermost level, and all beyond 6 are 6.
    pub(crate) fn heading(&mut self, level: usize, label: &str) {
        let mut label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        if label.is_empty() {
            return;
        }
        if !label.contains('`') {
            // Markdown takes what is between angle brackets for HTML and drops it from the label.
            label = label.replace('<', "\\<");
        }
        let heading = format!("{} {label}", "#".repeat(level.clamp(1, 6)));
        // Templates print a document's title above the heading that says the same.
        let repeated = self.text.strip_suffix('\n').is_some_and(|text| text.ends_with(&heading));
        if !repeated {
            self.block(&heading);
        }
    }

    /// A paragraph. Its line breaks are kept.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.block(&indented(text, ""));
    }

    /// A paragraph in somebody else's words.
    pub(crate) fn quote(&mut self, text: &str) {
        self.block(&indented(text, "> "));
    }

    /// An item of a list; `depth` counts from 0. `mark` is `-` or a number with its point.
    pub(crate) fn item(&mut self, depth: usize, mark: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        // An item stands at most one level below the one before it: deeper, it would read as code.
        let depth = depth.min(self.item.map_or(0, |before| before + 1)).min(MAX_DEPTH);
        let indent = " ".repeat(4 * depth);
        let body = indented(text, &format!("{indent}    "));
        self.push(&format!("{indent}{mark} {}", body.trim_start()), self.item.is_none());
        self.item = Some(depth);
    }

    /// Another paragraph of the list item that was written last, or a paragraph where there is none.
    pub(crate) fn item_paragraph(&mut self, text: &str) {
        let Some(depth) = self.item else { return self.paragraph(text) };
        let text = indented(text, &" ".repeat(4 * depth + 4));
        if !text.trim().is_empty() {
            self.push(&text, true);
        }
    }

    /// Lines of code, verbatim.
    pub(crate) fn code(&mut self, language: &str, code: &str) {
        let code = code.trim_matches('\n');
        if code.trim().is_empty() {
            return;
        }
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        self.block(&format!("{fence}{language}\n{code}\n{fence}"));
    }

    /// A table; the first row names the columns.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if rows.len() < 2 || columns < 2 {
            return rows.iter().flatten().for_each(|cell| self.paragraph(cell));
        }
        let row = |cells: &[String]| {
            let cell = |at| cells.get(at).map(|cell: &String| table_cell(cell)).unwrap_or_default();
            format!("| {} |", (0..columns).map(cell).collect::<Vec<_>>().join(" | "))
        };
        let mut table = format!("{}\n|{}", row(&rows[0]), "---|".repeat(columns));
        for cells in &rows[1..] {
            // Every row has as many columns as the widest: a few of those would make megabytes of each.
            if table.len() > MAX_READING {
                break;
            }
            table.push('\n');
            table.push_str(&row(cells));
        }
        self.block(&table);
    }

    /// Markdown as somebody else wrote it.
    pub(crate) fn markdown(&mut self, text: &str) {
        self.block(text.trim_matches('\n'));
    }

    /// Whether there is room for more; where not, readers may stop.
    pub(crate) fn has_room(&self) -> bool {
        !self.full
    }

    /// The reading, and a warning where it was too long.
    pub(crate) fn finish(self, metadata: Metadata, mut warnings: Vec<String>) -> Reading {
        if self.full {
            warnings.push(format!("only the first {} MB of its text were read", MAX_READING >> 20));
        }
        Reading { text: self.text, pages: self.pages, metadata, warnings }
    }

    fn block(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.push(text, true);
            self.item = None;
        }
    }

    fn push(&mut self, text: &str, set_off: bool) {
        if self.full || self.text.len() + text.len() > MAX_READING {
            self.full = true;
            return;
        }
        let start = self.text.len();
        if set_off && start > 0 {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.lines += self.text[start..].matches('\n').count() as u32;
    }
}

/// The lines of a paragraph, none of which begins anything else than a paragraph.
fn indented(text: &str, indent: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| format!("{indent}{}{line}", escape(line)))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\u{0}", "")
}

/// A backslash where Markdown would take the beginning of a line for the beginning of a block.
fn escape(line: &str) -> &'static str {
    let hashes = line.len() - line.trim_start_matches('#').len();
    let heading = (1..=6).contains(&hashes) && line[hashes..].starts_with([' ', '\t']);
    let bullet = line.starts_with(['-', '+', '*']) && line[1..].starts_with([' ', '\t']);
    let rule = line.chars().all(|c| c == '=') || line.chars().all(|c| c == '-' || c == ' ');
    let fence = line.starts_with("```") || line.starts_with("~~~");
    let definition = line.starts_with('[') && line.contains("]:");
    let block = heading || bullet || rule || fence || definition || line.starts_with(['>', '<']);
    if block { "\\" } else { "" }
}

fn table_cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The running text of one block, as it is put together from pieces.
#[derive(Debug, Default)]
pub(crate) struct Inline {
    text: String,
    /// Where a link began, and where it leads.
    link: Option<(usize, String)>,
}

impl Inline {
    /// Text in which white space only separates words.
    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\u{ad}' | '\u{200b}' | '\u{feff}' => {}
                c if c.is_whitespace() || c == '\u{0}' => self.space(),
                c if c.is_control() => {}
                c => self.text.push(c),
            }
        }
    }

    /// A line break that was meant.
    pub(crate) fn line_break(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Code between words.
    pub(crate) fn code(&mut self, code: &str) {
        let words = code.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.contains('`') || words.is_empty() {
            true => self.text(&words),
            false => self.text.push_str(&format!("`{words}`")),
        }
    }

    /// What follows is a link's text.
    pub(crate) fn open_link(&mut self, target: &str) {
        self.close_link();
        self.link = Some((self.text.len(), target.trim().to_owned()));
    }

    /// The link's text is complete. Links that lead nowhere outside the file are text.
    pub(crate) fn close_link(&mut self) {
        let Some((start, target)) = self.link.take() else { return };
        let Some(label) = self.text.get(start..).map(|label| label.trim().to_owned()) else { return };
        let outside = ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
        let plain = target.strip_prefix("mailto:").unwrap_or(&target);
        let sound = !target.contains(|c: char| c.is_whitespace() || c == ')' || c == '(');
        if outside && sound && !label.is_empty() && label != plain && label != target {
            let led_by_space = self.text[start..].starts_with(' ');
            let trailed = self.text.ends_with(' ');
            self.text.truncate(start);
            let (before, after) = (if led_by_space { " " } else { "" }, if trailed { " " } else { "" });
            self.text.push_str(&format!("{before}[{label}]({target}){after}"));
        }
    }

    /// The text so far, which is then empty.
    pub(crate) fn take(&mut self) -> String {
        self.close_link();
        let text = std::mem::take(&mut self.text);
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Whether nothing but white space is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }
}
