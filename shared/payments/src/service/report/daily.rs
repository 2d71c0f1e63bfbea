//! Makes the daily report. Each run reports the totals of every day that is over and not reported yet. If the stored
//! progress is missing, unreadable or in the future, the run starts with yesterday.

use ecommpay::fields::ProjectId;
use futures_util::stream::TryStreamExt;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::rows::Rows;
use super::totals::Totals;
use crate::model::day::Day;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Daily, EventQueue, PaymentStore, ProgressStore, StoreError};
use crate::service::commit::Payments;
use crate::service::day_pages::{CONCURRENCY, DayPages, load_all};
use crate::service::error::PublishError;
use crate::service::progress::not_in_the_future;

/// The result of a report run of one project.
#[derive(Debug, Serialize)]
pub struct Reported {
    /// The number of days that were reported.
    pub days: u64,
    /// `false` if the deadline came before every due day was reported. Also `true` if a failure stopped
    /// the run before the deadline.
    pub in_time: bool,
    /// The start of the next day to report. If the progress could not be read, the start of yesterday.
    pub until: Timestamp,
    /// Why the run stopped early; `None` if nothing failed. The next run repeats the day whose report or progress failed.
    pub failure: Option<String>,
}

/// Returns the first day of the first run: yesterday.
fn first_day(now: Timestamp) -> Day {
    Day::of(now).previous()
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Passes to `report` the totals of each day that is over and not reported yet.
    pub async fn report_due_days(
        &self,
        project_id: ProjectId,
        deadline: Instant,
        mut report: impl FnMut(Day, &Totals),
    ) -> Reported
    where
        S: ProgressStore,
    {
        let mut reported = Reported {
            days: 0,
            in_time: true,
            until: first_day(self.clock.now()).start(),
            failure: None,
        };
        let all = self.report_days(project_id, &mut reported, &mut report);
        match timeout_at(deadline, all).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reported.failure = Some(format!("{project_id}: {error}")),
            Err(_) => reported.in_time = false,
        }
        reported
    }

    async fn report_days(
        &self,
        project_id: ProjectId,
        reported: &mut Reported,
        report: &mut impl FnMut(Day, &Totals),
    ) -> Result<(), PublishError>
    where
        S: ProgressStore,
    {
        let now = self.clock.now();
        let until = self.store.progress(project_id, Daily::Report).await;
        // An unreadable progress counts as no progress. After the first reported day, a new progress is stored.
        let until = not_in_the_future(StoreError::pass_over(until)?.flatten(), project_id, now);
        let mut day = until.map_or(first_day(now), Day::of);
        reported.until = day.start();
        while day < Day::of(now) {
            let totals = self.check_and_total(project_id, day).await?;
            report(day, &totals);
            reported.days += 1;
            day = day.next();
            let progress = self.store.advance(project_id, Daily::Report, day.start());
            progress.await?;
            reported.until = day.start();
        }
        Ok(())
    }

    /// Returns the totals of a project's day. For each payment of the day, also checks again whether another payment
    /// has paid the same order.
    async fn check_and_total(
        &self,
        project_id: ProjectId,
        day: Day,
    ) -> Result<Totals, PublishError> {
        let mut totals = Totals::default();
        let mut pages = DayPages::new(project_id, day);
        while let Some(page) = pages.next(&self.store).await? {
            let payments = load_all(&self.store, page.keys).map_err(PublishError::from);
            let checked = payments.map_ok(|payment| async {
                self.check_paid_twice(&payment).await?;
                Ok(payment)
            });
            let mut checked = std::pin::pin!(checked.try_buffered(CONCURRENCY));
            while let Some(payment) = checked.try_next().await? {
                totals.add(&Rows::of(&payment, day));
            }
        }
        Ok(totals)
    }
}
