//! One search of one generation, whoever asks for it: from what is wanted to hits, and to an answer that was checked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use guidepost_index::{DocumentRecord, Rows, ShippedGuide, Snapshot, TermShare};
use guidepost_query::{
    Answer, Budget, CatalogEntry, Climb, CosineShares, Facet, Filter, Found, FoundResource, Hit, Means, Mode,
    OWN_WORDS, Question, Rung, SearchOptions, Step, Wanted, Weights, answer, cosine_shares, find_resources,
    kinds_asked, newest, search,
};
use guidepost_text::{Embed, Lines, Rerank, ResourceKind, passage_text};

use crate::guide_text;
use crate::output::{ResourcesView, Results, StageView};

/// What is wanted.
pub(crate) struct Wish {
    pub(crate) question: Question,
    pub(crate) filter: Filter,
    pub(crate) mode: Mode,
    /// Most passages to show.
    pub(crate) limit: usize,
    pub(crate) min_confidence: f32,
    pub(crate) below: Below,
    /// Whether each score is to be explained.
    pub(crate) explain: bool,
    /// How long the search may take.
    pub(crate) budget: Option<Duration>,
    pub(crate) weights: Weights,
}

/// What becomes of hits below the confidence that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    Drop,
    /// They can still be shown as the nearest. At least so many hits are looked at, however few are shown.
    Keep {
        at_least: usize,
    },
}

/// Passages that an answer in the guides' own words is made from.
pub(crate) const ANSWER_HITS: usize = 8;

/// Most passages where nobody says otherwise.
pub(crate) const LIMIT: usize = 5;

/// `search` shows whatever is not plainly unrelated; its reader judges.
pub(crate) const MIN_SEARCH_CONFIDENCE: f32 = 0.01;

/// The models that a search has.
#[derive(Clone, Copy)]
pub(crate) struct Models<'a> {
    pub(crate) embedder: Option<&'a dyn Embed>,
    pub(crate) reranker: Option<&'a dyn Rerank>,
}

/// A question that was searched.
pub(crate) struct Searched {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) question: Question,
    pub(crate) filter: Filter,
    pub(crate) hits: Vec<Hit>,
    /// The legs that really searched.
    pub(crate) mode: Mode,
    pub(crate) min_confidence: f32,
    pub(crate) limit: usize,
    pub(crate) explain: bool,
    /// The scores of each hit taken apart; empty where they are not to be explained.
    pub(crate) explained: Vec<Explained>,
    pub(crate) took_ms: f64,
    /// How far the search went, stage by stage.
    pub(crate) steps: Vec<Step>,
    /// Whether it had a budget.
    pub(crate) budgeted: bool,
    /// Passages that the filter let through.
    pub(crate) passages: usize,
}

impl Searched {
    /// Searches.
    ///
    /// # Errors
    /// A filter that no guide knows, a model that fails, a damaged index.
    pub(crate) fn run(snapshot: Arc<Snapshot>, models: Models, wish: Wish) -> anyhow::Result<Searched> {
        let Wish { question, mut filter, mode, limit, min_confidence, below, explain, budget, weights } =
            wish;
        for (facet, value) in &question.filters {
            filter.add(*facet, value)?;
        }
        let within = filter.rows(&snapshot)?;
        let question = question.understood_by(&snapshot, models.embedder)?;
        let options = SearchOptions {
            limit: match below {
                Below::Drop => limit,
                Below::Keep { at_least } => limit.max(at_least),
            },
            mode,
            within: within.as_ref(),
            min_confidence: if below == Below::Drop { min_confidence } else { 0.0 },
            weights,
        };
        let started = Instant::now();
        let clock = || started.elapsed();
        let allowed = budget.map(|total| Budget { total, clock: &clock });
        let means = Means { embedder: models.embedder, reranker: models.reranker, budget: allowed };
        let Found { hits, steps } = search(&snapshot, means, &question, options)?;
        let took_ms = started.elapsed().as_secs_f64() * 1e3;
        let mode = if ran(&steps, Rung::Meaning) { mode } else { Mode::Bm25 };
        let model = models.embedder.filter(|_| mode != Mode::Bm25);
        let explained = if explain { take_apart(&snapshot, model, &question, &hits)? } else { Vec::new() };
        let passages = within.as_ref().map_or(snapshot.chunk_count(), Rows::len);
        snapshot.sound()?;
        Ok(Searched {
            snapshot,
            question,
            filter,
            hits,
            mode,
            min_confidence,
            limit,
            explain,
            explained,
            took_ms,
            steps,
            budgeted: budget.is_some(),
            passages,
        })
    }

