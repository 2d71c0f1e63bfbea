//! Defines the stores of endpoints and of the events that wait for them.

use std::future::Future;

use super::store_error::StoreError;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::{
    Backlog, DisabledBy, Endpoint, EndpointId, EndpointKey, EndpointOwner, Health,
};

/// An endpoint in a list.
#[derive(Debug)]
pub struct EndpointEntry {
    /// The key.
    pub key: EndpointKey,
    /// The endpoint, or the reason why it cannot be read.
    pub endpoint: Result<Endpoint, StoreError>,
}

/// Stores endpoints. Only operators write them.
pub trait EndpointStore {
    /// Returns an endpoint. The read is consistent: a removed endpoint is unknown from the next read on.
    fn endpoint(
        &self,
        key: &EndpointKey,
    ) -> impl Future<Output = Result<Option<Endpoint>, StoreError>> + Send;

    /// Returns the endpoints of a storefront. The read is consistent.
    fn endpoints_of(
        &self,
        owner: &EndpointOwner,
    ) -> impl Future<Output = Result<Vec<EndpointEntry>, StoreError>> + Send;
}

/// The result of a conditional write of a backlog item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The item was written.
    Done,
    /// Another writer has changed the item. Contains the stored item, if there is one.
    Conflict(Option<Backlog>),
}

/// An entry of the index of waiting payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The payment.
    pub payment: PaymentKey,
    /// [`Backlog::since`]
    pub since: Timestamp,
    /// [`Backlog::due`]
    pub due: Timestamp,
}

/// An endpoint in the list of endpoints with a backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The endpoint.
    pub key: EndpointKey,
    /// The time at which the endpoint was last put on the list.
    pub at: Timestamp,
}

/// An event that was given up for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The payment.
    pub payment: PaymentKey,
    /// The number of the event.
    pub sequence: u64,
    /// The time since which the event waited.
    pub since: Timestamp,
    /// The time at which the event was given up.
    pub at: Timestamp,
    /// The outcome of the last try, or the reason why there was no try.
    pub error: String,
}

/// Stores the health of endpoints, their backlogs and dead letters.
///
/// All reads are consistent, except [`DeliveryStore::waiting`].
pub trait DeliveryStore {
    /// Returns the health of an endpoint.
    fn health(&self, id: &EndpointId) -> impl Future<Output = Result<Health, StoreError>> + Send;

    /// Applies [`Health::failed`] to the stored health, and returns the result.
    fn count_failure(
        &self,
        id: &EndpointId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Health, StoreError>> + Send;

    /// Applies [`Health::delivered`] to the stored health.
    fn count_success(&self, id: &EndpointId)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Applies [`Health::disabled`] to the stored health. Returns whether this call switched the endpoint off.
    fn disable(
        &self,
        id: &EndpointId,
        now: Timestamp,
        by: DisabledBy,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Applies [`Health::held`] to the stored health.
    fn hold(&self, id: &EndpointId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Applies [`Health::enabled`] to the stored health.
    fn enable(
        &self,
        id: &EndpointId,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the backlog of a payment.
    fn backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
    ) -> impl Future<Output = Result<Option<Backlog>, StoreError>> + Send;

    /// Writes the backlog of a payment if the stored item still has the version of `over`. `over` is `None` for a new
    /// item. If `new` is `None`, the item is deleted.
    fn replace_backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: Option<&Backlog>,
        new: Option<&Backlog>,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;

    /// Returns at most `max` payments that wait for an endpoint, the earliest due first. The read is eventually
    /// consistent.
    fn waiting(
        &self,
        id: &EndpointId,
        max: usize,
    ) -> impl Future<Output = Result<Vec<Waiting>, StoreError>> + Send;

    /// Puts an endpoint on the list of endpoints with a backlog.
    fn list(
        &self,
        key: &EndpointKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the endpoints with a backlog. An entry that cannot be read is skipped.
    fn listed(&self) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;

    /// Removes an endpoint from the list unless it was put on the list again since [`Listed::at`].
    fn unlist(&self, listed: &Listed) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores a dead letter. Replaces an earlier dead letter of the same event.
    fn put_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns a page of an endpoint's dead letters, in the order of payments and events. The page starts after the
    /// dead letter `after`. An empty page is the end.
    fn dead_letters(
        &self,
        id: &EndpointId,
        after: Option<&DeadLetter>,
    ) -> impl Future<Output = Result<Vec<DeadLetter>, StoreError>> + Send;

    /// Deletes a dead letter.
    fn delete_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
