//! Sends stored events again, for a consumer that has lost them.
//!
//! A repeat is the same event with the same id, so an idempotent consumer applies it once. Its deduplication id is
//! new, because the queue could otherwise drop it. The outbox is published first, so that the first sends stay in
//! order. A repeat does not move the published mark.

use thiserror::Error;

use super::publish::PublishLimit;
use super::read_events::{pages, read_events};
use super::send::send_to_all;
use crate::events::EventKind;
use crate::model::ids::PaymentKey;
use crate::ports::{Clock, EventQueue, PaymentStore, SendError, StoreError};
use crate::service::commit::Payments;
use crate::service::error::PublishError;

/// The maximum number of events that one call repeats, so that it ends before the time-out of its function.
const MAX_REPEATS: u64 = 250;

/// The result of a republish.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Republished {
    /// The events of the outbox that this call published.
    pub published: Vec<EventKind>,
    /// The numbers and kinds of the repeated events.
    pub repeated: Vec<(u64, EventKind)>,
    /// The numbers of the requested events that are no longer stored or cannot be read.
    pub gone: Vec<u64>,
}

/// Why not all requested events were sent again.
#[derive(Debug, Error)]
pub enum RepublishError {
    /// The payment does not exist.
    #[error("there is no such payment")]
    NotFound,
    /// The range is empty, or contains events that the payment does not have.
    #[error("the payment has the events 1 to {last}")]
    NoSuchEvents {
        /// The number of the payment's last event.
        last: u64,
    },
    /// The range has too many events for one call.
    #[error(
        "one call sends at most {MAX_REPEATS} events again; name the first and the last of at most {MAX_REPEATS} of \
         the events 1 to {last}"
    )]
    TooMany {
        /// The number of the payment's last event.
        last: u64,
    },
    /// The outbox could not be published. Nothing was sent again.
    #[error("the outbox of the payment cannot be published, so nothing was sent again: {0}")]
    NotPublished(#[from] PublishError),
    /// A queue failed. Some events were possibly repeated. The operator can run the command again.
    #[error("not all events were sent again: {0}")]
    Incomplete(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Publishes the outbox, within the limit of a request. Then sends the events with the numbers `from` to `to`,
    /// both inclusive, again to each queue that receives their types. Skips events that were not published before
    /// this call.
    ///
    /// By default, `from` is 1 and `to` is the last event. The store keeps events for 90 days.
    pub async fn republish(
        &self,
        key: &PaymentKey,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Republished, RepublishError> {
        let stored = self.store.load(key).await?;
        let mut stored = stored.ok_or(RepublishError::NotFound)?;
        let last = stored.payment.sequence();
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(last));
        if from == 0 || from > to || to > last {
            return Err(RepublishError::NoSuchEvents { last });
        }
        if to - from >= MAX_REPEATS {
            return Err(RepublishError::TooMany { last });
        }
        let to = to.min(stored.published);
        let published = self.publish(&mut stored, Vec::new(), PublishLimit::REQUEST);
        let mut republished = Republished {
            published: published.await?,
            ..Republished::default()
        };
        let now = self.clock.now().unix_millis();
        let repeat = format!("{now}-{}", self.clock.random(u64::MAX));
        for (first, end) in pages(from, to) {
            let read = read_events(&self.store, key, first, end).await?;
            let events = read.events;
            send_to_all(&self.queues, &stored.payment, &events, Some(&repeat)).await?;
            let is_stored = |number: &u64| events.iter().any(|event| event.sequence == *number);
            let gone = (first..=end).filter(|number| !is_stored(number));
            republished.gone.extend(gone);
            let repeated = events.iter().map(|event| (event.sequence, event.kind));
            republished.repeated.extend(repeated);
        }
        Ok(republished)
    }
}
