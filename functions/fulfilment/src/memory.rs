//! Defines the memory of a payment: the data that the consumer stores for the payment. Also defines the interface of
//! the store.

use std::future::Future;

use payments::PaymentKey;
use payments::ports::{CommitError, StoreError};

use crate::actions::Actions;
use crate::event::State;
use crate::goods::Goods;

/// The memory of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The location of the goods.
    pub goods: Goods,
    /// The newest state of the payment.
    pub newest: Newest,
    /// Whether another payment paid the order first.
    pub is_paid_twice: bool,
    /// The highest sequence number of a `payment.succeeded` whose state shows the money as paid; 0 if none was
    /// processed.
    pub last_success: u64,
    /// The highest sequence number of an event that shows the money as gone or under review; 0 if none was processed.
    pub last_without_money: u64,
    /// The action of each processed event.
    pub actions: Actions,
}

/// The state from the event with the highest sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The sequence number of the event.
    pub sequence: u64,
    /// The state that the event carries.
    pub state: State,
}

/// Stores the memories.
pub trait MemoryStore {
    /// Returns the memory of a payment and its version; `None` if nothing is stored.
    fn load(
        &self,
        key: &PaymentKey,
    ) -> impl Future<Output = Result<Option<(Memory, u64)>, StoreError>> + Send;

    /// Writes a memory on the condition that the stored version is `loaded_version`. With `None`, the condition is that
    /// no memory is stored yet. Returns [`CommitError::Conflict`] if the condition does not hold.
    fn save(
        &self,
        key: &PaymentKey,
        memory: &Memory,
        loaded_version: Option<u64>,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}
