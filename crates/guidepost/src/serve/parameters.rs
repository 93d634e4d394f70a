//! What requests ask for.

use std::time::Duration;

use guidepost_query::{Facet, Filter, Question, Turn};
use guidepost_text::ResourceKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::failure::{Failure, Kind};
use super::library::{Library, Shelf};
use crate::cli::{ModeArg, is_budget, is_limit, is_share};
use crate::search::{Below, LIMIT, Wish};

/// A search.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchParameters {
    /// A question, or words to look for. `"a phrase"` must be there, `-word` and `-"a phrase"` must not, `title:word`,
    /// `heading:word` and `body:word` must be there.
    #[serde(alias = "query")]
    #[schemars(length(min = 1, max = 16384), example = "How do I become a data analyst?")]
    pub(super) q: String,
    /// Most passages [default: 5]; an answer adds those that it quotes.
    #[schemars(range(min = 1, max = 100))]
    pub(super) limit: Option<usize>,
    /// `hybrid`: by meaning and by words; `dense`: by meaning alone; `bm25`: by words alone [default: hybrid].
    pub(super) mode: Option<ModeArg>,
    /// The bar, from 0 to 1: for a search, to be listed [default: 0.01]; for an answer, to be quoted [default: 0.07].
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(super) min_confidence: Option<f32>,
    /// Whether to explain each score [default: false].
    #[serde(default)]
    pub(super) explain: bool,
    /// Milliseconds that the search may take [default: as long as it needs].
    #[schemars(range(min = 1, max = 60000))]
    pub(super) budget_ms: Option<u64>,
    /// Only guides with one of these tags; `town` includes `town/roof`.
    #[serde(default)]
    pub(super) tag: Vec<String>,
    /// Only guides of one of these kinds.
    #[serde(default)]
    pub(super) kind: Vec<String>,
    /// Only guides and sections about one of these roles.
    #[serde(default)]
    pub(super) role: Vec<String>,
    /// Only these files or folders, or what fits a pattern such as `*.pdf`.
    #[serde(default)]
    pub(super) path: Vec<String>,
    /// Only guides dated this day (`2026-11-21`, `2026-11` or `2026`) or later.
    #[serde(default)]
    pub(super) after: Vec<String>,
}

impl SearchParameters {
    /// A question, and nothing else said.
    pub(super) fn of(q: String) -> SearchParameters {
        SearchParameters {
            q,
            limit: None,
            mode: None,
            min_confidence: None,
            explain: false,
            budget_ms: None,
            tag: Vec::new(),
            kind: Vec::new(),
            role: Vec::new(),
            path: Vec::new(),
            after: Vec::new(),
        }
    }

    /// What is wanted of a library; its settings hold where nothing is said.
    pub(super) fn wish(
        self,
        library: &Library,
        shelf: &Shelf,
        default_confidence: f32,
        below: Below,
    ) -> Result<Wish, Failure> {
        let invalid = |message: &str| Failure::new(Kind::Validation, message);
        let settings = &library.settings;
        let limit = limit(self.limit)?;
        if self.min_confidence.is_some_and(|share| !is_share(&share)) {
            return Err(invalid("`min_confidence` must be a number from 0 to 1"));
        }
        if self.budget_ms.is_some_and(|budget| !is_budget(&budget)) {
            return Err(invalid("`budget_ms` must be a whole number from 1 to 60000"));
        }
        let budget_ms = self.budget_ms.or(library.budget_ms);
        Ok(Wish {
            question: Question::new(&self.q).map_err(anyhow::Error::from)?,
            filter: self.filter()?,
            mode: self.mode.or(settings.mode).unwrap_or(ModeArg::Hybrid).mode(),
            limit: limit.or(settings.limit).unwrap_or(LIMIT),
            min_confidence: self.min_confidence.or(settings.min_confidence).unwrap_or(default_confidence),
            below,
            explain: self.explain,
            budget: budget_ms.map(Duration::from_millis),
            weights: shelf.weights,
        })
    }

    fn filter(&self) -> Result<Filter, Failure> {
        let filter = Filter::of(|facet| match facet {
            Facet::Tag => &self.tag,
            Facet::Kind => &self.kind,
            Facet::Role => &self.role,
            Facet::Path => &self.path,
            Facet::After => &self.after,
        });
        Ok(filter.map_err(anyhow::Error::from)?)
    }
}

