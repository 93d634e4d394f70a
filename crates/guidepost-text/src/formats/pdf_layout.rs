//! From glyphs to text: words, lines, columns, paragraphs, headings, lists and tables, by where the glyphs stand and
//! how large they are. Knows nothing of PDF.

use std::collections::HashMap;

use crate::list_mark;
use crate::reading::Writer;

/// A glyph on a page. Lengths are points; `y` grows downward.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// What it stands for, mostly one character.
    pub(super) text: String,
    /// Left end.
    pub(super) x: f32,
    /// Base line.
    pub(super) y: f32,
    /// How far to the next glyph.
    pub(super) width: f32,
    /// Of the font.
    pub(super) size: f32,
    pub(super) bold: bool,
    /// All glyphs of its font are equally wide.
    pub(super) code: bool,
}

/// A page with its glyphs in the order in which they were drawn.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) height: f32,
    pub(super) glyphs: Vec<Glyph>,
}

/// Writes the text of all pages.
pub(super) fn read(pages: &[Page]) -> Writer {
    let mut pieces: Vec<Vec<Piece>> = pages.iter().map(|page| rows(pieces(&page.glyphs)).concat()).collect();
    drop_running_heads(pages, &mut pieces);
    // A page whose columns hold tables or headings has its gutter where other pages have theirs.
    let usual = pieces.iter().filter_map(|pieces| gutter(pieces)).next();
    let lines: Vec<Vec<Line>> = pieces.into_iter().map(|pieces| lines(pieces, usual)).collect();
    let fonts = Fonts::of(&lines);
    let mut text = Text { writer: Writer::default(), fonts, open: None, lists: Vec::new() };
    for lines in &lines {
        // A sentence that goes on across pages stays in one paragraph, on the page where it begins.
        let goes_on = lines.first().is_some_and(|line| text.goes_on_over_page(line));
        if !goes_on {
            text.flush();
        }
        text.begin_page(lines, goes_on);
    }
    text.flush();
    text.writer
}

/// Pieces of text that stand side by side on one base line: one, or the cells of a table.
#[derive(Debug, Clone)]
struct Line {
    pieces: Vec<Piece>,
}

/// Words on one base line without a wide gap.
#[derive(Debug, Clone)]
struct Piece {
    text: String,
    x0: f32,
    x1: f32,
    y: f32,
    size: f32,
    /// Characters in bold, and in a font for code.
    bold: usize,
    code: usize,
}

impl Line {
    fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.trim()).collect::<Vec<_>>().join(" ")
    }

    fn first(&self) -> &Piece {
        &self.pieces[0]
    }

    fn x1(&self) -> f32 {
        self.pieces.iter().map(|piece| piece.x1).fold(0.0, f32::max)
    }

    fn characters(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.chars().count()).sum()
    }

    fn is_bold(&self) -> bool {
        self.pieces.iter().map(|piece| piece.bold).sum::<usize>() * 10 >= self.characters() * 9
    }

    fn is_code(&self) -> bool {
        self.pieces.iter().map(|piece| piece.code).sum::<usize>() * 10 >= self.characters() * 9
    }
}

/// The lines of a page in reading order. `usual` is where other pages have their gutter.
fn lines(pieces: Vec<Piece>, usual: Option<f32>) -> Vec<Line> {
    let mut lines = Vec::new();
    let gutter = gutter(&pieces).or(usual.filter(|&gutter| divides(gutter, &pieces)));
    match gutter {
        Some(gutter) => divide(pieces, gutter, 0, &mut lines),
        None => lines.extend(rows(pieces).into_iter().map(|pieces| Line { pieces })),
    }
    lines
}

/// The pieces of each base line, from left to right.
fn rows(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if (piece.y - row[0].y).abs() < 0.35 * row[0].size.min(piece.size) => row.push(piece),
            _ => rows.push(vec![piece]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        join_near(row);
    }
    rows
}

