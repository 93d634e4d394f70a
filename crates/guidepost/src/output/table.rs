//! Tables for a terminal: a title, columns of which the first names the row, no wider than 100 columns.

use std::io::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::BOLD;

const WIDTH: u16 = 100;

/// Prints a title, the table, and a remark where there is one.
pub(crate) fn print(
    title: &str,
    header: &[&str],
    rows: &[Vec<String>],
    remark: &str,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(header.iter().enumerate().map(|(at, text)| cell(at, text)));
    for row in rows {
        table.add_row(row.iter().enumerate().map(|(at, text)| cell(at, text)));
    }
    writeln!(out, "\n{BOLD}{title}{BOLD:#}\n{table}")?;
    for line in textwrap::wrap(remark, usize::from(WIDTH)) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// One line, below the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Names lean left, numbers right.
fn cell(column: usize, text: &str) -> Cell {
    let side = if column == 0 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(side)
}

/// A number with three significant digits or all before the point, thousands set apart: `12,345`, `123`, `1.23`.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 99.95 => return thousands(value.round() as i64),
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// A share of one as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0.00"),
            (1.234, "1.23"),
            (9.999, "10.0"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1234.4, "1,234"),
            (1234567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
