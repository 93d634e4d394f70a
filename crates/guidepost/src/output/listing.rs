//! Lists of what guides name, in every format.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::Value;

use crate::cli::Format;

/// One result, told in the words of each format.
pub(crate) struct Listing {
    /// All of it as one object.
    pub(crate) json: Value,
    /// An object a line.
    pub(crate) rows: Vec<Value>,
    pub(crate) csv_header: &'static [&'static str],
    pub(crate) csv: Vec<Vec<String>>,
    pub(crate) markdown: String,
    /// For people; may hold colors.
    pub(crate) text: String,
    /// Each guide once: its file, or its path where it ships.
    pub(crate) files: BTreeSet<String>,
}

/// Prints a listing.
pub(crate) fn print(listing: &Listing, format: Format) -> anyhow::Result<()> {
    if format == Format::Text {
        write!(anstream::stdout().lock(), "{}", listing.text)?;
        return Ok(());
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Text => {}
        Format::Json => writeln!(out, "{:#}", listing.json)?,
        Format::Jsonl => listing.rows.iter().try_for_each(|row| writeln!(out, "{row}"))?,
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(&mut out);
            writer.write_record(listing.csv_header)?;
            listing.csv.iter().try_for_each(|row| writer.write_record(row))?;
            writer.flush()?;
        }
        Format::Md => write!(out, "{}", listing.markdown)?,
        Format::Files => listing.files.iter().try_for_each(|file| writeln!(out, "{file}"))?,
    }
    out.flush()?;
    Ok(())
}
