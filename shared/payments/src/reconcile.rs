//! Holds the platform's books against ours: what was paid or given back there and is not known
//! here, what is known here and not listed there, and what stands differently.
//!
//! An interval is compared in slices of at most an hour, none of them across midnight. Of the
//! slice only digests are kept of what the platform lists, and of its day a few bytes for each of
//! our operations: some 64 MB for a million operations in a day. A whole day is read from our
//! store at once, as the index of days knows no hours. What seems to differ is looked at again
//! with the payment itself, and only what differs then is a fact.
//!
//! The platform lists by its own time of completion, which can differ from the date that it told
//! us by seconds. So its list is asked for with a margin on both sides, and what is dated in a
//! slice is missing there only if it is not even in the margin.

mod digest;
mod listed;
mod ours;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::is_documented;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use self::digest::Digest;
use self::listed::Listed;
use self::ours::OurDay;
use crate::apply::{ApplyError, Payments};
use crate::day::Day;
use crate::day_pages::AT_ONCE;
use crate::decide::Fact;
use crate::ids::PaymentKey;
use crate::log::Line;
use crate::payment::{Books, Difference, Discrepancy, Payment};
use crate::ports::{
    Clock, Daily, DataApi, EventQueue, PaymentStore, ProgressStore, StoreError, Unanswered,
};
use crate::timestamp::Timestamp;

/// How long a slice is at most.
const SLICE: Duration = Duration::from_secs(3_600);
/// How far the platform's list is asked for beyond a slice.
const MARGIN: Duration = Duration::from_secs(600);
/// What is younger may still be on its way: callbacks are repeated, and what is silent is asked.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);
/// How long to wait before a question is put again that was not answered.
const PAUSES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// A page that time runs out for is a failure of the platform if it was waited for so long.
const LONG_WAIT: Duration = Duration::from_secs(60);
/// After so many failures one after the other the rest is left for the next run.
const MOST_FAILURES: u32 = 3;

/// An interval; its end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment behind it.
    pub to: Timestamp,
}

impl Span {
    /// The slices of the interval, cut at whole hours.
    fn slices(self) -> impl Iterator<Item = Self> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let to = hour_of(from).after(SLICE).min(self.to);
            let slice = Self { from, to };
            from = to;
            (slice.from < slice.to).then_some(slice)
        })
    }

    fn contains(self, moment: Timestamp) -> bool {
        (self.from..self.to).contains(&moment)
    }
}

/// Where the first run begins: with the day before.
fn first_run(now: Timestamp) -> Timestamp {
    Day::of(now).previous().start()
}

/// The whole hour that a moment is in.
fn hour_of(moment: Timestamp) -> Timestamp {
    let hour = i64::try_from(SLICE.as_millis()).unwrap_or(i64::MAX);
    let millis = moment.unix_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(hour))
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Operations of the platform's list that were compared.
    pub compared: u64,
    /// New differences.
    #[serde(flatten)]
    pub differences: Differences,
    /// Listed operations whose ids cannot be ids, or whose status is missing or not documented; not
    /// those that the slice before had listed.
    pub unreadable: u64,
    /// Slices that were not compared, because something failed.
    pub failed: u64,
    /// Whether every slice had its turn.
    pub in_time: bool,
    /// Everything before it was compared.
    pub until: Timestamp,
    /// One of the failures.
    pub failure: Option<String>,
}

/// New differences, by what differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Known at the platform only.
    pub missing_here: u64,
    /// Known here only.
    pub missing_there: u64,
    /// Ended differently.
    pub status: u64,
    /// Other money.
    pub amount: u64,
}

impl Differences {
    fn count(&mut self, difference: &Difference) {
        *match difference.about {
            Discrepancy::MissingHere => &mut self.missing_here,
            Discrepancy::MissingThere => &mut self.missing_there,
            Discrepancy::Status => &mut self.status,
            Discrepancy::Amount => &mut self.amount,
        } += 1;
    }
}

impl Reconciled {
    /// Nothing was compared yet.
    fn before(from: Timestamp) -> Self {
        Self {
            compared: 0,
            differences: Differences::default(),
            unreadable: 0,
            failed: 0,
            in_time: true,
            until: from,
            failure: None,
        }
    }

    /// Nothing could be compared.
    fn impossible(from: Timestamp, failure: impl fmt::Display) -> Self {
        let mut reconciled = Self::before(from);
        reconciled.fail(failure);
        reconciled
    }

    fn fail(&mut self, failure: impl fmt::Display) {
        self.failed += 1;
        self.failure.get_or_insert_with(|| failure.to_string());
    }
}

