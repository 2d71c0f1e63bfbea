//! Switches an endpoint off.

use anyhow::ensure;
use clap::Args;
use payments::Timestamp;
use payments::model::webhook::{DisabledBy, EndpointId, Health};
use payments::ports::DeliveryStore;
use serde::Serialize;

use super::rows::HealthRow;
use super::{IdArgs, named};
use crate::session::Session;

/// Switches an endpoint off. New events are not posted to it, and waiting events stay.
///
/// `endpoint enable` switches it on. With --from, this command also sends the events that the endpoint missed.
#[derive(Args)]
pub struct DisableArgs {
    #[command(flatten)]
    endpoint: IdArgs,
    /// The reason, which `endpoint list` shows.
    #[arg(long, value_parser = reason)]
    reason: String,
}

#[derive(Serialize)]
pub struct Switched<'a> {
    pub endpoint: &'a EndpointId,
    #[serde(flatten)]
    pub health: HealthRow,
}

fn reason(text: &str) -> Result<String, &'static str> {
    match (1..=200).contains(&text.chars().count()) {
        true => Ok(text.to_owned()),
        false => Err("must have 1 to 200 characters"),
    }
}

impl DisableArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let webhooks = session.stack.webhooks()?;
        let key = self.endpoint.find(&webhooks).await?.key;
        let (deliveries, named) = (&webhooks.deliveries, named(&key));
        session.confirm.ask(&format!(
            "Switch off {named}? Its new events are dropped until it is switched on."
        ))?;
        let (now, reason) = (Timestamp::now(), self.reason.clone());
        let by = DisabledBy::Operator { reason };
        let is_changed = deliveries.disable(&key.id, now, by.clone()).await?;
        ensure!(is_changed, "the {named} was already switched off");
        let switched = Switched {
            endpoint: &key.id,
            health: (&Health::default().disabled(now, by)).into(),
        };
        session.write(&switched, format_args!("The {named} is switched off.\n"))
    }
}
