//! The only code that commits a change: load, decide, commit. The events are published afterwards
//! ([`crate::service::outbox`]).

use super::backoff;
use super::error::{ApplyError, PublishError};
use crate::decide::{self, Change, Command, Fact};
use crate::events::metrics;
use crate::events::{Event, EventKind};
use crate::log::Line;
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::ports::{
    Clock, Commit, CommitError, Committed, EventQueue, PaymentStore, StoreError, Stored,
};

/// The payments behind their ports.
#[derive(Debug)]
pub struct Payments<S, Q, C> {
    /// The store of payments and events.
    pub store: S,
    /// The queues to publish to.
    pub queues: Vec<Q>,
    /// The clock.
    pub clock: C,
    /// The times of polls, expiry and retention.
    pub schedule: Schedule,
}

/// The result of a fact or command that is committed.
#[derive(Debug)]
pub struct Applied {
    /// The payment after the change.
    pub payment: Payment,
    /// Whether the call changed the payment.
    pub changed: bool,
    /// The events that this call published. After an error the rest stays in the outbox, and the next call that
    /// publishes for this payment sends it.
    pub published: Result<Vec<EventKind>, PublishError>,
}

impl Applied {
    /// Returns the payment and logs a failed publish, for callers that need not stop because of it.
    pub fn into_payment(self) -> Payment {
        let key = self.payment.key();
        match &self.published {
            Ok(published) => metrics::count(&key, published),
            Err(error) => warn_not_published(&key, error),
        }
        self.payment
    }
}

/// Logs that a payment has committed events that are not published yet.
pub(crate) fn warn_not_published(key: &PaymentKey, error: &PublishError) {
    Line::error("events are committed but not published")
        .with("payment", key.to_string())
        .with("error", error.to_string())
        .write();
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Applies a fact, then publishes the payment's outbox. The outbox can hold events of an earlier
    /// call that crashed before it published them.
    ///
    /// Returns `None` if the fact changes nothing and its payment is unknown.
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

    /// Applies the answer to a request onto the payment that the request's claim committed. `fresh`
    /// are the events of that commit. This saves reading both again, unless another writer changed
    /// the payment in between.
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
            return Ok(self.publish_events(stored, fresh, true).await);
        }
        let key = claimed.payment.key();
        let applied = self.apply(&key, fact).await?;
        let applied = applied.ok_or_else(|| StoreError(format!("{key} is gone")))?;
        Ok(Applied {
            changed: true,
            ..applied
        })
    }

    /// Applies a command, for callers to whom a refused command is no error: it changes nothing. Returns
    /// the stored payment and the change, if there was one.
    pub(crate) async fn execute(
        &self,
        key: &PaymentKey,
        command: Command<'_>,
    ) -> Result<Option<(Stored, Option<Change>)>, ApplyError> {
        self.update(key, |payment, at| {
            let executed = decide::execute(payment, command, at);
            Ok(executed.unwrap_or_default())
        })
        .await
    }

    /// Publishes a payment's outbox. Returns `None` if the payment is unknown.
    pub async fn publish_pending(&self, key: &PaymentKey) -> Result<Option<Applied>, ApplyError> {
        Ok(match self.store.load(key).await? {
            Some(stored) => Some(self.publish_change(stored, None).await),
            None => None,
        })
    }

    /// Publishes a payment's outbox after a commit.
    pub(crate) async fn publish_change(&self, stored: Stored, change: Option<Change>) -> Applied {
        let changed = change.is_some();
        let fresh = change.map_or_else(Vec::new, |change| change.events);
        self.publish_events(stored, fresh, changed).await
    }

    async fn publish_events(
        &self,
        mut stored: Stored,
        fresh: Vec<Event>,
        changed: bool,
    ) -> Applied {
        Applied {
            changed,
            // Boxed: otherwise the future of every use case would hold this large one.
            published: Box::pin(self.publish(&mut stored, fresh)).await,
            payment: stored.payment,
        }
    }

    /// Commits what `decide` returns, and decides again after each conflict with another writer.
    ///
    /// Returns the stored payment and the change, if there was one. Returns `None` if there is neither.
    pub(crate) async fn update<E: From<ApplyError>>(
        &self,
        key: &PaymentKey,
        mut decide: impl FnMut(Option<&Payment>, Timestamp) -> Result<Option<Change>, E>,
    ) -> Result<Option<(Stored, Option<Change>)>, E> {
        for attempt in 0..backoff::ATTEMPTS {
            let stored = self.store.load(key).await.map_err(ApplyError::from)?;
            let change = decide(
                stored.as_ref().map(|stored| &stored.payment),
                self.clock.now(),
            )?;
            let Some(change) = change else {
                return Ok(stored.map(|stored| (stored, None)));
            };
            match self.commit(&change, stored.as_ref(), None).await? {
                Some(stored) => return Ok(Some((stored, Some(change)))),
                None => backoff::pause(&self.clock, attempt).await,
            }
        }
        Err(ApplyError::Contention.into())
    }

    /// Writes a change if the payment still has the version of `over`. Returns `None` after a conflict
    /// with another writer.
    pub(crate) async fn commit(
        &self,
        change: &Change,
        over: Option<&Stored>,
        token_hash: Option<&str>,
    ) -> Result<Option<Stored>, ApplyError> {
        let commit = Commit {
            change,
            next: self.schedule.next(&change.payment),
            over,
            token_hash,
        };
        match self.store.commit(commit).await {
            Ok(Committed { is_first_to_pay }) => Ok(Some(Stored {
                payment: change.payment.clone(),
                version: over.map_or(0, |stored| stored.version) + 1,
                published: over.map_or(0, |stored| stored.published),
                is_first_to_pay,
            })),
            Err(CommitError::Conflict) => Ok(None),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}
