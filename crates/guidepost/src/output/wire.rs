//! The shape of results. Documented in the README under "Output for programs"; a change that could break a reader
//! raises [`SCHEMA_VERSION`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use guidepost_index::{DocumentRecord, Snapshot};
use guidepost_query::{Answer, Correction, Elsewhere, FoundResource, Hit, Mode, Statement};
use guidepost_text::{Format, Lines};
use schemars::JsonSchema;
use serde::Serialize;

use super::explain::{Explain, matched};
use super::resources::ResourceView;
use super::stages::StageView;
use super::written::WrittenView;
use crate::guide_text;
use crate::search::Searched;

pub(crate) const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Results {
    pub(crate) schema_version: u32,
    pub(crate) command: &'static str,
    pub(crate) query: String,
    /// What was filtered by: values by facet; left out where nothing was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub(crate) filter: BTreeMap<&'static str, Vec<String>>,
    /// Words that no guide holds, and those they were taken for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) corrections: Vec<CorrectionView>,
    /// `hybrid`, `dense` or `bm25`: the legs that really searched.
    pub(crate) mode: &'static str,
    pub(crate) took_ms: f64,
    /// How far the search went, stage by stage; left out without a budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stages: Option<Vec<StageView>>,
    /// Why statements were left out of the answer: their guides are not any more as they were indexed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) warnings: Vec<String>,
    /// Only from `ask`; `null` where no guide answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<AnswerView>")]
    pub(crate) answer: Option<Option<AnswerView>>,
    /// The answer of a language model, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<WrittenView>,
    pub(crate) results: Vec<HitView>,
    /// Only from `ask`, with an answer: what the guides name that fits, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) resources: Vec<ResourceView>,
    /// Terms of the question, for highlighting.
    #[serde(skip)]
    pub(crate) terms: Vec<String>,
}

/// A word that no guide holds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CorrectionView {
    pub(crate) written: String,
    /// The likeliest first.
    pub(crate) meant: Vec<String>,
}

