//! Lists our operations that ended on a day, each as a record of 32 bytes.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use futures_util::stream::TryStreamExt;

use super::digest::{Digest, DigestSet, of_operation};
use super::error::SliceError;
use super::span::Span;
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Operation, Outcome, listed_final_outcome};
use crate::ports::{PaymentStore, StoreError};
use crate::service::day_pages::{DayPages, PageRange, load_all};

/// A day with more operations than this is not compared, because the operations would not fit into the memory of the
/// function.
const MAX_OPERATIONS: usize = 4_000_000;

/// Our operations that ended on a day of a project.
#[derive(Debug)]
pub(super) struct LocalDay {
    project_id: ProjectId,
    pub(super) day: Day,
    /// The operations, sorted by digest.
    operations: Vec<Ended>,
    /// The pages of the index that list the payments of these operations.
    pages: Vec<PageRange>,
}

/// An operation that has ended.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    digest: Digest,
    /// A hash of the outcome and the sum ([`hash_of_end`]).
    end: u64,
    /// The second of the day at which the operation ended.
    second: u32,
    /// The number of the index page that lists the payment, counted from 0.
    page: u32,
}

impl LocalDay {
    /// Reads the operations of a day.
    pub(super) async fn read<S: PaymentStore>(
        store: &S,
        project_id: ProjectId,
        day: Day,
    ) -> Result<Self, SliceError> {
        let mut local = Self {
            project_id,
            day,
            operations: Vec::new(),
            pages: Vec::new(),
        };
        let mut pages = DayPages::new(project_id, day);
        while let Some(page) = pages.next(store).await? {
            local.read_page(store, page.keys).await?;
            local.pages.push(page.range);
        }
        local.operations.sort_unstable();
        Ok(local)
    }

    async fn read_page<S: PaymentStore>(
        &mut self,
        store: &S,
        keys: Vec<PaymentKey>,
    ) -> Result<(), SliceError> {
        let page = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        let mut payments = std::pin::pin!(load_all(store, keys));
        while let Some(payment) = payments.try_next().await? {
            let key = payment.key();
            for (id, operation) in payment.operations() {
                if let Some(second) = self.second_of(operation) {
                    self.operations.push(Ended {
                        digest: of_operation(&key, id),
                        end: end_of(operation),
                        second,
                        page,
                    });
                }
            }
            if self.operations.len() > MAX_OPERATIONS {
                return Err(SliceError::TooMany(MAX_OPERATIONS));
            }
        }
        Ok(())
    }

    /// Returns the second of the day at which an operation ended; `None` if the operation did not end on this day.
    fn second_of(&self, operation: &Operation) -> Option<u32> {
        let ended = operation.ended_at()?;
        let since = ended.since(self.day.start()).as_secs();
        let second = u32::try_from(since).ok()?;
        (Day::of(ended) == self.day).then_some(second)
    }

    /// Whether an operation of ours that ended on this day agrees with the listed operation in outcome and sum. If not,
    /// the payment must be loaded, because the payment can still agree: the operation may have ended on another day.
    pub(super) fn agrees(&self, digest: &Digest, listed: &ListedOperation) -> bool {
        let found = self
            .operations
            .binary_search_by(|ended| ended.digest.cmp(digest));
        let ended = found.ok().and_then(|index| self.operations.get(index));
        ended.is_some_and(|ended| Some(ended.end) == end_of_listed(listed))
    }

    /// Returns our operations that ended in a slice and are not in `listed`. The keys of the map are the numbers of the
    /// index pages that list the payments of these operations.
    pub(super) fn missing(&self, slice: Span, listed: &DigestSet) -> BTreeMap<u32, DigestSet> {
        let start = self.day.start().unix_millis();
        let ended_at =
            |ended: &Ended| Timestamp::from_millis(start + i64::from(ended.second) * 1_000);
        let mut missing = BTreeMap::<u32, DigestSet>::new();
        for ended in &self.operations {
            if slice.contains(ended_at(ended)) && !listed.contains(&ended.digest) {
                missing.entry(ended.page).or_default().insert(ended.digest);
            }
        }
        missing
    }

    /// Returns the payments of an index page. Reads the page again, so that the memory need not hold the ids of all
    /// payments.
    pub(super) async fn payments_of_page<S: PaymentStore>(
        &self,
        store: &S,
        page: u32,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let page = usize::try_from(page).ok();
        match page.and_then(|page| self.pages.get(page)) {
            Some(range) => range.keys(store, self.project_id, self.day).await,
            None => Ok(Vec::new()),
        }
    }
}

/// Returns a hash of the outcome of an operation and, if the operation succeeded, of its sum.
fn hash_of_end(outcome: Outcome, sum: Option<(u64, &str)>) -> u64 {
    let has_succeeded = outcome == Outcome::Succeeded;
    let sum = sum.filter(|_| has_succeeded);
    BuildHasherDefault::<DefaultHasher>::default().hash_one((has_succeeded, sum))
}

fn end_of(operation: &Operation) -> u64 {
    let sum = operation.amount().zip(operation.currency());
    hash_of_end(operation.outcome(), sum)
}

fn end_of_listed(listed: &ListedOperation) -> Option<u64> {
    let outcome = listed_final_outcome(listed)?;
    let sum = listed.sum_initial.as_ref();
    let sum = sum.map(|sum| (sum.amount, sum.currency.as_str()));
    Some(hash_of_end(outcome, sum))
}
