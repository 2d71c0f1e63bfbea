//! Runs the reconciliation of one project: compares slice after slice until the deadline, or until too many slices
//! have failed.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use tokio::time::{Instant, timeout_at};

use super::comparison::Comparison;
use super::error::SliceError;
use super::span::Span;
use super::summary::Reconciled;
use crate::log::Line;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, DataApi, EventQueue, PaymentStore};
use crate::service::commit::Payments;

/// A run ends after this many consecutive slices have failed. The next run repeats the failed slices.
const MAX_FAILURES: u32 = 3;

/// A slice that still fails this long after its end is skipped, so that it does not keep back the newer slices.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);

/// A run of one project.
pub(super) struct Run<'a, S, Q, C, D> {
    comparison: Comparison<'a, S, Q, C, D>,
    project_id: ProjectId,
    deadline: Instant,
    /// A slice that ends before this time is skipped if it fails.
    given_up_before: Timestamp,
    /// The number of slices that have failed since the last slice that was compared.
    failures: u32,
    /// The result so far.
    pub(super) result: Reconciled,
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
            comparison: Comparison::new(payments, data_api, project_id),
            project_id,
            deadline,
            given_up_before: payments.clock.now().before(GIVE_UP_AFTER),
            failures: 0,
            result: Reconciled::starting_at(span.from),
        }
    }

    /// Compares a slice. Returns whether the run continues.
    pub(super) async fn compare(&mut self, slice: Span) -> bool {
        if Instant::now() >= self.deadline {
            self.result.in_time = false;
            return false;
        }
        let compared = self.comparison.compare(slice, &mut self.result);
        match timeout_at(self.deadline, compared).await {
            Err(_) => {
                self.result.in_time = false;
                if let Some(error) = self.comparison.take_platform_error() {
                    self.add_failure(slice, &error.into());
                }
                return false;
            }
            Ok(Ok(())) => {
                self.failures = 0;
                if self.result.failed == 0 {
                    self.result.until = slice.to;
                }
            }
            Ok(Err(error)) if slice.to < self.given_up_before => {
                // Every earlier run failed too. The newer slices matter more than this one.
                self.result.unreadable += 1;
                Line::error(
                    "a slice of the platform's list could not be compared for days and is skipped",
                )
                .with("project", self.project_id)
                .with("from", slice.from)
                .with("error", error.to_string())
                .write();
                if self.result.failed == 0 {
                    self.result.until = slice.to;
                }
            }
            Ok(Err(error)) => self.add_failure(slice, &error),
        }
        self.failures < MAX_FAILURES
    }

    fn add_failure(&mut self, slice: Span, error: &SliceError) {
        let (project, from) = (self.project_id, slice.from);
        let failure = format!("{project} from {from}: {error}");
        self.result.add_failure(failure);
        self.failures += 1;
    }
}
