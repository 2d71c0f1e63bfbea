//! Creates the clients of DynamoDB, which repeat throttled calls (`shared/decisions/state/0040-throttled-calls.md`).

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{
    ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket,
};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_types::SdkConfig;
use payments::service::backoff;

use super::OwnUserAgent;

/// The time limit of a call, including all tries. Three tries without an answer fit into this limit.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The codes of a cancelled transaction that can succeed when it is repeated. These codes say that an item was
/// throttled, or that an earlier try of the same transaction is still running.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html>
const THROTTLED: [&str; 3] = [
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionInProgress",
];

/// Creates a client of DynamoDB, which repeats a throttled call up to [`backoff::TRIES`] tries in total.
///
/// The retry quota of the SDK is off, because all calls of an instance share it. With the quota, the instance would no
/// longer repeat calls after some hundred throttled calls.
pub fn dynamodb(config: &SdkConfig) -> Client {
    let timeouts = config.timeout_config();
    let timeouts = timeouts.map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let retries = RetryConfig::standard()
        .with_max_attempts(backoff::TRIES)
        .with_initial_backoff(backoff::FIRST_PAUSE)
        .with_max_backoff(backoff::LONGEST_PAUSE);
    let partition = RetryPartition::custom("dynamodb")
        .token_bucket(TokenBucket::unlimited())
        .build();
    let config = Builder::from(config)
        .interceptor(OwnUserAgent)
        .timeout_config(timeouts.operation_timeout(CALL_TIMEOUT).build())
        .retry_config(retries)
        .retry_partition(partition)
        .retry_classifier(CancelledTransaction);
    Client::from_conf(config.build())
}

/// Lets the SDK repeat a cancelled transaction that has a code in [`THROTTLED`]. By default, the SDK ignores these
/// codes. The repeat has the same `ClientRequestToken`, so DynamoDB recognizes the repeat.
#[derive(Debug)]
struct CancelledTransaction;

impl ClassifyRetry for CancelledTransaction {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error());
        match error.and_then(|error| error.downcast_ref()) {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                if is_throttled(
                    cancelled
                        .cancellation_reasons()
                        .iter()
                        .map(|reason| reason.code()),
                ) =>
            {
                RetryAction::throttling_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "CancelledTransaction"
    }
}

fn is_throttled<'a>(codes: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    codes
        .into_iter()
        .flatten()
        .any(|code| THROTTLED.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transaction_is_repeated_if_one_of_its_codes_says_that_a_repeat_can_succeed() {
        for (codes, expected) in [
            (vec![None, Some("ThrottlingError")], true),
            (
                vec![Some("ProvisionedThroughputExceeded"), Some("None")],
                true,
            ),
            (vec![Some("TransactionInProgress")], true),
            // The next try shows whether the condition also fails without throttling.
            (
                vec![Some("ConditionalCheckFailed"), Some("ThrottlingError")],
                true,
            ),
            (
                vec![Some("TransactionConflict"), Some("ThrottlingError")],
                true,
            ),
            (vec![Some("ConditionalCheckFailed"), Some("None")], false),
            (vec![Some("TransactionConflict")], false),
            (vec![Some("ItemCollectionSizeLimitExceeded")], false),
            (vec![Some("ValidationError"), None], false),
            (vec![], false),
        ] {
            assert_eq!(is_throttled(codes.clone()), expected, "{codes:?}");
        }
    }
}
