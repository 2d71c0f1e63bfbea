//! A tick in, one line and what was done out. Whatever fails is tried again at the next tick.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent};
use payments::adapters::aws;
use payments::adapters::live::{self, LivePayments};
use payments::config;
use payments::log::Line;
use payments::relay::Relayed;
use serde::Serialize;
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
    pub async fn handle(&self, tick: LambdaEvent<IgnoredAny>) -> Result<Swept, Error> {
        let unsent = self.payments.relay(self.grace, end(&tick.context)).await;
        let swept = Swept { unsent };
        swept.report();
        Ok(swept)
    }
}

/// What a tick did.
#[derive(Debug, Serialize)]
pub struct Swept {
    /// With the events that were left behind.
    pub unsent: Relayed,
}

/// When to stop.
fn end(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(TO_END)
}

impl Swept {
    fn report(&self) {
        let unsent = &self.unsent;
        let line = match unsent.failed {
            0 if unsent.in_time => Line::info("sweep: done"),
            0 => Line::warn("sweep: not done in time"),
            _ => Line::error("sweep: some failed"),
        };
        line.with("unsent_found", unsent.found)
            .with("unsent_sent", unsent.sent)
            .with("unsent_failed", unsent.failed)
            .with("oldest_unsent_s", unsent.oldest_s)
            .with("failure", &unsent.failure)
            .write();
    }
}
