//! Gate's endpoints: sale, refund, clarification and status.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ecommpay::json::{self, Limits, Value};
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

use super::codes::{self, Refusal};
use super::connection::ConnectionCutter;
use super::faults::{Answer, Kind};
use super::order::RefundOrder;
use super::records::Clarified;
use super::{Shared, flow, gate_status, php_json, records, request};

/// The endpoints.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v2/payment/bancontact/sale", post(sale))
        .route("/v2/payment/bancontact/refund", post(bancontact_refund))
        .route("/v2/payment/refund", post(any_refund))
        .route("/v2/payment/clarification", post(clarification))
        .route("/v2/payment/status", post(status))
}

/// How many requests about each payment have reached Gate, refused and lost ones included.
#[derive(Debug, Default)]
pub struct Counters(HashMap<String, Counts>);

/// Requests by kind.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Counts {
    sale: u32,
    refund: u32,
    clarification: u32,
    status: u32,
}

impl Counters {
    /// The counts of a payment, if any request has named it.
    pub fn of(&self, payment_id: &str) -> Option<Counts> {
        self.0.get(&records::key(payment_id)).copied()
    }

    fn count(&mut self, payment_id: &str, wanted: Wanted) {
        let counts = self.0.entry(records::key(payment_id)).or_default();
        let count = match wanted.kind() {
            Kind::Sale => &mut counts.sale,
            Kind::Refund => &mut counts.refund,
            Kind::Clarification => &mut counts.clarification,
            Kind::Status => &mut counts.status,
        };
        *count += 1;
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    Sale,
    Refund { with_address: bool },
    Clarification,
    Status,
}

impl Wanted {
    fn kind(self) -> Kind {
        match self {
            Wanted::Sale => Kind::Sale,
            Wanted::Refund { .. } => Kind::Refund,
            Wanted::Clarification => Kind::Clarification,
            Wanted::Status => Kind::Status,
        }
    }
}

type Client = ConnectInfo<ConnectionCutter>;

async fn sale(State(shared): State<Arc<Shared>>, client: Client, body: Bytes) -> Response {
    serve(&shared, client.0, &body, Wanted::Sale).await
}

async fn bancontact_refund(
    State(shared): State<Arc<Shared>>,
    client: Client,
    body: Bytes,
) -> Response {
    let wanted = Wanted::Refund { with_address: true };
    serve(&shared, client.0, &body, wanted).await
}

async fn any_refund(State(shared): State<Arc<Shared>>, client: Client, body: Bytes) -> Response {
    let with_address = false;
    serve(&shared, client.0, &body, Wanted::Refund { with_address }).await
}

async fn clarification(State(shared): State<Arc<Shared>>, client: Client, body: Bytes) -> Response {
    serve(&shared, client.0, &body, Wanted::Clarification).await
}

async fn status(State(shared): State<Arc<Shared>>, client: Client, body: Bytes) -> Response {
    serve(&shared, client.0, &body, Wanted::Status).await
}

async fn serve(
    shared: &Arc<Shared>,
    client: ConnectionCutter,
    body: &[u8],
    wanted: Wanted,
) -> Response {
    let Ok(message) = json::parse(body, Limits::CALLBACK) else {
        let about = About::default();
        let code = codes::INVALID_JSON.into();
        return refused(StatusCode::UNPROCESSABLE_ENTITY, code, &about);
    };
    let about = About::read(shared, &message);
    let (answer, slow) = arrive(shared, about.payment_id.as_deref(), wanted);
    if answer == Answer::Lost {
        return cut(&client);
    }
    if let Some((status, code)) = not_taken(answer) {
        return refused(status, code.into(), &about);
    }
    let response = perform(shared, &message, wanted, &about.request_id, answer)
        .unwrap_or_else(|refusal| refused(StatusCode::BAD_REQUEST, refusal, &about));
    match answer {
        Answer::NotJson => (
            [(CONTENT_TYPE, "text/html")],
            "<html><body>502 Bad Gateway</body></html>",
        )
            .into_response(),
        Answer::Slow => {
            tokio::select! {
                () = tokio::time::sleep(slow) => {}
                () = shared.stopped() => {}
            }
            response
        }
        Answer::Cut => cut(&client),
        _ => response,
    }
}

/// The refusal of a request that is not taken.
fn not_taken(answer: Answer) -> Option<(StatusCode, codes::Code)> {
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

/// Counts a request and decides how it will be answered.
fn arrive(shared: &Shared, payment_id: Option<&str>, wanted: Wanted) -> (Answer, Duration) {
    let Some(payment_id) = payment_id else {
        return (Answer::Ok, Duration::ZERO);
    };
    let mut state = shared.state();
    state.requests.count(payment_id, wanted);
    state.faults.next_answer(payment_id, wanted.kind())
}

fn perform(
    shared: &Arc<Shared>,
    message: &Value<'_>,
    wanted: Wanted,
    request_id: &str,
    answer_kind: Answer,
) -> Result<Response, Refusal> {
    let payment_id = request::admit(message, &shared.project)?;
    match wanted {
        Wanted::Status => return Ok(gate_status::answer(shared, &payment_id, answer_kind)),
        Wanted::Sale => {
            let rules = shared.state().faults.of(&payment_id).sale_rules();
            let order = request::sale(message, payment_id.clone(), &rules)?;
            let mut state = shared.state();
            let marks = state.ids.marks(request_id);
            let (operation_id, token) = (marks.operation_id, state.ids.secret());
            state.records.sale(order, token, marks)?;
            drop(state);
            flow::sale_taken(shared, payment_id.clone(), operation_id);
        }
        Wanted::Refund { with_address } => {
            let order = request::refund(message, payment_id.clone(), with_address)?;
            refund(shared, order, request_id)?;
        }
        Wanted::Clarification => {
            let rules = shared.state().faults.of(&payment_id).sale_rules();
            let data = request::clarification(message, &rules)?;
            let now = OffsetDateTime::now_utc();
            let clarified = shared.state().records.clarify(&payment_id, &data, now)?;
            match clarified {
                Clarified::SaleContinues => flow::sale_continues(shared, payment_id.clone()),
                Clarified::RefundContinues(operation_id) => {
                    flow::refund_continues(shared, payment_id.clone(), operation_id);
                }
                Clarified::PollResult(change) => {
                    flow::clarification_asked(shared, &change);
                    super::callbacks::send(shared, *change);
                }
            }
        }
    }
    let accepted = json!({
        "status": "success",
        "request_id": request_id,
        "project_id": shared.project.id,
        "payment_id": payment_id,
    });
    Ok(answer(StatusCode::OK, &accepted))
}

/// Takes a refund, from a merchant or from the Dashboard; returns its operation's number.
pub fn refund(shared: &Arc<Shared>, order: RefundOrder, request: &str) -> Result<u64, codes::Code> {
    let payment_id = order.payment_id.clone();
    let mut state = shared.state();
    let marks = state.ids.marks(request);
    let operation_id = marks.operation_id;
    state.records.refund(order, marks)?;
    drop(state);
    flow::refund_taken(shared, payment_id, operation_id);
    Ok(operation_id)
}

/// What every answer repeats of its request.
#[derive(Default)]
struct About {
    request_id: String,
    project_id: Option<u64>,
    payment_id: Option<String>,
}

impl About {
    fn read(shared: &Shared, message: &Value<'_>) -> Self {
        let payment_id = message.at(&["general", "payment_id"]);
        Self {
            request_id: shared.state().ids.long_request(),
            project_id: message
                .at(&["general", "project_id"])
                .and_then(Value::as_u64),
            payment_id: payment_id.and_then(Value::as_str).map(str::to_owned),
        }
    }
}

fn refused(status: StatusCode, refusal: Refusal, about: &About) -> Response {
    let mut body = json!({
        "status": "error",
        "code": refusal.code.number,
        "message": refusal.code.message,
    });
    if let Some(members) = body.as_object_mut() {
        if !about.request_id.is_empty() {
            members.insert("request_id".into(), about.request_id.clone().into());
        }
        if let Some(project_id) = about.project_id {
            members.insert("project_id".into(), project_id.into());
        }
        if let Some(payment_id) = &about.payment_id {
            members.insert("payment_id".into(), payment_id.clone().into());
        }
        if let Some(field) = refusal.field {
            members.insert("field".into(), field.into());
        }
        if let Some(constraint) = refusal.constraint {
            members.insert("constraint".into(), constraint.into());
        }
    }
    answer(status, &body)
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    match php_json::to_vec(body) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn cut(client: &ConnectionCutter) -> Response {
    client.cut();
    StatusCode::NO_CONTENT.into_response()
}