/// Puts glyphs together as they were drawn, as long as they follow each other on a base line.
fn pieces(glyphs: &[Glyph]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for glyph in glyphs {
        let follows = pieces.last().is_some_and(|piece| {
            let gap = glyph.x - piece.x1;
            let size = piece.size.max(glyph.size);
            // Raised and lowered signs belong to their word.
            let near = (glyph.y - piece.y).abs() < 0.5 * size;
            // A lone o far from its word is a bullet.
            let bullet = piece.text.trim() == "o" && gap > 0.4 * size;
            near && !bullet && gap > -0.5 * size && gap < 0.9 * size
        });
        match pieces.last_mut().filter(|_| follows) {
            Some(piece) => piece.add(glyph),
            None if glyph.text.trim().is_empty() => {}
            None => pieces.push(Piece {
                text: glyph.text.clone(),
                x0: glyph.x,
                x1: glyph.x + glyph.width,
                y: glyph.y,
                size: glyph.size,
                bold: usize::from(glyph.bold),
                code: usize::from(glyph.code),
            }),
        }
    }
    pieces.retain(|piece| !piece.text.trim().is_empty());
    pieces
}

impl Piece {
    fn add(&mut self, glyph: &Glyph) {
        let gap = glyph.x - self.x1;
        if gap > 0.17 * glyph.size && !self.text.ends_with(' ') && !glyph.text.starts_with(' ') {
            self.text.push(' ');
        }
        if glyph.text == " " && self.text.ends_with(' ') {
            self.x1 = self.x1.max(glyph.x + glyph.width);
            return;
        }
        self.text.push_str(&glyph.text);
        self.x1 = self.x1.max(glyph.x + glyph.width);
        self.size = self.size.max(glyph.size);
        self.bold += usize::from(glyph.bold || glyph.text == " ");
        self.code += usize::from(glyph.code || glyph.text == " ");
    }

    fn join(&mut self, other: Piece) {
        if !self.text.ends_with(' ') && other.x0 - self.x1 > 0.12 * self.size {
            self.text.push(' ');
            self.bold += 1;
            self.code += 1;
        }
        self.text.push_str(&other.text);
        self.x1 = self.x1.max(other.x1);
        self.size = self.size.max(other.size);
        self.bold += other.bold;
        self.code += other.code;
    }

    /// Nothing but the mark of a list item.
    fn is_mark(&self) -> bool {
        list_mark(&format!("{} x", self.text.trim())).is_some_and(|end| end > self.text.trim().len())
    }
}

/// Joins the pieces of a row that are set apart by no more than words are, and marks with their items.
fn join_near(row: &mut Vec<Piece>) {
    let mut joined: Vec<Piece> = Vec::with_capacity(row.len());
    for mut piece in row.drain(..) {
        // Word's second bullet is the letter o.
        if joined.is_empty() && piece.text.trim() == "o" {
            piece.text = "•".to_owned();
        }
        match joined.last_mut() {
            Some(last) if is_near(last, &piece) => last.join(piece),

            _ => joined.push(piece),
        }
    }
    *row = joined;
}

fn is_near(left: &Piece, right: &Piece) -> bool {
    let most = if left.is_mark() { 4.0 } else { 1.0 };
    right.x0 - left.x1 < most * left.size.min(right.size)
}

/// Most times that a page is divided into columns, and a column again.
const MAX_DIVISIONS: usize = 4;

/// Adds the lines of a column in reading order; it may have columns itself.
fn unfold_columns(pieces: Vec<Piece>, divisions: usize, lines: &mut Vec<Line>) {
    let gutter = if divisions < MAX_DIVISIONS { gutter(&pieces) } else { None };
    match gutter {
        Some(gutter) => divide(pieces, gutter, divisions, lines),
        None => lines.extend(rows(pieces).into_iter().map(|pieces| Line { pieces })),
    }
}

