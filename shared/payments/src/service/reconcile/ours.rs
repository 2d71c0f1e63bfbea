//! Our operations that ended on a day, in a few bytes each.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use futures_util::stream::TryStreamExt;

use super::digest::{self, Digest};
use super::listed::Listed;
use super::{SliceError, Span};
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Operation, Outcome, listed_end};
use crate::ports::{PaymentStore, StoreError};
use crate::service::day_pages::{DayPages, load_all};

/// The most operations of one day that are compared: so many fit into the function's memory.
pub(super) const MOST: usize = 4_000_000;

/// One day of a project.
#[derive(Debug)]
pub(super) struct OurDay {
    project_id: ProjectId,
    pub(super) day: Day,
    /// Sorted by digest.
    operations: Vec<Ended>,
    /// Where in the index the payments were found.
    pages: Vec<Page>,
}

/// An operation that has ended.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    digest: Digest,
    /// How it ended, in short.
    end: u64,
    /// Seconds since the day began.
    second: u32,
    /// The number of the page that has its payment.
    page: u32,
}

/// A page of the index.
#[derive(Debug)]
struct Page {
    shard: u8,
    /// The payment before the first of the page.
    after: Option<PaymentKey>,
    /// The last payment of the page.
    last: PaymentKey,
}

impl OurDay {
    pub(super) async fn read<S: PaymentStore>(
        store: &S,
        project_id: ProjectId,
        day: Day,
    ) -> Result<Self, SliceError> {
        let mut ours = Self {
            project_id,
            day,
            operations: Vec::new(),
            pages: Vec::new(),
        };
        let mut pages = DayPages::new(project_id, day);
        while let Some(page) = pages.next(store).await? {
            ours.read_page(store, page.keys).await?;
            ours.pages.push(Page {
                shard: page.shard,
                after: page.after,
                last: page.last,
            });
        }
        ours.operations.sort_unstable();
        Ok(ours)
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
                        digest: digest::of(&key, id),
                        end: end_of(operation),
                        second,
                        page,
                    });
                }
            }
            if self.operations.len() > MOST {
                return Err(SliceError::TooMany);
            }
        }
        Ok(())
    }

    /// When on this day it ended; `None` if it did not.
    fn second_of(&self, operation: &Operation) -> Option<u32> {
        let ended = operation.ended_at()?;
        let since = ended.since(self.day.start()).as_secs();
        let second = u32::try_from(since).ok()?;
        (Day::of(ended) == self.day).then_some(second)
    }

    /// Whether an operation is known to have ended on this day as the platform lists it. If not,
    /// that says nothing yet.
    pub(super) fn agrees(&self, digest: &Digest, listed: &ListedOperation) -> bool {
        let found = self
            .operations
            .binary_search_by(|ended| ended.digest.cmp(digest));
        let ended = found.ok().and_then(|index| self.operations.get(index));
        ended.is_some_and(|ended| Some(ended.end) == end_of_listed(listed))
    }

    /// The operations that ended in a slice and are not listed, by the page of their payments.
    pub(super) fn missing(&self, slice: Span, listed: &Listed) -> BTreeMap<u32, Listed> {
        let start = self.day.start().unix_millis();
        let ended_at =
            |ended: &Ended| Timestamp::from_millis(start + i64::from(ended.second) * 1_000);
        let mut missing = BTreeMap::<u32, Listed>::new();
        for ended in &self.operations {
            if slice.contains(ended_at(ended)) && !listed.contains(&ended.digest) {
                missing.entry(ended.page).or_default().insert(ended.digest);
            }
        }
        missing
    }

    /// The payments of a page, read again; others that are on it by now are among them.
    pub(super) async fn keys<S: PaymentStore>(
        &self,
        store: &S,
        page: u32,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let page = usize::try_from(page).ok();
        let Some(page) = page.and_then(|page| self.pages.get(page)) else {
            return Ok(Vec::new());
        };
        let mut keys = Vec::new();
        let mut after = page.after.clone();
        loop {
            let after_this = after.as_ref();
            let found = store.of_day(self.project_id, self.day, page.shard, after_this);
            let found = found.await?;
            after = found.last().cloned();
            let is_last = found.is_empty() || found.contains(&page.last);
            keys.extend(found);
            if is_last {
                return Ok(keys);
            }
        }
    }
}

/// How an operation ended, in short; of what was declined nothing more matters.
fn end(outcome: Outcome, sum: Option<(u64, &str)>) -> u64 {
    let sum = sum.filter(|_| outcome == Outcome::Succeeded);
    BuildHasherDefault::<DefaultHasher>::default().hash_one((outcome == Outcome::Succeeded, sum))
}

fn end_of(operation: &Operation) -> u64 {
    let sum = operation.amount().zip(operation.currency());
    end(operation.outcome(), sum)
}

fn end_of_listed(listed: &ListedOperation) -> Option<u64> {
    let outcome = listed_end(listed)?;
    let sum = listed.sum_initial.as_ref();
    Some(end(
        outcome,
        sum.map(|sum| (sum.amount, sum.currency.as_str())),
    ))
}
