//! Finds our operations that the platform does not list.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::digest::{self, DigestSet, of_operation};
use super::list::sum;
use super::span::Span;
use crate::model::ids::PaymentKey;
use crate::model::{Payment, PlatformRecord};
use crate::ports::{Clock, DayPart, EventQueue, Part, PaymentStore, Run, RunStore};
use crate::service::commit::Payments;
use crate::service::daily_run::{PartError, PartResult};
use crate::service::day_pages::{CONCURRENCY, DayPages, load_all};

impl<S: PaymentStore + RunStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Reads some of a day's payments. Finds each operation that ended in the interval of the run and that the platform
    /// does not list. Leaves out operations that ended in `skipped`, because the platform's list of these spans is
    /// unknown.
    pub(crate) async fn find_missing(
        &self,
        run: &Run,
        part: DayPart,
        skipped: &[Span],
        deadline: Instant,
    ) -> Result<PartResult, PartError> {
        let store = &self.store;
        let mut result = PartResult::default();
        let mut listed_shard = None;
        let mut listed = DigestSet::default();
        let limit = part.max_payments();
        let mut pages = DayPages::new(run.project_id, part);
        while let Some(page) = pages.next(store).await? {
            if listed_shard != Some(page.shard) {
                // The old set is dropped first, so that the memory never holds two sets.
                listed = DigestSet::default();
                listed.extend(digest::read(store, run, page.shard).await?);
                listed_shard = Some(page.shard);
            }
            let is_missing = |key: &PaymentKey, payment: &Payment| -> Vec<String> {
                let operations = payment.operations();
                let ended = operations.filter(|(_, operation)| {
                    operation.ended_at().is_some_and(|ended| {
                        run.span().contains(ended)
                            && !skipped.iter().any(|span| span.contains(ended))
                    })
                });
                let missing = ended.filter(|(id, _)| !listed.contains(&of_operation(key, id)));
                missing.map(|(id, _)| id.to_owned()).collect()
            };
            let mut payments = std::pin::pin!(load_all(store, page.keys));
            let mut missing = Vec::new();
            while let Some(payment) = payments.try_next().await? {
                let key = payment.key();
                let ids = is_missing(&key, &payment);
                if !ids.is_empty() {
                    missing.push((key, ids));
                }
            }
            let checks = stream::iter(missing)
                .map(|(key, ids)| async move {
                    let records = ids.iter().map(|id| PlatformRecord::Missing(id));
                    self.check(&key, records).await
                })
                .buffer_unordered(CONCURRENCY);
            result.counts.differences += sum(checks.try_collect().await?);
            if pages.listed >= limit || Instant::now() >= deadline {
                result.next = pages.rest().into_iter().map(Part::Missing).collect();
                break;
            }
        }
        Ok(result)
    }
}
