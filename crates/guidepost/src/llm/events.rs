//! What servers answer with: the events of a text that is written, whole texts, lists of models, failures.

use serde::Deserialize;

/// A piece of an answer; a whole one, where the server does not stream.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Said>,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default, alias = "message")]
    delta: Delta,
    pub(super) finish_reason: Option<String>,
}

impl Choice {
    /// Its text, empty where it has none.
    pub(super) fn text(self) -> String {
        self.delta.content.unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Option<usize>,
    pub(super) completion_tokens: Option<usize>,
}

/// What a failure is told in.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Text(String),
    Message { message: String },
    Other(serde_json::Value),
}

impl Said {
    pub(super) fn text(self) -> String {
        match self {
            Said::Text(text) | Said::Message { message: text } => text,
            Said::Other(value) => value.to_string(),
        }
    }
}

/// The message of a failed request; the body itself where it has none.
pub(super) fn failure(body: &str) -> String {
    #[derive(Deserialize)]
    struct Failed {
        error: Said,
    }
    serde_json::from_str(body).map_or_else(|_| body.to_owned(), |failed: Failed| failed.error.text())
}

/// The models of a server.
#[derive(Deserialize)]
pub(super) struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

impl Models {
    pub(super) fn names(self) -> Vec<String> {
        self.data.into_iter().map(|model| model.id).collect()
    }
}