/// Adds the left column before the right one, and what stands across both between what is above and what is below.
fn divide(pieces: Vec<Piece>, gutter: f32, divisions: usize, lines: &mut Vec<Line>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for piece in pieces {
        if piece.x1 <= gutter {
            left.push(piece);
        } else if piece.x0 >= gutter {
            right.push(piece);
        } else {
            unfold_columns(std::mem::take(&mut left), divisions + 1, lines);
            unfold_columns(std::mem::take(&mut right), divisions + 1, lines);
            lines.push(Line { pieces: vec![piece] });
        }
    }
    unfold_columns(left, divisions + 1, lines);
    unfold_columns(right, divisions + 1, lines);
}

/// Characters that a line of a column has on average; the cells of a table have fewer.
const PROSE: usize = 18;

/// Fewest lines of a column, and most lines across columns to a hundred in them.
const MIN_LINES: usize = 6;
const MAX_ACROSS: usize = 15;

/// The middle of the space between two columns of prose, if there are any. Points are steps enough.
fn gutter(pieces: &[Piece]) -> Option<f32> {
    let left = pieces.iter().map(|piece| piece.x0).fold(f32::MAX, f32::min);
    let right = pieces.iter().map(|piece| piece.x1).fold(f32::MIN, f32::max);
    let width = right - left;
    if pieces.len() < 2 * MIN_LINES || !(50.0..20_000.0).contains(&width) {
        return None;
    }
    // How many pieces cover each point: what begins there less what ends there, added up.
    let mut covered = vec![0i32; width as usize + 2];
    for piece in pieces {
        covered[(piece.x0 - left).max(0.0) as usize] += 1;
        covered[((piece.x1 - left).max(0.0).ceil() as usize).min(width as usize + 1)] -= 1;
    }
    let mut sum = 0;
    covered.iter_mut().for_each(|count| {
        sum += *count;
        *count = sum;
    });
    let inner = covered.len() / 5..covered.len() * 4 / 5;
    let least = *covered[inner.clone()].iter().min()?;
    let first = inner.start + covered[inner.clone()].iter().position(|count| *count == least)?;
    let last = (first..inner.end).take_while(|&at| covered[at] == least).last()?;
    let gutter = left + (first + last) as f32 / 2.0 + 0.5;
    let [(before, letters_before), (after, letters_after)] = sides(gutter, pieces);
    let prose = letters_before >= PROSE * before && letters_after >= PROSE * after;
    let wide = (last - first) as f32 >= 0.6 * pieces[0].size.min(12.0);
    (prose && wide && divides(gutter, pieces)).then_some(gutter)
}

/// Lines and letters on the left and on the right of a gutter.
fn sides(gutter: f32, pieces: &[Piece]) -> [(usize, usize); 2] {
    let mut sides = [(0, 0); 2];
    for piece in pieces.iter().filter(|piece| piece.x1 <= gutter || piece.x0 >= gutter) {
        let (lines, letters) = &mut sides[usize::from(piece.x0 >= gutter)];
        *lines += 1;
        *letters += piece.text.chars().count();
    }
    sides
}

/// Whether enough lines stand on both sides of a gutter, and hardly any across it.
fn divides(gutter: f32, pieces: &[Piece]) -> bool {
    let [(before, _), (after, _)] = sides(gutter, pieces);
    let across = pieces.len() - before - after;
    before >= MIN_LINES && after >= MIN_LINES && across * 100 <= MAX_ACROSS * (before + after)
}

/// Share of a page's height at its top and bottom in which running heads and page numbers stand.
const MARGIN: f32 = 0.12;

/// Takes out lines at the edges of pages that return on other pages with nothing but their numbers changed, and lines
/// that are nothing but a page number.
fn drop_running_heads(pages: &[Page], pieces: &mut [Vec<Piece>]) {
    let mut seen: HashMap<(String, i32), usize> = HashMap::new();
    for (page, pieces) in pages.iter().zip(pieces.iter()) {
        let mut keys: Vec<_> = pieces.iter().filter_map(|piece| edge_key(page, piece)).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().for_each(|key| *seen.entry(key).or_default() += 1);
    }
    let often = if pages.len() < 4 { pages.len().max(2) } else { 3 };
    for (page, pieces) in pages.iter().zip(pieces) {
        pieces.retain(|piece| {
            let Some(key) = edge_key(page, piece) else { return true };
            let number = key.0.chars().all(|c| !c.is_alphabetic()) && key.0.contains('#');
            let page_number = number || key.0.trim_start().starts_with("page #");
            !page_number && seen.get(&key).copied().unwrap_or(0) < often
        });
    }
}

