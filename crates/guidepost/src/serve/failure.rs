//! What goes wrong, in the shapes that clients expect.

use std::time::Duration;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ResponseDoc};
use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::QueryRejection;
use guidepost_query::{FilterError, QuestionError, SearchError, WriteError};
use guidepost_text::{EmbedError, GenerateError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::guide_text::CitationError;
use crate::writing::NoRoom;

/// Why a request has no result.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) message: String,
}

/// What kind of failure it is; each has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) enum Kind {
    /// 400: the request cannot be understood, or asks for what there is none of.
    Validation,
    /// 400: nothing to embed or to rank.
    Empty,
    /// 401: the key is missing or wrong.
    Unauthorized,
    /// 403: from another site.
    Forbidden,
    /// 404: no such guide, role or address.
    NotFound,
    /// 405: not with this method.
    Method,
    /// 408: the request did not arrive in time.
    Slow,
    /// 413: more than the server takes at once.
    TooLarge,
    /// 415: not JSON.
    MediaType,
    /// 424: the model failed, or there is none.
    Backend,
    /// 429: too many requests at once; `Retry-After` says when to come again.
    Overloaded,
    /// 500: the index is damaged, or something that should not happen.
    Internal,
    /// 503: it took too long, or the server is about to end.
    Unhealthy,
}

impl Kind {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Kind::Validation | Kind::Empty => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Slow => StatusCode::REQUEST_TIMEOUT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Backend => StatusCode::FAILED_DEPENDENCY,
            Kind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// How soon an overloaded server may be asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Failure {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into() }
    }

    pub(super) fn overloaded() -> Failure {
        Failure::new(Kind::Overloaded, "too many requests at once; try again in a second")
    }

    /// The response, with what its status asks for beside the body.
    fn respond(&self, body: impl Serialize) -> Response {
        let mut response = (self.kind.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        match self.kind {
            Kind::Overloaded => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
            }
            Kind::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// A failure in the shape that clients of this address expect.
pub(super) fn respond_at(path: &str, failure: Failure) -> Response {
    match path {
        "/embed" | "/rerank" | "/info" | "/health" => TeiFailure(failure).into_response(),
        path if path.starts_with("/v1/") => OpenAiFailure(failure).into_response(),
        _ => failure.into_response(),
    }
}

/// A failure, as Guidepost's own interface tells it, and text-embeddings-inference's.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct FailureView {
    /// In words, for people.
    pub(super) error: String,
    pub(super) error_type: Kind,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.respond(FailureView { error: self.message.clone(), error_type: self.kind })
    }
}

impl OperationOutput for Failure {
    type Inner = FailureView;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ResponseDoc> {
        Json::<FailureView>::operation_response(ctx, operation)
    }
}

/// A failure, as text-embeddings-inference tells it: to its clients, what is too large is invalid.
#[derive(Debug)]
pub(super) struct TeiFailure(pub(super) Failure);

impl IntoResponse for TeiFailure {
    fn into_response(self) -> Response {
        let kind = match self.0.kind {
            Kind::TooLarge => Kind::Validation,
            kind => kind,
        };
        self.0.respond(FailureView { error: self.0.message.clone(), error_type: kind })
    }
}

impl OperationOutput for TeiFailure {
    type Inner = FailureView;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ResponseDoc> {
        Json::<FailureView>::operation_response(ctx, operation)
    }
}

impl From<Failure> for TeiFailure {
    fn from(failure: Failure) -> Self {
        TeiFailure(failure)
    }
}

/// A failure, as OpenAI's interface tells it.
#[derive(Debug)]
pub(super) struct OpenAiFailure(pub(super) Failure);

/// The body of [`OpenAiFailure`].
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct OpenAiFailureView {
    error: OpenAiError,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct OpenAiError {
    /// In words, for people.
    message: String,
    /// `invalid_request_error`, `authentication_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Always `null`: no parameter is named.
    param: Option<String>,
    code: Option<&'static str>,
}

impl IntoResponse for OpenAiFailure {
    fn into_response(self) -> Response {
        let (kind, code) = match self.0.kind {
            Kind::Unauthorized => ("authentication_error", Some("invalid_api_key")),
            Kind::Overloaded => ("rate_limit_error", Some("rate_limit_exceeded")),
            Kind::Backend => ("server_error", None),
            _ if self.0.kind.status().is_server_error() => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        let error = OpenAiError { message: self.0.message.clone(), kind, param: None, code };
        self.0.respond(OpenAiFailureView { error })
    }
}

impl OperationOutput for OpenAiFailure {
    type Inner = OpenAiFailureView;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ResponseDoc> {
        Json::<OpenAiFailureView>::operation_response(ctx, operation)
    }
}

impl From<Failure> for OpenAiFailure {
    fn from(failure: Failure) -> Self {
        OpenAiFailure(failure)
    }
}

impl From<anyhow::Error> for Failure {
    /// What the reader can mend is told apart from what the server has to.
    fn from(error: anyhow::Error) -> Self {
        let asked_wrong = error.is::<QuestionError>()
            || error.is::<FilterError>()
            || matches!(error.downcast_ref(), Some(SearchError::NoVectors));
        let model = error.is::<EmbedError>()
            || error.is::<WriteError>()
            || error.is::<GenerateError>()
            || error.is::<NoRoom>()
            || matches!(error.downcast_ref(), Some(SearchError::Embed(_) | SearchError::Rerank(_)));
        let kind = match () {
            () if asked_wrong => Kind::Validation,
            () if model => Kind::Backend,
            () => Kind::Internal,
        };
        Failure::new(kind, format!("{error:#}"))
    }
}

impl From<CitationError> for Failure {
    fn from(error: CitationError) -> Self {
        let kind = match error {
            CitationError::Malformed(_) | CitationError::NoLines { .. } => Kind::Validation,
            // A guide that is gone, or became a link, since it was indexed.
            CitationError::NoGuide(_) | CitationError::Unreadable(_) => Kind::NotFound,
        };
        Failure::new(kind, format!("{error:#}"))
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Failure::new(Kind::Validation, rejection.body_text())
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match &rejection {
            JsonRejection::MissingJsonContentType(_) => Kind::MediaType,
            JsonRejection::BytesRejection(rejection) => kind_of_bytes(rejection),
            _ => Kind::Validation,
        };
        Failure::new(kind, rejection.body_text())
    }
}

/// A body that is too long, or that never came to its end.
fn kind_of_bytes(rejection: &BytesRejection) -> Kind {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        _ => Kind::Slow,
    }
}
