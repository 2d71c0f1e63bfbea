//! Applies facts to payments: decides, commits and publishes.

use super::commit::Payments;
use super::error::{ApplyError, PublishError};
use super::outbox::PublishLimit;
use crate::decide::{self, Change, Fact};
use crate::events::{Event, EventKind, metrics};
use crate::log::Line;
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::ports::{Clock, EventQueue, PaymentStore, StoreError, Stored};

/// The result of a fact or a command.
#[derive(Debug)]
pub struct Applied {
    /// The payment after the change.
    pub payment: Payment,
    /// Whether the call changed the payment.
    pub changed: bool,
    /// The kinds of the events that this call published. After an error, unpublished events stay in the outbox, and a
    /// later call publishes them.
    pub published: Result<Vec<EventKind>, PublishError>,
}

impl Applied {
    /// Returns the payment, even if its events are not published. Logs the error, or the metrics of the published
    /// events.
    pub(crate) fn into_payment(self) -> Payment {
        let key = self.payment.key();
        match &self.published {
            Ok(published) => metrics::count(&key, published),
            Err(error) => warn_not_published(&key, error),
        }
        self.payment
    }
}

pub(crate) fn warn_not_published(key: &PaymentKey, error: &PublishError) {
    let text = "events are committed but not published";
    let line = match error {
        PublishError::Unfinished => Line::info(text),
        _ => Line::error(text),
    };
    line.with("payment", key.to_string())
        .with("error", error.to_string())
        .write();
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Applies a fact, then publishes the payment's outbox. Returns `None` if the payment is unknown and the fact
    /// does not create it.
    ///
    /// The outbox is published even if the fact changes nothing, because an earlier call possibly crashed after its
    /// commit.
    pub async fn apply(
        &self,
        key: &PaymentKey,
        fact: Fact<'_>,
    ) -> Result<Option<Applied>, ApplyError> {
        let decided = self
            .update(key, |before, at| {
                Ok::<_, ApplyError>(decide::decide(before, fact, at))
            })
            .await?;
        Ok(match decided {
            Some((stored, change)) => Some(self.publish_change(stored, change).await),
            None => None,
        })
    }

    /// Applies Gate's answer to a claimed request. `claimed` is the payment after the claim, and `fresh` has the events
    /// of the claim. The payment and its events are read again only if the answer changes nothing, or if another writer
    /// has changed the payment since the claim.
    pub(crate) async fn apply_to_claim(
        &self,
        claimed: Stored,
        mut fresh: Vec<Event>,
        fact: Fact<'_>,
    ) -> Result<Applied, ApplyError> {
        if let Some(change) = decide::decide(Some(&claimed.payment), fact, self.clock.now())
            && let Some(stored) = self.commit(&change, Some(&claimed), None).await?
        {
            fresh.extend(change.events);
            return Ok(self
                .publish_events(stored, fresh, true, PublishLimit::REQUEST)
                .await);
        }
        let key = claimed.payment.key();
        let applied = self.apply(&key, fact).await?;
        let applied = applied
            .ok_or_else(|| StoreError::Failed(format!("the payment {key} no longer exists")))?;
        Ok(Applied {
            changed: true,
            ..applied
        })
    }

    /// Publishes a payment's outbox, within the limit of a request. Returns `None` if the payment is unknown.
    pub async fn publish_pending(&self, key: &PaymentKey) -> Result<Option<Applied>, ApplyError> {
        self.publish_until(key, PublishLimit::REQUEST).await
    }

    /// Publishes a payment's outbox, within `limit`. Returns `None` if the payment is unknown.
    pub(crate) async fn publish_until(
        &self,
        key: &PaymentKey,
        limit: PublishLimit,
    ) -> Result<Option<Applied>, ApplyError> {
        Ok(match self.store.load(key).await? {
            Some(stored) => Some(self.publish_events(stored, Vec::new(), false, limit).await),
            None => None,
        })
    }

    /// Publishes a payment's outbox. `change` is the change that the caller has just committed, if any.
    pub(crate) async fn publish_change(&self, stored: Stored, change: Option<Change>) -> Applied {
        let changed = change.is_some();
        let fresh = change.map_or_else(Vec::new, |change| change.events);
        self.publish_events(stored, fresh, changed, PublishLimit::REQUEST)
            .await
    }

    async fn publish_events(
        &self,
        mut stored: Stored,
        fresh: Vec<Event>,
        changed: bool,
        limit: PublishLimit,
    ) -> Applied {
        Applied {
            changed,
            // Boxed, because otherwise the future of every use case would contain this large future.
            published: Box::pin(self.publish(&mut stored, fresh, limit)).await,
            payment: stored.payment,
        }
    }
}
