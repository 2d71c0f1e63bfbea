//! Builds the adapters of a function from the environment variables that the template sets.

use aws_types::SdkConfig;
use futures_util::future::join_all;
use payments::Payments;
use payments::ports::SystemClock;
use payments::service::webhook::Webhooks;

use crate::config::{self, ConfigError};
use crate::delivery_queue::SqsDeliveryQueue;
use crate::dynamodb::webhooks::{WebhookDeliveries, WebhookEndpoints};
use crate::dynamodb::{DynamoStore, StorefrontKeys};
use crate::gate_http::{HttpGate, TlsError};
use crate::sdk;
use crate::secrets::{CachedProjectKeys, CachedTokenSecret, CachedWebhookSecret, DataApiSecret};
use crate::sqs::SqsQueue;
use crate::work_queue::SqsWorkQueue;

/// The payment service, with payments in DynamoDB and events published to SQS.
pub type LivePayments = Payments<DynamoStore, SqsQueue, SystemClock>;

/// The endpoints and their backlogs, in DynamoDB.
pub type LiveWebhooks = Webhooks<WebhookEndpoints, WebhookDeliveries, SystemClock>;

/// The environment of a function.
#[derive(Debug)]
pub struct Environment(SdkConfig);

/// The reason why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is missing or invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The TLS client cannot be created.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Environment {
    /// Reads the variables that Lambda sets for every function.
    pub fn load() -> Result<Self, ConfigError> {
        sdk::from_environment().map(Self)
    }

    /// Creates the payment service, with payments in the table `TABLE_NAME` and events published to `EVENT_QUEUES`.
    pub fn payments(&self) -> Result<LivePayments, ConfigError> {
        Ok(Payments {
            store: self.store()?.with_format(config::document_format()?),
            queues: SqsQueue::all(&self.0, config::event_queues()?),
            clock: SystemClock,
            schedule: config::schedule()?,
        })
    }

    /// Creates the access to the payments in the table `TABLE_NAME`.
    pub fn store(&self) -> Result<DynamoStore, ConfigError> {
        Ok(DynamoStore::new(&self.0, config::required("TABLE_NAME")?))
    }

    /// Creates the access to the tables `WEBHOOK_ENDPOINTS_TABLE` and `WEBHOOK_DELIVERIES_TABLE`.
    pub fn webhooks(&self) -> Result<LiveWebhooks, ConfigError> {
        let store = self.store()?;
        let endpoints = config::required("WEBHOOK_ENDPOINTS_TABLE")?;
        let deliveries = config::required("WEBHOOK_DELIVERIES_TABLE")?;
        Ok(Webhooks {
            endpoints: store.webhook_endpoints(endpoints, config::loopback_endpoints()?),
            deliveries: store.webhook_deliveries(deliveries),
            clock: SystemClock,
            schedule: config::webhook_schedule()?,
        })
    }

    /// Creates the client of the queue of first tries at `WEBHOOK_DELIVERY_QUEUE_URL`.
    pub fn first_tries_queue(&self) -> Result<SqsDeliveryQueue, ConfigError> {
        let url = config::required("WEBHOOK_DELIVERY_QUEUE_URL")?;
        Ok(SqsDeliveryQueue::new(&self.0, url))
    }

    /// Creates the client of the queue of retries at `WEBHOOK_RETRY_QUEUE_URL`.
    pub fn retries_queue(&self) -> Result<SqsDeliveryQueue, ConfigError> {
        let url = config::required("WEBHOOK_RETRY_QUEUE_URL")?;
        Ok(SqsDeliveryQueue::new(&self.0, url))
    }

    /// Creates the cache of the secret `WEBHOOK_SECRET`, from which the secrets of endpoints are derived.
    pub fn webhook_secret(&self) -> Result<CachedWebhookSecret, ConfigError> {
        let name = config::required("WEBHOOK_SECRET")?;
        Ok(CachedWebhookSecret::new(&self.0, name))
    }

    /// Creates the access to the storefront keys in the table `STOREFRONT_KEYS_TABLE`.
    pub fn storefront_keys(&self, payments: &LivePayments) -> Result<StorefrontKeys, ConfigError> {
        let table = config::required("STOREFRONT_KEYS_TABLE")?;
        Ok(payments.store.storefront_keys(table))
    }

    /// Creates the cache of the project keys in `PROJECT_KEYS_SECRET`.
    pub fn project_keys(&self) -> Result<CachedProjectKeys, ConfigError> {
        let name = config::required("PROJECT_KEYS_SECRET")?;
        Ok(CachedProjectKeys::new(&self.0, name))
    }

    /// Creates the cache of the token secret in `TOKEN_SECRET`.
    pub fn token_secret(&self) -> Result<CachedTokenSecret, ConfigError> {
        let name = config::required("TOKEN_SECRET")?;
        Ok(CachedTokenSecret::new(&self.0, name))
    }

    /// Creates the access to the secret `DATA_API_TOKEN_SECRET` with the credentials of the Data API.
    pub fn data_api_secret(&self) -> Result<DataApiSecret, ConfigError> {
        let name = config::required("DATA_API_TOKEN_SECRET")?;
        Ok(DataApiSecret::new(&self.0, name))
    }

    /// Creates the client of the work queue at `WORK_QUEUE_URL`.
    pub fn work_queue(&self) -> Result<SqsWorkQueue, ConfigError> {
        let url = config::required("WORK_QUEUE_URL")?;
        Ok(SqsWorkQueue::new(&self.0, url))
    }

    /// Creates the client of the queue of daily runs at `DAILY_QUEUE_URL`.
    pub fn daily_queue(&self) -> Result<SqsWorkQueue, ConfigError> {
        let url = config::required("DAILY_QUEUE_URL")?;
        Ok(SqsWorkQueue::new(&self.0, url))
    }

    /// Creates the client of Gate at `GATE_URL`.
    pub fn gate(&self) -> Result<HttpGate, EnvironmentError> {
        Ok(HttpGate::new(config::base_url("GATE_URL")?)?)
    }
}

/// Opens one connection to DynamoDB, and one connection to SQS for each queue; see [`crate::prewarm`].
pub async fn prewarm(payments: &LivePayments) {
    tokio::join!(payments.store.prewarm(), prewarm_queues(payments));
}

/// Opens one connection to SQS for each queue; see [`crate::prewarm`].
pub async fn prewarm_queues(payments: &LivePayments) {
    join_all(payments.queues.iter().map(SqsQueue::prewarm)).await;
}
