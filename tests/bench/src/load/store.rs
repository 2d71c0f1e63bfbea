//! Holds the tables in memory. This module calls dynoxide directly, without an HTTP server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::settings::{STOREFRONT_KEYS, TABLE};

/// The tables of payments and of storefront keys.
pub struct Store {
    database: Database,
    calls: AtomicU64,
    nanoseconds: AtomicU64,
}

/// The answered calls, and their CPU time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    pub calls: u64,
    pub cpu: Duration,
}

impl Store {
    /// Creates empty tables.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            database: wire::database(&[(TABLE, TABLE), (STOREFRONT_KEYS, STOREFRONT_KEYS)])?,
            calls: AtomicU64::default(),
            nanoseconds: AtomicU64::default(),
        })
    }

    /// Stores a storefront key.
    pub fn put_storefront_key(&self, item: Value) -> anyhow::Result<()> {
        let request = json!({ "TableName": STOREFRONT_KEYS, "Item": item });
        self.database.put_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// Returns the status and the body of the answer.
    pub fn call(&self, operation: &str, body: &[u8]) -> (StatusCode, Vec<u8>) {
        let begin = thread_cpu();
        let answer = self.answer(operation, body);
        let took = thread_cpu().saturating_sub(begin);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(took, Ordering::Relaxed);
        match answer {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => {
                let status = StatusCode::from_u16(error.status_code());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_json().into_bytes())
            }
        }
    }

    /// Returns the work since the start.
    pub fn work(&self) -> Work {
        Work {
            calls: self.calls.load(Ordering::Relaxed),
            cpu: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }

    /// Returns the number of items in the table of payments.
    pub fn items(&self) -> anyhow::Result<u64> {
        let request = serde_json::from_value(json!({ "TableName": TABLE }))?;
        let table = serde_json::to_value(self.database.describe_table(request)?)?;
        let count = table.pointer("/Table/ItemCount");
        Ok(count.and_then(Value::as_u64).unwrap_or(0))
    }

    fn answer(&self, operation: &str, body: &[u8]) -> dynoxide::Result<Vec<u8>> {
        let database = &self.database;
        match operation {
            "GetItem" => run(body, |request| database.get_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "TransactWriteItems" => run(body, |mut request: TransactWriteItemsRequest| {
                // The token marks a call that repeats an earlier call after a lost answer. In this test, no answer is
                // lost. With the token, dynoxide would search the tokens of the last ten minutes in each call.
                request.client_request_token = None;
                database.transact_write_items(request)
            }),
            "Query" => run(body, |request| database.query(request)),
            _ => Err(DynoxideError::UnsupportedCapability(operation.to_owned())),
        }
    }
}

fn run<Request: DeserializeOwned, Answer: Serialize>(
    body: &[u8],
    call: impl FnOnce(Request) -> dynoxide::Result<Answer>,
) -> dynoxide::Result<Vec<u8>> {
    let unreadable =
        |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    let answer = call(serde_json::from_slice(body).map_err(unreadable)?)?;
    serde_json::to_vec(&answer).map_err(unreadable)
}

fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
