//! Simulates AWS for tests: runs the template's tables in this process, and answers the calls to SQS and Secrets
//! Manager.
//!
//! The code under test uses the real SDK. Only the HTTP client below the SDK is replaced. The client of this crate
//! forwards DynamoDB calls to tables with the keys and indexes of `infra/template.yaml`. This client also records each
//! call, and lets calls fail.

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
/// The name of the table of endpoints.
pub const WEBHOOK_ENDPOINTS: &str = "webhook-endpoints";
/// The name of the table of deliveries to endpoints.
pub const WEBHOOK_DELIVERIES: &str = "webhook-deliveries";

/// The simulated AWS services, and a record of their calls.
#[derive(Debug, Clone)]
pub struct Wire {
    config: SdkConfig,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    calls: Vec<String>,
    tokens: Vec<String>,
    sent: Vec<Value>,
    /// The number of unanswered calls of each operation.
    running: BTreeMap<String, usize>,
    max_concurrent: BTreeMap<String, usize>,
    lost_answers: BTreeSet<String>,
    broken_queues: BTreeSet<String>,
    /// The number of waiting messages that each queue reports.
    backlog: u64,
    /// The operations whose calls get no answer.
    hanging: BTreeSet<String>,
    refusals: BTreeMap<String, VecDeque<Value>>,
    secret: Secret,
    named_secrets: BTreeMap<String, Secret>,
}

impl Wire {
    /// Starts the services with empty tables.
    pub async fn start() -> anyhow::Result<Self> {
        let tables = [
            ("Table", TABLE),
            ("StorefrontKeys", STOREFRONT_KEYS),
            ("WebhookEndpoints", WEBHOOK_ENDPOINTS),
            ("WebhookDeliveries", WEBHOOK_DELIVERIES),
        ];
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

    /// Returns the configuration for all clients.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Returns the operations called since the last [`Wire::forget`], in order. Each try of the SDK counts as a call.
    pub fn calls(&self) -> Vec<String> {
        self.record().calls.clone()
    }

    /// Returns all `ClientRequestToken` since the last [`Wire::forget`].
    pub fn tokens(&self) -> Vec<String> {
        self.record().tokens.clone()
    }

    /// Returns the most concurrent calls of an operation since the last [`Wire::forget`].
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

    /// Returns the messages that a queue accepted, in order and with repeats.
    pub fn sent(&self, queue_url: &str) -> Vec<Value> {
        self.accepted_by(queue_url, |message| {
            serde_json::from_str(message.get("MessageBody")?.as_str()?).ok()
        })
    }

    /// Returns the attributes of the messages that a queue accepted, in order and with repeats. All have the type
    /// `String`.
    pub fn sent_attributes(&self, queue_url: &str) -> Vec<BTreeMap<String, String>> {
        self.accepted_by(queue_url, |message| {
            let attributes = message.get("MessageAttributes")?.as_object()?.iter();
            let attributes = attributes.map(|(name, attribute)| {
                let value = attribute.get("StringValue")?.as_str()?;
                Some((name.clone(), value.to_owned()))
            });
            attributes.collect()
        })
    }

    fn accepted_by<T>(&self, queue_url: &str, part: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let record = self.record();
        let to_queue = record
            .sent
            .iter()
            .filter(|message| message.get("QueueUrl").and_then(Value::as_str) == Some(queue_url));
        to_queue.filter_map(part).collect()
    }

    /// Loses the answer to the next call of an operation. The call is executed.
    pub fn lose_next_answer_of(&self, operation: &str) {
        self.record().lost_answers.insert(operation.to_owned());
    }

    /// Refuses the next `times` calls of an operation with HTTP status 400 and this body, without executing them.
    pub fn refuse(&self, operation: &str, times: usize, body: &Value) {
        let mut record = self.record();
        let refusals = record.refusals.entry(operation.to_owned()).or_default();
        refusals.extend(std::iter::repeat_n(body.clone(), times));
    }

    /// Returns an attribute of each message that a queue accepted, such as `MessageGroupId`, in order.
    pub fn attributes(&self, queue_url: &str, name: &str) -> Vec<String> {
        self.accepted_by(queue_url, |message| {
            message.get(name)?.as_str().map(str::to_owned)
        })
    }

    /// Returns the delay in seconds of each message that a queue accepted, in order.
    pub fn delays(&self, queue_url: &str) -> Vec<u64> {
        self.accepted_by(queue_url, |message| message.get("DelaySeconds")?.as_u64())
    }

    /// Sets the number of waiting messages that each queue reports.
    pub fn set_backlog(&self, messages: u64) {
        self.record().backlog = messages;
    }

    /// Lets a queue refuse all further messages.
    pub fn break_queue(&self, queue_url: &str) {
        self.record().broken_queues.insert(queue_url.to_owned());
    }

    /// Lets all queues accept messages again.
    pub fn repair_queues(&self) {
        self.record().broken_queues.clear();
    }

    /// Leaves all further calls of an operation unanswered.
    pub fn hang(&self, operation: &str) {
        self.record().hanging.insert(operation.to_owned());
    }

    /// Sets the value of the default secret, which has no value at first. A name that [`Wire::set_secret_of`] has not
    /// set stands for the default secret.
    pub fn set_secret(&self, value: &str) {
        self.record().secret.set(value);
    }

    /// Sets the value of the secret with this name.
    pub fn set_secret_of(&self, name: &str, value: &str) {
        let mut record = self.record();
        let secret = record.named_secrets.entry(name.to_owned());
        secret.or_default().set(value);
    }

    /// Returns the labels of the default secret.
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