/// What stands at the edge of a page, its numbers aside, and how high; `None` for what stands elsewhere.
fn edge_key(page: &Page, piece: &Piece) -> Option<(String, i32)> {
    let y = piece.y;
    if y > page.height * MARGIN && y < page.height * (1.0 - MARGIN) {
        return None;
    }
    let mut key = String::new();
    for c in piece.text.trim().to_lowercase().chars() {
        match c {
            c if c.is_ascii_digit() && key.ends_with('#') => {}
            c if c.is_ascii_digit() => key.push('#'),
            c => key.push(c),
        }
    }
    Some((key, (y / 4.0).round() as i32))
}

/// What sizes of letters mean in this document.
struct Fonts {
    /// Of running text.
    body: f32,
    /// Of headings, largest first.
    headings: Vec<i32>,
    /// Usual distance of two lines, as a multiple of their size.
    leading: f32,
}

/// Longest heading in characters.
const MAX_HEADING: usize = 150;

/// Sizes are told apart by quarters of a point.
fn step(size: f32) -> i32 {
    (size * 4.0).round() as i32
}

impl Fonts {
    fn of(pages: &[Vec<Line>]) -> Fonts {
        let mut letters: HashMap<i32, usize> = HashMap::new();
        for line in pages.iter().flatten() {
            *letters.entry(step(line.first().size)).or_default() += line.characters();
        }
        let body = letters.iter().max_by_key(|&(size, count)| (*count, *size)).map_or(40, |(size, _)| *size);
        let body = body as f32 / 4.0;
        let mut headings: Vec<i32> = pages
            .iter()
            .flatten()
            .filter(|line| line.first().size >= body * 1.12 && is_title_like(line))
            .map(|line| step(line.first().size))
            .collect();
        headings.sort_by(|a, b| b.cmp(a));
        headings.dedup();
        Fonts { body, headings, leading: leading(pages, body) }
    }

    /// The level of a heading; `None` for running text.
    fn level(&self, line: &Line) -> Option<usize> {
        let size = line.first().size;
        if !is_title_like(line) || line.is_code() {
            return None;
        }
        if size >= self.body * 1.12 {
            return self.headings.iter().position(|heading| *heading == step(size)).map(|at| at + 1);
        }
        // Bold lines as small as the text are headings of the last level.
        let bold = line.is_bold() && size >= self.body * 0.95 && line.characters() <= 80;
        let closed = line.text().ends_with(['.', ',', ';', ':']);
        (bold && !closed && list_mark(&line.text()).is_none()).then_some(self.headings.len() + 1)
    }
}

fn is_title_like(line: &Line) -> bool {
    line.pieces.len() == 1 && line.characters() <= MAX_HEADING && line.text().chars().any(char::is_alphabetic)
}

/// The most common distance of lines of running text.
fn leading(pages: &[Vec<Line>], body: f32) -> f32 {
    let mut counts: HashMap<i32, usize> = HashMap::new();
    for pair in pages.iter().flat_map(|lines| lines.windows(2)) {
        let (above, below) = (pair[0].first(), pair[1].first());
        let distance = (below.y - above.y) / body;
        if step(above.size) == step(below.size) && (0.8..2.5).contains(&distance) {
            *counts.entry((distance * 20.0).round() as i32).or_default() += 1;
        }
    }
    counts.iter().max_by_key(|&(distance, count)| (*count, -distance)).map_or(1.2, |(d, _)| *d as f32 / 20.0)
}