impl CorrectionView {
    fn of(correction: &Correction) -> Self {
        CorrectionView { written: correction.written.clone(), meant: correction.meant.clone() }
    }
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct AnswerView {
    pub(crate) confidence: f32,
    pub(crate) statements: Vec<StatementView>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct StatementView {
    /// Number of the source, from 1.
    pub(crate) citation: usize,
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Rank of the passage it is from.
    pub(crate) rank: usize,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Place {
    /// Path as `guidepost get` takes it.
    pub(crate) path: String,
    /// 1-based.
    pub(crate) first_line: u32,
    /// 1-based, inclusive.
    pub(crate) last_line: u32,
    /// 1-based; left out where the guide has no pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<u32>,
    /// From the title down.
    pub(crate) heading_path: Vec<String>,
}

impl Place {
    pub(crate) fn citation(&self) -> String {
        self.lines().citation()
    }

    pub(crate) fn shown(&self) -> String {
        self.lines().shown()
    }

    pub(crate) fn headings(&self) -> String {
        self.heading_path.join(" > ")
    }

    /// Path and lines, without headings.
    pub(crate) fn lines(&self) -> PlaceLines {
        PlaceLines {
            path: self.path.clone(),
            first_line: self.first_line,
            last_line: self.last_line,
            page: self.page,
        }
    }
}

/// Lines of a guide.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PlaceLines {
    /// Path as `guidepost get` takes it.
    pub(crate) path: String,
    /// 1-based.
    pub(crate) first_line: u32,
    /// 1-based, inclusive.
    pub(crate) last_line: u32,
    /// 1-based; left out where the guide has no pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
}

impl PlaceLines {
    pub(crate) fn citation(&self) -> String {
        match self.first_line == self.last_line {
            true => format!("{}:{}", self.path, self.first_line),
            false => format!("{}:{}-{}", self.path, self.first_line, self.last_line),
        }
    }

    /// The citation, and the page as people cite it.
    pub(crate) fn shown(&self) -> String {
        let label = self.page.and_then(|page| Format::of(&self.path)?.page_label(page));
        label.map_or_else(|| self.citation(), |label| format!("{}, {label}", self.citation()))
    }
}

/// Lines of a guide as a place.
pub(crate) fn place_of(document: &DocumentRecord, lines: Lines, heading_path: &[String]) -> Place {
    Place {
        path: document.path.clone(),
        first_line: lines.first,
        last_line: lines.last,
        page: document.page_of(lines.first),
        heading_path: heading_path.to_vec(),
    }
}

/// A guide's file on disk; its path where it ships.
pub(crate) fn file_of(snapshot: &Snapshot, document: &DocumentRecord) -> String {
    guide_text::file(snapshot, document)
        .map_or_else(|| document.path.clone(), |file| file.display().to_string())
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HitView {
    pub(crate) rank: usize,
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) title: String,
    /// The file on disk; `null` for guides that ship.
    pub(crate) file: Option<PathBuf>,
    /// Calibrated chance that the passage answers, 0 to 1.
    pub(crate) confidence: f32,
    /// Orders the results of one query, 0 to 1, but for a fifth that is there for another guide's sake; says nothing across
    /// queries.
    pub(crate) score: f32,
    pub(crate) text: String,
    /// Other places that say the same in the same words, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) also_in: Vec<Place>,
    /// Words of the passage that stand in the question, or answer to one of its words, in the passage's order.
    pub(crate) matched: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<Explain>,
}

impl Results {
    pub(crate) fn new(command: &'static str, searched: &Searched) -> Self {
        Results {
            schema_version: SCHEMA_VERSION,
            command,
            query: searched.question.asked.clone(),
            filter: searched
                .filter
                .values()
                .into_iter()
                .map(|(facet, values)| (facet, values.to_vec()))
                .collect(),
            corrections: searched.question.corrections.iter().map(CorrectionView::of).collect(),
            mode: match searched.mode {
                Mode::Hybrid => "hybrid",
                Mode::Dense => "dense",
                Mode::Bm25 => "bm25",
            },
            took_ms: (searched.took_ms * 100.0).round() / 100.0,
            stages: searched.stages(),
            warnings: Vec::new(),
            answer: None,
            written: None,
            results: searched.hits.iter().enumerate().map(|(at, hit)| view(at + 1, hit, searched)).collect(),
            resources: Vec::new(),
            terms: searched.question.words.iter().map(|word| word.term.clone()).collect(),
        }
    }

    /// Adds the answer. With one, the passages stay that may answer, and all that are cited; without, the nearest do.
    pub(crate) fn with_answer(mut self, answer: Option<Answer>, searched: &Searched) -> Self {
        let statement = |(at, statement): (usize, Statement)| {
            let hit = &self.results[statement.hit];
            let place = Place {
                first_line: statement.lines.first,
                last_line: statement.lines.last,
                page: searched.hits[statement.hit].document.page_of(statement.lines.first),
                ..hit.place.clone()
            };
            StatementView { citation: at + 1, text: statement.text, place, rank: hit.rank }
        };
        let view = answer.map(|answer| AnswerView {
            confidence: self.results.iter().map(|hit| hit.confidence).fold(0.0, f32::max),
            statements: answer.statements.into_iter().enumerate().map(statement).collect(),
        });
        let statements = view.iter().flat_map(|view| &view.statements).map(|statement| statement.rank);
        let read = self.written.iter().flat_map(|written| &written.sources).map(|source| source.rank);
        let cited: Vec<usize> = statements.chain(read).collect();
        let bar = if view.is_some() { searched.min_confidence } else { 0.0 };
        let shown = |hit: &HitView| hit.rank <= searched.limit && hit.confidence >= bar;
        self.results.retain(|hit| shown(hit) || cited.contains(&hit.rank));
        self.answer = Some(view);
        self
    }

    /// Adds the resources that fit.
    pub(crate) fn with_resources(mut self, resources: &[FoundResource], snapshot: &Snapshot) -> Self {
        let view = |(at, found)| ResourceView::new(at + 1, found, snapshot);
        self.resources = resources.iter().enumerate().map(view).collect();
        self
    }
}

/// Other places that are shown; JSON has them all.
const PLACES_SHOWN: usize = 4;

impl HitView {
    /// `also in a.md:3-9, b.md:1-7 and 2 more`; `None` where it stands nowhere else.
    pub(crate) fn also_in(&self) -> Option<String> {
        let shown: Vec<String> = self.also_in.iter().take(PLACES_SHOWN).map(Place::shown).collect();
        let more = self.also_in.len().saturating_sub(PLACES_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!shown.is_empty()).then(|| format!("also in {}{more}", shown.join(", ")))
    }
}

fn elsewhere(other: &Elsewhere) -> Place {
    place_of(&other.document, other.chunk.chunk.lines, &other.chunk.chunk.heading_path)
}

fn view(rank: usize, hit: &Hit, searched: &Searched) -> HitView {
    let chunk = &hit.passage.stored.chunk;
    HitView {
        rank,
        place: place_of(&hit.document, chunk.lines, &chunk.heading_path),
        title: hit.document.metadata.title.clone(),
        file: guide_text::file(&searched.snapshot, &hit.document),
        confidence: hit.confidence,
        score: hit.trace.fused.score,
        text: chunk.text.clone(),
        also_in: hit.also_in.iter().map(elsewhere).collect(),
        matched: matched(&searched.question, hit),
        explain: searched.explain.then(|| Explain::new(hit, searched, searched.explained.get(rank - 1))),
    }
}
