//! Serves Gate's endpoints: sale, refund, clarification and status.

pub mod connection;
pub mod counters;
pub mod customer_rules;
mod perform;
mod refusal;
mod request;
mod status;
mod validation;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

pub use perform::refund;

use super::faults::{Answer, RequestKind};
use super::messages::codes::{self, Code};
use super::messages::{self, Object};
use super::shared::{App, Shared};
use connection::ConnectionCutter;
use refusal::Refusal;
use request::GateRequest;

#[derive(Clone, Copy)]
struct Endpoint {
    path: &'static str,
    kind: RequestKind,
    requires_ip_address: bool,
}

const fn endpoint(path: &'static str, kind: RequestKind, requires_ip_address: bool) -> Endpoint {
    Endpoint {
        path,
        kind,
        requires_ip_address,
    }
}

const ENDPOINTS: [Endpoint; 5] = [
    endpoint("/v2/payment/bancontact/sale", RequestKind::Sale, true),
    endpoint("/v2/payment/bancontact/refund", RequestKind::Refund, true),
    endpoint("/v2/payment/refund", RequestKind::Refund, false),
    endpoint(
        "/v2/payment/clarification",
        RequestKind::Clarification,
        false,
    ),
    endpoint("/v2/payment/status", RequestKind::Status, false),
];

type Client = ConnectInfo<ConnectionCutter>;

/// Returns the routes of all endpoints.
pub fn routes() -> Router<Arc<Shared>> {
    let mut routes = Router::new();
    for endpoint in ENDPOINTS {
        let handler = move |State(shared): App, ConnectInfo(client): Client, body: Bytes| async move {
            serve(&shared, &client, &body, endpoint).await
        };
        routes = routes.route(endpoint.path, post(handler));
    }
    routes
}

async fn serve(
    shared: &Arc<Shared>,
    client: &ConnectionCutter,
    body: &[u8],
    endpoint: Endpoint,
) -> Response {
    let Some(request) = GateRequest::read(body) else {
        let code = codes::INVALID_JSON;
        return refused(StatusCode::UNPROCESSABLE_ENTITY, code.into(), None);
    };
    let request_id = request_id(shared, &request, endpoint.kind);
    let refused = |status, refusal| refused(status, refusal, Some((&request, &request_id)));
    let (answer, delay) = count(shared, &request, endpoint.kind);
    if answer == Answer::Lost {
        return cut(client);
    }
    if let Some((status, code)) = refusal_of(answer) {
        return refused(status, code.into());
    }
    let response = carry_out(shared, &request, endpoint, &request_id, answer)
        .unwrap_or_else(|refusal| refused(StatusCode::BAD_REQUEST, refusal));
    match answer {
        Answer::NotJson => Html("<html><body>502 Bad Gateway</body></html>").into_response(),
        Answer::Slow => {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = shared.stopped() => {}
            }
            response
        }
        Answer::Cut => cut(client),
        _ => response,
    }
}

/// Returns the id that the platform gives to a request.
fn request_id(shared: &Shared, request: &GateRequest, kind: RequestKind) -> String {
    let mut state = shared.state();
    let payment_id = request.value("general.payment_id").and_then(Value::as_str);
    let chosen = match (kind, payment_id) {
        (RequestKind::Sale, Some(payment_id)) => {
            state.faults.of(payment_id).sale_request_id.clone()
        }
        _ => None,
    };
    chosen.unwrap_or_else(|| state.ids.gate_request())
}

/// Counts a request. Returns how Gate answers the request, and the delay of a slow answer. A request without a payment
/// id is not counted, and the switch `answer` does not apply to the request.
fn count(shared: &Shared, request: &GateRequest, kind: RequestKind) -> (Answer, Duration) {
    let Some(payment_id) = request.value("general.payment_id").and_then(Value::as_str) else {
        return (Answer::Ok, Duration::ZERO);
    };
    let mut state = shared.state();
    state.requests.count(payment_id, kind);
    state.faults.next_answer(payment_id, kind)
}

/// Returns the refusal that the switch `answer` demands. Returns `None` if the value of the switch is no refusal.
fn refusal_of(answer: Answer) -> Option<(StatusCode, Code)> {
    match answer {
        Answer::Error500 => Some((StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL)),
        Answer::Error400 => Some((StatusCode::BAD_REQUEST, codes::VALIDATION)),
        Answer::Error3041 => Some((StatusCode::BAD_REQUEST, codes::PAYMENT_EXISTS)),
        Answer::Error403 => Some((StatusCode::FORBIDDEN, codes::ACCESS_DENIED)),
        Answer::Error404 => Some((StatusCode::NOT_FOUND, codes::PROJECT_UNKNOWN)),
        Answer::Error422 => Some((StatusCode::UNPROCESSABLE_ENTITY, codes::INVALID_JSON)),
        _ => None,
    }
}

fn carry_out(
    shared: &Arc<Shared>,
    request: &GateRequest,
    endpoint: Endpoint,
    request_id: &str,
    answer: Answer,
) -> Result<Response, Refusal> {
    let payment_id = validation::payment_id(request, &shared.project)?;
    match endpoint.kind {
        RequestKind::Status => return Ok(status::answer(shared, &payment_id, answer)),
        RequestKind::Sale => perform::sale(shared, request, &payment_id, request_id)?,
        RequestKind::Clarification => perform::clarification(shared, request, &payment_id)?,
        RequestKind::Refund => {
            let requires_ip_address = endpoint.requires_ip_address;
            let order = validation::refund(request, requires_ip_address)?;
            let stamp = shared.state().ids.stamp_of(request_id);
            perform::refund(shared, &payment_id, order, stamp)?;
        }
    }
    let accepted = Object::default()
        .with("status", "success")
        .with("request_id", request_id)
        .with("project_id", shared.project.id)
        .with("payment_id", payment_id);
    Ok(messages::json(StatusCode::OK, &accepted))
}

fn refused(
    status: StatusCode,
    refusal: Refusal,
    request: Option<(&GateRequest, &str)>,
) -> Response {
    let value = |path| {
        request
            .and_then(|(request, _)| request.value(path))
            .cloned()
    };
    let body = Object::default()
        .with("status", "error")
        .with("code", refusal.code.number)
        .with("message", refusal.code.message)
        .with_some("request_id", request.map(|(_, id)| id))
        .with_some(
            "project_id",
            value("general.project_id").filter(Value::is_u64),
        )
        .with_some(
            "payment_id",
            value("general.payment_id").filter(Value::is_string),
        )
        .with_some("field", refusal.field)
        .with_some("constraint", refusal.constraint);
    messages::json(status, &body)
}

fn cut(client: &ConnectionCutter) -> Response {
    client.cut();
    StatusCode::NO_CONTENT.into_response()
}
