//! Commits changes: loads the payment, decides, and writes. No other code commits.

use super::backoff;
use super::error::ApplyError;
use crate::decide::{self, Change, Command};
use crate::log::{Line, Metric, over_limit};
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::model::schedule::Schedule;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Commit, CommitError, Committed, PaymentStore, Stored};

/// The ports for payments and events. The use cases are methods of this type.
#[derive(Debug)]
pub struct Payments<S, Q, C> {
    /// The store of payments and events.
    pub store: S,
    /// The queues to which events are published.
    pub queues: Vec<Q>,
    /// The clock.
    pub clock: C,
    /// The times of polls, expiry and retention.
    pub schedule: Schedule,
}

impl<S: PaymentStore, Q, C: Clock> Payments<S, Q, C> {
    /// Commits the change that `decide` returns. After a conflict with another writer, loads the payment and decides
    /// again.
    ///
    /// Returns the stored payment with the committed change, if any. Returns `None` if the payment is unknown and
    /// `decide` returns no change.
    pub(crate) async fn update<E: From<ApplyError>>(
        &self,
        key: &PaymentKey,
        mut decide: impl FnMut(Option<&Payment>, Timestamp) -> Result<Option<Change>, E>,
    ) -> Result<Option<(Stored, Option<Change>)>, E> {
        for number in 0..backoff::TRIES {
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
                None => backoff::pause(&self.clock, number).await,
            }
        }
        Err(ApplyError::Contention.into())
    }

    /// Executes a command and commits the change, as [`Self::update`] does. A rejected command counts as no change.
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

    /// Writes a change if the stored payment still has the version of `over`. Returns `None` after a conflict with
    /// another writer.
    pub(crate) async fn commit(
        &self,
        change: &Change,
        over: Option<&Stored>,
        token_hash: Option<&str>,
    ) -> Result<Option<Stored>, ApplyError> {
        let commit = Commit {
            change,
            next: self
                .schedule
                .entry(over.map(|stored| &stored.payment), &change.payment),
            over,
            token_hash,
        };
        match self.store.commit(commit).await {
            Ok(Committed { is_first_to_pay }) => {
                let known = over.map_or(0, |stored| stored.payment.most_known_operations());
                if change.payment.most_known_operations() > known {
                    over_limit("operations", Some(&change.payment.key()));
                }
                if is_never_polled(&change.payment)
                    && !over.is_some_and(|stored| is_never_polled(&stored.payment))
                {
                    Line::warn("a payment needs status polls, but its id cannot be signed")
                        .with("payment", change.payment.key().to_string())
                        .with_metrics(&[], &[Metric::once("not_pollable")])
                        .write();
                }
                Ok(Some(Stored {
                    payment: change.payment.clone(),
                    residue: commit.residue(),
                    version: over.map_or(0, |stored| stored.version) + 1,
                    published: over.map_or(0, |stored| stored.published),
                    is_first_to_pay,
                }))
            }
            Err(CommitError::Conflict) => Ok(None),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

/// Whether a payment needs status polls, but is never polled because its id cannot be signed.
fn is_never_polled(payment: &Payment) -> bool {
    !payment.has_signable_id() && payment.polling().last_activity_at().is_some()
}
