//! The two indexes of payments that something must be done about.
//!
//! | index | partition | sort | which payments |
//! | --- | --- | --- | --- |
//! | `unsent` | `unsent` (shard) | `unsent_since` | with events that were not sent |
//! | `check` | `check` (shard) | `check_at` | whose status is to be asked then |
//!
//! Both are sparse: a payment that needs nothing has no entry and costs nothing. An entry is
//! written and removed by the very write that changes the payment, so it is never forgotten.

use sha2::{Digest, Sha256};

use super::item::payment_pk;
use crate::ids::PaymentKey;
use crate::ports::{Index, SHARDS};

impl Index {
    /// The name of the index and of the attribute with the shard.
    pub(super) fn name(self) -> &'static str {
        match self {
            Index::Unsent => "unsent",
            Index::Check => "check",
        }
    }

    /// The attribute that an index is sorted by.
    pub(super) fn since(self) -> &'static str {
        match self {
            Index::Unsent => "unsent_since",
            Index::Check => "check_at",
        }
    }

    /// A shard as the index has it.
    pub(super) fn shard(self, number: u8) -> String {
        format!("{}#{number:02}", self.name())
    }

    /// The shard of a payment.
    pub(super) fn shard_of(self, key: &PaymentKey) -> String {
        self.shard(shard_number(key))
    }
}

/// The shard that a payment has in every index.
pub(super) fn shard_number(key: &PaymentKey) -> u8 {
    let hash = Sha256::digest(payment_pk(key));
    hash.first().copied().unwrap_or_default() % SHARDS
}
