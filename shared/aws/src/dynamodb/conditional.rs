//! Updates one item if a condition holds.

use std::future::Future;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use payments::ports::{StoreError, SystemClock};
use payments::service::backoff;

use super::attributes::Item;
use super::failed;

pub(super) enum NotUpdated {
    /// Contains the stored item, if there is one.
    ConditionFailed(Option<Item>),
    /// A transaction is writing the item.
    Busy,
    Failed(StoreError),
}

impl From<StoreError> for NotUpdated {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<NotUpdated> for StoreError {
    fn from(not_updated: NotUpdated) -> Self {
        match not_updated {
            NotUpdated::ConditionFailed(_) => {
                Self::Failed("the condition of an update failed".into())
            }
            NotUpdated::Busy => {
                Self::Failed("transactions wrote the item during each try to update it".into())
            }
            NotUpdated::Failed(error) => error,
        }
    }
}

/// Returns the attributes that the request selects with `ReturnValues`.
pub(super) async fn update(request: UpdateItemFluentBuilder) -> Result<Option<Item>, NotUpdated> {
    let request = request
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = match Box::pin(request.send()).await {
        Ok(output) => return Ok(output.attributes),
        Err(error) => error,
    };
    Err(match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            NotUpdated::ConditionFailed(refused.item().cloned())
        }
        Some(UpdateItemError::TransactionConflictException(_)) => NotUpdated::Busy,
        _ => NotUpdated::Failed(failed(error)),
    })
}

/// Repeats an update while transactions are writing the item, up to [`backoff::TRIES`] tries in total.
pub(super) async fn retry_while_busy<F>(
    try_once: impl Fn() -> F,
) -> Result<Option<Item>, NotUpdated>
where
    F: Future<Output = Result<Option<Item>, NotUpdated>>,
{
    for number in 0..backoff::TRIES {
        match try_once().await {
            Err(NotUpdated::Busy) => backoff::pause(&SystemClock, number).await,
            result => return result,
        }
    }
    Err(NotUpdated::Busy)
}
