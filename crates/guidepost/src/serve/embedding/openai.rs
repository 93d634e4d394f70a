//! The interface of OpenAI's embeddings. Its clients name a model; whichever they name, the one that is served answers.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guidepost_text::{Embedding, TextRole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, Texts, model_name};
use crate::serve::extract::Body;
use crate::serve::failure::{Failure, Kind, OpenAiFailure, OpenAiFailureView};
use crate::serve::http::{App, describe_with};

pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/embeddings",
            post_with(embeddings, |operation| {
                describe_with::<OpenAiFailureView>(operation, "embeddings", EMBEDDINGS).tag("embeddings")
            }),
        )
        .api_route(
            "/v1/models",
            get_with(models, |operation| {
                describe_with::<OpenAiFailureView>(operation, "models", MODELS).tag("embeddings")
            }),
        )
}

const EMBEDDINGS: [&str; 2] = [
    "Embed texts, for OpenAI's clients",
    "A vector of unit length for each text. Whichever model is named, the one that is served answers.",
];
const MODELS: [&str; 2] = ["List models", "The one that there is, as OpenAI's interface lists it."];

/// A request of OpenAI's clients.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EmbeddingRequest {
    /// Texts; lists of token numbers are not taken, since they belong to another model's tokenizer.
    input: Texts,
    /// Any.
    #[serde(rename = "model")]
    _model: Option<String>,
    encoding_format: Option<Encoding>,
    /// What the model has, or nothing.
    dimensions: Option<usize>,
    /// Any.
    #[serde(rename = "user")]
    _user: Option<String>,
}

/// How vectors are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    /// As numbers.
    #[default]
    Float,
    /// As the bytes of 32-bit numbers, little-endian.
    Base64,
}

/// Embeddings, as OpenAI's clients read them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct EmbeddingResponse {
    object: &'static str,
    data: Vec<EmbeddingView>,
    model: String,
    usage: Usage,
}

/// One of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct EmbeddingView {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

/// A vector as numbers, or as base64.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

/// Tokens that were read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// Most texts of a request of OpenAI's clients, as OpenAI has it.
const MOST_TEXTS: usize = 2048;

async fn embeddings(
    State(app): State<App>,
    body: Result<Body<EmbeddingRequest>, Failure>,
) -> Result<Json<EmbeddingResponse>, OpenAiFailure> {
    let Body(request) = body?;
    let encoding = request.encoding_format.unwrap_or_default();
    let batch = Batch {
        texts: request.input.list(),
        role: TextRole::Passage,
        truncate: app.limits.auto_truncate,
        dimensions: request.dimensions,
        most_texts: MOST_TEXTS,
    };
    let answered = app.work_behind(move |desk| {
        // OpenAI calls a text that is too long a bad request.
        let (embeddings, tokens) = batch.run(desk).map_err(|failure| match failure.kind {
            Kind::TooLarge => Failure { kind: Kind::Validation, ..failure },
            _ => failure,
        })?;
        let embedder = desk.library.embedder();
        let data = embeddings.into_iter().enumerate().map(|(index, embedding)| EmbeddingView {
            object: "embedding",
            index,
            embedding: match encoding {
                Encoding::Float => Vector::Numbers(embedding.into_vec()),
                Encoding::Base64 => Vector::Base64(STANDARD.encode(bytes(&embedding))),
            },
        });
        Ok(EmbeddingResponse {
            object: "list",
            data: data.collect(),
            model: embedder.map(model_name).unwrap_or_default(),
            usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
        })
    });
    Ok(Json(answered.await?))
}

fn bytes(embedding: &Embedding) -> Vec<u8> {
    embedding.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Models, as OpenAI's clients read them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Models {
    object: &'static str,
    data: Vec<ModelView>,
}

/// One of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ModelView {
    id: String,
    object: &'static str,
    /// Seconds since 1970; not known.
    created: u64,
    owned_by: &'static str,
}

async fn models(State(app): State<App>) -> Json<Models> {
    let model =
        |embedder| ModelView { id: model_name(embedder), object: "model", created: 0, owned_by: "guidepost" };
    let data = app.library.embedder().map(model).into_iter().collect();
    Json(Models { object: "list", data })
}
