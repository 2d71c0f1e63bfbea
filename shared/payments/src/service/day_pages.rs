//! Lists, page by page, the payments of a project on one day, so that a day of any size needs little memory.

use ecommpay::fields::ProjectId;
use futures_util::stream::{self, Stream, StreamExt};

use crate::model::Payment;
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::ports::{PaymentStore, SHARDS, StoreError};

/// The maximum number of payments that are loaded in parallel.
pub(crate) const CONCURRENCY: usize = 32;

/// Lists the payments of a day.
#[derive(Debug)]
pub(crate) struct DayPages {
    project_id: ProjectId,
    day: Day,
    shard: u8,
    after: Option<PaymentKey>,
}

/// A page of a day's payments. A page is never empty.
#[derive(Debug)]
pub(crate) struct DayPage {
    /// The range of the page.
    pub(crate) range: PageRange,
    /// All payments of the page.
    pub(crate) keys: Vec<PaymentKey>,
}

/// The range of a page in the index. With the range, the page can be read again.
#[derive(Debug)]
pub(crate) struct PageRange {
    shard: u8,
    /// The last payment of the previous page of the shard; `None` for the first page.
    after: Option<PaymentKey>,
    /// The last payment of the page.
    last: PaymentKey,
}

impl DayPages {
    /// Starts with the first page.
    pub(crate) fn new(project_id: ProjectId, day: Day) -> Self {
        Self {
            project_id,
            day,
            shard: 0,
            after: None,
        }
    }

    /// Returns the next page; `None` after the last page.
    pub(crate) async fn next<S: PaymentStore>(
        &mut self,
        store: &S,
    ) -> Result<Option<DayPage>, StoreError> {
        while self.shard < SHARDS {
            let after = self.after.take();
            let page = store.payments_of_day(self.project_id, self.day, self.shard, after.as_ref());
            let keys = page.await?;
            if let Some(last) = keys.last().cloned() {
                self.after = Some(last.clone());
                let shard = self.shard;
                let range = PageRange { shard, after, last };
                return Ok(Some(DayPage { range, keys }));
            }
            self.shard += 1;
        }
        Ok(None)
    }
}

impl PageRange {
    /// Reads the page again. The result includes payments that were added to the range since the first read.
    pub(crate) async fn keys<S: PaymentStore>(
        &self,
        store: &S,
        project_id: ProjectId,
        day: Day,
    ) -> Result<Vec<PaymentKey>, StoreError> {
        let mut keys = Vec::new();
        let mut after = self.after.clone();
        loop {
            let page = store.payments_of_day(project_id, day, self.shard, after.as_ref());
            let page = page.await?;
            after = page.last().cloned();
            let is_last = page.is_empty() || page.contains(&self.last);
            keys.extend(page);
            if is_last {
                return Ok(keys);
            }
        }
    }
}

/// Loads the payments of `keys`, in the order of `keys`. Skips keys without a stored payment, and payments that cannot
/// be read.
pub(crate) fn load_all<S: PaymentStore>(
    store: &S,
    keys: Vec<PaymentKey>,
) -> impl Stream<Item = Result<Payment, StoreError>> {
    let loads = stream::iter(keys).map(move |key| async move {
        let stored = StoreError::pass_over(store.load(&key).await);
        stored.map(|stored| stored.flatten().map(|stored| stored.payment))
    });
    loads
        .buffered(CONCURRENCY)
        .filter_map(|loaded| async { loaded.transpose() })
}
