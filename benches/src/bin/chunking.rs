//! The chunker beside others: how much of what answers a question is in the chunks that exact dense search finds, and
//! how much else. Takes a folder of `corpora/NAME.md` and `queries.jsonl`, whose `references` are characters of a corpus.
//!
//!     cargo run --release -p guidepost-benches --bin chunking -- path/to/chunking_evaluation

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use guidepost_benches::spans::{Excerpt, best_case, score};
use guidepost_benches::splitters::{recursive, windows};
use guidepost_benches::{embed_kept, load_model, locate_model, read_lines};
use guidepost_query::bootstrap;
use guidepost_text::{Embed, Embedding, Span, TextRole, chunk_document, passage_text, read_document};
use serde::Deserialize;
use tokenizers::Tokenizer;

/// Chunks that are found for each question; beside it, as many as hold something of the references, at most [`MOST`].
const FOUND: usize = 5;
/// As in the published program.
const MOST: usize = 20;

#[derive(Deserialize)]
struct Question {
    text: String,
    corpus_id: String,
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    start_index: usize,
    end_index: usize,
}

/// A chunker's work on all corpora.
struct Cut {
    name: String,
    chunks: Vec<Excerpt>,
    /// What is embedded for each.
    passages: Vec<String>,
}

/// A value for each question.
#[derive(Default)]
struct Column {
    recall: Vec<f64>,
    precision: Vec<f64>,
    iou: Vec<f64>,
}

/// A row of the table.
struct Row {
    name: String,
    chunks: usize,
    mean_chars: f64,
    omega: Vec<f64>,
    fixed: Column,
    minimal: Column,
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("name the folder of the collection")?;
    let folder = Path::new(&folder);
    let questions: Vec<Question> = read_lines(&folder.join("queries.jsonl"))?;
    let corpora = read_corpora(folder, &questions)?;
    let numbers: HashMap<&str, usize> = corpora.iter().map(|(name, _)| name.as_str()).zip(0..).collect();
    let references: Vec<Vec<Excerpt>> =
        questions.iter().map(|question| excerpts(question, &numbers)).collect();
    let model = load_model()?;
    let texts: Vec<String> = questions.iter().map(|question| question.text.clone()).collect();
    let vectors = embed_kept("chunking-questions", &model, &texts, TextRole::Question)?;
    let mut rows = Vec::new();
    for cut in cuts(&corpora, &model)? {
        rows.push(measure(cut, &references, &vectors, &model)?);
    }
    println!("{}", table(&rows));
    println!("{}", by_corpus(&rows, &questions, &corpora));
    println!("{}", differences(&rows));
    Ok(())
}

/// Name and text of every corpus that is asked about.
fn read_corpora(folder: &Path, questions: &[Question]) -> anyhow::Result<Vec<(String, String)>> {
    let mut names: Vec<&String> = questions.iter().map(|question| &question.corpus_id).collect();
    names.sort();
    names.dedup();
    let read = |name: &String| {
        let path = folder.join("corpora").join(format!("{name}.md"));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok((name.clone(), text))
    };
    names.into_iter().map(read).collect()
}

fn excerpts(question: &Question, numbers: &HashMap<&str, usize>) -> Vec<Excerpt> {
    let corpus = numbers[question.corpus_id.as_str()];
    let excerpt =
        |reference: &Reference| Excerpt { corpus, chars: reference.start_index..reference.end_index };
    question.references.iter().map(excerpt).collect()
}

/// Ours first, then what it is compared with.
fn cuts(corpora: &[(String, String)], model: &dyn Embed) -> anyhow::Result<Vec<Cut>> {
    let mut cuts = vec![ours(corpora, model)?];
    let tokens = tokenize(corpora)?;
    // Two special tokens make the window what the model takes.
    let size = model.max_tokens() - 2;
    for overlap in [0, size / 2] {
        let name = format!("{} tokens, overlap {overlap}", model.max_tokens());
        cuts.push(plain(&name, corpora, &|corpus, _| windows(&tokens[corpus], size, overlap)));
    }
    for size in [400, 800, 1200] {
        let name = format!("recursive, {size} characters");
        cuts.push(plain(&name, corpora, &|_, text| recursive(text, size)));
    }
    Ok(cuts)
}

fn ours(corpora: &[(String, String)], model: &dyn Embed) -> anyhow::Result<Cut> {
    let mut cut = Cut { name: "Guidepost".into(), chunks: Vec::new(), passages: Vec::new() };
    for (corpus, (name, text)) in corpora.iter().enumerate() {
        let document = read_document(&format!("{name}.md"), text.as_bytes());
        ensure!(document.text == *text, "repair changed `{name}`: the references would be elsewhere");
        let chars = CharIndex::new(text);
        for chunk in chunk_document(&document, model) {
            cut.chunks.push(Excerpt { corpus, chars: chars.range(chunk.span) });
            cut.passages.push(passage_text(&chunk));
        }
    }
    Ok(cut)
}

fn plain(name: &str, corpora: &[(String, String)], split: &dyn Fn(usize, &str) -> Vec<Span>) -> Cut {
    let mut cut = Cut { name: name.to_owned(), chunks: Vec::new(), passages: Vec::new() };
    for (corpus, (_, text)) in corpora.iter().enumerate() {
        let chars = CharIndex::new(text);
        for span in split(corpus, text) {
            cut.chunks.push(Excerpt { corpus, chars: chars.range(span) });
            cut.passages.push(span.of(text).to_owned());
        }
    }
    cut
}

