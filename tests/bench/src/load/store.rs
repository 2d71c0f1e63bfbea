//! The table: dynoxide, in this process and in memory, without the HTTP server that it also has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The table's name.
pub const TABLE: &str = "payments";

/// The table of the template.
pub struct Store {
    database: Database,
    calls: AtomicU64,
    nanoseconds: AtomicU64,
}

/// How much a store has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// Calls answered.
    pub calls: u64,
    /// CPU time that they took.
    pub cpu: Duration,
}

impl Store {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// When the template has no table that could be made.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            database: wire::database(TABLE)?,
            calls: AtomicU64::default(),
            nanoseconds: AtomicU64::default(),
        })
    }

    /// Answers a call: its status and body.
    pub fn call(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let begin = cpu_of_thread();
        let answer = self.answer(operation, body);
        let took = cpu_of_thread().saturating_sub(begin);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(took, Ordering::Relaxed);
        match answer {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json().into_bytes()),
        }
    }

    /// What was done so far.
    pub fn work(&self) -> Work {
        Work {
            calls: self.calls.load(Ordering::Relaxed),
            cpu: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }

    /// How many items there are.
    ///
    /// # Errors
    ///
    /// When there is no table.
    pub fn items(&self) -> anyhow::Result<u64> {
        let request = serde_json::from_value(json!({ "TableName": TABLE }))?;
        let table = serde_json::to_value(self.database.describe_table(request)?)?;
        let count = table.pointer("/Table/ItemCount");
        Ok(count.and_then(serde_json::Value::as_u64).unwrap_or(0))
    }

    fn answer(&self, operation: &str, body: &[u8]) -> dynoxide::Result<Vec<u8>> {
        let database = &self.database;
        match operation {
            "GetItem" => run(body, |request| database.get_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "TransactWriteItems" => run(body, |mut request: TransactWriteItemsRequest| {
                // It would look through the tokens of the last ten minutes at each call. They are for calls whose
                // answers were lost, and none is lost here.
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

fn cpu_of_thread() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