/// A slice could not be compared.
#[derive(Debug, Error)]
enum SliceError {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    #[error("the platform lists the same operations again and again")]
    Circle,
    #[error("there are more than {} operations in a day", ours::MOST)]
    TooMany,
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Compares everything since the last run up to three hours ago; for the first time, since
    /// the day before began. What fails or is not done in time is done by the next run.
    pub async fn reconcile_rest<D: DataApi + Sync>(
        &self,
        data_api: &D,
        project_id: ProjectId,
        deadline: Instant,
    ) -> Reconciled
    where
        S: ProgressStore,
    {
        let span = match self.rest(project_id).await {
            Ok(span) => span,
            Err(error) => return Reconciled::impossible(first_run(self.clock.now()), error),
        };
        let mut run = Run::new(self, data_api, project_id, span, deadline);
        for slice in span.slices() {
            let before = run.done.until;
            if !run.take(slice).await {
                break;
            }
            let until = run.done.until;
            if until > before
                && let Err(error) = self.store.advance(project_id, Daily::Compare, until).await
            {
                run.done.fail(error);
                break;
            }
        }
        run.done
    }

    /// Compares an interval, whatever was compared before.
    pub async fn reconcile<D: DataApi + Sync>(
        &self,
        data_api: &D,
        project_id: ProjectId,
        span: Span,
        deadline: Instant,
    ) -> Reconciled {
        let mut run = Run::new(self, data_api, project_id, span, deadline);
        for slice in span.slices() {
            if !run.take(slice).await {
                break;
            }
        }
        run.done
    }

    /// What is to be compared.
    async fn rest(&self, project_id: ProjectId) -> Result<Span, StoreError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let until = self.store.progress(project_id, Daily::Compare).await?;
        Ok(Span {
            from: until.unwrap_or_else(|| first_run(now)),
            to: hour_of(now.before(SETTLED_AFTER)),
        })
    }
}

/// A page that the platform was asked for.
struct Awaited {
    since: Timestamp,
    /// What came instead, the last time.
    error: Option<Unanswered>,
}

/// Slice after slice of one project.
struct Run<'a, S, Q, C, D> {
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
    done: Reconciled,
}

impl<'a, S, Q, C, D> Run<'a, S, Q, C, D>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    D: DataApi + Sync,
{
    fn new(
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
    async fn take(&mut self, slice: Span) -> bool {
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
    fn unanswered(&mut self) -> Option<Unanswered> {
        let awaited = self.awaited.take()?;
        let waited = self.payments.clock.now().since(awaited.since);
        let in_vain = || Unanswered(format!("none within {} s", waited.as_secs()));
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
    async fn page(&mut self, slice: Span, offset: u32) -> Result<Vec<ListedOperation>, Unanswered> {
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
            self.look(&key, Books::List(operation), &mut found).await?;
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
        for id in stored.payment.operations.keys() {
            if missing.contains(&digest::of(&key, id)) {
                self.look(&key, Books::Lack(id), &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Takes in what the books say of one operation, if it differs from the payment as it is now.
    async fn look(
        &self,
        key: &PaymentKey,
        books: Books<'_>,
        found: &mut Differences,
    ) -> Result<(), SliceError> {
        let stored = self.payments.store.load(key).await?;
        let payment = stored.as_ref().map(|stored| &stored.payment);
        let new = Payment::new_differences(payment, books);
        if new.is_empty() {
            return Ok(());
        }
        let fact = Fact::Difference {
            project_id: self.project_id,
            books,
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
                    .with("about", difference.about)
                    .write();
            }
        }
        applied.into_payment();
        Ok(())
    }

    fn count(&mut self, looked: Vec<Differences>) {
        let all = &mut self.done.differences;
        for found in looked {
            all.missing_here += found.missing_here;
            all.missing_there += found.missing_there;
            all.status += found.status;
            all.amount += found.amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::of_platform(&format!("2026-11-{text}+0000")).unwrap()
    }

    fn slices(from: &str, to: &str) -> Vec<(Timestamp, Timestamp)> {
        let (from, to) = (at(from), at(to));
        let slices = Span { from, to }.slices();
        slices.map(|slice| (slice.from, slice.to)).collect()
    }

    #[test]
    fn an_interval_is_cut_at_whole_hours() {
        assert_eq!(
            slices("21T22:30:00", "22T00:00:01"),
            [
                (at("21T22:30:00"), at("21T23:00:00")),
                (at("21T23:00:00"), at("22T00:00:00")),
                (at("22T00:00:00"), at("22T00:00:01")),
            ]
        );
        assert_eq!(slices("21T00:00:00", "22T00:00:00").len(), 24);
        assert!(slices("21T00:00:00", "21T00:00:00").is_empty());
        assert!(slices("22T00:00:00", "21T00:00:00").is_empty());
    }

    #[test]
    fn a_slice_has_its_first_moment_and_not_its_last() {
        let (from, to) = (at("21T22:00:00"), at("21T23:00:00"));
        let slice = Span { from, to };
        assert!(slice.contains(from) && !slice.contains(to));
        assert!(slice.contains(to.before(Duration::from_millis(1))));
    }
}
