//! Compares the operations that the platform lists for an interval with our records.

use std::collections::BTreeMap;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::is_documented;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, timeout_at};

use super::digest::{Digests, of_operation};
use super::platform_list::PlatformList;
use super::span::Span;
use super::summary::Differences;
use crate::decide::Fact;
use crate::log::{Line, over_limit};
use crate::model::ids::PaymentKey;
use crate::model::{Payment, PlatformRecord};
use crate::ports::{
    Clock, DataApi, EventQueue, NoAnswer, Part, PaymentStore, ProgressStore, Run, RunStore,
    StoreError,
};
use crate::service::commit::Payments;
use crate::service::daily_run::{DailyRuns, PartError, PartResult};
use crate::service::day_pages::CONCURRENCY;

/// The margin on both sides of a run's interval in which the platform's list is also requested.
pub(crate) const MARGIN: Duration = Duration::from_secs(600);

/// The maximum number of pages of a slice's list; a longer slice is split. One execution needs about four minutes for
/// these pages, at one page in a second.
const MAX_PAGES: u32 = 200;

impl<S, Q, C, D> DailyRuns<'_, S, Q, C, D>
where
    S: PaymentStore + ProgressStore + RunStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    D: DataApi + Sync,
{
    /// Compares the list of a slice, and stores the digests of the listed operations. If the list is too long, or if
    /// the deadline arrives first, returns the halves of the slice instead.
    pub(crate) async fn compare_list(
        &self,
        run: &Run,
        slice: Span,
        deadline: Instant,
    ) -> Result<PartResult, PartError> {
        let data_api = self.data_api.ok_or(PartError::NoToken)?;
        let (payments, project_id) = (self.payments, run.project_id);
        let mut list = PlatformList::new(&payments.clock, data_api, project_id, self.pace);
        let mut result = PartResult::default();
        let mut digests = Digests::default();
        let mut previous = Vec::new();
        let mut offset = 0;
        loop {
            let page = match timeout_at(deadline, list.page(slice, offset)).await {
                Ok(Err(NoAnswer::TooLarge)) => {
                    // A repeat would fail in the same way. So a slice that cannot be split is skipped.
                    return Ok(halves(slice).unwrap_or_else(|| {
                        over_limit("data_api_answer", None);
                        PartResult::skipped()
                    }));
                }
                Ok(page) => page?,
                Err(_) => {
                    return match list.take_error() {
                        Some(error) => Err(error.into()),
                        None => halves(slice).ok_or(PartError::TooMany),
                    };
                }
            };
            let is_full = page.len() >= PAGE as usize;
            if is_full && page == previous {
                return Err(PartError::RepeatedPage);
            }
            if is_full
                && offset == 0
                && let Some(halves) = halves(slice)
                && self.has_page(&mut list, slice, MAX_PAGES, deadline).await?
            {
                return Ok(halves);
            }
            let by_payment = self.sort(run, &page, &mut digests, &mut result);
            let checks = stream::iter(by_payment)
                .map(|(key, operations)| async move {
                    let records = operations.into_iter().map(PlatformRecord::Listed);
                    payments.check(&key, records).await
                })
                .buffer_unordered(CONCURRENCY);
            result.counts.differences += sum(checks.try_collect().await?);
            digests.store(&payments.store, run, is_full).await?;
            if !is_full {
                return Ok(result);
            }
            offset += PAGE;
            previous = page;
        }
    }

    /// Whether the platform's list of a slice has a page with this number, counted from 0; `false` if the deadline
    /// arrives first.
    async fn has_page(
        &self,
        list: &mut PlatformList<'_, C, D>,
        slice: Span,
        number: u32,
        deadline: Instant,
    ) -> Result<bool, PartError> {
        match timeout_at(deadline, list.page(slice, number * PAGE)).await {
            Ok(Err(NoAnswer::TooLarge)) => Ok(true),
            Ok(page) => Ok(!page?.is_empty()),
            Err(_) => Ok(false),
        }
    }

    /// Sorts the operations of a page by payment, and adds their digests. Counts the compared operations and the
    /// unreadable operations.
    fn sort<'p>(
        &self,
        run: &Run,
        page: &'p [ListedOperation],
        digests: &mut Digests,
        result: &mut PartResult,
    ) -> BTreeMap<PaymentKey, Vec<&'p ListedOperation>> {
        let mut by_payment = BTreeMap::<PaymentKey, Vec<&ListedOperation>>::new();
        for operation in page {
            let key = key_of(run.project_id, operation);
            if key.is_none() || !is_documented(&operation.status) {
                result.counts.unreadable += 1;
            }
            let Some(key) = key else {
                continue;
            };
            result.counts.compared += 1;
            let digest = of_operation(&key, &operation.operation_id);
            digests.add(self.payments.store.shard(&key), digest);
            by_payment.entry(key).or_default().push(operation);
        }
        by_payment
    }
}

/// Returns the result that replaces a slice by its halves; `None` if the slice is too short.
fn halves(slice: Span) -> Option<PartResult> {
    let part = |Span { from, to }| Part::List { from, to };
    let next = slice.halves()?.map(part);
    Some(PartResult::replaced_by(next.into()))
}

/// Returns the payment of a listed operation; `None` if an id is not valid or the operation names another project.
fn key_of(project_id: ProjectId, operation: &ListedOperation) -> Option<PaymentKey> {
    let id = &operation.operation_id;
    let is_id = (1..=PaymentKey::MAX_ID_LENGTH).contains(&id.chars().count());
    let is_ours = |id| id == u64::from(project_id.get());
    PaymentKey::parse(project_id, &operation.payment_id)
        .filter(|_| is_id && operation.project_id.is_none_or(is_ours))
}

pub(super) fn sum(found: Vec<Differences>) -> Differences {
    let mut sum = Differences::default();
    for differences in found {
        sum += differences;
    }
    sum
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Compares platform records with the stored payment, and applies each record with a new difference as a fact.
    /// Skips a payment that cannot be read.
    pub(super) async fn check(
        &self,
        key: &PaymentKey,
        records: impl Iterator<Item = PlatformRecord<'_>>,
    ) -> Result<Differences, PartError> {
        let mut found = Differences::default();
        let stored = StoreError::pass_over(self.store.load(key).await)?;
        let Some(stored) = stored else {
            return Ok(found);
        };
        let payment = stored.as_ref().map(|stored| &stored.payment);
        for record in records {
            let new = Payment::new_discrepancies(payment, record);
            if new.is_empty() {
                continue;
            }
            let fact = Fact::PlatformRecord {
                project_id: key.project_id(),
                record,
            };
            let Some(applied) = self.apply(key, fact).await? else {
                continue;
            };
            if applied.changed {
                for difference in &new {
                    found.count(difference);
                    Line::warn("the platform records differ from ours")
                        .with("payment", key.to_string())
                        .with("operation", &difference.operation_id)
                        .with("kind", difference.kind)
                        .write();
                }
            }
            applied.into_payment();
        }
        Ok(found)
    }
}
