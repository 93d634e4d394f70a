//! The interface of text-embeddings-inference.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guidepost_model::Precision;
use guidepost_text::{Embed, Embedding, TextRole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Batch, Texts, check_count, model_name};
use crate::serve::extract::Body;
use crate::serve::failure::{Failure, FailureView, Kind, TeiFailure};
use crate::serve::http::{App, describe};
use crate::serve::library::Desk;
use crate::serve::places::THREADS;

pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route("/embed", post_with(embed, |operation| describe_tei(operation, "embed", EMBED)))
        .api_route("/rerank", post_with(rerank, |operation| describe_tei(operation, "rerank", RERANK)))
        .api_route("/info", get_with(info, |operation| describe_tei(operation, "info", INFO)))
        .api_route("/health", get_with(health, describe_health))
}

const EMBED: [&str; 2] =
    ["Embed texts", "A vector of unit length for each text, as text-embeddings-inference gives it."];
const RERANK: [&str; 2] = [
    "Score texts for a query",
    "Needs a cross-encoder: `guidepost serve --rerank NAME`. Best first; from 0 to 1, or logits with `raw_scores`.",
];
const INFO: [&str; 2] = ["Describe the model", "The model, and what a request may bring."];

fn describe_tei<'o>(operation: TransformOperation<'o>, id: &str, text: [&str; 2]) -> TransformOperation<'o> {
    describe(operation, id, text).tag("embeddings")
}

fn describe_health(operation: TransformOperation) -> TransformOperation {
    operation
        .id("health")
        .tag("embeddings")
        .summary("Whether the server is well")
        .response_with::<200, (), _>(|answer| answer.description("It can search."))
        .response_with::<403, Json<FailureView>, _>(|answer| answer.description("From another site."))
        .response_with::<503, Json<FailureView>, _>(|answer| answer.description("It is not."))
}

/// A request of text-embeddings-inference's clients.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbedRequest {
    inputs: Texts,
    /// Every vector here has unit length; `false` is refused [default: true].
    normalize: Option<bool>,
    /// Cut texts that are too long instead of refusing them [default: as the server was started, `--auto-truncate`].
    truncate: Option<bool>,
    /// Only `Right`: the end is cut off.
    truncation_direction: Option<TruncationDirection>,
    /// `query` for questions, `passage` or `document` for texts [default: texts].
    prompt_name: Option<String>,
    /// What the model has, or nothing.
    dimensions: Option<usize>,
}

/// Which end is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
enum TruncationDirection {
    #[serde(alias = "right")]
    Right,
    #[serde(alias = "left")]
    Left,
}

fn check_direction(direction: Option<TruncationDirection>) -> Result<(), Failure> {
    match direction {
        Some(TruncationDirection::Left) => Err(Failure::new(
            Kind::Validation,
            "texts are cut at their end; leave `truncation_direction` out",
        )),
        Some(TruncationDirection::Right) | None => Ok(()),
    }
}

pub(super) async fn embed(
    State(app): State<App>,
    Body(request): Body<EmbedRequest>,
) -> Result<Json<Vec<Vec<f32>>>, TeiFailure> {
    let invalid = |message: &str| Failure::new(Kind::Validation, message).into();
    if request.normalize == Some(false) {
        return Err(invalid("every vector here has unit length; leave `normalize` out"));
    }
    check_direction(request.truncation_direction)?;
    let role = match request.prompt_name.as_deref() {
        None | Some("passage" | "document") => TextRole::Passage,
        Some("query" | "question") => TextRole::Question,
        Some(other) => {
            return Err(invalid(&format!(
                "no prompt is called `{other}`. Available prompts: [`query`, `passage`]"
            )));
        }
    };
    let batch = Batch {
        texts: request.inputs.list(),
        role,
        truncate: request.truncate.unwrap_or(app.limits.auto_truncate),
        dimensions: request.dimensions,
        most_texts: app.limits.client_batch,
    };
    let (embeddings, _) = app.work_behind(move |desk| batch.run(desk)).await?;
    Ok(Json(embeddings.into_iter().map(Embedding::into_vec).collect()))
}

