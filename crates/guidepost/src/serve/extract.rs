//! What a request brings, with failures in our own shape.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum_extra::extract::Query;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::failure::{Failure, Kind};

/// Parameters in the address; one that is given several times is a list.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        // What is empty would count as left out; a question alone may be, where all that there is is asked for.
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        if let Some((name, _)) = pairs.clone().find(|(name, value)| value.is_empty() && *name != "q") {
            return Err(Failure::new(Kind::Validation, format!("`{name}` is empty")));
        }
        let Query(parameters) = Query::from_request_parts(parts, state).await?;
        Ok(Parameters(parameters))
    }
}

impl<T: JsonSchema> OperationInput for Parameters<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(ctx, operation);
    }
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Body(body))
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}
