//! Lists the payments of a project on one day, page by page, so that a day of any size needs little memory.

use ecommpay::fields::ProjectId;
use futures_util::stream::{self, Stream, StreamExt};

use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::ports::{DayPart, PaymentStore, StoreError};

pub(crate) const CONCURRENCY: usize = 32;

/// A part with several shards is split after this many payments, so that its shards are done in parallel.
const MAX_OF_SHARDS: usize = 50_000;
/// A part of one shard is split after this many payments. One execution reads them in about four minutes.
const MAX_OF_SHARD: usize = 1_000_000;

impl DayPart {
    pub(crate) fn max_payments(&self) -> usize {
        match self.end.saturating_sub(self.shard) {
            0 | 1 => MAX_OF_SHARD,
            _ => MAX_OF_SHARDS,
        }
    }
}

#[derive(Debug)]
pub(crate) struct DayPages {
    project_id: ProjectId,
    rest: DayPart,
    pub(crate) listed: usize,
}

/// A page of a day's payments, which is never empty.
#[derive(Debug)]
pub(crate) struct DayPage {
    /// The shard of all payments of the page.
    pub(crate) shard: u8,
    pub(crate) keys: Vec<PaymentKey>,
}

impl DayPages {
    pub(crate) fn new(project_id: ProjectId, part: DayPart) -> Self {
        Self {
            project_id,
            rest: part,
            listed: 0,
        }
    }

    pub(crate) async fn next<S: PaymentStore>(
        &mut self,
        store: &S,
    ) -> Result<Option<DayPage>, StoreError> {
        while self.rest.shard < self.rest.end {
            let DayPart { day, shard, .. } = self.rest;
            let after = self.rest.after.as_deref();
            let after = after.map(|id| PaymentKey::new(self.project_id, id));
            let page = store.payments_of_day(self.project_id, day, shard, after.as_ref());
            let keys = page.await?;
            if let Some(last) = keys.last() {
                self.rest.after = Some(last.folded_id().to_owned());
                self.listed += keys.len();
                return Ok(Some(DayPage { shard, keys }));
            }
            self.rest.shard += 1;
            self.rest.after = None;
        }
        Ok(None)
    }

    /// Returns the payments that are not listed yet, one part for each shard.
    pub(crate) fn rest(&self) -> Vec<DayPart> {
        let first = self.rest.shard;
        let of_shard = |shard| DayPart {
            day: self.rest.day,
            shard,
            end: shard + 1,
            after: self.rest.after.clone().filter(|_| shard == first),
        };
        (first..self.rest.end).map(of_shard).collect()
    }
}

/// Loads the payments of `keys`, in their order. Skips payments that are not stored or cannot be read.
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
