//! Slice after slice of one project.

use std::collections::BTreeMap;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::is_documented;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, timeout_at};

use super::digest::{self, Digest};
use super::listed::Listed;
use super::ours::OurDay;
use super::{Differences, Reconciled, SliceError, Span};
use crate::decide::Fact;
use crate::log::Line;
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, PlatformRecord};
use crate::ports::{Clock, DataApi, EventQueue, NoAnswer, PaymentStore};
use crate::service::commit::Payments;
use crate::service::day_pages::AT_ONCE;

/// How far the platform's list is asked for beyond a slice.
const MARGIN: Duration = Duration::from_secs(600);
/// How long to wait before a question is put again that was not answered.
const PAUSES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// A page that time runs out for is a failure of the platform if it was waited for so long.
const LONG_WAIT: Duration = Duration::from_secs(60);
/// After so many failures one after the other the rest is left for the next run.
const MOST_FAILURES: u32 = 3;

/// A page that the platform was asked for.
struct Awaited {
    since: Timestamp,
    /// What came instead, the last time.
    error: Option<NoAnswer>,
}

/// Slice after slice of one project.
pub(super) struct Run<'a, S, Q, C, D> {
    payments: &'a Payments<S, Q, C>,
    data_api: &'a D,
    project_id: ProjectId,
    deadline: Instant,
    /// Our operations of the day of the last slice.
    ours: Option<OurDay>,
    /// What the platform listed for the last slice: what is listed again for the next one, because
    /// of the margins, was compared.
    before: Option<Listed>,
    /// The page that the platform was asked for and has not given yet.
    awaited: Option<Awaited>,
    /// How many slices in a row have failed.
    failures: u32,
    pub(super) done: Reconciled,
}

