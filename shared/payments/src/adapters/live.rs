//! The payments of a function, from the variables that the template sets.

use aws_types::SdkConfig;
use futures_util::future::join_all;

use super::dynamodb::DynamoStore;
use super::sqs::SqsQueue;
use crate::Payments;
use crate::config::{self, ConfigError};
use crate::ports::SystemClock;

/// Payments in DynamoDB, announced on SQS.
pub type LivePayments = Payments<DynamoStore, SqsQueue, SystemClock>;

/// The payments of `TABLE_NAME`, announced on `EVENT_QUEUES`.
pub fn payments(aws: &SdkConfig) -> Result<LivePayments, ConfigError> {
    Ok(Payments {
        store: DynamoStore::new(aws, config::required("TABLE_NAME")?),
        queues: SqsQueue::all(aws, config::event_queues()?),
        clock: SystemClock,
        schedule: config::schedule()?,
    })
}

impl LivePayments {
    /// Opens a connection to the table and one for each queue; see [`super::opening`].
    pub async fn open(&self) {
        tokio::join!(self.store.open(), self.open_queues());
    }

    async fn open_queues(&self) {
        join_all(self.queues.iter().map(SqsQueue::open)).await;
    }
}
