//! Contains the code that the end-to-end tests share: the system under test, a storefront, a shopper, the simulated
//! platform, and readers of queues and logs.
//!
//! This code calls a running sandbox from outside. A function returns an error if a service does not answer, answers
//! with an unexpected status, or does not reach the expected state within [`TIMEOUT`].

// The code indexes JSON values. This cannot panic, because a missing field is null.
#![allow(clippy::indexing_slicing)]

pub mod aws_call;
pub mod endpoint;
pub mod lambda;
pub mod logs;
pub mod permissions;
pub mod queue;
pub mod shopper;
pub mod simulator;
pub mod storefront;
pub mod system;
pub mod walk;

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use aws::sdk;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use sandbox::Ready;
use sandbox::local_aws::CREDENTIALS;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// The time limit of each wait. It is long, because machines can be slow.
pub const TIMEOUT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Polls until there is a value. `what` names this value in the error.
pub async fn eventually<T>(
    what: &str,
    mut poll: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + TIMEOUT;
    while Instant::now() < end {
        if let Some(value) = poll().await? {
            return Ok(value);
        }
        sleep(POLL_INTERVAL).await;
    }
    bail!("{what}: timeout after {} s", TIMEOUT.as_secs())
}

/// Reads a value until `matches` accepts it. The error shows the last value.
pub async fn until_matching(
    what: &str,
    mut read: impl AsyncFnMut() -> anyhow::Result<Value>,
    matches: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let matching = eventually(what, async || {
        last = read().await?;
        Ok(matches(&last).then(|| last.take()))
    });
    let matching = matching.await;
    matching.with_context(|| format!("the last value is {last}"))
}

/// Checks that `value` has all fields of `expected`, at each level. `value` can have further fields. A missing field
/// counts as null.
pub fn ensure_contains(value: &Value, expected: Value) -> anyhow::Result<()> {
    ensure!(contains(value, &expected), "{expected} is not in {value}");
    Ok(())
}

fn contains(value: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, field)| contains(&value[name], field)),
        _ => value == expected,
    }
}

/// Returns the configuration of an AWS client with the administrator's rights.
pub fn account(ready: &Ready) -> SdkConfig {
    let (id, secret) = CREDENTIALS;
    let credentials = Credentials::new(id, secret, None, None, "test");
    sdk::config(
        ready.region.clone(),
        credentials,
        Some(ready.aws_endpoint.clone()),
    )
}
