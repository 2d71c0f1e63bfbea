//! For tests: the template's tables in this process, and an HTTP client that sends calls to these tables.
//!
//! The stores and functions under test use the real SDK; only the HTTP client below the SDK is replaced. The
//! replacement forwards DynamoDB calls to tables made from `infra/template.yaml`, so that the keys and indexes are
//! those of the template. It answers the calls to SQS and Secrets Manager, records every call, and fails calls on
//! request.

mod client;
mod proxy;
mod secret;
mod sqs;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;

pub use crate::proxy::CountingProxy;
use crate::secret::Secret;
pub use crate::table::{database, keys, sort_keys};

/// The name of the table of payments.
pub const TABLE: &str = "payments";
/// The name of the table of storefront keys.
pub const STOREFRONT_KEYS: &str = "storefront-keys";

/// New tables, and a record of the calls to the tables, the queues and the secrets.
#[derive(Debug, Clone)]
pub struct Wire {
    config: SdkConfig,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    calls: Vec<String>,
    /// The `ClientRequestToken` of each call that has one.
    tokens: Vec<String>,
    /// The messages that the queues accepted.
    sent: Vec<Value>,
    /// The number of unanswered calls of each operation.
    running: BTreeMap<String, usize>,
    max_concurrent: BTreeMap<String, usize>,
    /// The operations whose next answer is lost.
    lost_answers: BTreeSet<String>,
    broken_queues: BTreeSet<String>,
    /// The number of messages that wait in a queue, as the queue reports it.
    backlog: u64,
    /// The operations that are never answered.
    hanging: BTreeSet<String>,
    /// The refusals of the next calls, by operation.
    refusals: BTreeMap<String, VecDeque<Value>>,
    secret: Secret,
    named_secrets: BTreeMap<String, Secret>,
}

impl Wire {
    /// Starts with empty tables.
    ///
    /// # Errors
    ///
    /// If the tables cannot be made from the template.
    pub async fn start() -> anyhow::Result<Self> {
        let tables = [("Table", TABLE), ("StorefrontKeys", STOREFRONT_KEYS)];
        let endpoint = table::serve(&tables)
            .await
            .context("The tables cannot be created")?;
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

    /// Returns the configuration for the client of any AWS service.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Returns the operations that were called since the last [`Wire::forget`], in order. Each try of the SDK is one
    /// call.
    pub fn calls(&self) -> Vec<String> {
        self.record().calls.clone()
    }

    /// Returns the `ClientRequestToken` of each call that had one, since the last [`Wire::forget`].
    pub fn tokens(&self) -> Vec<String> {
        self.record().tokens.clone()
    }

    /// Returns the largest number of concurrent calls of an operation since the last
    /// [`Wire::forget`].
    pub fn max_concurrent(&self, operation: &str) -> usize {
        let record = self.record();
        record.max_concurrent.get(operation).copied().unwrap_or(0)
    }

    /// Clears the record of calls.
    pub fn forget(&self) {
        let mut record = self.record();
        record.calls.clear();
        record.tokens.clear();
        record.max_concurrent.clear();
    }

    /// Returns the messages that a queue accepted, in order, including repeated messages.
    pub fn sent(&self, queue_url: &str) -> Vec<Value> {
        self.accepted_by(queue_url, |message| {
            serde_json::from_str(message.get("MessageBody")?.as_str()?).ok()
        })
    }

    /// Returns a part of each message that a queue accepted, in order.
    fn accepted_by<T>(&self, queue_url: &str, part: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let record = self.record();
        let to_queue = record
            .sent
            .iter()
            .filter(|message| message.get("QueueUrl").and_then(Value::as_str) == Some(queue_url));
        to_queue.filter_map(part).collect()
    }

    /// Executes the next call of an operation, but loses the answer to this call.
    pub fn lose_next_answer_of(&self, operation: &str) {
        self.record().lost_answers.insert(operation.to_owned());
    }

    /// Refuses the next `times` calls of an operation with HTTP status 400 and this body. The tables do not see these
    /// calls.
    pub fn refuse(&self, operation: &str, times: usize, body: &Value) {
        let mut record = self.record();
        let refusals = record.refusals.entry(operation.to_owned()).or_default();
        refusals.extend(std::iter::repeat_n(body.clone(), times));
    }

    /// Returns the delays of the messages that a queue accepted, in seconds and in order.
    pub fn delays(&self, queue_url: &str) -> Vec<u64> {
        self.accepted_by(queue_url, |message| message.get("DelaySeconds")?.as_u64())
    }

    /// Sets the number of waiting messages that the queues report.
    pub fn set_backlog(&self, messages: u64) {
        self.record().backlog = messages;
    }

    /// Makes a queue refuse every message from now on.
    pub fn break_queue(&self, queue_url: &str) {
        self.record().broken_queues.insert(queue_url.to_owned());
    }

    /// Makes every queue accept messages again.
    pub fn repair_queues(&self) {
        self.record().broken_queues.clear();
    }

    /// Leaves all further calls of this operation unanswered.
    pub fn hang(&self, operation: &str) {
        self.record().hanging.insert(operation.to_owned());
    }

    /// Sets the value of the default secret. A secret whose value was not set with [`Wire::set_secret_of`] is the
    /// default secret. Initially the default secret has no value.
    pub fn set_secret(&self, value: &str) {
        self.record().secret.set(value);
    }

    /// Sets the value of the secret with this name.
    pub fn set_secret_of(&self, name: &str, value: &str) {
        let mut record = self.record();
        let secret = record.named_secrets.entry(name.to_owned());
        secret.or_default().set(value);
    }

    /// Returns the labels of the secret that [`Wire::set_secret`] sets.
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
