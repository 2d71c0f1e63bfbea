//! What end-to-end tests have in common: a storefront, a shopper, and a reader of the queues.
//!
//! All of it speaks to a running sandbox from the outside, over HTTP, knowing nothing but its
//! `ready.json`.

pub mod logs;
pub mod memory;
pub mod meter;
pub mod operator;
pub mod queue;
pub mod shopper;
pub mod simulator;
pub mod stack;
pub mod stage;
pub mod storefront;
pub mod template;
pub mod walk;

use std::future::Future;
use std::time::Duration;

use anyhow::bail;
use aws::sdk;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use sandbox::Ready;
use sandbox::local_aws::CREDENTIALS;
use tokio::time::Instant;

/// How long anything that must happen may take on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; fails when patience ends.
///
/// # Errors
///
/// When `ask` fails, or has no answer in time.
pub async fn eventually<T, F: Future<Output = anyhow::Result<Option<T>>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> anyhow::Result<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("{what} did not happen within {} s", PATIENCE.as_secs())
}

/// The local account of a sandbox, with an operator's rights.
pub fn account(ready: &Ready) -> SdkConfig {
    let (id, secret) = CREDENTIALS;
    let credentials = Credentials::new(id, secret, None, None, "test");
    sdk::config(
        ready.region.clone(),
        credentials,
        Some(ready.aws_endpoint.clone()),
    )
}
