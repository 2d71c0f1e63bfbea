//! Stores payments and everything that belongs to them in one DynamoDB table
//! (`shared/decisions/state/0011-one-table.md`). The storefront keys ([`StorefrontKeys`]) and everything about
//! endpoints ([`webhooks`]) are in tables of their own.
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `payment#<project>/<id>` | `payment` | `document`: the payment as JSON, `version`, `sequence`, `published`, `commit`, `day`; see `due.rs` |
//! | `payment#<project>/<id>` | `event#<sequence>` | `kind`, `content`: the event's `data` and `time`, `expires_at` |
//! | `payment#<project>/<id>` | `day#<date>` | `day`: `<project>#<date>#<shard>`, the key of the index `day`; see `days.rs` |
//! | `checkout#<SHA-256 of token>` | `checkout` | `project_id`, `payment_id`, `attempt`, `return_url`, `expires_at` |
//! | `order#<project>/<order id>/<storefront>` | `first` | `paid_by`: the id of the first payment that paid the order |
//! | `order#<project>/<order id>/<storefront>` | `paid#<payment id>` | `paid_by`: the id of the payment |
//! | `daily#<project>` | `compared`, `reported` | `until` |
//! | `projects` | `<project>` | |
//! | `run#<project>#<run>` | `part#<hash>`, `failed#<hash>`, `closed` | `content`: the result or the error of a part, `expires_at` |
//! | `run#<project>#<run>#<shard>` | `<hash>` | `content`: digests of operations that the platform lists, `expires_at` |
//! | `wait#<slot>` | `wait` | `until`: the time at which the claim of the slot ends |

pub mod attributes;
mod checkout_tokens;
mod commit;
mod conditional;
mod days;
mod due;
mod events;
mod paid_orders;
mod partition_keys;
mod payment_item;
mod progress;
mod projects;
mod published;
mod runs;
mod storefront_keys;
mod transaction;
mod unreadable;
mod wait_slots;
pub mod webhooks;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use ecommpay::fields::ProjectId;
use payments::events::Event;
use payments::model::day::Day;
use payments::model::ids::PaymentKey;
use payments::model::timestamp::Timestamp;
use payments::model::webhook::LoopbackHosts;
use payments::model::{Format, PaidOrder};
use payments::ports::{
    Commit, CommitError, Committed, Due, Index, PaymentStore, StoreError, Stored, TokenCheckout,
};

use self::attributes::{Item, text};
pub use self::partition_keys::PartitionKeys;
use self::payment_item::{PAYMENT_SK, payment_pk, read_payment};
pub use self::storefront_keys::{KeyEntry, Revocation, StorefrontKeys};
use self::unreadable::unreadable;
use self::webhooks::{WebhookDeliveries, WebhookEndpoints};
use crate::sdk::{self, describe};

/// The maximum number of items that one query reads.
const PAGE: i32 = 100;

/// A client of the table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    format: Format,
}

impl DynamoStore {
    /// Creates a client of the table. The client stores changed payments in the current format.
    pub fn new(config: &aws_types::SdkConfig, table: impl Into<String>) -> Self {
        Self {
            client: sdk::dynamodb(config),
            table: table.into(),
            format: Format::CURRENT,
        }
    }

    /// Sets the format in which the client stores changed payments.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Creates a client of the table of storefront keys, which uses the same connections.
    pub fn storefront_keys(&self, table: impl Into<String>) -> StorefrontKeys {
        StorefrontKeys::new(self.client.clone(), table.into())
    }

    /// Creates a client of the table of endpoints, which uses the same connections.
    pub fn webhook_endpoints(
        &self,
        table: impl Into<String>,
        loopback: LoopbackHosts,
    ) -> WebhookEndpoints {
        WebhookEndpoints::new(self.client.clone(), table.into(), loopback)
    }

    /// Creates a client of the table of deliveries, which uses the same connections.
    pub fn webhook_deliveries(&self, table: impl Into<String>) -> WebhookDeliveries {
        WebhookDeliveries::new(self.client.clone(), table.into())
    }

    /// Opens a connection; see [`crate::prewarm`]. Calls `GetItem`, because every function has the permission for this
    /// call. The item does not exist.
    pub async fn prewarm(&self) {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text("nothing"))
            .key("sk", text("nothing"));
        let _ = Box::pin(request.send()).await;
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        get(&self.client, &self.table, pk, sk).await
    }
}

async fn get(
    client: &Client,
    table: &str,
    pk: String,
    sk: &str,
) -> Result<Option<Item>, StoreError> {
    let request = client
        .get_item()
        .table_name(table)
        .key("pk", text(pk))
        .key("sk", text(sk))
        .consistent_read(true);
    // Boxed, because the SDK's futures are large, and each use case holds several of them.
    let output = Box::pin(request.send()).await.map_err(failed)?;
    Ok(output.item)
}

impl PaymentStore for DynamoStore {
    async fn load(&self, key: &PaymentKey) -> Result<Option<Stored>, StoreError> {
        let item = self.get(payment_pk(key), PAYMENT_SK).await?;
        let read = item.as_ref().map(|item| read_payment(item, self.format));
        let read = read.transpose();
        read.map_err(|error| unreadable(&payment_pk(key), PAYMENT_SK, error))
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, CommitError> {
        self.write_commit(commit).await
    }

    async fn events(&self, key: &PaymentKey, from: u64, to: u64) -> Result<Vec<Event>, StoreError> {
        self.read_events(key, from, to).await
    }

    async fn mark_published(&self, key: &PaymentKey, through: u64) -> Result<u64, StoreError> {
        self.mark(key, through).await
    }

    async fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> Result<Vec<Due>, StoreError> {
        self.read_due(index, shard, due_by, after).await
    }

    async fn payments_of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        self.read_day(project_id, day, shard, after).await
    }

    fn shard(&self, key: &PaymentKey) -> u8 {
        due::shard_number(key)
    }

    async fn payments_of_order(&self, order: PaidOrder<'_>) -> Result<Vec<PaymentKey>, StoreError> {
        self.read_paid_by(order).await
    }

    async fn checkout_of_token(
        &self,
        token_hash: &str,
    ) -> Result<Option<TokenCheckout>, StoreError> {
        self.read_token(token_hash).await
    }
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError::Failed(describe(&error))
}