/// Where the model's own tokenizer sees tokens.
fn tokenize(corpora: &[(String, String)]) -> anyhow::Result<Vec<Vec<Span>>> {
    let path = locate_model()?.folder.join("tokenizer.json");
    let mut tokenizer = Tokenizer::from_file(path).map_err(anyhow::Error::from_boxed)?;
    tokenizer.with_padding(None).with_truncation(None).map_err(anyhow::Error::from_boxed)?;
    let tokens = |(_, text): &(String, String)| {
        let encoding = tokenizer.encode(text.as_str(), false).map_err(anyhow::Error::from_boxed)?;
        Ok(encoding.get_offsets().iter().map(|&(start, end)| Span { start, end }).collect())
    };
    corpora.iter().map(tokens).collect()
}

/// Bytes to characters.
struct CharIndex(Vec<usize>);

impl CharIndex {
    fn new(text: &str) -> Self {
        let mut chars = 0;
        let count = |at: usize| {
            let before = chars;
            chars += usize::from(text.is_char_boundary(at + 1));
            before
        };
        CharIndex((0..=text.len()).map(count).collect())
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        self.0[span.start]..self.0[span.end]
    }
}

fn measure(
    cut: Cut,
    references: &[Vec<Excerpt>],
    questions: &[Embedding],
    model: &dyn Embed,
) -> anyhow::Result<Row> {
    let vectors = embed_kept("chunking-passages", model, &cut.passages, TextRole::Passage)?;
    let total: usize = cut.chunks.iter().map(|chunk| chunk.chars.len()).sum();
    let mut row = Row {
        name: cut.name,
        chunks: cut.chunks.len(),
        mean_chars: total as f64 / cut.chunks.len() as f64,
        omega: Vec::new(),
        fixed: Column::default(),
        minimal: Column::default(),
    };
    for (references, question) in references.iter().zip(questions) {
        let found = nearest(&vectors, question, MOST);
        let found: Vec<&Excerpt> = found.into_iter().map(|at| &cut.chunks[at]).collect();
        let (omega, needed) = best_case(&cut.chunks, references);
        row.omega.push(omega);
        row.fixed.push(&found[..FOUND.min(found.len())], references);
        row.minimal.push(&found[..needed.min(found.len())], references);
    }
    Ok(row)
}

impl Column {
    fn push(&mut self, found: &[&Excerpt], references: &[Excerpt]) {
        let scores = score(found, references);
        self.recall.push(scores.recall);
        self.precision.push(scores.precision);
        self.iou.push(scores.iou);
    }
}

fn nearest(vectors: &[Embedding], question: &Embedding, count: usize) -> Vec<usize> {
    let mut ranked: Vec<(f32, usize)> = vectors.iter().map(|row| row.cosine(question)).zip(0..).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.into_iter().take(count).map(|(_, at)| at).collect()
}

fn percent(values: &[f64]) -> String {
    format!("{:.1}", bootstrap(values).mean * 100.0)
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        format!(
            "| chunker | chunks | mean characters | recall, {FOUND} found | precision | IoU | recall, fewest found | precision | IoU | precision omega |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in rows {
        let columns = [&row.fixed, &row.minimal].map(|column| {
            [&column.recall, &column.precision, &column.iou].map(|values| percent(values)).join(" | ")
        });
        lines.push(format!(
            "| {} | {} | {:.0} | {} | {} |",
            row.name,
            row.chunks,
            row.mean_chars,
            columns.join(" | "),
            percent(&row.omega)
        ));
    }
    lines.join("\n") + "\n"
}

/// Recall and IoU for the questions of each corpus.
fn by_corpus(rows: &[Row], questions: &[Question], corpora: &[(String, String)]) -> String {
    let names: Vec<&str> = corpora.iter().map(|(name, _)| name.as_str()).collect();
    let mut lines = vec![
        format!("| recall / IoU, {FOUND} found | {} |", names.join(" | ")),
        format!("|---|{}", "---|".repeat(names.len())),
    ];
    for row in rows {
        let of = |values: &[f64], name: &str| {
            let mine = values.iter().zip(questions).filter(|(_, question)| question.corpus_id == name);
            percent(&mine.map(|(&value, _)| value).collect::<Vec<_>>())
        };
        let cell = |name: &&str| format!("{} / {}", of(&row.fixed.recall, name), of(&row.fixed.iou, name));
        lines.push(format!("| {} | {} |", row.name, names.iter().map(cell).collect::<Vec<_>>().join(" | ")));
    }
    lines.join("\n") + "\n"
}

/// The first row less each of the others, question by question.
fn differences(rows: &[Row]) -> String {
    let mut lines = vec![
        format!(
            "| {} less, in points (95 % interval) | recall, {FOUND} found | IoU | recall, fewest found | IoU |",
            rows[0].name
        ),
        "|---|---|---|---|---|".to_owned(),
    ];
    for row in &rows[1..] {
        let cells = [
            (&rows[0].fixed.recall, &row.fixed.recall),
            (&rows[0].fixed.iou, &row.fixed.iou),
            (&rows[0].minimal.recall, &row.minimal.recall),
            (&rows[0].minimal.iou, &row.minimal.iou),
        ];
        let cells = cells.map(|(ours, theirs)| {
            let gain: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| (a - b) * 100.0).collect();
            let gain = bootstrap(&gain);
            format!("{:+.1} ({:+.1} to {:+.1})", gain.mean, gain.low, gain.high)
        });
        lines.push(format!("| {} | {} |", row.name, cells.join(" | ")));
    }
    lines.join("\n") + "\n"
}
