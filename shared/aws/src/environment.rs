//! The adapters of a function, built from the environment variables that the template sets.

use aws_types::SdkConfig;
use futures_util::future::join_all;
use payments::Payments;
use payments::ports::SystemClock;

use crate::config::{self, ConfigError};
use crate::dynamodb::DynamoStore;
use crate::gate_http::{HttpGate, TlsError};
use crate::sdk;
use crate::secrets::{CachedProjectKeys, CachedTokenSecret, DataApiSecret};
use crate::sqs::SqsQueue;

/// Payments in DynamoDB, published to SQS.
pub type LivePayments = Payments<DynamoStore, SqsQueue, SystemClock>;

/// The environment of a function.
#[derive(Debug)]
pub struct Environment(SdkConfig);

/// A function cannot start.
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

    /// Creates the payments of `TABLE_NAME`, published to `EVENT_QUEUES`.
    pub fn payments(&self) -> Result<LivePayments, ConfigError> {
        Ok(Payments {
            store: DynamoStore::new(&self.0, config::required("TABLE_NAME")?),
            queues: SqsQueue::all(&self.0, config::event_queues()?),
            clock: SystemClock,
            schedule: config::schedule()?,
        })
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

    /// Creates the reader of the Data API's credentials in `DATA_API_TOKEN_SECRET`.
    pub fn data_api_secret(&self) -> Result<DataApiSecret, ConfigError> {
        let name = config::required("DATA_API_TOKEN_SECRET")?;
        Ok(DataApiSecret::new(&self.0, name))
    }

    /// Creates the client of Gate at `GATE_URL`.
    pub fn gate(&self) -> Result<HttpGate, EnvironmentError> {
        Ok(HttpGate::new(config::base_url("GATE_URL")?)?)
    }
}

/// Connects to the table and once for each queue; see [`crate::prewarm`].
pub async fn prewarm(payments: &LivePayments) {
    tokio::join!(payments.store.prewarm(), prewarm_queues(payments));
}

/// Connects once for each queue; see [`crate::prewarm`].
pub async fn prewarm_queues(payments: &LivePayments) {
    join_all(payments.queues.iter().map(SqsQueue::prewarm)).await;
}
