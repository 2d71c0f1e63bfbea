//! Items that are written all at once, or not at all.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::failed;
use payments::ports::{CommitError, StoreError};

/// DynamoDB's codes, one for each item. The item's condition does not hold:
const REFUSED: &str = "ConditionalCheckFailed";
/// another transaction is writing the item:
const BUSY: &str = "TransactionConflict";
/// nothing speaks against the item:
const FINE: &str = "None";

/// Why nothing was written.
pub(super) enum NotWritten {
    /// The condition of the last item does not hold, and all others do.
    LastRefused,
    /// Another writer was faster, or is writing at this very moment.
    Conflict,
    /// Anything else.
    Failed(StoreError),
}

impl From<NotWritten> for CommitError {
    fn from(not_written: NotWritten) -> Self {
        match not_written {
            NotWritten::LastRefused | NotWritten::Conflict => CommitError::Conflict,
            NotWritten::Failed(error) => error.into(),
        }
    }
}

/// Writes items of one or more tables.
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
        [others @ .., REFUSED] if others.iter().all(|code| *code == FINE) => {
            NotWritten::LastRefused
        }
        codes if are_of_others(codes) => NotWritten::Conflict,
        _ => NotWritten::Failed(failed(error)),
    }
}

/// Why a transaction was cancelled, for each of its items; empty if it was not.
fn codes(error: &SdkError<TransactWriteItemsError>) -> Vec<&str> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons().iter();
            reasons
                .map(|reason| reason.code().unwrap_or(FINE))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a transaction was cancelled by other writers, and by nothing else.
fn are_of_others(codes: &[&str]) -> bool {
    let by_others = |code: &&str| matches!(*code, REFUSED | BUSY);
    codes.iter().any(by_others) && codes.iter().all(|code| *code == FINE || by_others(code))
}
