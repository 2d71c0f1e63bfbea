//! What the consumer stores for each payment.

use std::future::Future;

use payments::PaymentKey;
use payments::ports::{CommitError, StoreError};

use crate::actions::Actions;
use crate::event::State;
use crate::goods::Goods;

/// What the consumer stores for one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Where the goods are.
    pub goods: Goods,
    /// The newest state of the payment.
    pub newest: Newest,
    /// The processed events and the action of each.
    pub actions: Actions,
}

/// The state that the event with the highest sequence carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The sequence of that event.
    pub sequence: u64,
    /// The state.
    pub state: State,
}

/// Where memories are stored.
pub trait MemoryStore {
    /// Returns the memory of a payment and the version of that memory; `None` if there is none.
    fn load(
        &self,
        key: &PaymentKey,
    ) -> impl Future<Output = Result<Option<(Memory, u64)>, StoreError>> + Send;

    /// Writes a memory if the stored version is still the one that was loaded (`None`: if there is
    /// still no memory).
    fn save(
        &self,
        key: &PaymentKey,
        memory: &Memory,
        loaded_version: Option<u64>,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}
