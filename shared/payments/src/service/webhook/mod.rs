//! Delivers events to the endpoints of storefronts (`shared/decisions/state/0047-webhooks.md`).
//!
//! | step | code |
//! | --- | --- |
//! | each event becomes one message for each endpoint that wants it | [`Webhooks::route`] |
//! | the first try | [`Deliverer::first_try`] |
//! | a failed event and all later events of its payment wait in the backlog | `backlog.rs` |
//! | each minute, due retries are handed out | [`Webhooks::hand_out`] |
//! | a retry | [`Deliverer::retry`] |
//! | an operator switches an endpoint on, and sends what it missed | [`Webhooks::enable`] |
//! | an operator sends dead letters again | [`Webhooks::redeliver`] |
//! | an operator adds an endpoint, or sends it a test event | [`new_id`], [`test_event`] |
//!
//! An event that an endpoint wants is delivered at least once, or it waits in the backlog, or it is a dead letter, or
//! the endpoint was switched off when the event came. The first tries of a payment's events are in order: while an event
//! waits, all later events of its payment wait behind it.

mod backlog;
mod dead_letters;
mod enable;
mod first_try;
mod hand_out;
mod missed;
mod new_id;
mod plan;
mod post;
mod retry;
mod route;
mod test_event;

pub use self::dead_letters::RedeliverError;
pub use self::enable::{EnableError, Enabled};
pub use self::first_try::FirstTried;
pub use self::hand_out::HandedOut;
pub use self::new_id::new_id;
pub use self::retry::Retried;
pub use self::route::RoutedEvent;
pub use self::test_event::{TEST_TYPE, test_event};
use crate::model::ids::PaymentKey;
use crate::model::webhook::{Backlog, Endpoint, EndpointKey, Health, MasterSecret, RetrySchedule};
use crate::ports::{DeliveryStore, EndpointStore, StoreError};

/// The stores of endpoints and their backlogs. The use cases are methods of this type.
#[derive(Debug)]
pub struct Webhooks<E, D, C> {
    /// The endpoints.
    pub endpoints: E,
    /// The health, the backlogs and the dead letters of the endpoints.
    pub deliveries: D,
    /// The clock.
    pub clock: C,
    /// The delays of the retries.
    pub schedule: RetrySchedule,
}

/// The use cases that post events.
#[derive(Debug)]
pub struct Deliverer<'a, E, D, C, S, W, Q> {
    /// The stores.
    pub webhooks: &'a Webhooks<E, D, C>,
    /// The store of events.
    pub payments: &'a S,
    /// The sender.
    pub sender: &'a W,
    /// The queue of retries.
    pub retries: &'a Q,
    /// The secret from which the endpoints' secrets are derived.
    pub master: &'a MasterSecret,
}

/// An endpoint, if its item can be read.
enum Readable {
    Yes(Box<Endpoint>),
    Removed,
    /// The endpoint cannot be read, so its events must wait. The adapter of the store has logged the item.
    No,
}

impl<E: EndpointStore, D: DeliveryStore, C> Webhooks<E, D, C> {
    /// Reads everything that decides whether an event of a payment may be posted to an endpoint.
    async fn load(
        &self,
        key: &EndpointKey,
        payment: &PaymentKey,
    ) -> Result<(Readable, Health, Result<Option<Backlog>, StoreError>), StoreError> {
        tokio::try_join!(
            self.readable_endpoint(key),
            self.deliveries.health(&key.id),
            async { Ok(self.deliveries.backlog(&key.id, payment).await) },
        )
    }

    async fn readable_endpoint(&self, key: &EndpointKey) -> Result<Readable, StoreError> {
        let read = StoreError::pass_over(self.endpoints.endpoint(key).await)?;
        Ok(match read {
            Some(Some(endpoint)) => Readable::Yes(endpoint.into()),
            Some(None) => Readable::Removed,
            None => Readable::No,
        })
    }
}
