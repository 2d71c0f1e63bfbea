//! Compares one slice in both directions: the platform's list with our records, and our records with the list.

use std::collections::BTreeMap;
use std::mem;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::is_documented;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::digest::{Digest, DigestSet, of_operation, of_row};
use super::error::SliceError;
use super::local_day::LocalDay;
use super::platform_list::PlatformList;
use super::span::Span;
use super::summary::{Differences, Reconciled};
use crate::decide::Fact;
use crate::log::{Line, over_limit};
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::{Payment, PlatformRecord};
use crate::ports::{Clock, DataApi, EventQueue, NoAnswer, PaymentStore, StoreError};
use crate::service::commit::Payments;
use crate::service::day_pages::CONCURRENCY;

/// Compares the slices of one project, in order.
pub(super) struct Comparison<'a, S, Q, C, D> {
    payments: &'a Payments<S, Q, C>,
    project_id: ProjectId,
    list: PlatformList<'a, C, D>,
    /// Our operations of the day that contains the last slice.
    local: Option<LocalDay>,
    /// The operations that the platform listed for the previous slice. The platform lists some of these operations
    /// again for the next slice, because the requests have margins that overlap.
    previous: DigestSet,
    /// Whether the platform's list of the slice was too large, so that a part of the list was skipped.
    is_skipped: bool,
}

impl<'a, S, Q, C, D> Comparison<'a, S, Q, C, D>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    D: DataApi + Sync,
{
    pub(super) fn new(
        payments: &'a Payments<S, Q, C>,
        data_api: &'a D,
        project_id: ProjectId,
    ) -> Self {
        Self {
            payments,
            project_id,
            list: PlatformList::new(&payments.clock, data_api, project_id),
            local: None,
            previous: DigestSet::default(),
            is_skipped: false,
        }
    }

    /// Returns an error if the deadline cut the comparison off because the platform failed or answered too slowly.
    pub(super) fn take_platform_error(&mut self) -> Option<NoAnswer> {
        self.list.take_error()
    }

    /// Compares a slice. Adds the counts of the slice to `result`, even if the comparison fails.
    pub(super) async fn compare(
        &mut self,
        slice: Span,
        result: &mut Reconciled,
    ) -> Result<(), SliceError> {
        let previous = mem::take(&mut self.previous);
        self.load_day(Day::of(slice.from)).await?;
        let listed = self.compare_list(slice, &previous, result).await?;
        // Without the whole list, it is unknown which of our operations the platform lacks.
        if !self.is_skipped {
            self.compare_local(slice, &listed, result).await?;
        }
        self.previous = listed;
        Ok(())
    }

    async fn load_day(&mut self, day: Day) -> Result<(), SliceError> {
        if self.local.as_ref().is_none_or(|local| local.day != day) {
            // The old day is dropped before the new day is read, so the memory never holds two days.
            self.local = None;
            let local = LocalDay::read(&self.payments.store, self.project_id, day);
            self.local = Some(local.await?);
        }
        Ok(())
    }

    /// Compares the operations that the platform lists with our records. Returns the digests of all listed
    /// operations.
    async fn compare_list(
        &mut self,
        slice: Span,
        previous: &DigestSet,
        result: &mut Reconciled,
    ) -> Result<DigestSet, SliceError> {
        self.is_skipped = false;
        let mut listed = DigestSet::default();
        let mut offset = 0;
        loop {
            let page = match self.list.page(slice, offset).await {
                Err(NoAnswer::TooLarge) => {
                    // A repeat would fail in the same way, so the rest of the slice is skipped.
                    over_limit("data_api_answer", None);
                    result.unreadable += 1;
                    self.is_skipped = true;
                    return Ok(listed);
                }
                page => page?,
            };
            let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
            let known = listed.len();
            let mut equal_rows = BTreeMap::<Digest, u32>::new();
            let mut candidates = BTreeMap::<PaymentKey, Vec<ListedOperation>>::new();
            for operation in page {
                let mut is_new = |digest| listed.insert(digest) && !previous.contains(&digest);
                let key = self.key_of(&operation);
                if key.is_none() || !is_documented(&operation.status) {
                    // Several unreadable rows can be equal. They are numbered within their page, so that each is
                    // counted.
                    let number = equal_rows.entry(of_row(&operation, 0)).or_default();
                    *number += 1;
                    result.unreadable += u64::from(is_new(of_row(&operation, *number)));
                }
                let Some(key) = key else {
                    continue;
                };
                let digest = of_operation(&key, &operation.operation_id);
                if !is_new(digest) {
                    continue;
                }
                result.compared += 1;
                let local = self.local.as_ref();
                if !local.is_some_and(|local| local.agrees(&digest, &operation)) {
                    candidates.entry(key).or_default().push(operation);
                }
            }
            let checks = stream::iter(candidates)
                .map(|(key, operations)| self.check_listed(key, operations))
                .buffer_unordered(CONCURRENCY);
            result.differences += sum(checks.try_collect().await?);
            if length < PAGE {
                return Ok(listed);
            }
            if listed.len() == known {
                return Err(SliceError::RepeatedPage);
            }
            offset += length;
        }
    }

