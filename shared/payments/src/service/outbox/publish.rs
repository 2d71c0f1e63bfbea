//! Publishes the outbox of one payment, page by page.

use tokio::time::Instant;

use super::send::{Page, mark, page_end, send};
use crate::decide::{self, Command};
use crate::events::{Event, EventKind, metrics};
use crate::ports::{Clock, EventQueue, PaymentStore, Stored};
use crate::service::commit::Payments;
use crate::service::error::PublishError;

const REQUEST_PAGES: usize = 2;

/// When a call stops publishing. At least one page is published, and the remaining events stay in the outbox.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PublishLimit {
    /// The maximum number of pages.
    Pages(usize),
    /// No further page starts after this time.
    Until(Instant),
}

impl PublishLimit {
    /// The limit of a request, which must answer before the time-out of its function.
    pub(crate) const REQUEST: Self = Self::Pages(REQUEST_PAGES);

    fn is_reached(self, pages: usize) -> bool {
        match self {
            Self::Pages(most) => pages >= most,
            Self::Until(time) => Instant::now() >= time,
        }
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Emits pending events and publishes the payment's outbox in pages. `fresh` has the events that the caller has
    /// just committed. After `payment.succeeded` is sent, checks whether another payment has paid the order too.
    ///
    /// Returns the kinds of the events that this call marked as published. The caller counts these events; after an
    /// error, this function counts them. No other call marks the same events, so each event is counted once.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError::Unfinished`] if the limit is reached before all events are published. The payment then
    /// stays in the outbox index.
    pub(crate) async fn publish(
        &self,
        stored: &mut Stored,
        fresh: Vec<Event>,
        limit: PublishLimit,
    ) -> Result<Vec<EventKind>, PublishError> {
        let mut marked = Vec::new();
        let published = self.publish_pages(stored, fresh, limit, &mut marked).await;
        if let Err(error) = published {
            metrics::count(&stored.payment.key(), &marked);
            return Err(error);
        }
        Ok(marked)
    }

    /// Does the work of [`Self::publish`]. Adds the kinds of the marked events to `marked`, even before an error.
    async fn publish_pages(
        &self,
        stored: &mut Stored,
        mut fresh: Vec<Event>,
        limit: PublishLimit,
        marked: &mut Vec<EventKind>,
    ) -> Result<(), PublishError> {
        let mut pages = 0;
        loop {
            let Some(page) = self.send_next_page(stored, &mut fresh).await? else {
                return Ok(());
            };
            if page.has(EventKind::PaymentSucceeded)
                && !stored.is_first_to_pay
                && let Some((newer, events)) = self.find_paid_twice(&stored.payment).await?
            {
                replace(stored, newer);
                fresh.extend(events);
            }
            marked.extend(mark(&self.store, stored, &page).await?);
            pages += 1;
            // No event is pending now; see [`Self::emit_next_page`].
            if stored.published >= stored.payment.sequence() {
                return Ok(());
            }
            if limit.is_reached(pages) {
                return Err(PublishError::Unfinished);
            }
        }
    }

    /// Publishes the outbox within the limit of a request, without the check for a double payment. `fresh` has the
    /// events that the caller has just committed.
    pub(super) async fn publish_without_check(
        &self,
        mut stored: Stored,
        mut fresh: Vec<Event>,
    ) -> Result<(), PublishError> {
        let key = stored.payment.key();
        for _ in 0..REQUEST_PAGES {
            let Some(page) = self.send_next_page(&mut stored, &mut fresh).await? else {
                break;
            };
            let marked = mark(&self.store, &mut stored, &page).await?;
            metrics::count(&key, &marked);
        }
        Ok(())
    }

    async fn send_next_page(
        &self,
        stored: &mut Stored,
        fresh: &mut Vec<Event>,
    ) -> Result<Option<Page>, PublishError> {
        fresh.retain(|event| event.sequence > stored.published);
        self.emit_next_page(stored, fresh).await?;
        if stored.published >= stored.payment.sequence() {
            return Ok(None);
        }
        let page = send(&self.store, &self.queues, stored, fresh).await?;
        Ok(Some(page))
    }

    /// Emits pending events until none is left, or until more than one page is unpublished.
    ///
    /// A payment leaves the outbox index when all its events are published. After that, no sweep would find the
    /// payment's pending events. So while an event is pending, at least one event must stay unpublished after the next
    /// page.
    async fn emit_next_page(
        &self,
        stored: &mut Stored,
        fresh: &mut Vec<Event>,
    ) -> Result<(), PublishError> {
        let key = stored.payment.key();
        while page_end(stored) == stored.payment.sequence()
            && decide::has_pending_events(&stored.payment, self.clock.now())
        {
            let emitted = self.execute(&key, Command::EmitPending);
            let Some((newer, change)) = emitted.await? else {
                break;
            };
            replace(stored, newer);
            fresh.extend(change.into_iter().flat_map(|change| change.events));
        }
        Ok(())
    }
}

/// Replaces a payment by a newer version. The greater published mark stays, because another call possibly moved the
/// mark in the meantime.
fn replace(stored: &mut Stored, newer: Stored) {
    *stored = Stored {
        published: stored.published.max(newer.published),
        is_first_to_pay: stored.is_first_to_pay || newer.is_first_to_pay,
        ..newer
    };
}
