//! What the functions call, behind one address: the table, the queues, the secrets and Gate.
//!
//! Plain HTTP, as encryption would only take CPU time from what is measured.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ecommpay::fields::ProjectId;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use payments::service::project_keys::{ProjectKeySet, SecretText};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::platform::Platform;
use super::queues::Queues;
use super::store::Store;
use crate::world::{KEY, PROJECT};

/// The name of the secret that holds the project keys.
pub const KEYS: &str = "project-keys";
/// The name of the secret of checkout tokens.
pub const TOKENS: &str = "token-secret";
const SALE: &str = "/v2/payment/bancontact/sale";
/// Others were faster; a function decides again, or does nothing.
const CONFLICTS: [&str; 2] = [
    "UpdateItem ConditionalCheckFailedException",
    "TransactWriteItems TransactionCanceledException",
];

/// Everything that the functions call.
pub struct Services {
    /// The table.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// The platform.
    pub platform: Platform,
    keys: String,
    calls: Mutex<Calls>,
}

/// How often what was called.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// All calls, by operation.
    pub all: BTreeMap<String, u64>,
    /// What lost against another writer, by operation and code.
    pub conflicts: BTreeMap<String, u64>,
    /// What was refused for any other reason.
    pub refused: BTreeMap<String, u64>,
}

impl Services {
    /// Services without any payment.
    ///
    /// # Errors
    ///
    /// When there is no table.
    pub fn new(queues: Queues) -> anyhow::Result<Self> {
        let mut keys = ProjectKeySet::default();
        keys.add(ProjectId::new(PROJECT)?, SecretText::read(KEY)?)?;
        Ok(Self {
            store: Store::new()?,
            queues,
            platform: Platform::default(),
            keys: keys.to_secret()?,
            calls: Mutex::default(),
        })
    }

    /// What was called so far.
    pub fn calls(&self) -> Calls {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Answers on a port of this machine until the process ends; gives the address.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn serve(self: &Arc<Self>) -> anyhow::Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let services = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let services = Arc::clone(&services);
                let answer = service_fn(move |request| {
                    let services = Arc::clone(&services);
                    async move { Ok::<_, Infallible>(services.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Ok(address)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let target = target.unwrap_or(request.uri().path()).to_owned();
        if matches!(target.as_str(), "/" | "/ping") {
            // Init opens connections; it asks for nothing.
            return Response::default();
        }
        let Ok(body) = request.into_body().collect().await else {
            return Response::default();
        };
        let body = body.to_bytes();
        let (service, operation) = target.split_once('.').unwrap_or(("", &target));
        let (status, answer) = match (service, operation) {
            ("DynamoDB_20120810", _) => self.store.call(operation, &body),
            ("AmazonSQS", "SendMessage") => (200, bytes_of(&self.queues.take(&body))),
            ("secretsmanager", "GetSecretValue") => (200, bytes_of(&self.secret(&body))),
            ("", SALE) => match self.platform.take_sale(&body) {
                Some(answer) => (200, bytes_of(&answer)),
                None => (400, b"{}".to_vec()),
            },
            _ => (404, b"{}".to_vec()),
        };
        self.count(operation, status, &answer);
        let mut response = Response::new(Full::new(answer.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        response
    }

    fn secret(&self, body: &[u8]) -> Value {
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = asked.get("SecretId").and_then(Value::as_str);
        let value = match name {
            Some(KEYS) => self.keys.clone(),
            _ => "t".repeat(64),
        };
        json!({ "Name": name, "VersionId": "1", "SecretString": value })
    }

    fn count(&self, operation: &str, status: u16, answer: &[u8]) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut calls.all, operation);
        if status == 200 {
            return;
        }
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let code = answer.get("__type").and_then(Value::as_str);
        let code = code.and_then(|code| code.rsplit('#').next());
        let what = match code {
            Some(code) => format!("{operation} {code}"),
            None => format!("{operation} {status}"),
        };
        match CONFLICTS.contains(&what.as_str()) {
            true => count(&mut calls.conflicts, &what),
            false => count(&mut calls.refused, &what),
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, what: &str) {
    match counts.get_mut(what) {
        Some(count) => *count += 1,
        None => drop(counts.insert(what.to_owned(), 1)),
    }
}

fn bytes_of(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
