//! Results for people: wrapped to the terminal, the question's words highlighted.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use guidepost_index::{analyze, terms};
use guidepost_query::NOT_SAID;
use guidepost_text::{begins_anew, list_mark};

use crate::console::printable;

use super::explain::{ShareView, TermView};
use super::wire::{HitView, Place, Results, StatementView};
use super::written::WrittenView;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const PLACE: Style = AnsiColor::Cyan.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Below, an answer is announced as a weak one.
const WEAK: f32 = 0.3;

/// Lines of a passage that are shown; the citation leads to the rest.
const PASSAGE_LINES: usize = 8;

/// Tokens that an explanation names.
const TOKENS_SHOWN: usize = 6;

pub(super) fn print(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { width: width() };
    let asked: HashSet<String> = results.terms.iter().cloned().collect();
    if let Some(written) = &results.written {
        page.resources(results, out)?;
        page.written(written, out)?;
        if !written.is_silent() {
            return Ok(());
        }
        writeln!(out, "The nearest passages:\n")?;
    } else if let Some(None) = &results.answer {
        let nearest = if results.results.is_empty() { "" } else { " The nearest passages:" };
        writeln!(out, "No guide here answers that.{nearest}\n")?;
    }
    if let (Some(Some(answer)), None) = (&results.answer, &results.written) {
        if answer.confidence < WEAK {
            writeln!(
                out,
                "A weak match ({:.0} %), which may not answer the question:\n",
                answer.confidence * 100.0
            )?;
        }
        for statement in &answer.statements {
            let source = results.results.iter().find(|hit| hit.rank == statement.rank);
            page.statement(statement, &source.map_or_else(|| asked.clone(), |hit| marked(&asked, hit)), out)?;
        }
        writeln!(out)?;
        for statement in &answer.statements {
            page.source(statement.citation, &statement.place, out)?;
        }
        page.resources(results, out)?;
        writeln!(out, "\n{FAINT}confidence {:.2}; the passages:{FAINT:#}\n", answer.confidence)?;
    }
    for hit in &results.results {
        page.hit(hit, &marked(&asked, hit), out)?;
        page.explanation(hit, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Prints what follows the sentences of a written answer; `None` where no guide answers.
pub(crate) fn print_written(written: Option<&WrittenView>) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match written {
        Some(written) => Page { width: width() }.written(written, &mut out),
        None => writeln!(out, "No guide here answers that.\n"),
    }
}

/// Wide enough to read, as narrow as the terminal.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)).clamp(40, 100)
}

/// Terms to highlight in a passage: those of the question, and those of the passage that answer to them.
fn marked(asked: &HashSet<String>, hit: &HitView) -> HashSet<String> {
    asked.iter().cloned().chain(hit.matched.iter().flat_map(|word| terms(word))).collect()
}

/// A statement that begins within a line of a quotation, without the marks of the lines that follow.
fn unquoted(text: &str) -> Cow<'_, str> {
    if text.starts_with('>') || !text.contains("\n>") {
        return text.into();
    }
    let bare = |line: &str| line.strip_prefix('>').map_or(line, str::trim_start).to_owned();
    text.lines().map(bare).collect::<Vec<_>>().join("\n").into()
}

struct Page {
    width: usize,
}

impl Page {
    fn statement(
        &self,
        statement: &StatementView,
        marked: &HashSet<String>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let lines = self.flow(&unquoted(&statement.text), "  ", Wrapping::Everywhere);
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.iter().enumerate() {
            let mark =
                if at == last { format!(" {PLACE}[{}]{PLACE:#}", statement.citation) } else { String::new() };
            writeln!(out, "{}{mark}", highlight(line, marked))?;
        }
        Ok(())
    }

