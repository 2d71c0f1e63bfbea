//! The payments of a function, from the variables that the template sets.

use aws_types::SdkConfig;

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
