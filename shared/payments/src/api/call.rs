//! The first and the last step of every call of the API: authorize the call, and answer the call.
//!
//! A handler starts with [`caller`] and returns a response or a [`Problem`]. Errors convert to a [`Problem`] with
//! `?`. The route passes the handler's result to [`respond`].

use http::{HeaderMap, Response, header};

use super::problem::Problem;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::StorefrontStore;
use crate::service::storefront;

/// Returns the storefront that makes the call, if the storefront's key allows `scope`.
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

/// Returns the answer to a call: the response of the handler, or the problem document.
pub fn respond(handled: Result<Response<String>, Problem>) -> Response<String> {
    handled.unwrap_or_else(Problem::into_response)
}