    /// What a number stands for.
    fn source(&self, number: usize, place: &Place, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "[{number}] {PLACE}{}{PLACE:#}", place.shown())?;
        self.wrapped(&place.headings(), "    ", FAINT, out)
    }

    /// What a written answer cites; its sentences stand above already.
    fn written(&self, written: &WrittenView, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)?;
        written.cited().try_for_each(|source| self.source(source.number, &source.place, out))?;
        if written.is_silent() {
            writeln!(out, "{NOT_SAID}")?;
        }
        writeln!(out, "\n{FAINT}{}{FAINT:#}\n", printable(&written.summary()))
    }

    fn resources(&self, results: &Results, out: &mut dyn Write) -> io::Result<()> {
        if results.resources.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{FAINT}resources that fit:{FAINT:#}\n")?;
        results.resources.iter().try_for_each(|resource| write!(out, "{}", resource.text()))
    }

    fn hit(&self, hit: &HitView, marked: &HashSet<String>, out: &mut dyn Write) -> io::Result<()> {
        let place = hit.place.citation();
        writeln!(
            out,
            "{}. {PLACE}{}{PLACE:#}  {FAINT}confidence {:.2}{FAINT:#}",
            hit.rank,
            hit.place.shown(),
            hit.confidence
        )?;
        self.wrapped(&hit.place.headings(), "   ", Style::new().underline(), out)?;
        let lines = self.flow(&hit.text, "   ", Wrapping::WhereLong);
        let from = best_window(&lines, marked);
        if from > 0 {
            writeln!(out, "   {FAINT}...{FAINT:#}")?;
        }
        for line in lines.iter().skip(from).take(PASSAGE_LINES) {
            writeln!(out, "{}", highlight(line, marked))?;
        }
        if lines.len() > PASSAGE_LINES {
            writeln!(out, "   {FAINT}... (all of it: guidepost get {place}){FAINT:#}")?;
        }
        if let Some(also_in) = hit.also_in() {
            self.wrapped(&also_in, "   ", FAINT, out)?;
        }
        Ok(())
    }

    fn explanation(&self, hit: &HitView, out: &mut dyn Write) -> io::Result<()> {
        let Some(explain) = &hit.explain else { return Ok(()) };
        let place = |rank: Option<usize>| {
            rank.map_or("not among the first".to_owned(), |rank| format!("place {rank}"))
        };
        let part = |score: Option<f32>, normalized: f32, weight: f32| match score {
            Some(score) => format!("{score:.3} -> {normalized:.3} x {weight:.2}"),
            None => "none".to_owned(),
        };
        let legs = 1.0 - explain.late_weight;
        let leg = |score: Option<f32>, normalized, weight: f32, rank| match score {
            Some(_) => format!("{}, {}", part(score, normalized, weight * legs), place(rank)),
            None => part(score, normalized, weight),
        };
        let dense = leg(explain.cosine, explain.cosine_normalized, explain.dense_weight, explain.cosine_rank);
        let bm25 = leg(explain.bm25, explain.bm25_normalized, 1.0 - explain.dense_weight, explain.bm25_rank);
        writeln!(out, "   {FAINT}score {:.3} (0 to 1, within this query){FAINT:#}", hit.score)?;
        if let Some(rerank) = &explain.rerank {
            let pair = part(rerank.logit, rerank.normalized, rerank.weight);
            let rest = part(Some(rerank.before), rerank.before_normalized, 1.0 - rerank.weight);
            writeln!(out, "   {FAINT}  rerank {pair}{FAINT:#}")?;
            writeln!(out, "   {FAINT}  before {rest}, made of{FAINT:#}")?;
        }
        writeln!(out, "   {FAINT}  cosine {dense}{FAINT:#}")?;
        writeln!(out, "   {FAINT}  bm25   {bm25}{FAINT:#}")?;
        if explain.late_weight > 0.0 {
            let late = part(explain.late, explain.late_normalized, explain.late_weight);
            writeln!(out, "   {FAINT}  tokens {late}{FAINT:#}")?;
        }
        let mut words: Vec<&TermView> = explain.bm25_terms.iter().collect();
        words.sort_by(|a, b| b.score.total_cmp(&a.score));
        if !words.is_empty() {
            let word = |share: &&TermView| format!("{} in {} {:.2}", share.term, share.field, share.score);
            let words = words.iter().take(TOKENS_SHOWN).map(word).collect::<Vec<_>>().join(", ");
            self.wrapped(&format!("bm25, by words: {words}"), "     ", FAINT, out)?;
        }
        let tokens = |name: &str, shares: &Option<Vec<ShareView>>| {
            let most = shares.as_deref().map(most_telling).unwrap_or_default();
            (!most.is_empty()).then(|| format!("{name}: {most}"))
        };
        let shares = [
            tokens("of the question", &explain.cosine_of_question),
            tokens("of the passage", &explain.cosine_of_passage),
        ];
        for line in shares.into_iter().flatten() {
            self.wrapped(&format!("the cosine, by tokens {line}"), "     ", FAINT, out)?;
        }
        if explain.on_the_way {
            writeln!(out, "   {FAINT}on the way to the role that the question asks for{FAINT:#}")?;
        }
        if explain.fit < 1.0 {
            let fit = explain.fit;
            writeln!(
                out,
                "   {FAINT}  x {fit:.2}, of another kind or another guide than the question asks for{FAINT:#}"
            )?;
        }
        writeln!(
            out,
            "   {FAINT}holds {:.0} % of what the question asks for{FAINT:#}",
            explain.coverage * 100.0
        )
    }

    /// Text as lines of the page. List items, tables and code keep their line breaks; lines that somebody wrapped
    /// by hand flow together again.
    fn flow(&self, text: &str, indent: &str, wrapping: Wrapping) -> Vec<String> {
        let options = textwrap::Options::new(self.width).initial_indent(indent);
        let mut lines = Vec::new();
        for line in unwrapped(&printable(text), wrapping) {
            let inner = line.len() - line.trim_start().len();
            let mark = list_mark(line.trim_start()).unwrap_or(0);
            let hang = format!("{indent}{}", " ".repeat(inner + mark));
            let wrapped = textwrap::wrap(&line, options.clone().subsequent_indent(&hang));
            lines.extend(wrapped.into_iter().map(|line| line.into_owned()));
        }
        lines
    }

    fn wrapped(&self, text: &str, indent: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let options = textwrap::Options::new(self.width);
        for line in textwrap::wrap(&printable(text), options.initial_indent(indent).subsequent_indent(indent))
        {
            let words = line.trim_start();
            writeln!(out, "{}{style}{words}{style:#}", &line[..line.len() - words.len()])?;
        }
        Ok(())
    }
}