    /// Returns the payment of a listed operation. Returns `None` if an id in the row is not valid or the row names
    /// another project.
    fn key_of(&self, operation: &ListedOperation) -> Option<PaymentKey> {
        let id = &operation.operation_id;
        let is_id = (1..=PaymentKey::MAX_ID_LENGTH).contains(&id.chars().count());
        let is_ours = |id| id == u64::from(self.project_id.get());
        PaymentKey::parse(self.project_id, &operation.payment_id)
            .filter(|_| is_id && operation.project_id.is_none_or(is_ours))
    }

    async fn check_listed(
        &self,
        key: PaymentKey,
        operations: Vec<ListedOperation>,
    ) -> Result<Differences, SliceError> {
        let mut found = Differences::default();
        for operation in &operations {
            let record = PlatformRecord::Listed(operation);
            self.check(&key, record, &mut found).await?;
        }
        Ok(found)
    }

    /// Compares our operations that ended in the slice with the list.
    async fn compare_local(
        &self,
        slice: Span,
        listed: &DigestSet,
        result: &mut Reconciled,
    ) -> Result<(), SliceError> {
        let Some(local) = &self.local else {
            return Ok(());
        };
        let mut found = Differences::default();
        for (page, missing) in local.missing(slice, listed) {
            let keys = local.payments_of_page(&self.payments.store, page).await?;
            let checks = stream::iter(keys)
                .map(|key| self.check_missing(key, &missing))
                .buffer_unordered(CONCURRENCY);
            found += sum(checks.try_collect().await?);
        }
        result.differences += found;
        Ok(())
    }

    async fn check_missing(
        &self,
        key: PaymentKey,
        missing: &DigestSet,
    ) -> Result<Differences, SliceError> {
        let mut found = Differences::default();
        let stored = StoreError::pass_over(self.payments.store.load(&key).await)?;
        let Some(stored) = stored.flatten() else {
            return Ok(found);
        };
        for (id, _) in stored.payment.operations() {
            if missing.contains(&of_operation(&key, id)) {
                let record = PlatformRecord::Missing(id);
                self.check(&key, record, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Compares a platform record with the payment as it is stored now. If there is a new difference, applies the
    /// record as a fact. Passes over a payment that cannot be read.
    async fn check(
        &self,
        key: &PaymentKey,
        record: PlatformRecord<'_>,
        found: &mut Differences,
    ) -> Result<(), SliceError> {
        let stored = StoreError::pass_over(self.payments.store.load(key).await)?;
        let Some(stored) = stored else {
            return Ok(());
        };
        let payment = stored.as_ref().map(|stored| &stored.payment);
        let new = Payment::new_discrepancies(payment, record);
        if new.is_empty() {
            return Ok(());
        }
        let fact = Fact::PlatformRecord {
            project_id: self.project_id,
            record,
        };
        let Some(applied) = self.payments.apply(key, fact).await? else {
            return Ok(());
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
        Ok(())
    }
}

fn sum(found: Vec<Differences>) -> Differences {
    let mut sum = Differences::default();
    for differences in found {
        sum += differences;
    }
    sum
}
