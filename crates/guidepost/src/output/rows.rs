//! Formats for programs and for notes: one line or block per result.

use std::collections::BTreeSet;
use std::io::{self, Write};

use guidepost_query::NOT_SAID;
use serde_json::json;

use super::wire::Results;
use super::written::WrittenView;

/// One object a line: the answer's statements first (`"type": "statement"`), then the sentences that a language model wrote
/// (`"sentence"`) and its sources (`"source"`), then the passages (`"result"`), then the resources that fit (`"resource"`).
pub(super) fn jsonl(results: &Results, out: &mut dyn Write) -> anyhow::Result<()> {
    for statement in results.answer.iter().flatten().flat_map(|answer| &answer.statements) {
        writeln!(out, "{}", typed("statement", serde_json::to_value(statement)?))?;
    }
    for sentence in results.written.iter().flat_map(|written| &written.sentences) {
        writeln!(out, "{}", typed("sentence", serde_json::to_value(sentence)?))?;
    }
    for source in results.written.iter().flat_map(|written| &written.sources) {
        writeln!(out, "{}", typed("source", serde_json::to_value(source)?))?;
    }
    for hit in &results.results {
        writeln!(out, "{}", typed("result", serde_json::to_value(hit)?))?;
    }
    for resource in &results.resources {
        writeln!(out, "{}", typed("resource", serde_json::to_value(resource)?))?;
    }
    Ok(())
}

/// An object that says what it is.
pub(crate) fn typed(kind: &str, value: serde_json::Value) -> serde_json::Value {
    let mut object = json!({"type": kind});
    if let (Some(object), serde_json::Value::Object(fields)) = (object.as_object_mut(), value) {
        object.extend(fields);
    }
    object
}

/// A header, then a row per passage.
pub(super) fn csv(results: &Results, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "rank",
        "path",
        "first_line",
        "last_line",
        "confidence",
        "score",
        "title",
        "heading",
        "text",
    ])?;
    for hit in &results.results {
        writer.write_record([
            hit.rank.to_string(),
            hit.place.path.clone(),
            hit.place.first_line.to_string(),
            hit.place.last_line.to_string(),
            format!("{:.4}", hit.confidence),
            format!("{:.4}", hit.score),
            hit.title.clone(),
            hit.place.headings(),
            hit.text.clone(),
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// A document to keep: the question, the answer with numbered sources, the passages as quotations.
pub(super) fn markdown(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", results.query)?;
    if let Some(written) = &results.written {
        written_markdown(written, out)?;
    }
    match results.answer.as_ref().filter(|_| results.written.is_none()) {
        Some(Some(answer)) => {
            for statement in &answer.statements {
                writeln!(out, "{}\n", quote(&statement.text, Some(statement.citation)))?;
            }
            for statement in &answer.statements {
                writeln!(
                    out,
                    "{}. `{}` {}",
                    statement.citation,
                    statement.place.shown(),
                    statement.place.headings()
                )?;
            }
            writeln!(out)?;
        }
        Some(None) => writeln!(out, "No guide here answers that.\n")?,
        None => {}
    }
    for resource in &results.resources {
        write!(out, "{}", resource.markdown())?;
    }
    if !results.resources.is_empty() {
        writeln!(out)?;
    }
    for hit in &results.results {
        writeln!(out, "## {}. {}\n", hit.rank, hit.place.headings())?;
        writeln!(out, "`{}`, confidence {:.2}\n", hit.place.shown(), hit.confidence)?;
        writeln!(out, "{}\n", quote(&hit.text, None))?;
        if let Some(also_in) = hit.also_in() {
            writeln!(out, "{also_in}\n")?;
        }
    }
    Ok(())
}

/// An answer in a language model's words, and a list of what it cites.
pub(crate) fn written_markdown(written: &WrittenView, out: &mut dyn Write) -> io::Result<()> {
    if !written.sentences.is_empty() {
        writeln!(out, "{}\n", written.markdown())?;
    }
    if written.is_silent() {
        writeln!(out, "{NOT_SAID}\n")?;
    }
    for source in written.cited() {
        writeln!(out, "{}. `{}` {}", source.number, source.place.shown(), source.place.headings())?;
    }
    writeln!(out, "\n*{}*\n", written.summary())
}

fn quote(text: &str, citation: Option<usize>) -> String {
    let mark = citation.map(|number| format!(" [{number}]")).unwrap_or_default();
    let lines = text.lines().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") });
    lines.collect::<Vec<_>>().join("\n") + &mark
}

/// Each guide once, in alphabetical order: its file, or its citation path where it ships.
pub(super) fn files(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let path = |hit: &super::wire::HitView| {
        hit.file.as_ref().map_or_else(|| hit.place.path.clone(), |file| file.display().to_string())
    };
    let paths: BTreeSet<String> = results.results.iter().map(path).collect();
    paths.iter().try_for_each(|path| writeln!(out, "{path}"))
}