/// A question whose answer is to be written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteParameters {
    /// The question; it may follow from those before.
    #[schemars(length(min = 1, max = 16384), example = "And how long does that take?")]
    pub(super) q: String,
    /// What was asked and answered before, the latest last.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(super) turns: Vec<TurnParameters>,
    /// Whether to leave out sentences that the passages do not support, in place of marking them [default: false].
    #[serde(default)]
    pub(super) strict: bool,
    /// Most passages beside those that were read [default: 5].
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// `hybrid`: by meaning and by words; `dense`: by meaning alone; `bm25`: by words alone [default: hybrid].
    mode: Option<ModeArg>,
    /// The bar, from 0 to 1, that one passage has to reach [default: 0.07].
    #[schemars(range(min = 0.0, max = 1.0))]
    min_confidence: Option<f32>,
    /// Only guides with one of these tags; `town` includes `town/roof`.
    #[serde(default)]
    tag: Vec<String>,
    /// Only guides of one of these kinds.
    #[serde(default)]
    kind: Vec<String>,
    /// Only guides and sections about one of these roles.
    #[serde(default)]
    role: Vec<String>,
    /// Only these files or folders, or what fits a pattern such as `*.pdf`.
    #[serde(default)]
    path: Vec<String>,
    /// Only guides dated this day (`2026-11-21`, `2026-11` or `2026`) or later.
    #[serde(default)]
    after: Vec<String>,
}

/// Turns that a request may bring; only the latest are read.
const MOST_TURNS: usize = 100;

/// A question that was answered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TurnParameters {
    /// As it was searched.
    question: String,
    /// What was answered.
    answer: String,
}

impl WriteParameters {
    pub(super) fn turns(&self) -> Result<Vec<Turn>, Failure> {
        if self.turns.len() > MOST_TURNS {
            return Err(Failure::new(Kind::Validation, format!("`turns` may be {MOST_TURNS}, the latest")));
        }
        let turn =
            |turn: &TurnParameters| Turn { question: turn.question.clone(), answer: turn.answer.clone() };
        Ok(self.turns.iter().map(turn).collect())
    }

    /// The search that it takes.
    pub(super) fn search(self, question: String) -> SearchParameters {
        let WriteParameters { limit, mode, min_confidence, tag, kind, role, path, after, .. } = self;
        SearchParameters {
            limit,
            mode,
            min_confidence,
            tag,
            kind,
            role,
            path,
            after,
            ..SearchParameters::of(question)
        }
    }
}

/// What to list of the resources that guides name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceParameters {
    /// What they should be about; words such as `books` ask for that kind. All resources without it.
    #[serde(default, alias = "query")]
    pub(super) q: String,
    /// Only these kinds: `book`, `course`, `certification`, `project`, `tool` or `link`.
    #[serde(default)]
    #[schemars(schema_with = "resource_kinds")]
    pub(super) kind: Vec<ResourceKind>,
    /// Only what serves this role or skill.
    #[serde(rename = "for", alias = "role")]
    pub(super) serves: Option<String>,
    /// Most resources [default: 20].
    #[schemars(range(min = 1, max = 100))]
    pub(super) limit: Option<usize>,
}

impl ResourceParameters {
    pub(super) fn limit(&self) -> Result<Option<usize>, Failure> {
        limit(self.limit)
    }
}

/// Schema of a list of kinds of resources.
pub(super) fn resource_kinds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": ResourceKind::ALL.map(ResourceKind::name) } })
}

/// Two roles to be put side by side.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareParameters {
    /// A role, as `/api/roles` lists it, or enough of its words.
    #[schemars(example = "data analyst")]
    pub(super) first: String,
    /// Another role.
    #[schemars(example = "data scientist")]
    pub(super) second: String,
}

/// Lines of a guide.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetParameters {
    /// As in results: `guides/sql.md:12-20`, `guides/sql.md:12`, or `guides/sql.md` for all of it.
    #[schemars(example = "corpus/sql.md:1-9")]
    pub(super) citation: String,
}

/// A limit from 1 to 100.
fn limit(limit: Option<usize>) -> Result<Option<usize>, Failure> {
    match limit {
        Some(limit) if !is_limit(&limit) => {
            Err(Failure::new(Kind::Validation, "`limit` must be a whole number from 1 to 100"))
        }
        limit => Ok(limit),
    }
}
