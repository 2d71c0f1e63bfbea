//! For tests: the template's table in this process, and the wire to it.
//!
//! The stores and functions under test are the real ones, with the real SDK; only the last piece
//! is exchanged, the HTTP client. It brings DynamoDB calls to a table made from
//! `infra/template.yaml`, so that its keys and indexes cannot drift from the deployed ones,
//! answers SQS and Secrets Manager itself, writes down what was called, and fails on demand.

mod client;
mod door;
mod secret;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;

pub use crate::door::Door;
use crate::secret::Secret;
pub use crate::table::database;

/// The name of the table.
pub const TABLE: &str = "payments";

/// A table of its own, and what went over the wire to it and to the queues.
#[derive(Debug, Clone)]
pub struct Wire {
    config: SdkConfig,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    calls: Vec<String>,
    sent: Vec<Value>,
    running: BTreeMap<String, usize>,
    most_at_once: BTreeMap<String, usize>,
    lost_answers: BTreeSet<String>,
    broken_queues: BTreeSet<String>,
    hanging: BTreeSet<String>,
    secret: Secret,
    named_secrets: BTreeMap<String, Secret>,
}

impl Wire {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// When the template has no table that could be made.
    pub async fn start() -> anyhow::Result<Self> {
        let endpoint = table::serve(TABLE).await.context("There is no table")?;
        let record = Arc::<Mutex<Record>>::default();
        let config = SdkConfig::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "test", "test", None, None, "test",
            )))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(client::recording(record.clone()))
            .endpoint_url(endpoint)
            .build();
        Ok(Self { config, record })
    }

    /// The configuration for clients of any service.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The operations that were called since the last [`Wire::forget`], in their order; each
    /// attempt of the SDK counts.
    pub fn calls(&self) -> Vec<String> {
        self.record().calls.clone()
    }

    /// How many calls of an operation were on their way at once.
    pub fn most_at_once(&self, operation: &str) -> usize {
        let record = self.record();
        record.most_at_once.get(operation).copied().unwrap_or(0)
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        let mut record = self.record();
        record.calls.clear();
        record.most_at_once.clear();
    }

    /// What was sent to a queue, in its order, repeats included.
    pub fn sent(&self, queue_url: &str) -> Vec<Value> {
        let record = self.record();
        let to_it = record
            .sent
            .iter()
            .filter(|message| message.get("QueueUrl").and_then(Value::as_str) == Some(queue_url));
        to_it
            .filter_map(|message| serde_json::from_str(message.get("MessageBody")?.as_str()?).ok())
            .collect()
    }

    /// The next call of an operation is carried out, but its answer is lost.
    pub fn lose_next_answer_of(&self, operation: &str) {
        self.record().lost_answers.insert(operation.to_owned());
    }

    /// A queue refuses everything from now on.
    pub fn break_queue(&self, queue_url: &str) {
        self.record().broken_queues.insert(queue_url.to_owned());
    }

    /// No call of an operation is answered any more.
    pub fn hang(&self, operation: &str) {
        self.record().hanging.insert(operation.to_owned());
    }

    /// All queues work again.
    pub fn mend_queues(&self) {
        self.record().broken_queues.clear();
    }

    /// Puts a value into the secret that all names lead to; before, it has none.
    pub fn set_secret(&self, value: &str) {
        self.record().secret.set(value);
    }

    /// Puts a value into a secret of its own, that this name leads to.
    pub fn set_secret_of(&self, name: &str, value: &str) {
        let mut record = self.record();
        let secret = record.named_secrets.entry(name.to_owned());
        secret.or_default().set(value);
    }

    /// The labels that the secret's versions have.
    pub fn secret_labels(&self) -> Vec<String> {
        self.record().secret.labels()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }
}

fn locked(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
