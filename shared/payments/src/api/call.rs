//! The first and the last step of every handler: authorize the call, and answer it.
//!
//! A handler starts with [`caller`] and returns a response or a [`Problem`], to which errors convert with `?`. Its
//! route passes the result to [`respond`].

use http::{HeaderMap, Response, header};

use super::problem::Problem;
use crate::model::storefront::{Scope, Storefront};
use crate::ports::StorefrontStore;
use crate::service::storefront;

/// Returns the storefront that calls, if its key allows `scope`.
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

/// Returns the answer to a call: the response of its handler, or the problem document.
pub fn respond(handled: Result<Response<String>, Problem>) -> Response<String> {
    handled.unwrap_or_else(Problem::into_response)
}
