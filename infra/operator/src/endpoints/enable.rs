//! Switches an endpoint on.

use anyhow::ensure;
use clap::Args;
use payments::Timestamp;
use payments::model::webhook::{EndpointId, EndpointState, Health};
use payments::ports::DeliveryStore;
use serde::Serialize;

use super::{IdArgs, named};
use crate::input::values;
use crate::session::Session;

/// Switches an endpoint on. Its waiting events are posted within a minute, and its breaker is closed.
///
/// An endpoint gets no events while it is switched off. With --from, the events since a time are sent again. Events of
/// the time before the endpoint was switched off can then arrive a second time. The search reads all payments of the
/// project of the 100 days before this time. If the command does not end, events wait until it runs again.
#[derive(Args)]
pub struct EnableArgs {
    #[command(flatten)]
    endpoint: IdArgs,
    /// Sends the events since this time, such as 2026-01-01T00:00:00Z. Events are stored for 90 days.
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    from: Option<Timestamp>,
}

#[derive(Serialize)]
struct Enabled<'a> {
    endpoint: &'a EndpointId,
    state: &'static str,
    from: Option<Timestamp>,
    /// The number of payments with events since `from`.
    payments: u64,
}

impl EnableArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        if let Some(from) = self.from {
            ensure!(from <= Timestamp::now(), "{from} is in the future");
        }
        let webhooks = session.stack.webhooks()?;
        let key = self.endpoint.find(&webhooks).await?.key;
        let (health, named) = (webhooks.deliveries.health(&key.id).await?, named(&key));
        session.confirm.ask(&self.question(&health, &named))?;
        let store = session.stack.store();
        let enabled = webhooks.enable(&store, &key, self.from).await?;
        let payments = enabled.payments;
        let shown = Enabled {
            endpoint: &key.id,
            state: "enabled",
            from: self.from,
            payments,
        };
        let text = match self.from {
            Some(from) => format!(
                "The {named} is switched on. Events of {payments} payments since {from} will be sent.\n"
            ),
            None => format!("The {named} is switched on.\n"),
        };
        session.write(&shown, text)
    }

    fn question(&self, health: &Health, named: &str) -> String {
        match (&health.state, self.from) {
            (_, Some(from)) => format!("Switch on {named}, and send its events since {from}?"),
            (EndpointState::Disabled { since, .. }, None) => format!(
                "Switch on {named}? The new events since {since} were dropped, and only --from {since} sends them."
            ),
            (EndpointState::Held, None) => format!(
                "Switch on {named}? A search for missed events has not ended, and only --from repeats it."
            ),
            (EndpointState::Enabled, None) => format!(
                "Switch on {named}? It is switched on already, and {} failures in a row no longer count.",
                health.failures
            ),
        }
    }
}
