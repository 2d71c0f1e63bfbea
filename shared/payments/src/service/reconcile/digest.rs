//! Computes and stores digests of operations. The digests replace ids, because an id can be long, and a digest has only
//! 16 bytes.

use std::collections::{BTreeMap, HashSet};
use std::mem;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::model::ids::PaymentKey;
use crate::ports::{Run, RunStore, StoreError};
use crate::sha256;

/// The first 16 bytes of a SHA-256.
pub(super) type Digest = [u8; 16];

pub(super) type DigestSet = HashSet<Digest>;

pub(super) fn of_operation(key: &PaymentKey, operation_id: &str) -> Digest {
    let key = key.to_string();
    let mut hash = Sha256::new();
    // The length of the key separates it from the id, because the id can contain any character.
    hash.update(key.len().to_be_bytes());
    hash.update(key);
    hash.update(operation_id);
    first_bytes(hash)
}

fn first_bytes(hash: Sha256) -> Digest {
    let mut digest = Digest::default();
    for (to, from) in digest.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    digest
}

/// The number of digests of one shard that one item stores. As Base64, they need 87 KB.
const PER_ITEM: usize = 4_096;

/// The digests of listed operations that are not stored yet, by shard.
#[derive(Debug, Default)]
pub(super) struct Digests(BTreeMap<u8, Vec<Digest>>);

impl Digests {
    pub(super) fn add(&mut self, shard: u8, digest: Digest) {
        self.0.entry(shard).or_default().push(digest);
    }

    /// Stores the digests of each shard that has enough digests for an item. If `more_follow` is false, stores all
    /// digests.
    pub(super) async fn store<S: RunStore>(
        &mut self,
        store: &S,
        run: &Run,
        more_follow: bool,
    ) -> Result<(), StoreError> {
        for (shard, digests) in &mut self.0 {
            let is_enough = digests.len() >= PER_ITEM || !more_follow && !digests.is_empty();
            if is_enough {
                let content = STANDARD_NO_PAD.encode(mem::take(digests).concat());
                // The key is a digest of the content, so a repeat of the slice cannot overwrite an item that has
                // other operations.
                let key = sha256::start_of_hex(content.as_bytes(), 32);
                store.put(run, Some(*shard), &key, content).await?;
            }
        }
        Ok(())
    }
}

/// Reads the digests of a shard's operations that the lists of a run contain.
pub(super) async fn read<S: RunStore>(
    store: &S,
    run: &Run,
    shard: u8,
) -> Result<impl Iterator<Item = Digest>, StoreError> {
    let contents = store.contents(run, Some(shard)).await?;
    Ok(contents.into_iter().flat_map(|(_, content)| {
        let content = STANDARD_NO_PAD.decode(content).unwrap_or_default();
        let digests = content.chunks_exact(size_of::<Digest>());
        let digests = digests.filter_map(|digest| Digest::try_from(digest).ok());
        digests.collect::<Vec<_>>()
    }))
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
