//! The one way in for every fact: load, decide, commit, publish.

use thiserror::Error;

use crate::backoff;
use crate::decide::{self, Change, Command, Fact};
use crate::event::{self, Event, EventKind};
use crate::ids::PaymentKey;
use crate::log::Line;
use crate::model::Payment;
use crate::ports::{
    Clock, Commit, CommitError, Committed, EventQueue, PaymentStore, StoreError, Stored,
};
use crate::publish::{self, PublishError};
use crate::schedule::Schedule;
use crate::timestamp::Timestamp;

/// The payments behind their ports.
#[derive(Debug)]
pub struct Payments<S, Q, C> {
    /// Where payments and events are kept.
    pub store: S,
    /// Where events go.
    pub queues: Vec<Q>,
    /// The time.
    pub clock: C,
    /// When something is to be done.
    pub schedule: Schedule,
}

/// A fact or command was not applied; nothing was lost, and it may be repeated.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others changed the payment again and again.
    #[error("the payment is being changed by too many at once")]
    Contention,
}

/// What became of a fact or command that is committed.
#[derive(Debug)]
pub struct Applied {
    /// The payment as it is now.
    pub payment: Payment,
    /// Whether anything was changed.
    pub changed: bool,
    /// The events of the payment that this call published, if all are published. The rest goes out with
    /// the next call that publishes for this payment.
    pub published: Result<Vec<EventKind>, PublishError>,
}

impl Applied {
    /// The payment, where a failed send need not stop the caller: the failure is logged, and the
    /// events go out with whoever publishes for this payment next.
    pub fn into_payment(self) -> Payment {
        let key = self.payment.key();
        match &self.published {
            Ok(sent) => event::count(&key, sent),
            Err(error) => warn_unsent(&key, error),
        }
        self.payment
    }
}

/// Says that a payment's events were not sent yet.
pub(crate) fn warn_unsent(key: &PaymentKey, error: &PublishError) {
    Line::error("events are committed but not sent")
        .with("payment", key.to_string())
        .with("error", error.to_string())
        .write();
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Applies a fact and announces what it changed, and what an earlier, broken run had
    /// committed but not sent.
    ///
    /// `None`: the fact says nothing, and nothing is known of its payment.
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
            Some((stored, change)) => Some(self.applied(stored, change).await),
            None => None,
        })
    }

    /// Applies what came of a request to the payment as it was committed when the request was
    /// claimed, with the events of that commit. So neither is read back, unless others have changed
    /// the payment meanwhile.
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
            return Ok(self.announced(stored, fresh, true).await);
        }
        let key = claimed.payment.key();
        let applied = self.apply(&key, fact).await?;
        let applied = applied.ok_or_else(|| StoreError(format!("{key} is gone")))?;
        Ok(Applied {
            changed: true,
            ..applied
        })
    }

    /// Announces what is committed and not sent. `None`: nothing is known of the payment.
    pub async fn announce(&self, key: &PaymentKey) -> Result<Option<Applied>, ApplyError> {
        Ok(match self.store.load(key).await? {
            Some(stored) => Some(self.applied(stored, None).await),
            None => None,
        })
    }

    /// Announces what is committed, the change of just now among it.
    pub(crate) async fn applied(&self, stored: Stored, change: Option<Change>) -> Applied {
        let changed = change.is_some();
        let fresh = change.map_or_else(Vec::new, |change| change.events);
        self.announced(stored, fresh, changed).await
    }

    /// Announces what is committed, `fresh` of just now among it.
    async fn announced(&self, mut stored: Stored, fresh: Vec<Event>, changed: bool) -> Applied {
        Applied {
            changed,
            // Apart, as its state would make that of every use case far larger.
            published: Box::pin(self.publish(&mut stored, fresh)).await,
            payment: stored.payment,
        }
    }

    /// Commits what `decide` makes of the payment, deciding again while others are faster.
    ///
    /// Gives the payment as it is now and the change, if there was one; `None` if there is
    /// neither a payment nor a change.
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

    /// Writes a change over what was read. `None`: others were faster.
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

    /// Emits pending events, then publishes the payment's outbox, `fresh`, which was just committed,
    /// among it. Gives the kinds of the events that this call marked as published, so that each is
    /// counted once. For each `payment.succeeded`, checks whether another payment already paid the
    /// order; skipped if the commit proved this one was first.
    pub(crate) async fn publish(
        &self,
        stored: &mut Stored,
        mut fresh: Vec<Event>,
    ) -> Result<Vec<EventKind>, PublishError> {
        let key = stored.payment.key();
        // First, so that no pending event can be forgotten: only when all are published, the payment
        // leaves the outbox's index.
        while decide::has_pending_events(&stored.payment, self.clock.now()) {
            let told = self.update(&key, |payment, at| {
                let emitted = decide::execute(payment, Command::EmitPending, at);
                Ok::<_, ApplyError>(emitted.unwrap_or_default())
            });
            let Some((newer, change)) = told.await? else {
                break;
            };
            let is_first_to_pay = stored.is_first_to_pay || newer.is_first_to_pay;
            *stored = Stored {
                is_first_to_pay,
                ..newer
            };
            fresh.extend(change.into_iter().flat_map(|change| change.events));
        }
        let sent = publish::send(&self.store, &self.queues, stored, &fresh).await?;
        let is_paid = sent
            .iter()
            .any(|sent| sent.kind == EventKind::PaymentSucceeded);
        if is_paid && !stored.is_first_to_pay {
            self.look_for_paid_twice(&stored.payment).await?;
        }
        let published = publish::mark(&self.store, stored).await?;
        Ok(publish::marked_here(stored, published, &sent))
    }
}