/// What is being put together from lines.
struct Open {
    kind: Kind,
    text: String,
    /// The line that was added last.
    last: Line,
    /// Left end of the lines, and the right end that they reach.
    left: f32,
    right: f32,
    rows: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Heading(usize),
    Paragraph,
    Item,
    Code,
    Table,
}

struct Text {
    writer: Writer,
    fonts: Fonts,
    open: Option<Open>,
    /// Left ends of the marks of the open lists, outermost first.
    lists: Vec<f32>,
}

impl Text {
    /// Whether a paragraph of the page before ends in the middle of a sentence that this line goes on with, or a table
    /// of the page before has another row here.
    fn goes_on_over_page(&self, line: &Line) -> bool {
        let small = line.text().chars().next().is_some_and(char::is_lowercase);
        self.open.as_ref().is_some_and(|open| {
            if open.kind == Kind::Table {
                return line.pieces.len() == open.last.pieces.len();
            }
            let running = matches!(open.kind, Kind::Paragraph | Kind::Item);
            running
                && small
                && !open.text.ends_with(['.', '!', '?', ':'])
                && self.kind(line) == Kind::Paragraph
        })
    }

    fn begin_page(&mut self, lines: &[Line], goes_on: bool) {
        let mut rest = lines;
        if let (true, Some((first, others))) = (goes_on, lines.split_first()) {
            self.append(first);
            let more = others.iter().take_while(|line| self.continues(line)).count();
            others[..more].iter().for_each(|line| self.append(line));
            rest = &others[more..];
            self.flush();
        }
        self.writer.page();
        for (at, line) in rest.iter().enumerate() {
            self.add(line, rest.get(at + 1));
        }
    }

    fn add(&mut self, line: &Line, next: Option<&Line>) {
        if self.continues(line) {
            return self.append(line);
        }
        self.flush();
        let mut kind = self.kind(line);
        // One row alone is a line with a gap in it.
        let row =
            |next: &Line| self.kind(next) == Kind::Table || goes_on_in_cell(std::slice::from_ref(line), next);
        if kind == Kind::Table && !next.is_some_and(row) {
            kind = Kind::Paragraph;
        }
        self.open = Some(Open {
            kind,
            text: line.text(),
            last: line.clone(),
            left: line.first().x0,
            right: line.x1(),
            rows: vec![line.clone()],
        });
    }

    fn kind(&self, line: &Line) -> Kind {
        match () {
            () if line.pieces.len() > 1 => Kind::Table,
            () if line.is_code() => Kind::Code,
            () if list_mark(&line.text()).is_some() && self.fonts.level(line).is_none() => Kind::Item,
            () => self.fonts.level(line).map_or(Kind::Paragraph, Kind::Heading),
        }
    }

    /// Whether a line belongs to what is open.
    fn continues(&self, line: &Line) -> bool {
        let Some(open) = &self.open else { return false };
        let (above, below) = (open.last.first(), line.first());
        let distance = below.y - above.y;
        let near = distance > 0.0 && distance < self.fonts.leading * above.size.max(self.fonts.body) * 1.28;
        let kind = self.kind(line);
        match open.kind {
            Kind::Table => kind == Kind::Table || (near && goes_on_in_cell(&open.rows, line)),
            Kind::Code => kind == Kind::Code && distance < 4.0 * above.size && distance > 0.0,
            Kind::Heading(level) => {
                kind == Kind::Heading(level) && near && step(above.size) == step(below.size)
            }
            Kind::Paragraph | Kind::Item => {
                let same = (above.size - below.size).abs() < 0.15 * above.size;
                // The next column begins above where this one ends.
                let next_column = distance < 0.0 && !ends_sentence(&open.text);
                let indented = below.x0 > open.left + 0.8 * below.size && open.kind == Kind::Paragraph;
                let short = open.last.x1() < open.right - 6.0 * above.size && ends_sentence(&open.text);
                kind == Kind::Paragraph && same && (near || next_column) && !indented && !short
            }
        }
    }

