//! Defines the store of payments, events and checkout tokens.

use std::future::Future;

use ecommpay::fields::ProjectId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::store_error::StoreError;
use crate::decide::{self, Change};
use crate::events::Event;
use crate::model::day::Day;
use crate::model::document::{self, Residue};
use crate::model::ids::PaymentKey;
use crate::model::schedule::Next;
use crate::model::timestamp::Timestamp;
use crate::model::{PaidOrder, Payment};

/// The number of shards of each index. Shards distribute the writes over partitions. Each sweeper run queries every
/// shard, so each shard costs money (`infra/capacity.md`). A payment has the same shard, numbered from 0, in every
/// index.
pub const SHARDS: u8 = 16;

/// A payment as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The payment.
    pub payment: Payment,
    /// The stored document. A write keeps the fields and words of this document that this release does not know.
    pub residue: Residue,
    /// The number of commits of the payment. A commit succeeds only if the version is unchanged since the read.
    pub version: u64,
    /// The published mark: every queue has accepted all events up to this number.
    pub published: u64,
    /// The value of [`Committed::is_first_to_pay`] after a commit; `false` after a read.
    pub is_first_to_pay: bool,
}

/// One write of a payment.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The payment after the change, and its new events.
    pub change: &'a Change,
    /// The next action and its time, for the index of due payments.
    pub next: Option<Next>,
    /// The payment before the change; `None` for a new payment.
    pub over: Option<&'a Stored>,
    /// The SHA-256 of a new checkout's token.
    pub token_hash: Option<&'a str>,
}

impl Commit<'_> {
    /// Returns the document to store.
    pub fn document(&self) -> String {
        document::write(&self.change.payment, &self.replaced())
    }

    /// Returns the [`Residue`] of the document to store.
    pub(crate) fn residue(&self) -> Residue {
        match self.replaced().is_empty(None) {
            true => Residue::default(),
            false => Residue::of(&self.document()),
        }
    }

    /// Returns the [`Residue`] of the replaced document; empty if this release knows everything in the document.
    fn replaced(&self) -> Residue {
        let unknown = |over: &&Stored| !over.residue.is_empty(Some(&over.payment));
        let over = self.over.filter(unknown);
        over.map_or_else(Residue::default, |over| over.residue.clone())
    }

    /// Returns the sequence number of the last event to publish. The payment leaves [`Index::Outbox`] when the
    /// published mark moves to this number.
    ///
    /// Returns 0 if a later change must emit further events. The mark never moves to 0, so the payment stays in the
    /// index until this later change. The reason is a release that does not know a word of the document: it can publish
    /// the present events, but cannot see that further events are due. So it must not remove the payment from the
    /// index.
    pub fn outbox_end(&self) -> u64 {
        let payment = &self.change.payment;
        match payment.needs_newer_release() || decide::leaves_events(self.change) {
            true => 0,
            false => payment.sequence(),
        }
    }

    /// Whether the payment belongs into [`Index::Outbox`] after the commit: the change has events, or only a newer
    /// release can emit the events of the change.
    pub fn is_in_outbox(&self) -> bool {
        !self.change.events.is_empty() || self.change.payment.needs_newer_release()
    }
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Whether the change is the first to pay its order. If `true`, the check of every later payment of the order
    /// (`service/outbox/paid_twice.rs`) finds this payment.
    pub is_first_to_pay: bool,
}

/// The checkout to which a token belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCheckout {
    /// The payment.
    pub key: PaymentKey,
    /// The number of earlier attempts. A later attempt has another token, and possibly another shopper.
    pub attempt: u32,
    /// The URL to which the shopper of this attempt returns.
    pub return_url: String,
}

