//! What the platform lists for a slice.

use std::collections::HashSet;

use super::digest::Digest;

/// The digests of operations.
#[derive(Debug, Default)]
pub(super) struct Listed(HashSet<Digest>);

impl Listed {
    /// Adds one; `false` if it is there already.
    pub(super) fn insert(&mut self, digest: Digest) -> bool {
        self.0.insert(digest)
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.0.contains(digest)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
