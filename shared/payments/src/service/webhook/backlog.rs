//! Adds events to the backlog of an endpoint.

use super::Webhooks;
use crate::model::ids::PaymentKey;
use crate::model::webhook::{Backlog, EndpointId, EndpointKey};
use crate::ports::{Clock, DeliveryStore, Replaced, StoreError};
use crate::service::backoff;

/// Whether an item has an added event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// The item has the event.
    Yes,
    /// There is no item any more, so the event is not in the backlog.
    Vanished,
}

impl<E, D: DeliveryStore, C: Clock> Webhooks<E, D, C> {
    /// Adds the events of `item` to the backlog of a payment, and creates the backlog if there is none.
    ///
    /// The endpoint is put on the list first. After a crash between the two writes, the list has an endpoint without a
    /// backlog. In the other order, there could be a backlog that no run finds.
    pub(super) async fn add(
        &self,
        endpoint: &EndpointKey,
        payment: &PaymentKey,
        item: &Backlog,
    ) -> Result<(), StoreError> {
        self.deliveries.list(endpoint, self.clock.now()).await?;
        for number in 0..backoff::TRIES {
            let created = self
                .deliveries
                .replace_backlog(&endpoint.id, payment, None, Some(item));
            let Replaced::Conflict(stored) = created.await? else {
                return Ok(());
            };
            if let Some(stored) = stored {
                let (next, through) = (item.next, item.through);
                let added = self.add_to(&endpoint.id, payment, stored, next, through);
                if added.await? == Added::Yes {
                    return Ok(());
                }
            }
            backoff::pause(&self.clock, number).await;
        }
        Err(contention(payment))
    }

    /// Adds events to an existing item.
    pub(super) async fn add_to(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        mut stored: Backlog,
        next: u64,
        through: u64,
    ) -> Result<Added, StoreError> {
        for number in 0..backoff::TRIES {
            let Some(item) = stored.with(next, through, self.clock.now()) else {
                return Ok(Added::Yes);
            };
            let replaced = self
                .deliveries
                .replace_backlog(id, payment, Some(&stored), Some(&item));
            stored = match replaced.await? {
                Replaced::Done => return Ok(Added::Yes),
                Replaced::Conflict(None) => return Ok(Added::Vanished),
                Replaced::Conflict(Some(newer)) => newer,
            };
            backoff::pause(&self.clock, number).await;
        }
        Err(contention(payment))
    }
}

pub(super) fn contention(payment: &PaymentKey) -> StoreError {
    StoreError::Failed(format!(
        "other writers changed the backlog of {payment} during each try to write it"
    ))
}
