//! Tables whose rows are parted by rules: a row may hold several lines, and its cells need not begin on the same one.

use super::Rule;
use super::paragraphs::join_words;
use super::pieces::Piece;

/// How far the ends of the rules of one table may be apart, and the widest gap within a rule, in points.
const TOLERANCE: f32 = 6.0;

/// Narrowest space between two columns, in points.
const MIN_SPACE: f32 = 4.0;

/// Fewest rows of a table, its header included. Two are as often a header and all the rows below it.
const MIN_ROWS: usize = 3;

/// Most tables side by side or within each other.
const MAX_GRIDS: usize = 16;

/// Widest distance of two lines of a cell, as a multiple of their size.
const MAX_LEADING: f32 = 2.0;

/// Puts the lines of every cell together.
pub(super) fn join_cells(mut pieces: Vec<Piece>, rules: &[Rule]) -> Vec<Piece> {
    let grids = grids(rules).into_iter().filter(|grid| grid.heights.len() > MIN_ROWS);
    for grid in grids.take(MAX_GRIDS) {
        let (inside, mut others): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|piece| grid.holds(piece));
        for table in tables(grid.rows(inside)) {
            others.extend(if table.is_ruled() { table.cells() } else { table.rows.concat() });
        }
        pieces = others;
    }
    pieces
}

/// Rules of the same length below each other.
struct Grid {
    x0: f32,
    x1: f32,
    /// From top to bottom.
    heights: Vec<f32>,
}

fn grids(rules: &[Rule]) -> Vec<Grid> {
    let mut grids: Vec<Grid> = Vec::new();
    for rule in whole_rules(rules) {
        let same =
            |grid: &&mut Grid| (grid.x0 - rule.x0).abs() < TOLERANCE && (grid.x1 - rule.x1).abs() < TOLERANCE;
        match grids.iter_mut().rev().take(MAX_GRIDS).find(same) {
            Some(grid) => grid.heights.push(rule.y),
            None => grids.push(Grid { x0: rule.x0, x1: rule.x1, heights: vec![rule.y] }),
        }
    }
    grids
}

/// Rules that were drawn cell by cell as one, from top to bottom.
fn whole_rules(rules: &[Rule]) -> Vec<Rule> {
    let mut rules = rules.to_vec();
    rules.sort_by(|a, b| a.y.round().total_cmp(&b.y.round()).then(a.x0.total_cmp(&b.x0)));
    let mut whole: Vec<Rule> = Vec::new();
    for rule in rules {
        match whole.last_mut() {
            Some(last) if (last.y - rule.y).abs() <= 1.0 && rule.x0 - last.x1 < TOLERANCE => {
                last.x1 = last.x1.max(rule.x1);
            }
            _ => whole.push(rule),
        }
    }
    whole
}

impl Grid {
    fn holds(&self, piece: &Piece) -> bool {
        let (top, bottom) = (self.heights[0], self.heights[self.heights.len() - 1]);
        piece.x0 > self.x0 - TOLERANCE && piece.x1 < self.x1 + TOLERANCE && piece.y > top && piece.y < bottom
    }

    /// The pieces between each two rules, as far as there are any.
    fn rows(&self, pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
        let mut rows = vec![Vec::new(); self.heights.len() + 1];
        for piece in pieces {
            rows[self.heights.partition_point(|&height| height < piece.y)].push(piece);
        }
        rows.retain(|row| !row.is_empty());
        rows
    }
}

/// Rows that have columns together.
struct Table {
    rows: Vec<Vec<Piece>>,
    columns: Vec<Column>,
}

/// Left and right end.
type Column = (f32, f32);

/// Where rows have no columns together, text stands between two tables.
fn tables(rows: Vec<Vec<Piece>>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let own = columns(row.iter().map(ends).collect());
        match tables.last_mut().and_then(|table| Some((table.columns_with(&row, &own)?, table))) {
            Some((columns, table)) => {
                table.columns = columns;
                table.rows.push(row);
            }
            None => tables.push(Table { rows: vec![row], columns: own }),
        }
    }
    tables
}

impl Table {
    /// The columns with another row below; `None` where it is none of this table.
    fn columns_with(&self, row: &[Piece], own: &[Column]) -> Option<Vec<Column>> {
        let alike = (self.rows[0][0].size - row[0].size).abs() < 0.15 * row[0].size;
        let columns = columns([&self.columns, own].concat());
        (alike && own.len() > 1 && columns.len() > 1).then_some(columns)
    }

    /// Whether rules part every row from the next. Between rules that stand only above and below several rows, all
    /// cells have as many lines, or lines that stand far apart.
    fn is_ruled(&self) -> bool {
        let (mut uneven, mut even) = (0, 0);
        for row in &self.rows {
            let cells = split(row, &self.columns);
            if cells.iter().any(|cell| has_gap(cell)) {
                return false;
            }
            let most = cells.iter().map(Vec::len).max().unwrap_or(0);
            let all = cells.iter().all(|cell| cell.len() == most);
            even += usize::from(most > 1 && all);
            uneven += usize::from(most > 1 && !all);
        }
        self.rows.len() >= MIN_ROWS && uneven > even
    }

    /// One piece for every cell, all those of a row on one base line.
    fn cells(self) -> Vec<Piece> {
        let mut joined = Vec::new();
        for row in &self.rows {
            let y = row.iter().map(|piece| piece.y).fold(f32::MAX, f32::min);
            for (at, cell) in split(row, &self.columns).into_iter().enumerate() {
                let end = self.columns.get(at + 1).map_or(f32::MAX, |next| next.0);
                joined.extend(join_lines(cell, self.columns[at].0, end).map(|cell| Piece { y, ..cell }));
            }
        }
        joined
    }
}

fn ends(piece: &Piece) -> Column {
    (piece.x0, piece.x1)
}

/// What the spans cover: between columns is nothing.
fn columns(mut spans: Vec<Column>) -> Vec<Column> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<Column> = Vec::new();
    for (x0, x1) in spans {
        match columns.last_mut() {
            Some(last) if x0 - last.1 < MIN_SPACE => last.1 = last.1.max(x1),
            _ => columns.push((x0, x1)),
        }
    }
    columns
}

/// The cells of a row, each from top to bottom.
fn split(row: &[Piece], columns: &[Column]) -> Vec<Vec<Piece>> {
    let mut cells = vec![Vec::new(); columns.len()];
    for piece in row {
        let at = columns.partition_point(|&(x0, _)| x0 <= piece.x0);
        cells[at.max(1) - 1].push(piece.clone());
    }
    cells.iter_mut().for_each(|cell| cell.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0))));
    cells
}

fn has_gap(cell: &[Piece]) -> bool {
    cell.windows(2).any(|pair| pair[1].y - pair[0].y > MAX_LEADING * pair[0].size)
}

/// The lines of a cell as one piece, which is clear of the column that begins at `end`.
fn join_lines(cell: Vec<Piece>, start: f32, end: f32) -> Option<Piece> {
    let mut lines = cell.into_iter();
    let mut joined = lines.next()?;
    joined.text = joined.text.trim().to_owned();
    for line in lines {
        join_words(&mut joined.text, line.text.trim());
        joined.bold += line.bold + 1;
        joined.code += line.code + 1;
        joined.x1 = joined.x1.max(line.x1);
    }
    joined.x0 = start;
    joined.x1 = joined.x1.min(end - 2.0 * joined.size).max(start);
    Some(joined)
}