/// The tokens with the largest shares, of those that stand for a part of the text.
fn most_telling(shares: &[ShareView]) -> String {
    let mut shares: Vec<&ShareView> = shares.iter().filter(|token| !token.text.is_empty()).collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    let shown = shares.iter().take(TOKENS_SHOWN).map(|token| format!("{} {:+.3}", token.text, token.share));
    shown.collect::<Vec<_>>().join(", ")
}

/// First of the [`PASSAGE_LINES`] lines that hold most of the marked terms; the earliest such window.
fn best_window(lines: &[String], marked: &HashSet<String>) -> usize {
    let matches = |line: &String| terms(line).intersection(marked).count();
    let counts: Vec<usize> = lines.iter().map(matches).collect();
    let sum = |from: usize| counts[from..(from + PASSAGE_LINES).min(counts.len())].iter().sum::<usize>();
    let last = lines.len().saturating_sub(PASSAGE_LINES);
    (0..=last).max_by_key(|&from| (sum(from), std::cmp::Reverse(from))).unwrap_or(0)
}

fn highlight(line: &str, marked: &HashSet<String>) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for word in analyze(line).into_iter().filter(|word| marked.contains(&word.term)) {
        // A word and its parts may all be asked for.
        if word.start < at {
            continue;
        }
        shown.push_str(&line[at..word.start]);
        shown.push_str(&format!("{BOLD}{}{BOLD:#}", &line[word.start..word.end]));
        at = word.end;
    }
    shown.push_str(&line[at..]);
    shown
}

/// Which line breaks are taken for somebody's wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    /// Those inside a sentence: a statement is one.
    Everywhere,
    /// Those behind a long line.
    WhereLong,
}

/// Lines of at least this many bytes that go on below were wrapped by hand.
const WRAPPED_FROM: usize = 60;

/// The lines of a text without the breaks that only wrapped it. The indentation that the first line lost when the text
/// was cut is taken from the others.
fn unwrapped(text: &str, wrapping: Wrapping) -> Vec<String> {
    let hanging = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let common = hanging.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let is_code = text.contains("```") || text.contains("~~~");
    let mut lines: Vec<String> = Vec::new();
    let mut last_length = 0;
    for (at, line) in text.lines().enumerate() {
        let line = if at == 0 { line } else { line.get(common..).unwrap_or_default() };
        let long = wrapping == Wrapping::Everywhere || last_length >= WRAPPED_FROM;
        // A quotation marks every line of its paragraph; the mark of the first is enough.
        let quoted = lines.last().is_some_and(|last| last.starts_with("> "));
        let content = line.trim().strip_prefix("> ").filter(|_| quoted).unwrap_or(line.trim());
        let goes_on = long && !is_code && !content.is_empty() && !begins_anew(content);
        match lines.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.push(' ');
                last.push_str(content);
            }
            None if !line.trim().is_empty() => lines.push(line.trim_end().to_owned()),
            None => {}
        }
        last_length = line.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_line() {
        assert_eq!(unwrapped("If\nyou want", Wrapping::Everywhere), ["If you want"]);
        assert_eq!(unwrapped("- a\n  b\n- c", Wrapping::Everywhere), ["- a b", "- c"]);
        assert_eq!(unwrapped("> a\n> b\n\nc", Wrapping::WhereLong), ["> a", "> b", "c"]);
        assert_eq!(unwrapped("> a\n> b", Wrapping::Everywhere), ["> a b"]);
    }

    #[test]
    fn a_statement_within_a_quotation_has_no_marks_in_its_midst() {
        assert_eq!(unquoted("If it\n> rains,\n>stay"), "If it\nrains,\nstay");
        assert_eq!(unquoted("> If it\n> rains"), "> If it\n> rains", "a whole quotation is one");
        assert_eq!(unquoted("5 > 3\n3 < 5"), "5 > 3\n3 < 5");
    }

    #[test]
    fn lines_wrapped_by_hand_flow_together() {
        let long = "a line that somebody wrapped by hand at some sixty columns or more";
        for (text, expected) in [
            ("short\nlines stay", vec!["short", "lines stay"]),
            (&format!("{long}\ngoes on"), vec![&format!("{long} goes on")]),
            (&format!("- {long}\n  goes on\n- next"), vec![&format!("- {long} goes on"), "- next"]),
            (&format!("{long}\n\nnew"), vec![long, "new"]),
            ("- one\n    - two\n    - three", vec!["- one", "- two", "- three"]),
            (&format!("```\n{long}\nx\n```"), vec!["```", long, "x", "```"]),
        ] {
            assert_eq!(unwrapped(text, Wrapping::WhereLong), expected);
        }
    }
}