    /// Stages for output; `None` without a budget.
    pub(crate) fn stages(&self) -> Option<Vec<StageView>> {
        self.budgeted.then(|| self.steps.iter().map(StageView::new).collect())
    }

    /// The stages that ran, and how long each took.
    pub(crate) fn times(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        self.steps.iter().filter_map(|step| match step.climb {
            Climb::Ran(took) => Some((step.rung.name(), took)),
            Climb::NotNeeded | Climb::NoTime(_) => None,
        })
    }

    /// That every value of the filter is known, and still no guide has all that is asked for; `None` where one has.
    pub(crate) fn nothing_fits(&self) -> Option<String> {
        if self.passages > 0 {
            return None;
        }
        let values = self.filter.values();
        let facet = |(facet, values): (&&str, &&[String])| format!("--{facet} {}", values.join(" or "));
        let asked: Vec<String> = values.iter().map(facet).collect();
        let newest = newest(&self.snapshot).filter(|_| values.contains_key(Facet::After.name()));
        let newest = newest.map(|day| format!("; the newest is of {day}")).unwrap_or_default();
        (!asked.is_empty()).then(|| format!("no guide here fits {}{newest}", asked.join(" and ")))
    }

    /// Whether any passage reaches the bar.
    pub(crate) fn may_answer(&self) -> bool {
        self.hits.iter().any(|hit| hit.confidence >= self.min_confidence)
    }

    /// The answer, every statement of which stands in its guide as the guide is now, and why others were left out; `None` where
    /// no guide answers.
    pub(crate) fn answer(&self, shipped: &[ShippedGuide]) -> (Option<Answer>, Vec<String>) {
        let found = answer(&self.snapshot, &self.question, &self.hits, self.min_confidence);
        let mut left_out = Vec::new();
        let mut now = GuidesNow::new(&self.snapshot, shipped);
        let statements = found.into_iter().flat_map(|answer| answer.statements).filter(|statement| {
            let document = &self.hits[statement.hit].document;
            let why = now.missing(document, statement.lines, &statement.text);
            left_out.extend(why.clone());
            why.is_none()
        });
        let answer = Answer { statements: statements.collect() };
        ((!answer.statements.is_empty()).then_some(answer), left_out)
    }

    /// Adds an answer to the results, what had to be left out of it, and the resources that fit it. `catalog` is asked for where
    /// there is one.
    pub(crate) fn complete<'c>(
        &self,
        results: Results,
        answer: Option<Answer>,
        left_out: Vec<String>,
        catalog: impl FnOnce() -> anyhow::Result<Cow<'c, [CatalogEntry]>>,
    ) -> anyhow::Result<Results> {
        let catalog = if answer.is_some() { catalog()? } else { Cow::default() };
        let resources = self.fitting(&catalog);
        let results = Results { warnings: left_out, ..results };
        Ok(results.with_answer(answer, self).with_resources(&resources, &self.snapshot))
    }

    /// Resources of the guides that answer, which fit the question too.
    fn fitting<'c>(&self, catalog: &'c [CatalogEntry]) -> Vec<FoundResource<'c>> {
        let (asked, left) = kinds_asked(&self.question);
        let wanted = Wanted {
            kinds: if asked.is_empty() { &KINDS } else { &asked },
            serves: None,
            question: Some((left.as_ref().unwrap_or(&self.question), &self.hits)),
            own_words: OWN_WORDS,
        };
        let answering: BTreeSet<usize> = self
            .hits
            .iter()
            .filter(|hit| hit.confidence >= self.min_confidence)
            .map(|hit| hit.passage.stored.document as usize)
            .collect();
        let mut found = find_resources(&self.snapshot, catalog, wanted);
        found.retain(|found| {
            let near = found.entry.mentions.iter().any(|mention| answering.contains(&mention.document));
            near && found.score >= FITS
        });
        found.truncate(RESOURCES);
        found
    }
}

/// Guides as they are now, each read when it is first asked for.
pub(crate) struct GuidesNow<'a> {
    snapshot: &'a Snapshot,
    shipped: &'a [ShippedGuide],
    /// By path: the text, or why there is none.
    read: BTreeMap<String, Result<String, String>>,
}

