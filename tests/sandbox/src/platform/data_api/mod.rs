//! Serves the Data API: a list of the completed operations, signed with the key of the token.

mod listing;
mod query;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ecommpay::ProjectKey;
use ecommpay::data_api::OperationsGet;

use super::messages::{self, Member, Object};
use super::shared::{App, Shared};
use query::{Query, Refusal};

/// A token that is as long as the platform's tokens.
pub const TOKEN: &str = "sandboxDataApiTokenNoSecret030";
/// The key that signs requests with the token.
pub const KEY: &str = "test-data-api-key";

pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route(OperationsGet::PATH, post(operations))
}

async fn operations(State(shared): App, body: Bytes) -> Response {
    let Ok(key) = ProjectKey::new(KEY) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match Query::read(&body, shared.project.id, TOKEN, &key) {
        Ok(query) => {
            let operations = listing::list(&query, shared.project.id, &shared.state());
            let list = Object::default().with("operations", Member::List(operations));
            messages::signed_json(messages::signed(list, &key))
        }
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Response {
    let body = Object::default()
        .with_some("name", refusal.status.canonical_reason())
        .with("message", refusal.message)
        .with("code", 0)
        .with("status", refusal.status.as_u16());
    messages::json(refusal.status, &body)
}