/// Texts to be scored for a query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RerankRequest {
    query: String,
    texts: Vec<String>,
    /// Logits instead of numbers from 0 to 1.
    #[serde(default)]
    raw_scores: bool,
    #[serde(default)]
    return_text: bool,
    /// What is too long is always cut.
    #[serde(rename = "truncate")]
    _truncate: Option<bool>,
    /// Only `Right`: the end is cut off.
    truncation_direction: Option<TruncationDirection>,
}

/// A text and its score.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Rank {
    /// Its place among the texts of the request, from 0.
    index: usize,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

async fn rerank(
    State(app): State<App>,
    Body(request): Body<RerankRequest>,
) -> Result<Json<Vec<Rank>>, TeiFailure> {
    check_direction(request.truncation_direction)?;
    if request.texts.is_empty() {
        return Err(Failure::new(Kind::Empty, "`texts` is empty").into());
    }
    check_count(request.texts.len(), app.limits.client_batch)?;
    Ok(Json(app.work_behind(move |desk| rank(desk, &request)).await?))
}

fn rank(desk: &Desk, request: &RerankRequest) -> Result<Vec<Rank>, Failure> {
    let none = "there is no reranker; start the server with `guidepost serve --rerank NAME`";
    let reranker = desk.library.reranker.as_deref().ok_or_else(|| Failure::new(Kind::Backend, none))?;
    let texts: Vec<&str> = request.texts.iter().map(String::as_str).collect();
    let scores = reranker.score(&request.query, &texts);
    let scores = scores.map_err(|error| Failure::new(Kind::Backend, error.to_string()))?;
    let shown = |logit: f32| if request.raw_scores { logit } else { 1.0 / (1.0 + (-logit).exp()) };
    let rank = |(index, (logit, text)): (usize, (f32, &String))| Rank {
        index,
        score: shown(logit),
        text: request.return_text.then(|| text.clone()),
    };
    let mut ranks: Vec<Rank> = scores.into_iter().zip(&request.texts).enumerate().map(rank).collect();
    ranks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    Ok(ranks)
}

/// The model, and what a request may bring.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Info {
    /// Empty where words alone search.
    model_id: String,
    /// All that shapes a vector.
    model_sha: Option<String>,
    /// Number format: `f32`, `fast`, `int8` or `bf16`, as `guidepost --precision` has them.
    model_dtype: String,
    model_type: ModelType,
    max_concurrent_requests: usize,
    /// In tokens; 0 where words alone search.
    max_input_length: usize,
    max_batch_tokens: usize,
    /// Not bounded but by tokens.
    max_batch_requests: Option<usize>,
    max_client_batch_size: usize,
    /// Whether texts that are too long are cut without being asked to.
    auto_truncate: bool,
    /// Threads that search, embed and tokenize for requests.
    tokenization_workers: usize,
    version: &'static str,
    /// Not known to the program.
    sha: Option<String>,
    /// There is none.
    docker_label: Option<String>,
}

/// What the model is for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ModelType {
    embedding: EmbeddingModel,
}

/// How a model makes vectors.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct EmbeddingModel {
    /// `mean` or `cls`.
    pooling: &'static str,
}

async fn info(State(app): State<App>) -> Json<Info> {
    let embedder = app.library.embedder();
    let fingerprint = embedder.map(Embed::fingerprint).unwrap_or_default();
    let pooling = if fingerprint.contains(", cls pooling") { "cls" } else { "mean" };
    let precision = Precision::of_fingerprint(fingerprint).unwrap_or(Precision::F32);
    Json(Info {
        model_id: embedder.map(model_name).unwrap_or_default(),
        model_sha: embedder.map(|_| fingerprint.to_owned()),
        model_dtype: precision.to_string(),
        model_type: ModelType { embedding: EmbeddingModel { pooling } },
        max_concurrent_requests: app.limits.requests,
        max_input_length: embedder.map_or(0, Embed::max_tokens),
        max_batch_tokens: app.limits.batch_tokens,
        max_batch_requests: None,
        max_client_batch_size: app.limits.client_batch,
        auto_truncate: app.limits.auto_truncate,
        tokenization_workers: THREADS,
        version: env!("CARGO_PKG_VERSION"),
        sha: None,
        docker_label: None,
    })
}

/// Well is who can search.
async fn health(State(app): State<App>) -> Response {
    match app.library.shelf().snapshot.sound() {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => Failure::new(Kind::Unhealthy, error.to_string()).into_response(),
    }
}
