//! A tick in, one line and what was done out. Whatever fails is tried again at the next tick.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent};
use payments::adapters::aws;
use payments::adapters::live::{self, LivePayments};
use payments::config;
use payments::log::Line;
use payments::relay::Relayed;
use serde::de::IgnoredAny;
use tokio::time::Instant;

/// What is left of the function's time for ending in good order.
const TO_END: Duration = Duration::from_secs(5);

/// What the ticks need.
pub struct Sweeper {
    payments: LivePayments,
    grace: Duration,
}

impl Sweeper {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        Ok(Self {
            payments: live::payments(&aws::from_environment()?)?,
            grace: config::seconds("UNSENT_GRACE_SECONDS")?,
        })
    }

    /// One tick, whatever the event says.
    pub async fn handle(&self, tick: LambdaEvent<IgnoredAny>) -> Result<Relayed, Error> {
        let relayed = self.payments.relay(self.grace, end(&tick.context)).await;
        report(&relayed);
        Ok(relayed)
    }
}

/// When to stop.
fn end(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(TO_END)
}

fn report(relayed: &Relayed) {
    let line = match relayed.failed {
        0 if relayed.in_time => Line::info("sweep: done"),
        0 => Line::warn("sweep: not done in time"),
        _ => Line::error("sweep: some failed"),
    };
    line.with("unsent_found", relayed.found)
        .with("unsent_sent", relayed.sent)
        .with("unsent_failed", relayed.failed)
        .with("oldest_unsent_s", relayed.oldest_unsent_s)
        .with("failure", &relayed.failure)
        .write();
}
