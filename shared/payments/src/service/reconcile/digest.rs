//! Operations as sixteen bytes: enough to tell any two apart, and short whatever their ids are.

use ecommpay::data_api::ListedOperation;
use sha2::{Digest as _, Sha256};

use crate::model::ids::PaymentKey;

/// The start of a SHA-256.
pub(super) type Digest = [u8; 16];

/// An operation of a payment.
pub(super) fn of(key: &PaymentKey, operation_id: &str) -> Digest {
    let key = key.to_string();
    let mut hash = Sha256::new();
    // The length, as an id can have any characters.
    hash.update(key.len().to_be_bytes());
    hash.update(key);
    hash.update(operation_id);
    start(hash)
}

/// A row that cannot be read: all that is in it, and the how many-th of its like it is.
pub(super) fn of_row(row: &ListedOperation, number: u32) -> Digest {
    let mut hash = Sha256::new();
    hash.update(format!("row {number} {row:?}"));
    start(hash)
}

fn start(hash: Sha256) -> Digest {
    let mut digest = Digest::default();
    for (to, from) in digest.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    digest
}

#[cfg(test)]
mod tests {
    use ecommpay::fields::ProjectId;

    use super::*;

    #[test]
    fn operations_are_told_apart_by_payment_and_id() {
        let of = |payment: &str, id: &str| {
            let project_id = ProjectId::new(211).unwrap();
            super::of(&PaymentKey::new(project_id, payment), id)
        };
        assert_eq!(of("Order-1", "1"), of("order-1", "1"));
        assert_ne!(of("order-1", "1"), of("order-", "11"));
        assert_ne!(of("order-1", "1"), of("order-1", "2"));
    }
}
