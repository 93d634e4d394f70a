//! `guidepost read`: what is understood of a file, so that its reader can see why something is not found.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, bail};
use guidepost_index::Snapshot;
use guidepost_text::{
    Chunk, Document, Embed, Format, HashEmbedder, LineIndex, Lines, Named, chunk_document, named,
    passage_text,
};
use serde_json::{Value, json};

use crate::Outcome;
use crate::cli::ReadArgs;
use crate::console::{Console, count, printable};
use crate::engine::Engine;
use crate::guide_text::{self, Guide};
use crate::output::{BOLD, FAINT, PLACE, SCHEMA_VERSION};
use crate::settings::UserSettings;

pub(crate) fn run(args: &ReadArgs, console: &Console) -> anyhow::Result<Outcome> {
    let user = UserSettings::load(console)?;
    let engine = Engine::new(&args.place, Some(&args.model), &user, console)?;
    let guide = open(&args.file, &engine)?;
    let model = engine.load_local_model(None)?;
    if model.is_none() {
        console.note("no model on this machine: passages are cut by counting words");
    }
    let understood = Understood::new(&guide, model.as_deref().unwrap_or(&HashEmbedder));
    let mut out = anstream::stdout().lock();
    match args.output.json {
        true => writeln!(out, "{:#}", understood.json())?,
        false => write!(out, "{}", understood.text())?,
    }
    let empty = understood.chunks.is_empty();
    if empty && understood.document.warnings.is_empty() {
        console.warn(&format!("`{}` holds no text", args.file));
    }
    Ok(if empty { Outcome::NothingFound } else { Outcome::Found })
}

/// A file on disk, or a guide by its citation.
fn open(name: &str, engine: &Engine) -> anyhow::Result<Guide> {
    let path = Path::new(name);
    if path.is_file() {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
        return Ok(Guide { path: name.to_owned(), bytes });
    }
    if path.is_dir() {
        bail!("`{name}` is a folder; name a file in it, or index it with `guidepost index {name}`");
    }
    let snapshot = Snapshot::open(&engine.index)?;
    let guide = guide_text::find(name, snapshot.as_ref(), engine)?;
    guide.with_context(|| {
        format!("`{name}` is neither a file nor a guide in the index in `{}`", engine.index.display())
    })
}

/// All that reading a file yields.
struct Understood {
    document: Document,
    lines: LineIndex,
    format: &'static str,
    bytes: usize,
    /// With the number of tokens that go through the model.
    chunks: Vec<(Chunk, usize)>,
    limit: usize,
    model: String,
    named: Named,
}

impl Understood {
    fn new(guide: &Guide, model: &dyn Embed) -> Understood {
        let document = guide.document();
        let chunks = chunk_document(&document, model);
        let passages: Vec<String> = chunks.iter().map(passage_text).collect();
        let counts = model.count_tokens(&passages.iter().map(String::as_str).collect::<Vec<_>>());
        Understood {
            lines: LineIndex::new(&document.text),
            format: Format::of(&guide.path).map_or("plain text", Format::name),
            bytes: guide.bytes.len(),
            chunks: chunks.into_iter().zip(counts).collect(),
            limit: model.max_tokens(),
            model: model.fingerprint().to_owned(),
            named: named(&document),
            document,
        }
    }

