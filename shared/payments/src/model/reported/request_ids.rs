//! Finds the operations that name a request of ours.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::operation::Operation;
use super::texts::{digest_of_id, is_digest};

/// The platform's ids of requests of ours. An operation without details has digests instead of ids. The digests of our
/// ids are computed once, for the first such operation, because a payment can have thousands of these operations.
pub(in crate::model) struct RequestIds<'a> {
    earlier: Option<&'a BTreeSet<String>>,
    current: Option<&'a str>,
    digests: OnceCell<BTreeSet<String>>,
}

impl<'a> RequestIds<'a> {
    /// Creates the ids of several earlier requests and of the current request.
    pub(in crate::model) fn new(earlier: &'a BTreeSet<String>, current: Option<&'a str>) -> Self {
        Self {
            earlier: Some(earlier),
            ..Self::one(current)
        }
    }

    /// Creates the id of one request. `current` is `None` if the id is unknown.
    pub(in crate::model) fn one(current: Option<&'a str>) -> Self {
        Self {
            earlier: None,
            current,
            digests: OnceCell::new(),
        }
    }

    /// Whether an operation names one of the requests.
    pub(in crate::model) fn are_named_by(&self, operation: &Operation) -> bool {
        let mut named = operation.request_ids();
        named.any(|id| match is_digest(id) {
            true => self
                .digests
                .get_or_init(|| self.iter().map(digest_of_id).collect())
                .contains(id),
            false => self.current == Some(id) || self.earlier.is_some_and(|ids| ids.contains(id)),
        })
    }

    /// Returns the ids.
    pub(in crate::model) fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let earlier = self.earlier.into_iter().flatten();
        earlier.map(String::as_str).chain(self.current)
    }
}
