//! The two indexes of payments that something must be done about.
//!
//! | index | partition | sort | which payments |
//! | --- | --- | --- | --- |
//! | `unsent` | `unsent` (shard) | `unsent_since` | with events that were not sent |
//! | `next` | `next` (what, shard) | `next_at` | about which something is to be done then |
//!
//! Both are sparse: a payment that needs nothing has no entry and costs nothing. An entry is
//! written and removed by the very write that changes the payment, so it is never forgotten.
//! Status requests stand apart by project; expiries, erasures and what is overdue on their own.

use ecommpay::fields::ProjectId;
use sha2::{Digest, Sha256};

use super::DynamoStore;
use super::item::{broken, payment_pk, read_moment, read_text};
use crate::ids::PaymentKey;
use crate::ports::{Index, SHARDS, StoreError};
use crate::schedule::Next;
use crate::timestamp::Timestamp;

impl Index {
    /// The name of the index and of the attribute with the shard.
    pub(super) fn name(self) -> &'static str {
        match self {
            Index::Unsent => "unsent",
            Index::Poll(_) | Index::Expire | Index::Erase | Index::Overdue => "next",
        }
    }

    /// The attribute that an index is sorted by.
    pub(super) fn since(self) -> &'static str {
        match self {
            Index::Unsent => "unsent_since",
            Index::Poll(_) | Index::Expire | Index::Erase | Index::Overdue => "next_at",
        }
    }

    /// A shard as the index has it.
    pub(super) fn shard(self, number: u8) -> String {
        match self {
            Index::Unsent => format!("unsent#{number:02}"),
            Index::Poll(project_id) => format!("poll#{}#{number:02}", project_id.get()),
            Index::Expire => format!("expire#{number:02}"),
            Index::Erase => format!("erase#{number:02}"),
            Index::Overdue => format!("overdue#{number:02}"),
        }
    }

    /// The shard of a payment.
    pub(super) fn shard_of(self, key: &PaymentKey) -> String {
        self.shard(shard_number(key))
    }

    /// Where a payment is found about which something is to be done, and from when on.
    pub(super) fn of(next: Next, project_id: ProjectId) -> (Self, Timestamp) {
        match next {
            Next::Poll(at) => (Index::Poll(project_id), at),
            Next::Expire(at) => (Index::Expire, at),
            Next::Erase(at) => (Index::Erase, at),
            Next::Overdue(since) => (Index::Overdue, since),
        }
    }
}

impl DynamoStore {
    /// What is to be done about a payment next, as the index has it.
    pub async fn plan(&self, key: &PaymentKey) -> Result<Option<Next>, StoreError> {
        let (name, since) = (Index::Overdue.name(), Index::Overdue.since());
        let item = self.get(payment_pk(key), "payment").await?;
        let Some(item) = item.filter(|item| item.contains_key(name)) else {
            return Ok(None);
        };
        let at = read_moment(&item, since)?;
        match read_text(&item, name)?.split('#').next() {
            Some("poll") => Ok(Some(Next::Poll(at))),
            Some("expire") => Ok(Some(Next::Expire(at))),
            Some("erase") => Ok(Some(Next::Erase(at))),
            Some("overdue") => Ok(Some(Next::Overdue(at))),
            _ => Err(broken("nothing that could be done")),
        }
    }
}

/// The shard that a payment has in every index.
pub(super) fn shard_number(key: &PaymentKey) -> u8 {
    let hash = Sha256::digest(payment_pk(key));
    hash.first().copied().unwrap_or_default() % SHARDS
}
