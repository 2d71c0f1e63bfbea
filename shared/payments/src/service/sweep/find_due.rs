//! Reads the due payments of an index.

use std::ops::Range;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::{Instant, sleep_until};

use super::batch_run::BatchRun;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, Due, Index, PaymentStore, SHARDS, StoreError};
use crate::service::commit::Payments;

#[derive(Debug)]
pub(super) struct Found {
    /// The payments, the longest due first.
    pub(super) due: Vec<Due>,
    /// The failures of the search, and whether the search found every due payment. Counts no payments.
    pub(super) run: BatchRun,
}

impl<S: PaymentStore + Sync, Q: Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Returns at most `max` payments of an index that are due at or before `due_by`. Stops at the deadline.
    pub(super) async fn find_due(
        &self,
        index: Index,
        due_by: Timestamp,
        max: usize,
        deadline: Instant,
    ) -> Found {
        let shards = 0..SHARDS;
        self.find_due_of(shards, index, due_by, max, deadline).await
    }

    /// The same as [`Self::find_due`], but only for some shards.
    pub(super) async fn find_due_of(
        &self,
        shards: Range<u8>,
        index: Index,
        due_by: Timestamp,
        max: usize,
        deadline: Instant,
    ) -> Found {
        // The shards are read in parallel, so that no shard delays another.
        let shards = shards.map(|shard| self.due_of(index, shard, due_by));
        let all = stream::select_all(shards).take(max);
        let results: Vec<_> = all.take_until(sleep_until(deadline)).collect().await;
        let mut run = BatchRun {
            in_time: results.len() < max && Instant::now() < deadline,
            ..BatchRun::EMPTY
        };
        let mut due = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(found) => due.push(found),
                Err(error) => run.fail(error.to_string()),
            }
        }
        due.sort_by(|one, other| (one.since, &one.key).cmp(&(other.since, &other.key)));
        Found { due, run }
    }

    /// Returns the due payments of a shard, page by page. A failure ends the stream.
    fn due_of(
        &self,
        index: Index,
        shard: u8,
        due_by: Timestamp,
    ) -> BoxStream<'_, Result<Due, StoreError>> {
        let pages = stream::try_unfold(None, move |last: Option<Due>| async move {
            let page = self.store.due(index, shard, due_by, last.as_ref()).await?;
            Ok(page.last().cloned().map(|last| (page, Some(last))))
        });
        pages
            .map(|page| match page {
                Ok(page) => page.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            })
            .flat_map(stream::iter)
            .boxed()
    }
}