impl<'a, S, Q, C, D> Run<'a, S, Q, C, D>
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
        span: Span,
        deadline: Instant,
    ) -> Self {
        Self {
            payments,
            data_api,
            project_id,
            deadline,
            ours: None,
            before: None,
            awaited: None,
            failures: 0,
            done: Reconciled::before(span.from),
        }
    }

    /// Compares a slice, and tells whether to go on with the next one.
    pub(super) async fn take(&mut self, slice: Span) -> bool {
        let deadline = self.deadline;
        if Instant::now() >= deadline {
            self.done.in_time = false;
            return false;
        }
        let before = self.before.take();
        match timeout_at(deadline, self.slice(slice, before.as_ref())).await {
            Err(_) => {
                self.done.in_time = false;
                if let Some(error) = self.unanswered() {
                    self.fail(slice, &error.into());
                }
                return false;
            }
            Ok(Ok(listed)) => {
                self.before = Some(listed);
                self.failures = 0;
                if self.done.failed == 0 {
                    self.done.until = slice.to;
                }
            }
            Ok(Err(error)) => self.fail(slice, &error),
        }
        self.failures < MOST_FAILURES
    }

    fn fail(&mut self, slice: Span, error: &SliceError) {
        let (project, from) = (self.project_id, slice.from);
        self.done.fail(format!("{project} from {from}: {error}"));
        self.failures += 1;
    }

    /// Why a page was not there when time was up, if that is the platform's doing.
    fn unanswered(&mut self) -> Option<NoAnswer> {
        let awaited = self.awaited.take()?;
        let waited = self.payments.clock.now().since(awaited.since);
        let in_vain = || NoAnswer(format!("none within {} s", waited.as_secs()));
        let is_long = waited > LONG_WAIT;
        awaited.error.or_else(|| is_long.then(in_vain))
    }

    async fn slice(&mut self, slice: Span, before: Option<&Listed>) -> Result<Listed, SliceError> {
        let day = Day::of(slice.from);
        if self.ours.as_ref().is_none_or(|ours| ours.day != day) {
            // Never two days at once.
            self.ours = None;
            let read = OurDay::read(&self.payments.store, self.project_id, day);
            self.ours = Some(read.await?);
        }
        let listed = self.compare_list(slice, before).await?;
        self.compare_ours(slice, &listed).await?;
        Ok(listed)
    }

    /// What the platform lists, against ours.
    async fn compare_list(
        &mut self,
        slice: Span,
        before: Option<&Listed>,
    ) -> Result<Listed, SliceError> {
        let mut listed = Listed::default();
        let mut offset = 0;
        loop {
            let page = self.page(slice, offset).await?;
            let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
            let known = listed.len();
            let mut odd = BTreeMap::<Digest, u32>::new();
            let mut doubtful = BTreeMap::<PaymentKey, Vec<ListedOperation>>::new();
            for operation in page {
                let mut is_new = |digest| {
                    listed.insert(digest) && !before.is_some_and(|before| before.contains(&digest))
                };
                let key = self.key_of(&operation);
                if key.is_none() || !is_documented(&operation.status) {
                    // Without ids only what is on one page with it can tell it from its like.
                    let like = odd.entry(digest::of_row(&operation, 0)).or_default();
                    *like += 1;
                    self.done.unreadable += u64::from(is_new(digest::of_row(&operation, *like)));
                }
                let Some(key) = key else {
                    continue;
                };
                let digest = digest::of(&key, &operation.operation_id);
                if !is_new(digest) {
                    continue;
                }
                self.done.compared += 1;
                let ours = self.ours.as_ref();
                if !ours.is_some_and(|ours| ours.agrees(&digest, &operation)) {
                    doubtful.entry(key).or_default().push(operation);
                }
            }
            let looked = stream::iter(doubtful)
                .map(|(key, operations)| self.look_at_listed(key, operations))
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<_>>()
                .await?;
            self.count(looked);
            if length < PAGE {
                return Ok(listed);
            }
            if listed.len() == known {
                return Err(SliceError::Circle);
            }
            offset += length;
        }
    }

    /// A page of the platform's list, asked for again if there is no answer.
    async fn page(&mut self, slice: Span, offset: u32) -> Result<Vec<ListedOperation>, NoAnswer> {
        let (from, to) = (slice.from.before(MARGIN), slice.to.after(MARGIN));
        let (data_api, project_id) = (self.data_api, self.project_id);
        let since = self.payments.clock.now();
        let awaited = self.awaited.insert(Awaited { since, error: None });
        for pause in PAUSES {
            match data_api.operations(project_id, from, to, offset).await {
                Ok(page) => {
                    self.awaited = None;
                    return Ok(page);
                }
                Err(error) => awaited.error = Some(error),
            }
            self.payments.clock.sleep(pause).await;
        }
        let page = data_api.operations(project_id, from, to, offset).await;
        self.awaited = None;
        page
    }

    /// The payment of a listed operation; `None` for what has no ids that could be kept.
    fn key_of(&self, operation: &ListedOperation) -> Option<PaymentKey> {
        let id = &operation.operation_id;
        let is_id = (1..=PaymentKey::LONGEST_ID).contains(&id.chars().count());
        let is_ours = |id| id == u64::from(self.project_id.get());
        PaymentKey::of_caller(self.project_id, &operation.payment_id)
            .filter(|_| is_id && operation.project_id.is_none_or(is_ours))
    }

    async fn look_at_listed(
        &self,
        key: PaymentKey,
        operations: Vec<ListedOperation>,
    ) -> Result<Differences, SliceError> {
        let mut found = Differences::default();
        for operation in &operations {
            self.look(&key, PlatformRecord::Listed(operation), &mut found)
                .await?;
        }
        Ok(found)
    }

    /// Our operations that are dated in the slice and not in the platform's list.
    async fn compare_ours(&mut self, slice: Span, listed: &Listed) -> Result<(), SliceError> {
        let Some(ours) = &self.ours else {
            return Ok(());
        };
        let missing = ours.missing(slice, listed);
        let mut looked = Vec::new();
        for (page, digests) in missing {
            let keys = ours.keys(&self.payments.store, page).await?;
            let looks = stream::iter(keys)
                .map(|key| self.look_at_missing(key, &digests))
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<_>>();
            looked.extend(looks.await?);
        }
        self.count(looked);
        Ok(())
    }

    async fn look_at_missing(
        &self,
        key: PaymentKey,
        missing: &Listed,
    ) -> Result<Differences, SliceError> {
        let mut found = Differences::default();
        let Some(stored) = self.payments.store.load(&key).await? else {
            return Ok(found);
        };
        for (id, _) in stored.payment.operations() {
            if missing.contains(&digest::of(&key, id)) {
                self.look(&key, PlatformRecord::Missing(id), &mut found)
                    .await?;
            }
        }
        Ok(found)
    }

    /// Takes in what the platform's records say of one operation, if it differs from the payment as it
    /// is now.
    async fn look(
        &self,
        key: &PaymentKey,
        record: PlatformRecord<'_>,
        found: &mut Differences,
    ) -> Result<(), SliceError> {
        let stored = self.payments.store.load(key).await?;
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
                Line::warn("the platform's books differ")
                    .with("payment", key.to_string())
                    .with("operation", &difference.operation_id)
                    .with("kind", difference.kind)
                    .write();
            }
        }
        applied.into_payment();
        Ok(())
    }

    fn count(&mut self, looked: Vec<Differences>) {
        let all = &mut self.done.differences;
        for found in looked {
            all.missing_locally += found.missing_locally;
            all.missing_at_platform += found.missing_at_platform;
            all.status += found.status;
            all.amount += found.amount;
        }
    }
}
