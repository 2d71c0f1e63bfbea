//! Computes digests of operations. Every digest has 16 bytes, although the ids of an operation can be long.

use std::collections::HashSet;

use ecommpay::data_api::ListedOperation;
use sha2::{Digest as _, Sha256};

use crate::model::ids::PaymentKey;

/// The first 16 bytes of a SHA-256.
pub(super) type Digest = [u8; 16];

/// A set of operations, by their digests.
pub(super) type DigestSet = HashSet<Digest>;

/// Returns the digest of an operation of a payment.
pub(super) fn of_operation(key: &PaymentKey, operation_id: &str) -> Digest {
    let key = key.to_string();
    let mut hash = Sha256::new();
    // The length of the key separates key and id, because an id can contain any character.
    hash.update(key.len().to_be_bytes());
    hash.update(key);
    hash.update(operation_id);
    first_bytes(hash)
}

/// Returns the digest of a listed row that has an invalid id or an undocumented status. The digest covers the whole row
/// and the row's number among the equal rows of its page.
pub(super) fn of_row(row: &ListedOperation, number: u32) -> Digest {
    let mut hash = Sha256::new();
    hash.update(format!("row {number} {row:?}"));
    first_bytes(hash)
}

fn first_bytes(hash: Sha256) -> Digest {
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
    fn a_digest_depends_on_payment_and_operation_id() {
        let of = |payment: &str, id: &str| {
            let project_id = ProjectId::new(211).unwrap();
            of_operation(&PaymentKey::new(project_id, payment), id)
        };
        assert_eq!(of("Order-1", "1"), of("order-1", "1"));
        assert_ne!(of("order-1", "1"), of("order-", "11"));
        assert_ne!(of("order-1", "1"), of("order-1", "2"));
    }
}
