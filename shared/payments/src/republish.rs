//! Sends the stored events of a payment again, for a consumer that has lost them.
//!
//! A repeat is the same event with the same id, so whoever remembers ids takes it once; only its
//! deduplication id is new, as the queue would drop it otherwise. What was never sent goes first and
//! in the usual way, so that first sends stay in order; repeats move no mark.

use futures_util::future::join_all;
use thiserror::Error;

use crate::apply::Payments;
use crate::event::EventKind;
use crate::ids::PaymentKey;
use crate::ports::{Clock, EventQueue, PaymentStore, SendError, StoreError};
use crate::publish::{self, PublishError};

/// How many events are read at once; each may have the whole state of a large payment.
const PAGE: u64 = 50;

/// What became of the events of a payment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Republished {
    /// Those that had never been sent, and were now, in the usual way.
    pub announced: Vec<EventKind>,
    /// Those that were sent again, by number and kind.
    pub repeated: Vec<(u64, EventKind)>,
    /// The numbers of those that were to be sent again and are not kept any more.
    pub gone: Vec<u64>,
}

/// Why events were not sent again, or not all.
#[derive(Debug, Error)]
pub enum RepublishError {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// The payment has no events of these numbers.
    #[error("the payment has the events 1 to {last}")]
    NoSuchEvents {
        /// The number of its last event.
        last: u64,
    },
    /// What was never sent could not be sent now, and nothing was sent again.
    #[error("it has events that were never sent and cannot be sent now: {0}")]
    NotAnnounced(#[from] PublishError),
    /// Some may have been sent again; all of it may be repeated.
    #[error("not all were sent again: {0}")]
    Cut(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Sends the events from one number to another again, both included, to each queue that wants
    /// them; by default all of them. Events are kept for 90 days.
    pub async fn republish(
        &self,
        key: &PaymentKey,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Republished, RepublishError> {
        let stored = self.store.load(key).await?;
        let stored = stored.ok_or(RepublishError::NotFound)?;
        let last = stored.payment.sequence();
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(last));
        if from == 0 || from > to || to > last {
            return Err(RepublishError::NoSuchEvents { last });
        }
        let to = to.min(stored.published);
        let mut republished = Republished {
            announced: self.applied(stored, None).await.published?,
            ..Republished::default()
        };
        let now = self.clock.now().unix_millis();
        let repeat = format!("{now}-{}", self.clock.random(u64::MAX));
        let mut first = from;
        while first <= to {
            let page_end = to.min(first.saturating_add(PAGE - 1));
            let events = self.store.events(key, first, page_end).await?;
            let sends = self
                .queues
                .iter()
                .map(|queue| publish::send_in_order(queue, &events, Some(&repeat)));
            for sent in join_all(sends).await {
                sent?;
            }
            let is_kept = |number: &u64| events.iter().any(|event| event.sequence == *number);
            let gone = (first..=page_end).filter(|number| !is_kept(number));
            republished.gone.extend(gone);
            let repeated = events.iter().map(|event| (event.sequence, event.kind));
            republished.repeated.extend(repeated);
            first = page_end.saturating_add(1);
        }
        Ok(republished)
    }
}
