//! Jupyter notebooks: their Markdown as it is, their code as code. Outputs are left out: they repeat what the code
//! says, and are mostly pictures and tables of numbers.

use serde_json::Value;

use crate::Metadata;
use crate::reading::{Reading, Writer};

/// Reads a notebook of format 3 or 4.
pub(super) fn read(text: &str) -> Reading {
    let notebook: Value = match serde_json::from_str(text) {
        Ok(notebook) => notebook,
        Err(_) if text.trim().is_empty() => return Reading::default(),
        Err(error) => return Reading::nothing(format!("it is no Jupyter notebook ({error})")),
    };
    // Format 3 has its cells on sheets.
    let sheets = notebook["worksheets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sheets = sheets.iter().chain([&notebook]);
    let cells: Vec<&Value> = sheets.filter_map(|sheet| sheet["cells"].as_array()).flatten().collect();
    if cells.is_empty() && !notebook["nbformat"].is_number() {
        return Reading::nothing("it is no Jupyter notebook (it has no cells)");
    }
    let about = &notebook["metadata"];
    let language = [&about["language_info"]["name"], &about["kernelspec"]["language"]];
    let word = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "+#-_.".contains(c));
    let language = language.iter().find_map(|name| name.as_str().filter(word)).unwrap_or_default();
    let mut writer = Writer::default();
    for cell in cells {
        write_cell(cell, language, &mut writer);
    }
    let text =
        |value: &Value| value.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let metadata = Metadata {
        title: text(&about["title"]).unwrap_or_default(),
        author: text(&about["authors"][0]["name"]),
        date: text(&about["date"]),
        ..Metadata::default()
    };
    writer.finish(metadata, Vec::new())
}

fn write_cell(cell: &Value, language: &str, writer: &mut Writer) {
    let source = |name: &str| match &cell[name] {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    };
    match cell["cell_type"].as_str() {
        Some("markdown") => writer.markdown(&whole_fences(source("source"))),
        Some("heading") => {
            writer.heading(cell["level"].as_u64().unwrap_or(1) as usize, &source("source"));
        }
        // Format 3 calls the source of code its input.
        Some("code") => writer.code(language, &(source("source") + &source("input"))),
        _ => writer.paragraph(&source("source")),
    }
}

/// A fence that a cell leaves open would take in all cells after it.
fn whole_fences(mut markdown: String) -> String {
    let mut open: Option<String> = None;
    for line in markdown.lines().map(str::trim_start) {
        let mark = ['`', '~']
            .into_iter()
            .find(|&mark| line.starts_with([mark; 3].iter().collect::<String>().as_str()));
        let Some(mark) = mark else { continue };
        let fence: String = line.chars().take_while(|&c| c == mark).collect();
        match &open {
            None => open = Some(fence),
            Some(begun) if fence.starts_with(begun.as_str()) && line.trim_end() == fence => open = None,
            Some(_) => {}
        }
    }
    if let Some(fence) = open {
        markdown.push('\n');
        markdown.push_str(&fence);
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_markdown_and_code() {
        let notebook = r##"{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "Text.\n", "```\n", "left open"]},
            {"cell_type": "code", "source": "print('``` hi')", "outputs": [{"text": "hi"}]},
            {"cell_type": "raw", "source": "# no heading"}]}"##;
        assert_eq!(
            read(notebook).text,
            "# Title\nText.\n```\nleft open\n```\n\n````python\nprint('``` hi')\n````\n\n\\# no heading\n"
        );
        for damaged in ["{}", "[1]", "{\"cells\": ", &"[".repeat(100_000)] {
            let reading = read(damaged);
            assert!(
                reading.text.is_empty() && reading.warnings[0].contains("no Jupyter notebook"),
                "{reading:?}"
            );
        }
    }
}