impl<'a> GuidesNow<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, shipped: &'a [ShippedGuide]) -> Self {
        GuidesNow { snapshot, shipped, read: BTreeMap::new() }
    }

    /// Why a text does not stand in its guide any more: each of its paragraphs has to.
    pub(crate) fn missing(&mut self, document: &DocumentRecord, lines: Lines, text: &str) -> Option<String> {
        let guide = self.read.entry(document.path.clone()).or_insert_with(|| {
            let guide = guide_text::read(self.snapshot, document, self.shipped);
            guide.map(|guide| guide.text()).map_err(|error| format!("{error:#}"))
        });
        let why = match guide {
            Ok(guide) => {
                let found = guide_text::lines(guide, lines);
                if found.is_some_and(|found| text.split("\n\n").all(|paragraph| found.contains(paragraph))) {
                    return None;
                }
                "it changed meanwhile"
            }
            Err(why) => why.as_str(),
        };
        Some(format!("`{}`: {why}; what it says is left out", document.path))
    }
}

/// What is wanted of the resources that guides name.
pub(crate) struct ResourceWish<'a> {
    /// What they should be about; all without it.
    pub(crate) query: &'a str,
    /// Kinds; those that the query asks for where there are none.
    pub(crate) kinds: Vec<ResourceKind>,
    /// The role or skill that they shall serve.
    pub(crate) serves: Option<&'a str>,
    /// Most to list.
    pub(crate) limit: usize,
    pub(crate) weights: Weights,
}

/// Resources that are listed where nobody says otherwise.
pub(crate) const RESOURCE_LIMIT: usize = 20;

/// Passages that a query finds to look for resources in.
const PASSAGES: usize = 50;

impl ResourceWish<'_> {
    /// Lists them, best first.
    ///
    /// # Errors
    /// A query that is none, a model that fails, a damaged index.
    pub(crate) fn run(
        &self,
        snapshot: &Snapshot,
        models: Models,
        catalog: &[CatalogEntry],
    ) -> anyhow::Result<ResourcesView> {
        let query = self.query.trim();
        let (asked, question) = match query {
            "" => (Vec::new(), None),
            query => kinds_asked(&Question::new(query)?),
        };
        let kinds = if self.kinds.is_empty() { &asked } else { &self.kinds };
        let question =
            question.map(|question| question.understood_by(snapshot, models.embedder)).transpose()?;
        let hits = match &question {
            Some(question) => {
                let options =
                    SearchOptions { weights: self.weights, ..SearchOptions::all(PASSAGES, Mode::Hybrid) };
                search(snapshot, Means::of(models.embedder), question, options)?.hits
            }
            None => Vec::new(),
        };
        let wanted = Wanted {
            kinds,
            serves: self.serves,
            question: question.as_ref().map(|question| (question, &hits[..])),
            own_words: OWN_WORDS,
        };
        let found = find_resources(snapshot, catalog, wanted);
        Ok(ResourcesView::new(query, &found, self.limit, snapshot))
    }
}

/// Most resources below an answer.
const RESOURCES: usize = 5;

/// Scores from which a resource fits.
const FITS: f32 = 0.3;

/// Kinds that are shown where the question asks for none. Tools are named everywhere.
const KINDS: [ResourceKind; 5] = [
    ResourceKind::Book,
    ResourceKind::Course,
    ResourceKind::Certification,
    ResourceKind::Project,
    ResourceKind::Link,
];

fn ran(steps: &[Step], rung: Rung) -> bool {
    steps.iter().any(|step| step.rung == rung && matches!(step.climb, Climb::Ran(_)))
}

/// A hit's scores taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Explained {
    /// BM25's, by word and field.
    pub(crate) terms: Vec<TermShare>,
    /// By token; `None` without a model, and where it does not tell.
    pub(crate) cosine: Option<CosineShares>,
}

fn take_apart(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embed>,
    question: &Question,
    hits: &[Hit],
) -> anyhow::Result<Vec<Explained>> {
    let passages: Vec<String> = hits.iter().map(|hit| passage_text(&hit.passage.stored.chunk)).collect();
    let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
    let cosines = match embedder {
        Some(embedder) => cosine_shares(embedder, &question.embedded, &passages)?,
        None => vec![None; hits.len()],
    };
    let explained = |(hit, cosine): (&Hit, Option<CosineShares>)| {
        let found = hit.trace.fused.bm25.map(|_| snapshot.bm25_shares(&question.words, hit.trace.fused.id));
        Ok(Explained { terms: found.transpose()?.unwrap_or_default(), cosine })
    };
    hits.iter().zip(cosines).map(explained).collect()
}
