//! From a question to hits, and from hits to an answer.
//!
//! ```text
//! question --Question--> words, clauses --retrieve--> two Rankings --fuse--> one Ranking --confidence--> Hits --answer--> Answer
//! ```
//!
//! [`search`] is the whole of it up to the hits. Knows rankings and scores; does not know which model made a
//! vector, how an index lies on disk, nor how anything is printed.

mod query_language;
mod question;

mod day;
mod filter;

mod climb;
mod confidence;
mod distinct;
mod fit;
mod fusion;
mod ladder;
mod late;
mod rerank;
mod search;
mod shares;
mod signals;
mod spread;

mod answer;
mod draft;
mod follow_up;
mod instructions;
mod numbers;
mod opposites;
mod prompt;
mod sources;
mod support;
mod thoughts;
mod writing;

mod collection;
mod metrics;

mod derive;
mod tune;
mod way;

mod catalog;
mod resources;
mod roles;

pub use answer::{Answer, Statement, answer};
pub use catalog::{CatalogEntry, Mention, catalog};
pub use climb::{Climbed, Means, climb};
pub use collection::{Collection, CollectionDocument, CollectionError, CollectionQuery};
pub use confidence::{Evidence, FEATURES, MIN_ANSWER_CONFIDENCE, ON_THE_WAY_CONFIDENCE, confidence};
pub use derive::{Derived, LEAST_QUESTIONS, Source, derive};
pub use distinct::Elsewhere;
pub use draft::{Draft, Written};
pub use filter::{Facet, Filter, FilterError, newest};
pub use follow_up::{FOLLOW_UP_OPTIONS, Turn, follow_up_prompt, standalone};
pub use fusion::{CANDIDATES, Fused, Lean, Ranking, Weights, add_late, fuse, standing_out};
pub use ladder::{Budget, CONCLUSIVE, Climb, Conclusive, Rung, Step};
pub use late::{Asked, BestToken, TokenMatch, ask_model, embed_with_tokens};
pub use metrics::{Interval, bootstrap, mrr_at, ndcg_at, recall_at};
pub use prompt::{NOT_SAID, PROMPT, prompt};
pub use question::{Correction, MAX_BYTES, MAX_WORDS, Question, QuestionError};
pub use rerank::{RERANK_CANDIDATES, RERANK_WEIGHT, Reranked, rerank};
pub use resources::{FoundResource, OWN_WORDS, Wanted, count_serving, find_resources, kinds_asked};
pub use roles::{RoleEntry, RolePlace, find_roles, roles};
pub use search::{
    Found, Hit, Mode, Retrieved, SearchError, SearchOptions, Trace, hits, rank, rank_documents, search,
};
pub use shares::{CosineShares, TokenShare, cosine_shares};
pub use signals::{Signals, words_found};
pub use sources::{Source as NumberedSource, sources};
pub use support::{Fault, Grounds, SUPPORTED, Support, SupportSignals};
pub use tune::{Measured, Rated, Verdict};
pub use writing::{ANSWER_OPTIONS, CheckedSentence, WriteError, WritingEvent, WrittenAnswer, write};
