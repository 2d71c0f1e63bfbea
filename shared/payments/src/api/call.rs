//! What every HTTP function does with a call before anything is decided.

use http::{HeaderMap, Response, header};

use crate::api::problem::Problem;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::StorefrontStore;
use crate::service::storefront;

/// The storefront that calls, or the answer that it gets instead.
pub async fn caller(
    store: &impl StorefrontStore,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<Storefront, Problem> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    Ok(storefront::authorize(store, header, scope).await?)
}

/// The answer of a handler, whichever way it ended.
pub fn respond(outcome: Result<Response<String>, Problem>) -> Response<String> {
    outcome.unwrap_or_else(Problem::into_response)
}
