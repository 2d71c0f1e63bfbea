//! The platform's Gate: answers as it is told and writes down what it was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::{Json, Router};
use ecommpay::gate::{Request, Status};
use ecommpay::{ProjectKey, signature};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A Gate on this machine.
#[derive(Debug, Clone)]
pub struct Gate {
    address: String,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug)]
struct Record {
    requests: Vec<(String, Value)>,
    answer: (StatusCode, Value),
    /// The signed answer to status requests; none: they are answered as everything else.
    status: Option<Value>,
}

impl Gate {
    /// Takes everything.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        // The name of the request in the callbacks of `tests/data`.
        let taken = json!({ "status": "success", "request_id": "7e08d48c4f5da3692b65e5426f44ed36896e569c" });
        let record = Arc::new(Mutex::new(Record {
            requests: Vec::new(),
            answer: (StatusCode::OK, taken),
            status: None,
        }));
        let gate = Self {
            address: format!("http://{}", listener.local_addr()?),
            record,
        };
        let routes = Router::new().fallback(take).with_state(gate.clone());
        tokio::spawn(async { axum::serve(listener, routes).await });
        Ok(gate)
    }

    /// Where it answers.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Refuses everything from now on, with a code.
    pub fn refuse(&self, code: &str) {
        let refusal = json!({ "status": "error", "code": code, "message": "Only for our eyes" });
        self.record().answer = (StatusCode::BAD_REQUEST, refusal);
    }

    /// Fails from now on, so that nobody can know what it has taken.
    pub fn fail(&self) {
        self.record().answer = (StatusCode::BAD_GATEWAY, Value::Null);
    }

    /// Answers status requests from now on, signed by the project 211.
    ///
    /// # Errors
    ///
    /// When the answer cannot be signed.
    pub fn answer_status(&self, mut answer: Value) -> anyhow::Result<()> {
        let key = ProjectKey::new("test-secret-key")?;
        let signature = key.sign(&signature::canonical_of(&answer)?);
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("signature".into(), json!(signature.to_base64()));
        }
        self.record().status = Some(answer);
        Ok(())
    }

    /// How many status requests it was sent.
    pub fn polls(&self) -> usize {
        let record = self.record();
        let requests = record.requests.iter();
        requests.filter(|(path, _)| path == Status::PATH).count()
    }

    /// What it was sent: path and body, in order.
    pub fn requests(&self) -> Vec<(String, Value)> {
        self.record().requests.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(gate): State<Gate>, path: Uri, body: Bytes) -> (StatusCode, Json<Value>) {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut record = gate.record();
    record.requests.push((path.path().to_owned(), body));
    if let Some(answer) = record
        .status
        .clone()
        .filter(|_| path.path() == Status::PATH)
    {
        return (StatusCode::OK, Json(answer));
    }
    let (status, answer) = record.answer.clone();
    (status, Json(answer))
}
