//! Tables of values: every row becomes a list item that names its columns, so that a row is found by what it says.

use crate::Metadata;
use crate::reading::{Reading, Writer};

/// Longest name of a column in characters. Names are repeated in every row.
const MAX_NAME: usize = 60;

/// Reads a table.
pub(super) fn read(text: &str) -> Reading {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut records = reader.records().flatten();
    let Some(first) = records.next() else { return Reading::default() };
    let mut writer = Writer::default();
    let names = names(&first);
    if names.is_empty() {
        writer.item(0, "-", &item(&names, &first));
    }
    for record in records {
        writer.item(0, "-", &item(&names, &record));
        if !writer.has_room() {
            break;
        }
    }
    writer.finish(Metadata::default(), Vec::new())
}

/// The separator that the first line has most of.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |mark: u8| line.bytes().filter(|&byte| byte == mark).count();
    // Of equals the last wins, and commas are the most common.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|&mark| count(mark)).unwrap_or(b',')
}

/// The names of the columns, if the first row holds names: a word in every cell, and none twice.
fn names(first: &csv::StringRecord) -> Vec<String> {
    let names: Vec<String> = first.iter().map(|cell| cell.trim().chars().take(MAX_NAME).collect()).collect();
    let word = |name: &String| name.chars().any(char::is_alphabetic) && !name.contains("://");
    let mut distinct: Vec<&String> = names.iter().collect();
    distinct.sort();
    distinct.dedup();
    // Programs that export tables leave the name of their row numbers empty.
    let all_words =
        names.iter().skip(1).all(word) && names.first().is_some_and(|name| name.is_empty() || word(name));
    if all_words && distinct.len() == names.len() { names } else { Vec::new() }
}

/// `Title: Fluent Python; Author: Luciano Ramalho`
fn item(names: &[String], record: &csv::StringRecord) -> String {
    let cell = |(at, value): (usize, &str)| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        match names.get(at).filter(|name| !name.is_empty()) {
            _ if value.is_empty() => None,
            Some(name) => Some(format!("{name}: {value}")),
            None => Some(value),
        }
    };
    record.iter().enumerate().filter_map(cell).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(table: &str, reading: &str) {
        assert_eq!(read(table).text, reading);
    }

    #[test]
    fn rows_name_their_columns() {
        check(
            "Title,Author,Price\nFluent Python,\"Ramalho, Luciano\",\n\"Two\nlines\",X,9\n",
            "- Title: Fluent Python; Author: Ramalho, Luciano\n- Title: Two lines; Author: X; Price: 9\n",
        );
        check("a;b\n1,5;2\n", "- a: 1,5; b: 2\n");
        check("name\tyear\nAda\t1815\textra\n", "- name: Ada; year: 1815; extra\n");
        check("1,2\n3,4\n", "- 1; 2\n- 3; 4\n");
        check(",n\n0,x\n", "- 0; n: x\n");
        check("", "");
        check("only,names\n", "");
    }
}
