//! Removes an endpoint.

use anyhow::bail;
use clap::Args;
use payments::Timestamp;
use payments::model::webhook::{DisabledBy, EndpointId};
use payments::ports::DeliveryStore;
use serde::Serialize;

use super::{IdArgs, named};
use crate::session::Session;

/// Removes an endpoint for ever, with its waiting events and dead letters.
///
/// The command also removes an endpoint whose item cannot be read. If the command does not end, run it again.
#[derive(Args)]
pub struct RemoveArgs {
    #[command(flatten)]
    endpoint: IdArgs,
}

#[derive(Serialize)]
struct Removed<'a> {
    endpoint: &'a EndpointId,
    /// The number of payments with waiting events and of dead letters that were deleted.
    deleted: u64,
}

impl RemoveArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let (id, webhooks) = (&self.endpoint.id, session.stack.webhooks()?);
        let deliveries = &webhooks.deliveries;
        let entry = webhooks.endpoints.find(id).await?;
        let counts = deliveries.counts(id).await?;
        let items = counts.waiting + counts.dead_letters;
        let named = match &entry {
            Some(entry) => named(&entry.key),
            None if items > 0 => format!("what is left of endpoint {id}"),
            None => bail!("there is no endpoint with this id"),
        };
        session.confirm.ask(&format!(
            "Remove {named}? The waiting events of {} payments and {} dead letters are deleted.",
            counts.waiting, counts.dead_letters
        ))?;
        let now = Timestamp::now();
        if let Some(entry) = &entry {
            // A delivery that is running reads only the health between two events.
            let reason = "removed".to_owned();
            let by = DisabledBy::Operator { reason };
            deliveries.disable(id, now, by).await?;
            webhooks.endpoints.remove(&entry.key).await?;
        }
        let deleted = deliveries.forget(id, now).await?;
        let removed = Removed {
            endpoint: id,
            deleted,
        };
        session.write(
            &removed,
            format_args!("Removed {named}, with {deleted} waiting payments and dead letters.\n"),
        )
    }
}
