//! The embedding interfaces that others already speak. Both are answered by the model of the index.

mod openai;
mod tei;

use aide::axum::ApiRouter;
use axum::routing::{MethodRouter, post};
use guidepost_text::{Embed, Embedding, TextRole};
use schemars::JsonSchema;
use serde::Deserialize;

use super::failure::{Failure, Kind};
use super::http::App;
use super::library::Desk;

/// The routes of both.
pub(super) fn routes() -> ApiRouter<App> {
    openai::routes().merge(tei::routes())
}

/// Some clients of text-embeddings-inference post to the address itself.
pub(super) fn at_the_root() -> MethodRouter<App> {
    post(tei::embed)
}

/// One text or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a text or a list of texts; numbers of tokens belong to another model"
)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn list(self) -> Vec<String> {
        match self {
            Texts::One(text) => vec![text],
            Texts::Many(texts) => texts,
        }
    }
}

/// The name that the model goes by: fingerprints begin with it.
fn model_name(embedder: &dyn Embed) -> String {
    let fingerprint = embedder.fingerprint();
    fingerprint.split_once(':').map_or(fingerprint, |(name, _)| name).to_owned()
}

/// Embeds texts after it was made sure that the model takes them.
struct Batch {
    texts: Vec<String>,
    role: TextRole,
    /// Cut what is too long instead of refusing it.
    truncate: bool,
    dimensions: Option<usize>,
    most_texts: usize,
}

impl Batch {
    /// The embeddings, and the tokens of all texts.
    fn run(&self, desk: &Desk) -> Result<(Vec<Embedding>, usize), Failure> {
        let no_model = "there is no model: `guidepost models pull` fetches it, and `guidepost serve` has to be started again";
        let model = desk.asker.as_ref().ok_or_else(|| Failure::new(Kind::Backend, no_model))?;
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        if texts.is_empty() {
            return Err(Failure::new(Kind::Empty, "there is nothing to embed"));
        }
        check_count(texts.len(), self.most_texts)?;
        let has = model.dimensions();
        if let Some(wanted) = self.dimensions.filter(|wanted| *wanted != has) {
            let fixed = format!("{wanted} dimensions are wanted, and this model has {has}");
            return Err(Failure::new(Kind::Validation, fixed));
        }
        let tokens = model.count_tokens(&texts);
        let most = model.max_tokens();
        if let Some(at) = tokens.iter().position(|tokens| *tokens > most).filter(|_| !self.truncate) {
            let long = format!(
                "text {} has {} tokens, and the model takes {most}; `guidepost serve --auto-truncate` cuts such texts",
                at + 1,
                tokens[at]
            );
            return Err(Failure::new(Kind::TooLarge, long));
        }
        let embeddings = model
            .embed_behind(&texts, &tokens, self.role)
            .map_err(|error| Failure::new(Kind::Backend, error.to_string()))?;
        Ok((embeddings, tokens.iter().map(|tokens| (*tokens).min(most)).sum()))
    }
}

fn check_count(texts: usize, most: usize) -> Result<(), Failure> {
    let many = || Failure::new(Kind::TooLarge, format!("{texts} texts, and at most {most} at once"));
    if texts > most { Err(many()) } else { Ok(()) }
}
