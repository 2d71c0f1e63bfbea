//! Writes all items of a transaction or none.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use payments::ports::{CommitError, StoreError};

use super::failed;

// A cancelled transaction has one code for each item. Every code without a constant here is a failure.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
/// The condition of the item failed.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// Another transaction is writing the item.
const TRANSACTION_CONFLICT: &str = "TransactionConflict";
/// The item did not cause the cancellation.
const NONE: &str = "None";

pub(super) enum NotWritten {
    /// Only the condition of the last item failed.
    LastConditionFailed,
    /// Another writer has changed an item, or another transaction is writing an item.
    Conflict,
    Failed(StoreError),
}

impl From<NotWritten> for CommitError {
    fn from(not_written: NotWritten) -> Self {
        match not_written {
            NotWritten::LastConditionFailed | NotWritten::Conflict => CommitError::Conflict,
            NotWritten::Failed(error) => error.into(),
        }
    }
}

pub(super) async fn write(
    client: &Client,
    items: Vec<TransactWriteItem>,
) -> Result<(), NotWritten> {
    let request = client
        .transact_write_items()
        .set_transact_items(Some(items));
    let sent = Box::pin(request.send()).await;
    sent.map(|_| ()).map_err(not_written)
}

fn not_written(error: SdkError<TransactWriteItemsError>) -> NotWritten {
    match codes(&error).as_slice() {
        [others @ .., CONDITION_FAILED] if others.iter().all(|code| *code == NONE) => {
            NotWritten::LastConditionFailed
        }
        codes if is_conflict(codes) => NotWritten::Conflict,
        _ => NotWritten::Failed(failed(error)),
    }
}

/// Returns one code for each item if the transaction was cancelled. Returns no code for any other failure.
fn codes(error: &SdkError<TransactWriteItemsError>) -> Vec<&str> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons().iter();
            reasons
                .map(|reason| reason.code().unwrap_or(NONE))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Returns whether the transaction was cancelled only because of failed conditions and other transactions.
fn is_conflict(codes: &[&str]) -> bool {
    let is_conflict = |code: &&str| matches!(*code, CONDITION_FAILED | TRANSACTION_CONFLICT);
    codes.iter().any(is_conflict) && codes.iter().all(|code| *code == NONE || is_conflict(code))
}
