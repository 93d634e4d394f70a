//! The shape of answers in a language model's words.

use guidepost_query::{CheckedSentence, Fault, PROMPT, WrittenAnswer};
use guidepost_text::{Finish, Generate};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::Place;

/// An answer that a language model wrote from sources, each sentence of it held against what it cites.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct WrittenView {
    /// The model that wrote.
    pub(crate) model: String,
    /// Name and number of the wording that it was asked with.
    pub(crate) prompt: &'static str,
    /// Whether the sources support any sentence; where not, the guides do not say.
    pub(crate) supported: bool,
    pub(crate) sentences: Vec<SentenceView>,
    /// Sentences that no source supports, and that were left out because that was asked for.
    pub(crate) left_out: usize,
    pub(crate) sources: Vec<SourceView>,
    /// `done`; `length`, where the answer was cut off; `stopped`, where nobody wanted more.
    pub(crate) finish: &'static str,
    /// Tokens that the model read; `null` where it does not say.
    pub(crate) read_tokens: Option<usize>,
    /// Tokens that it wrote; `null` where it does not say.
    pub(crate) written_tokens: Option<usize>,
    pub(crate) times_ms: TimesView,
}

/// A sentence.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SentenceView {
    /// Without its citations.
    pub(crate) text: String,
    /// Numbers of the sources that it cites, as written.
    pub(crate) citations: Vec<usize>,
    /// Whether nothing speaks against it.
    pub(crate) supported: bool,
    /// How far what it cites says so, 0 to 1, numbers and names aside.
    pub(crate) support: f32,
    /// What speaks against it.
    pub(crate) marks: Vec<MarkView>,
    /// Whether a paragraph begins with it.
    pub(crate) new_paragraph: bool,
}

/// Something that speaks against a sentence.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MarkView {
    /// `uncited`, `no_source`, `not_said`, `number`, `name`, `title`, `misplaced`, `swapped` or `opposite`.
    pub(crate) kind: &'static str,
    /// The words of the sentence that it is about, where it is not about all of it.
    pub(crate) text: Option<String>,
    /// In words, for people.
    pub(crate) says: String,
}

/// What the model read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SourceView {
    /// As citations name it, from 1.
    pub(crate) number: usize,
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Rank of the best passage in it.
    pub(crate) rank: usize,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(crate) struct TimesView {
    /// Finding passages.
    search: f64,
    /// Choosing sources, and embedding their sentences.
    sources: f64,
    /// From asking the model to its first word; `null` where none came.
    first_token: Option<f64>,
    /// From asking the model to its end, checks included.
    answer: f64,
}

impl TimesView {
    pub(crate) fn new(search: f64, sources: f64, first_token: Option<f64>, answer: f64) -> TimesView {
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        TimesView {
            search: rounded(search),
            sources: rounded(sources),
            first_token: first_token.map(rounded),
            answer: rounded(answer),
        }
    }
}

impl WrittenView {
    /// `kept`: sentences that are shown.
    pub(crate) fn new(
        model: &dyn Generate,
        answer: &WrittenAnswer,
        kept: &[&CheckedSentence],
        sources: Vec<SourceView>,
        times_ms: TimesView,
    ) -> WrittenView {
        WrittenView {
            model: model.name().to_owned(),
            prompt: PROMPT,
            supported: answer.is_supported(),
            sentences: kept.iter().map(|sentence| SentenceView::new(sentence)).collect(),
            left_out: answer.sentences.len() - kept.len(),
            sources,
            finish: match answer.generated.finish {
                Finish::Done => "done",
                Finish::Length => "length",
                Finish::Stopped => "stopped",
            },
            read_tokens: answer.generated.read_tokens,
            written_tokens: answer.generated.written_tokens,
            times_ms,
        }
    }

    /// Whether the guides do not say, as far as can be told: not where it was stopped before its end.
    pub(crate) fn is_silent(&self) -> bool {
        !self.supported && self.finish != "stopped"
    }

    /// Sources that shown sentences cite.
    pub(crate) fn cited(&self) -> impl Iterator<Item = &SourceView> {
        let cites = |number| self.sentences.iter().any(|sentence| sentence.citations.contains(&number));
        self.sources.iter().filter(move |source| cites(source.number))
    }

