//! Reconciliation: compares the platform records with ours.
//!
//! It finds operations that only the platform has or only we have, and operations whose status or amount differs.
//!
//! An interval is compared in slices of at most one hour, and no slice crosses midnight. Of the platform's
//! list, only the digests of one slice are held in memory. Of our records, a few bytes for each operation of
//! the slice's day are held, about 64 MB for a million operations. A whole day is read from our store because
//! the index of days has no hours. An operation that seems to differ is compared again with the payment itself,
//! and only a difference that remains is a fact.
//!
//! The platform lists an operation by its time of completion, which can differ by seconds from the date in its
//! reports. So a slice of the list is requested with a margin on both sides, and our operation is missing at
//! the platform only if it is not in the margin either.

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

/// The least age of a compared operation. Younger ones may still be reported: callbacks are repeated, and inactive
/// payments are polled.
const SETTLED_AFTER: Duration = Duration::from_secs(3 * 3_600);

/// Returns the start of the first run: the start of yesterday.
fn first_start(now: Timestamp) -> Timestamp {
    Day::of(now).previous().start()
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Compares the interval from the end of the last run to three hours ago. The first run starts with
    /// yesterday. The next run repeats what failed or was not reached in time.
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

    /// Compares an interval, whether it was compared before or not. The progress does not change.
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
        let until = self.store.progress(project_id, Daily::Compare).await?;
        Ok(Span {
            from: until.unwrap_or_else(|| first_start(now)),
            to: hour_of(now.before(SETTLED_AFTER)),
        })
    }
}
