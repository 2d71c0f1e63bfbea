//! Makes the daily report, in the parts of a run ([`crate::service::daily_run`]).

use futures_util::stream::TryStreamExt;
use tokio::time::Instant;

use super::rows::Rows;
use crate::ports::{Clock, DayPart, EventQueue, Part, PaymentStore, Run};
use crate::service::commit::Payments;
use crate::service::daily_run::{PartError, PartResult};
use crate::service::day_pages::{CONCURRENCY, DayPages, load_all};
use crate::service::error::PublishError;

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Adds up the totals of a part of a day. For each payment, also checks again whether another payment paid the
    /// same order.
    pub(crate) async fn report(
        &self,
        run: &Run,
        part: DayPart,
        deadline: Instant,
    ) -> Result<PartResult, PartError> {
        let (day, limit) = (part.day, part.max_payments());
        let mut result = PartResult::default();
        let mut pages = DayPages::new(run.project_id, part);
        while let Some(page) = pages.next(&self.store).await? {
            let loaded = load_all(&self.store, page.keys).map_err(PublishError::from);
            let checked = loaded.map_ok(|payment| async {
                self.check_paid_twice(&payment).await?;
                Ok(payment)
            });
            let mut checked = std::pin::pin!(checked.try_buffered(CONCURRENCY));
            while let Some(payment) = checked.try_next().await? {
                result.counts.totals.add(&Rows::of(&payment, day));
            }
            if pages.listed >= limit || Instant::now() >= deadline {
                result.next = pages.rest().into_iter().map(Part::Report).collect();
                break;
            }
        }
        result.counts.totals.limit();
        Ok(result)
    }
}