    /// The answer as Markdown, with its citations and marks.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        for sentence in &self.sentences {
            if !text.is_empty() {
                text.push_str(if sentence.new_paragraph { "\n\n" } else { " " });
            }
            text.push_str(&sentence.markdown());
        }
        text
    }

    /// Supported sentences alone, without citations.
    pub(crate) fn supported_text(&self) -> String {
        let supported = self.sentences.iter().filter(|sentence| sentence.supported);
        supported.map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Who wrote it, and what was found of it.
    pub(crate) fn summary(&self) -> String {
        let supported = self.sentences.iter().filter(|sentence| sentence.supported).count();
        let all = self.sentences.len();
        let checked = match self.left_out {
            0 => format!("{supported} of {all} sentences are supported by what they cite"),
            left_out => format!("{all} sentences are shown; {left_out} that no source supports left out"),
        };
        let cut = match self.finish {
            "length" => "; it was cut off",
            "stopped" => "; it was stopped",
            _ => "",
        };
        format!("written by {} and held against the guides: {checked}{cut}", self.model)
    }
}

impl SentenceView {
    pub(crate) fn new(sentence: &CheckedSentence) -> SentenceView {
        let CheckedSentence { written, support } = sentence;
        SentenceView {
            text: written.text.clone(),
            citations: written.cited.clone(),
            supported: sentence.is_supported(),
            support: support.score,
            marks: support.faults.iter().map(MarkView::new).collect(),
            new_paragraph: written.before.contains('\n'),
        }
    }

    /// `Roofs are slate. [1]`, with what speaks against it behind.
    fn markdown(&self) -> String {
        let numbers: Vec<String> = self.citations.iter().map(|number| format!("[{number}]")).collect();
        let cited = if numbers.is_empty() { String::new() } else { format!(" {}", numbers.concat()) };
        format!(
            "{}{cited}{}",
            escaped(&self.text),
            self.mark().map(|mark| format!(" {mark}")).unwrap_or_default()
        )
    }

    /// `(? its source does not say so)`; `None` for one that is supported.
    pub(crate) fn mark(&self) -> Option<String> {
        let says: Vec<&str> = self.marks.iter().map(|mark| mark.says.as_str()).collect();
        (!says.is_empty()).then(|| format!("(? {})", says.join("; ")))
    }
}

/// A model's text in Markdown: no link, no picture and no markup comes of it.
pub(crate) fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']' | '<') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

impl MarkView {
    fn new(fault: &Fault) -> MarkView {
        let (kind, text, says) = match fault {
            Fault::Uncited => ("uncited", None, "it cites no source".to_owned()),
            Fault::NoSource(number) => ("no_source", None, format!("there is no source {number}")),
            Fault::NotSaid => ("not_said", None, "its source does not say so".to_owned()),
            Fault::Number(number) => ("number", Some(number), format!("its source does not have `{number}`")),
            Fault::Name(name) => ("name", Some(name), format!("its source does not name `{name}`")),
            Fault::Title(title) => ("title", Some(title), format!("its source has no `{title}`")),
            Fault::Misplaced(word) => {
                ("misplaced", Some(word), format!("its source says `{word}` of something else"))
            }
            Fault::Swapped(one, other) => (
                "swapped",
                Some(one),
                format!("its source does not say `{one}` and `{other}` this way round"),
            ),
            Fault::Opposite(one, other) => ("opposite", Some(one), opposite(one, other)),
        };
        // What a model wrote stands between two backticks, and does not end them.
        let says = match text.filter(|text| text.contains('`')) {
            Some(text) => says.replace(text.as_str(), &text.replace('`', "'")),
            None => says,
        };
        MarkView { kind, text: text.filter(|text| !text.is_empty()).cloned(), says }
    }
}

fn opposite(one: &str, other: &str) -> String {
    match (one, other) {
        (one, "") => format!("its source does not say `{one}`"),
        ("", other) => format!("its source says `{other}`"),
        (one, other) => format!("its source says `{other}`, not `{one}`"),
    }
}