/// Why a change was not committed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Another writer has changed the payment. The caller must load the payment and decide again.
    #[error("another writer has changed the payment")]
    Conflict,
    /// The store failed. It is unknown whether the change was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An index of payments that need an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Payments with unpublished events, and payments whose events only a newer release can emit
    /// ([`Commit::is_in_outbox`]). An entry is due from the commit of the payment's oldest unpublished event on.
    Outbox,
    /// Payments of a project that need a status poll. Each project has its own shards, so a busy project does not
    /// delay others.
    Poll(ProjectId),
    /// Payments for which `checkout.expired` must be emitted.
    Expire,
    /// Payments whose customer's data must be erased.
    Erase,
    /// Payments that are overdue.
    Overdue,
}

/// An entry of an index. As JSON it is an object, so that a release can ignore fields that only a newer release knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "DueFields", try_from = "DueFields")]
pub struct Due {
    /// The payment.
    pub key: PaymentKey,
    /// The time from which the action is due.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct DueFields {
    project_id: ProjectId,
    payment_id: String,
    since: Timestamp,
}

impl From<Due> for DueFields {
    fn from(Due { key, since }: Due) -> Self {
        Self {
            project_id: key.project_id(),
            payment_id: key.folded_id().to_owned(),
            since,
        }
    }
}

impl TryFrom<DueFields> for Due {
    type Error = &'static str;

    fn try_from(fields: DueFields) -> Result<Self, Self::Error> {
        let key = PaymentKey::parse(fields.project_id, &fields.payment_id);
        Ok(Self {
            key: key.ok_or("not the id of a payment")?,
            since: fields.since,
        })
    }
}

/// Stores payments, their events, and their checkout tokens.
///
/// `load`, `events`, `payments_of_order` and `checkout_of_token` are consistent: they see every successful commit.
/// `due` and `payments_of_day` read indexes that are eventually consistent: an entry can be missing or out of date.
/// So the caller loads a listed payment before acting on it.
pub trait PaymentStore {
    /// Loads a payment.
    fn load(
        &self,
        key: &PaymentKey,
    ) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Writes the payment, its events, its token and its index entries in one atomic write. The write succeeds only
    /// if the payment still has the version of [`Commit::over`]. The published mark does not change.
    ///
    /// The write adds the payment to the index of each of its days ([`Payment::days`]) and of the order that it paid
    /// ([`Payment::paid_order`]). If a change adds more than 80 days, only the newest 80 days are certainly indexed.
    fn commit(
        &self,
        commit: Commit<'_>,
    ) -> impl Future<Output = Result<Committed, CommitError>> + Send;

    /// Loads the events with the numbers `from` to `to`, both inclusive. Expired events are absent.
    fn events(
        &self,
        key: &PaymentKey,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<Event>, StoreError>> + Send;

    /// Moves the published mark forward to `through`. Removes the payment from [`Index::Outbox`] if `through` is
    /// [`Commit::outbox_end`] of the payment's last commit.
    ///
    /// Returns the previous mark, or `through` if the mark was already there or further. Of two parallel calls with
    /// the same `through`, only one moves the mark.
    fn mark_published(
        &self,
        key: &PaymentKey,
        through: u64,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Returns a page of a shard's payments that are due at or before `due_by`, the oldest first. The page starts
    /// after the entry `after`. An empty page is the end.
    fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> impl Future<Output = Result<Vec<Due>, StoreError>> + Send;

    /// Returns a page of a project's payments on a day, in one shard. The page starts after the payment `after`, in
    /// an arbitrary but stable order. An empty page is the end. A payment stays on every day to which it has ever
    /// belonged.
    fn payments_of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> impl Future<Output = Result<Vec<PaymentKey>, StoreError>> + Send;

    /// Returns the shard of a payment.
    fn shard(&self, key: &PaymentKey) -> u8;

    /// Returns the payments that have ever paid an order, at most one page.
    fn payments_of_order(
        &self,
        order: PaidOrder<'_>,
    ) -> impl Future<Output = Result<Vec<PaymentKey>, StoreError>> + Send;

    /// Returns the checkout of a token.
    fn checkout_of_token(
        &self,
        token_hash: &str,
    ) -> impl Future<Output = Result<Option<TokenCheckout>, StoreError>> + Send;
}
