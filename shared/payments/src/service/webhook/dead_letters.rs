//! Sends dead letters again.

use thiserror::Error;

use super::Webhooks;
use crate::model::ids::PaymentKey;
use crate::model::webhook::{Backlog, EndpointKey};
use crate::ports::{Clock, DeadLetter, DeliveryStore, EndpointStore, StoreError};

/// Why dead letters were not sent again.
#[derive(Debug, Error)]
pub enum RedeliverError {
    /// The endpoint does not exist.
    #[error("there is no such endpoint")]
    NotFound,
    /// A store failed. The command may be run again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E: EndpointStore, D: DeliveryStore, C: Clock> Webhooks<E, D, C> {
    /// Moves dead letters back to the backlog of an endpoint: all of them, or those of one payment. Returns their
    /// number. The events between two dead letters of a payment are delivered again too.
    pub async fn redeliver(
        &self,
        key: &EndpointKey,
        only: Option<&PaymentKey>,
    ) -> Result<u64, RedeliverError> {
        if self.endpoints.endpoint(key).await?.is_none() {
            return Err(RedeliverError::NotFound);
        }
        let (mut moved, mut after): (u64, Option<DeadLetter>) = (0, None);
        loop {
            let page = self
                .deliveries
                .dead_letters(&key.id, after.as_ref())
                .await?;
            let Some(last) = page.last() else {
                return Ok(moved);
            };
            after = Some(last.clone());
            let wanted = |letter: &&DeadLetter| only.is_none_or(|only| *only == letter.payment);
            for letter in page.iter().filter(wanted) {
                let item = Backlog::of(letter.sequence, letter.sequence, self.clock.now());
                // The event is in the backlog before its dead letter is deleted, so a crash loses nothing.
                self.add(key, &letter.payment, &item).await?;
                self.deliveries.delete_dead_letter(&key.id, letter).await?;
                moved += 1;
            }
        }
    }
}
