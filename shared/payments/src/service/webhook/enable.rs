//! Switches an endpoint on, and sends the events that it missed.

use std::time::Duration;

use futures_util::TryStreamExt;
use thiserror::Error;

use super::Webhooks;
use super::missed::missed;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::{Backlog, EndpointKey};
use crate::ports::{Clock, DeliveryStore, EndpointStore, PaymentStore, StoreError};

/// A payment is in the index of days after this time at the latest.
const INDEX_DELAY: Duration = Duration::from_secs(5);

/// What was added to the backlog of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Enabled {
    /// The number of payments with events that the endpoint missed. A payment with several days can count more than
    /// once.
    pub payments: u64,
}

/// Why an endpoint was not switched on.
#[derive(Debug, Error)]
pub enum EnableError {
    /// The endpoint does not exist.
    #[error("there is no such endpoint")]
    NotFound,
    /// A store failed. Events wait in the backlog until the command is run again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E, D, C> Webhooks<E, D, C>
where
    E: EndpointStore + Sync,
    D: DeliveryStore + Sync,
    C: Clock + Sync,
{
    /// Switches an endpoint on. Adds the events since `from` to its backlog before, which the next run hands out.
    ///
    /// First, new events are sent to the backlog instead of being dropped. So no event is lost between the walk over the
    /// payments and the switch, and no new event is delivered before an older one of its payment.
    pub async fn enable<S: PaymentStore + Sync>(
        &self,
        payments: &S,
        key: &EndpointKey,
        from: Option<Timestamp>,
    ) -> Result<Enabled, EnableError> {
        if self.endpoints.endpoint(key).await?.is_none() {
            return Err(EnableError::NotFound);
        }
        let mut enabled = Enabled::default();
        if let Some(from) = from {
            self.deliveries.hold(&key.id).await?;
            self.clock.sleep(INDEX_DELAY).await;
            let now = self.clock.now();
            let mut found = missed(payments, &key.owner, from, now);
            while let Some(missed) = found.try_next().await? {
                let item = Backlog::of(missed.first, missed.last, self.clock.now());
                self.add(key, &missed.payment, &item).await?;
                enabled.payments += 1;
            }
        }
        // The backlog can have events from the time before the endpoint was switched off.
        self.deliveries.list(key, self.clock.now()).await?;
        self.deliveries.enable(&key.id, self.clock.now()).await?;
        Ok(enabled)
    }
}
