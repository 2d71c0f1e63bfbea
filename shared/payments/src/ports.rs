//! What the rules need from the outside world. Each port is as small as its use.

use std::future::Future;
use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use thiserror::Error;

use crate::decide::Change;
use crate::events::{Event, EventKind};
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::schedule::Next;
use crate::model::storefront::Storefront;
use crate::model::timestamp::Timestamp;
use crate::model::{PaidOrder, Payment};

/// A payment as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The payment.
    pub payment: Payment,
    /// Counts the changes; a commit names the version it has read.
    pub version: u64,
    /// All events up to this number have been sent to every queue that wants them.
    pub published: u64,
    /// [`Committed::is_first_to_pay`], where it was committed just now.
    pub is_first_to_pay: bool,
}

/// A store could not do what it was asked for; trying again later may help.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// Why a change was not committed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Somebody else changed the payment; read and decide again.
    #[error("the payment was changed meanwhile")]
    Conflict,
    /// The store failed; whether the change was written is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where one looks for payments that something must be done about: each is in one of these
/// shards, so that no single place takes all the writes. Numbered from 0.
pub const SHARDS: u8 = 8;

/// What must be done about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// It has events that may not have been sent; due since the oldest of them was committed.
    Outbox,
    /// The platform is to be polled about it; by project, so that none waits for another one.
    Poll(ProjectId),
    /// The end of its checkout is to be emitted.
    Expire,
    /// Its customer is to be forgotten.
    Erase,
    /// It is open past its end, and nothing more is done about it.
    Overdue,
}

/// One write of a payment.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The payment as it will be, and its new events.
    pub change: &'a Change,
    /// What is to be done about it next, so that it is found then.
    pub next: Option<Next>,
    /// What was read and is changed; `None`: the payment is new.
    pub over: Option<&'a Stored>,
    /// The SHA-256 of a checkout's token, to be stored too.
    pub token_hash: Option<&'a str>,
}

/// What was found out by a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// The change brings that an order is paid, and no payment had ever paid it before. Whoever pays it
    /// later is not.
    pub is_first_to_pay: bool,
}

/// A payment that something must be done about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The payment.
    pub key: PaymentKey,
    /// Since when, or from when on.
    pub since: Timestamp,
}

/// The payments, their events, and the way from a checkout token to its payment.
pub trait PaymentStore {
    /// The payment as it is now.
    fn load(
        &self,
        key: &PaymentKey,
    ) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Writes all of it at once, or nothing, if the payment still has the version that was read. From
    /// then on the payment is found by each of its days ([`Payment::days`]); of more than 80 that one
    /// change adds, by the newest. And from then on it is found by the order that it has paid
    /// ([`Payment::paid_order`]).
    fn commit(
        &self,
        commit: Commit<'_>,
    ) -> impl Future<Output = Result<Committed, CommitError>> + Send;

    /// The events from one number to another, both included.
    fn events(
        &self,
        key: &PaymentKey,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<Event>, StoreError>> + Send;

    /// Notes that all events up to `through` were published. If these are all there are, the payment is
    /// no longer found in [`Index::Outbox`]. Gives the number up to which it was noted before: of two
    /// calls at once, only one moves it.
    fn mark_published(
        &self,
        key: &PaymentKey,
        through: u64,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// A page of a shard's payments that were due before a moment, oldest first, beginning behind
    /// `after`. What was done just now may still be listed.
    fn due(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
        after: Option<&Due>,
    ) -> impl Future<Output = Result<Vec<Due>, StoreError>> + Send;

    /// A page of the payments of a project's day and shard, behind the one `after`, in any order
    /// that stays the same; an empty one is the end. A payment is found by a day that it has had,
    /// and what changed just now may not be found yet.
    fn of_day(
        &self,
        project_id: ProjectId,
        day: Day,
        shard: u8,
        after: Option<&PaymentKey>,
    ) -> impl Future<Output = Result<Vec<PaymentKey>, StoreError>> + Send;

    /// Payments that have paid an order, as far as one page goes.
    fn paid_by(
        &self,
        order: PaidOrder<'_>,
    ) -> impl Future<Output = Result<Vec<PaymentKey>, StoreError>> + Send;

    /// The payment of a checkout token, by the token's SHA-256.
    fn payment_of_token(
        &self,
        token_hash: &str,
    ) -> impl Future<Output = Result<Option<PaymentKey>, StoreError>> + Send;
}

/// The storefronts that may call us.
pub trait StorefrontStore {
    /// The storefront whose key has this public part.
    fn storefront(
        &self,
        key_id: &str,
    ) -> impl Future<Output = Result<Option<Storefront>, StoreError>> + Send;
}

/// An event could not be sent; trying again later may help.
#[derive(Debug, Error)]
#[error("a queue refused an event: {0}")]
pub struct SendError(pub String);

/// One queue that events go to.
pub trait EventQueue {
    /// Whether this queue takes events of this kind.
    fn wants(&self, kind: EventKind) -> bool;

    /// Sends one event. What was sent before goes out again only as a `repeat` of some name.
    fn send(
        &self,
        event: &Event,
        repeat: Option<&str>,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// The platform did not answer a request, or its answer is unusable.
#[derive(Debug, Error)]
#[error("the platform did not answer: {0}")]
pub struct NoAnswer(pub String);

/// The platform's Gate.
pub trait Gate {
    /// Posts a signed request. Whatever goes wrong on the way is an unclear answer: the request
    /// may have been taken.
    fn post(&self, path: &'static str, body: Vec<u8>) -> impl Future<Output = Answer> + Send;

    /// Posts a signed query. Returns the body of an answer with HTTP status 200.
    fn query(
        &self,
        path: &'static str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, NoAnswer>> + Send;
}

/// The platform's own books.
pub trait DataApi {
    /// A page of a project's operations that were completed in an interval, from the `offset`-th
    /// on: [`PAGE`](ecommpay::data_api::PAGE) of them, and fewer at the end.
    fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> impl Future<Output = Result<Vec<ListedOperation>, NoAnswer>> + Send;
}

/// What is done about each day, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Daily {
    /// The platform's books are held against ours.
    Compare,
    /// Its totals are reported.
    Report,
}

/// How far that is done for each project.
pub trait ProgressStore {
    /// The end of what is done; `None` if nothing is yet.
    fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Moves it forward. Does nothing where another run has come as far.
    fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The time, and chance.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Any number below `end`.
    fn random(&self, end: u64) -> u64;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self, end: u64) -> u64 {
        getrandom::u64().unwrap_or(0) % end.max(1)
    }
}