    fn append(&mut self, line: &Line) {
        let Some(open) = &mut self.open else { return };
        let text = line.text();
        match open.kind {
            Kind::Code => {
                // Blank lines show as a wider gap.
                let distance =
                    (line.first().y - open.last.first().y) / (self.fonts.leading * line.first().size);
                let blank = if distance > 1.6 { "\n" } else { "" };
                let column = (line.first().x0 - open.left).max(0.0) / (0.6 * line.first().size);
                let indent = " ".repeat(column.round().min(80.0) as usize);
                open.text.push_str(&format!("\n{blank}{indent}{text}"));
            }
            _ => join_words(&mut open.text, &text),
        }
        // A paragraph whose first line is indented goes on at the margin.
        open.left = if open.kind == Kind::Code { open.left } else { open.left.min(line.first().x0) };
        open.right = open.right.max(line.x1());
        open.rows.push(line.clone());
        open.last = line.clone();
    }

    fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        if open.kind != Kind::Item {
            self.lists.clear();
        }
        match open.kind {
            Kind::Heading(level) => self.writer.heading(level, &open.text),
            Kind::Paragraph => self.writer.paragraph(&open.text),
            Kind::Code => self.writer.code("", &open.text),
            Kind::Table => self.writer.table(&cells(&open.rows)),
            Kind::Item => self.write_item(&open),
        }
    }

    /// Writes an item as deep as its mark is indented.
    fn write_item(&mut self, open: &Open) {
        let left = open.rows[0].first().x0;
        self.lists.retain(|mark| *mark < left - 2.0);
        let depth = self.lists.len();
        self.lists.push(left);
        let end = list_mark(&open.text).unwrap_or(0);
        let (mark, text) = open.text.split_at(end);
        let numbered = mark.starts_with(|c: char| c.is_ascii_digit());
        self.writer.item(depth, if numbered { mark.trim() } else { "-" }, text.trim());
    }
}

/// Whether a line alone goes on with a cell behind the first column of the rows above.
fn goes_on_in_cell(rows: &[Line], line: &Line) -> bool {
    let [piece] = &line.pieces[..] else { return false };
    let columns = rows.iter().rev().take(8).flat_map(|row| row.pieces.iter().skip(1));
    columns.into_iter().any(|column| (column.x0 - piece.x0).abs() < 0.3 * piece.size)
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', ':'])
}

/// Adds a line to a paragraph. A word that was divided at the end of the line is whole again.
fn join_words(text: &mut String, line: &str) {
    let small = line.chars().next().is_some_and(char::is_lowercase);
    let stem = text.strip_suffix(['-', '\u{ad}', '‐']);
    let divided = stem.is_some_and(|stem| stem.ends_with(char::is_alphabetic));
    if divided && small {
        text.pop();
    } else if !divided && !text.ends_with(' ') {
        text.push(' ');
    }
    text.push_str(line);
}

/// Most columns of a table; what stands farther right is in the last.
const MAX_COLUMNS: usize = 200;

/// The rows of a table, every piece in the column whose left end is nearest. A line that leaves the first column empty
/// goes on with the row above.
fn cells(lines: &[Line]) -> Vec<Vec<String>> {
    let widest =
        lines.iter().max_by_key(|row| row.pieces.len()).map(|row| &row.pieces[..]).unwrap_or_default();
    let columns: Vec<f32> = widest.iter().take(MAX_COLUMNS).map(|piece| piece.x0).collect();
    let nearest = |piece: &Piece| {
        let distance = |at: &usize| (columns[*at] - piece.x0).abs();
        (0..columns.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in lines {
        if rows.is_empty() || nearest(line.first()) == 0 {
            rows.push(vec![String::new(); columns.len()]);
        }
        let Some(row) = rows.last_mut() else { continue };
        for piece in &line.pieces {
            let cell = &mut row[nearest(piece)];
            match cell.is_empty() {
                true => piece.text.trim().clone_into(cell),
                false => join_words(cell, piece.text.trim()),
            }
        }
    }
    rows
}
