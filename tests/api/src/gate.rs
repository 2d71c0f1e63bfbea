//! Implements a fake Gate, which records each request and returns the answer that a test sets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::{Json, Router};
use ecommpay::gate::{Request, Status};
use ecommpay::json::{Limits, parse};
use ecommpay::{ProjectKey, signature};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// A fake Gate on a local port.
#[derive(Debug, Clone)]
pub struct Gate {
    address: String,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug)]
struct Record {
    /// The path and the body of each request.
    requests: Vec<(String, Value)>,
    answer: (StatusCode, Value),
    delay: Duration,
    /// If set, the only key whose signatures are accepted.
    key: Option<ProjectKey>,
    /// The signed answer to status requests. Without this answer, status requests receive `answer`.
    status_answer: Option<Value>,
}

impl Gate {
    /// Starts a Gate that accepts every request.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let record = Arc::new(Mutex::new(Record {
            requests: Vec::new(),
            answer: accepted(),
            delay: Duration::ZERO,
            key: None,
            status_answer: None,
        }));
        let gate = Self {
            address: format!("http://{}", listener.local_addr()?),
            record,
        };
        let routes = Router::new().fallback(handle).with_state(gate.clone());
        tokio::spawn(async { axum::serve(listener, routes).await });
        Ok(gate)
    }

    /// Returns the base URL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Accepts all later requests.
    pub fn accept(&self) {
        self.record().answer = accepted();
    }

    /// Refuses all later requests with this code.
    pub fn refuse(&self, code: &str) {
        let refusal = json!({ "status": "error", "code": code, "message": "Only for our eyes" });
        self.record().answer = (StatusCode::BAD_REQUEST, refusal);
    }

    /// Refuses later requests with the code 3261, unless this key has signed them. After this call,
    /// [`Gate::answer_status`] signs with this key.
    pub fn require_key(&self, secret: &str) -> anyhow::Result<()> {
        self.record().key = Some(ProjectKey::new(secret)?);
        Ok(())
    }

    /// Delays each later answer by this time.
    pub fn delay(&self, delay: Duration) {
        self.record().delay = delay;
    }

    /// Answers later requests with 502, so that their outcome is unknown.
    pub fn fail(&self) {
        self.record().answer = (StatusCode::BAD_GATEWAY, Value::Null);
    }

    /// Answers later status requests with `answer`, signed with the key of [`Gate::require_key`] or else with project
    /// 211's key.
    pub fn answer_status(&self, mut answer: Value) -> anyhow::Result<()> {
        let key = self.record().key.clone();
        let key = key.map_or_else(|| ProjectKey::new("test-secret-key"), Ok)?;
        let signature = key.sign(&signature::canonical_of(&answer)?);
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("signature".into(), json!(signature.to_base64()));
        }
        self.record().status_answer = Some(answer);
        Ok(())
    }

    /// Returns the number of status requests.
    pub fn polls(&self) -> usize {
        let record = self.record();
        let requests = record.requests.iter();
        requests.filter(|(path, _)| path == Status::PATH).count()
    }

    /// Returns the path and the body of each request, in order.
    pub fn requests(&self) -> Vec<(String, Value)> {
        self.record().requests.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the answer to an accepted request. It has the request id of the callbacks in `tests/data`.
fn accepted() -> (StatusCode, Value) {
    let request_id = "7e08d48c4f5da3692b65e5426f44ed36896e569c";
    let answer = json!({ "status": "success", "request_id": request_id });
    (StatusCode::OK, answer)
}

async fn handle(State(gate): State<Gate>, path: Uri, body: Bytes) -> (StatusCode, Json<Value>) {
    let delay = gate.record().delay;
    sleep(delay).await;
    answer(&gate, &path, &body)
}

fn answer(gate: &Gate, path: &Uri, body: &[u8]) -> (StatusCode, Json<Value>) {
    let is_signed = |key: &ProjectKey| {
        let message = parse(body, Limits::CALLBACK).ok();
        let signed = message.and_then(|message| {
            let signature = signature::of_message(&message)?;
            Some(key.verifies(&signature::canonical(&message), &signature))
        });
        signed.unwrap_or_default()
    };
    let mut record = gate.record();
    let is_refused = record.key.as_ref().is_some_and(|key| !is_signed(key));
    let body = serde_json::from_slice(body).unwrap_or_default();
    record.requests.push((path.path().to_owned(), body));
    let refusal = json!({ "status": "error", "code": "3261", "message": "Invalid signature" });
    let (status, answer) = match &record.status_answer {
        _ if is_refused => (StatusCode::BAD_REQUEST, refusal),
        Some(answer) if path.path() == Status::PATH => (StatusCode::OK, answer.clone()),
        _ => record.answer.clone(),
    };
    (status, Json(answer))
}
