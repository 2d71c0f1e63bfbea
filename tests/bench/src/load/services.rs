//! Serves the table, the queues, the secrets and Gate at one address.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use super::plan::Plan;
use super::platform::Platform;
use super::queues::Queues;
use super::store::Store;
use crate::http_server::{Service, response};
use crate::scenario::STOREFRONT;
use crate::stubs::{aws, gate, is_prewarm, target};

/// The table's errors after a concurrent write. After such an error, the function loads the payment and decides again.
const CONFLICTS: [&str; 2] = [
    "UpdateItem ConditionalCheckFailedException",
    "TransactWriteItems TransactionCanceledException",
];

pub struct Services {
    pub store: Store,
    pub queues: Queues,
    pub platform: Platform,
    calls: Mutex<Calls>,
}

#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// All calls, by operation.
    pub all: BTreeMap<String, u64>,
    /// Conflicts with a concurrent write, by operation and error.
    pub conflicts: BTreeMap<String, u64>,
    /// All other errors, by operation and error.
    pub refused: BTreeMap<String, u64>,
}

impl Services {
    /// Creates the services. The tables contain only the storefront's key.
    pub fn new(queues: Queues) -> anyhow::Result<Self> {
        let store = Store::new()?;
        store.put_storefront_key(serde_json::from_str(STOREFRONT)?)?;
        Ok(Self {
            store,
            queues,
            platform: Platform::default(),
            calls: Mutex::default(),
        })
    }

    /// Returns the calls since the start.
    pub fn calls(&self) -> Calls {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Answers a call to Gate, and counts an accepted sale.
    fn gate(&self, path: &str, body: &[u8]) -> (String, Option<Value>) {
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        let (name, output) = gate::answer(path, &message);
        let payment_id = message.pointer("/general/payment_id");
        let plan = payment_id.and_then(Value::as_str).and_then(Plan::of);
        match (&output, plan) {
            (Some(_), Some(plan)) => {
                self.platform.count(plan);
                (name, output)
            }
            _ => (name, None),
        }
    }

    fn count(&self, operation: &str, status: StatusCode, output: &[u8]) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.all.entry(operation.to_owned()).or_default() += 1;
        if status == StatusCode::OK {
            return;
        }
        let output: Value = serde_json::from_slice(output).unwrap_or_default();
        let code = output.get("__type").and_then(Value::as_str);
        let code = code.and_then(|code| code.rsplit('#').next());
        let error = format!("{operation} {}", code.unwrap_or(status.as_str()));
        let errors = match CONFLICTS.contains(&error.as_str()) {
            true => &mut calls.conflicts,
            false => &mut calls.refused,
        };
        *errors.entry(error).or_default() += 1;
    }
}

impl Service for Services {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let path = head.uri.path();
        let (operation, status, output) = match target(&head) {
            Some(("DynamoDB_20120810", operation)) => {
                let (status, output) = self.store.call(operation, &body);
                (operation.to_owned(), status, output)
            }
            None if is_prewarm(path) => return response(StatusCode::OK, "{}"),
            other => {
                let (operation, output) = match other {
                    Some((_, "SendMessage")) => {
                        ("SendMessage".to_owned(), self.queues.accept(&body))
                    }
                    Some((_, operation)) => {
                        let input = serde_json::from_slice(&body).unwrap_or_default();
                        (operation.to_owned(), aws::secret(&input))
                    }
                    None => self.gate(path, &body),
                };
                let status = match output {
                    Some(_) => StatusCode::OK,
                    None => StatusCode::BAD_REQUEST,
                };
                (
                    operation,
                    status,
                    output.unwrap_or_default().to_string().into_bytes(),
                )
            }
        };
        self.count(&operation, status, &output);
        response(status, output)
    }
}
