//! An update with a condition.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use payments::ports::StoreError;

use super::failed;
use super::payment_item::Item;

/// The result of a conditional update.
pub(super) enum Written {
    /// The item is written. Holds the changed attributes before the write, if the request asked for them.
    Yes(Option<Item>),
    /// The condition does not hold. Holds the item.
    Refused(Option<Item>),
    /// A transaction is writing the item.
    Busy,
}

pub(super) async fn conditional(update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
    let request = update
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = match Box::pin(request.send()).await {
        Ok(output) => return Ok(Written::Yes(output.attributes)),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
            Ok(Written::Refused(refused.item().cloned()))
        }
        Some(UpdateItemError::TransactionConflictException(_)) => Ok(Written::Busy),
        _ => Err(failed(error)),
    }
}
