//! Compares the platform records with ours (reconciliation).
//!
//! A reconciliation finds operations that only one side has, and operations whose status or amount differs.
//!
//! An interval is compared in slices of at most one hour, and no slice crosses midnight. The memory holds the digests
//! of the platform's operations of two slices. It also holds a short record of each of our operations of the slice's
//! day. These records need about 64 MB for a million operations. A whole day is read from our store, because the index
//! of days has no hours. If an operation seems to differ, the platform record is compared with the payment itself. Only
//! a difference that remains is applied as a fact.
//!
//! The platform lists an operation by the time of its completion. This time can differ by seconds from the date in the
//! reports about the operation. So the platform's list is requested with a margin on both sides of a slice. An
//! operation of ours is missing at the platform only if the list, with its margins, does not have the operation.

mod comparison;
mod digest;
mod error;
mod local_day;
mod platform_list;
mod run;
mod span;
mod summary;

use std::time::Duration;

use ecommpay::fields::ProjectId;
use tokio::time::Instant;

use self::run::Run;
pub use self::span::Span;
use self::span::hour_of;
pub use self::summary::{Differences, Reconciled};
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Daily, DataApi, EventQueue, PaymentStore, ProgressStore, StoreError};
use crate::service::commit::Payments;
use crate::service::progress::not_in_the_future;

/// A scheduled run compares only operations that are at least this old. The report of a younger operation may still
/// arrive, because the platform repeats callbacks and we poll the platform.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);

/// Returns the start of the first run: the start of yesterday.
fn first_start(now: Timestamp) -> Timestamp {
    Day::of(now).previous().start()
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Compares the interval from the stored progress to the last whole hour that is at least three hours ago. The
    /// first run starts with yesterday. The next run starts with the first slice that failed or was not reached.
    pub async fn reconcile_due<D: DataApi + Sync>(
        &self,
        data_api: &D,
        project_id: ProjectId,
        deadline: Instant,
    ) -> Reconciled
    where
        S: ProgressStore,
    {
        let span = match self.due_span(project_id).await {
            Ok(span) => span,
            Err(error) => return Reconciled::failed(first_start(self.clock.now()), error),
        };
        let mut run = Run::new(self, data_api, project_id, span, deadline);
        for slice in span.slices() {
            let before = run.result.until;
            if !run.compare(slice).await {
                break;
            }
            let until = run.result.until;
            if until > before
                && let Err(error) = self.store.advance(project_id, Daily::Compare, until).await
            {
                run.result.add_failure(error);
                break;
            }
        }
        run.result
    }

    /// Compares an interval, even if it was compared before. Does not change the progress.
    pub async fn reconcile<D: DataApi + Sync>(
        &self,
        data_api: &D,
        project_id: ProjectId,
        span: Span,
        deadline: Instant,
    ) -> Reconciled {
        let mut run = Run::new(self, data_api, project_id, span, deadline);
        for slice in span.slices() {
            if !run.compare(slice).await {
                break;
            }
        }
        run.result
    }

    /// Returns the interval of the next run.
    async fn due_span(&self, project_id: ProjectId) -> Result<Span, StoreError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let until = self.store.progress(project_id, Daily::Compare).await;
        // An unreadable progress counts as no progress. After the first compared slice, a new progress is stored.
        let until = not_in_the_future(StoreError::pass_over(until)?.flatten(), project_id, now);
        Ok(Span {
            from: until.unwrap_or_else(|| first_start(now)),
            to: hour_of(now.before(SETTLED_AFTER)),
        })
    }
}
