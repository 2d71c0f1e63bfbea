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
mod run;

use std::fmt;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use serde::Serialize;
use thiserror::Error;
use tokio::time::Instant;

use self::run::Run;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;
use crate::model::{Discrepancy, DiscrepancyKind};
use crate::ports::{
    Clock, Daily, DataApi, EventQueue, NoAnswer, PaymentStore, ProgressStore, StoreError,
};
use crate::service::commit::Payments;
use crate::service::error::ApplyError;

/// How long a slice is at most.
const SLICE: Duration = Duration::from_secs(3_600);
/// What is younger may still be on its way: callbacks are repeated, and what is silent is asked.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);

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
    pub missing_locally: u64,
    /// Known here only.
    pub missing_at_platform: u64,
    /// Ended differently.
    pub status: u64,
    /// Other money.
    pub amount: u64,
}

impl Differences {
    fn count(&mut self, discrepancy: &Discrepancy) {
        *match discrepancy.kind {
            DiscrepancyKind::MissingLocally => &mut self.missing_locally,
            DiscrepancyKind::MissingAtPlatform => &mut self.missing_at_platform,
            DiscrepancyKind::Status => &mut self.status,
            DiscrepancyKind::Amount => &mut self.amount,
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
    NoAnswer(#[from] NoAnswer),
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
