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
use super::faults::{Answer, Kind};
use super::payment::{Marks, RefundOrder};
use super::wire::Scissors;
use super::{Shared, books, flow, messages, php_json, request};

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
        self.0.get(&books::key(payment_id)).copied()
    }

    fn count(&mut self, payment_id: &str, wanted: Wanted) {
        let counts = self.0.entry(books::key(payment_id)).or_default();
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

type Client = ConnectInfo<Scissors>;

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

async fn serve(shared: &Arc<Shared>, client: Scissors, body: &[u8], wanted: Wanted) -> Response {
    let Ok(message) = json::parse(body, Limits::CALLBACK) else {
        let about = About::default();
        let code = codes::INVALID_JSON.into();
        return refused(StatusCode::UNPROCESSABLE_ENTITY, code, &about);
    };
    let about = About::read(shared, &message);
    let (answer, slow) = arrive(shared, about.payment_id.as_deref(), wanted);
    let not_taken = |status, code: codes::Code| refused(status, code.into(), &about);
    match answer {
        Answer::Lost => return cut(&client),
        Answer::Error500 => return not_taken(StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL),
        Answer::Error400 => return not_taken(StatusCode::BAD_REQUEST, codes::VALIDATION),
        Answer::Error3041 => return not_taken(StatusCode::BAD_REQUEST, codes::PAYMENT_EXISTS),
        Answer::Ok | Answer::NotJson | Answer::Slow | Answer::Cut => {}
    }
    let response = perform(shared, &message, wanted, &about.request_id)
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

/// Counts a request and tells how it will be answered.
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
) -> Result<Response, Refusal> {
    let payment_id = request::admit(message, &shared.project)?;
    match wanted {
        Wanted::Status => return Ok(status_answer(shared, &payment_id)),
        Wanted::Sale => {
            let order = request::sale(message, payment_id.clone())?;
            let mut state = shared.state();
            let marks = marks(&mut state.ids, request_id);
            let (operation_id, token) = (marks.operation_id, state.ids.secret());
            state.books.sale(order, token, marks)?;
            drop(state);
            flow::sale_taken(shared, payment_id.clone(), operation_id);
        }
        Wanted::Refund { with_address } => {
            let order = request::refund(message, payment_id.clone(), with_address)?;
            refund(shared, order, request_id)?;
        }
        Wanted::Clarification => {
            let customer = request::clarification(message)?;
            let now = OffsetDateTime::now_utc();
            let news = shared.state().books.clarify(&payment_id, &customer, now)?;
            match news {
                None => flow::sale_continues(shared, payment_id.clone()),
                Some(news) => {
                    let round = news.payment.round;
                    flow::clarification_asked(shared, payment_id.clone(), round);
                    super::callbacks::announce(shared, news);
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

/// Takes a refund, from a merchant or from the Dashboard; gives its operation's number.
pub fn refund(shared: &Arc<Shared>, order: RefundOrder, request: &str) -> Result<u64, codes::Code> {
    let payment_id = order.payment_id.clone();
    let mut state = shared.state();
    let marks = marks(&mut state.ids, request);
    let operation_id = marks.operation_id;
    state.books.refund(order, marks)?;
    drop(state);
    flow::refund_taken(shared, payment_id, operation_id);
    Ok(operation_id)
}

fn marks(ids: &mut super::ids::Ids, request_id: &str) -> Marks {
    Marks {
        operation_id: ids.operation(),
        request_id: request_id.to_owned(),
        now: OffsetDateTime::now_utc(),
    }
}

fn status_answer(shared: &Shared, payment_id: &str) -> Response {
    let state = shared.state();
    let body = match state.books.payment(payment_id) {
        Some(payment) => messages::status(&shared.project, payment),
        None => messages::status_unknown(&shared.project, payment_id),
    };
    match body {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
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
    }
    answer(status, &body)
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    match php_json::to_vec(body) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn cut(client: &Scissors) -> Response {
    client.cut();
    StatusCode::NO_CONTENT.into_response()
}