    /// Line, depth from 0 and label of every heading.
    fn outline(&self) -> Vec<(Lines, usize, &str)> {
        let mut outline = Vec::new();
        for section in
            self.document.sections.iter().filter(|section| section.heading.start < section.heading.end)
        {
            let label = section.heading_path.last().map_or("", String::as_str);
            outline.push((
                self.lines.lines(section.heading),
                section.heading_path.len().saturating_sub(1),
                label,
            ));
        }
        outline
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let document = &self.document;
        let lines = count(self.lines.count(), "line");
        let _ = writeln!(
            text,
            "{PLACE}{}{PLACE:#}  {FAINT}{}, {} bytes, {lines}{FAINT:#}\n",
            printable(&document.path),
            self.format,
            self.bytes
        );
        self.metadata(&mut text);
        let _ = writeln!(text, "\n{BOLD}outline{BOLD:#}");
        for (lines, depth, label) in self.outline() {
            let _ = writeln!(
                text,
                "{FAINT}{:>6}{FAINT:#}  {}{}",
                lines.first,
                "  ".repeat(depth),
                printable(label)
            );
        }
        let _ = writeln!(
            text,
            "\n{BOLD}{}{BOLD:#}  {FAINT}of at most {} tokens{FAINT:#}",
            count(self.chunks.len(), "passage"),
            self.limit
        );
        for (chunk, tokens) in &self.chunks {
            let lines = span(chunk.lines);
            let begins: String = printable(&chunk.text)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(60)
                .collect();
            let _ = writeln!(text, "{lines:>9}  {tokens:>4} tokens  {}", printable(&chunk.context));
            let _ = writeln!(text, "{:24}{FAINT}{begins}{FAINT:#}", "");
        }
        self.names(&mut text);
        for warning in &document.warnings {
            let _ = writeln!(text, "\n{BOLD}warning{BOLD:#}  {}", printable(warning));
        }
        text
    }

    fn metadata(&self, text: &mut String) {
        let metadata = &self.document.metadata;
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let rows = [
            ("title", metadata.title.clone()),
            ("author", said(&metadata.author)),
            ("kind", said(&metadata.kind)),
            ("roles", metadata.roles.join(", ")),
            ("skills", metadata.skills.join(", ")),
            ("tags", metadata.tags.join(", ")),
            ("level", said(&metadata.level)),
            ("date", said(&metadata.date)),
        ];
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "{name:<8} {}", printable(value));
        }
    }

    fn names(&self, text: &mut String) {
        let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", count(self.named.resources.len(), "resource"));
        for resource in &self.named.resources {
            let by = resource.by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
            let level = resource.level.as_ref().map(|level| format!(", {level}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "{:>9}  {:<13}  {}{}{}  {FAINT}for {}{FAINT:#}",
                span(resource.lines),
                resource.kind.name(),
                printable(&resource.title),
                printable(&by),
                level,
                printable(&resource.serves),
            );
        }
        let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", count(self.named.roles.len(), "role"));
        for role in &self.named.roles {
            let only = if role.described { "" } else { "  only named" };
            let _ =
                writeln!(text, "{:>9}  {}{FAINT}{only}{FAINT:#}", span(role.lines), printable(&role.name));
        }
    }

    fn json(&self) -> Value {
        let outline = self
            .outline()
            .into_iter()
            .map(|(lines, depth, label)| json!({"line": lines.first, "depth": depth, "heading": label}));
        let chunks = self.chunks.iter().map(|(chunk, tokens)| {
            json!({
                "first_line": chunk.lines.first,
                "last_line": chunk.lines.last,
                "heading_path": chunk.heading_path,
                "context": chunk.context,
                "tokens": tokens,
                "text": chunk.text,
            })
        });
        json!({
            "schema_version": SCHEMA_VERSION,
            "command": "read",
            "path": self.document.path,
            "format": self.format,
            "bytes": self.bytes,
            "lines": self.lines.count(),
            "pages": self.document.pages,
            "metadata": self.document.metadata,
            "outline": outline.collect::<Vec<_>>(),
            "model": self.model,
            "max_tokens": self.limit,
            "passages": chunks.collect::<Vec<_>>(),
            "resources": self.named.resources,
            "roles": self.named.roles,
            "warnings": self.document.warnings,
        })
    }
}

fn span(lines: Lines) -> String {
    if lines.first == lines.last {
        lines.first.to_string()
    } else {
        format!("{}-{}", lines.first, lines.last)
    }
}
