//! All payments of a project's day, page by page, so that any number of them needs little memory.

use ecommpay::fields::ProjectId;
use futures_util::stream::{self, Stream, StreamExt};

use crate::model::Payment;
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::ports::{PaymentStore, SHARDS, StoreError};

/// How many payments are read at once.
pub(crate) const AT_ONCE: usize = 32;

/// Reads through a day.
#[derive(Debug)]
pub struct DayPages {
    project_id: ProjectId,
    day: Day,
    shard: u8,
    after: Option<PaymentKey>,
}

/// A page of a day's payments; never empty.
#[derive(Debug)]
pub struct DayPage {
    /// The shard it is of.
    pub shard: u8,
    /// The payment before its first.
    pub after: Option<PaymentKey>,
    /// Its last payment.
    pub last: PaymentKey,
    /// All of them, the last one too.
    pub keys: Vec<PaymentKey>,
}

impl DayPages {
    /// From the beginning.
    pub fn new(project_id: ProjectId, day: Day) -> Self {
        Self {
            project_id,
            day,
            shard: 0,
            after: None,
        }
    }

    /// The next page; `None` behind the last one.
    pub async fn next<S: PaymentStore>(
        &mut self,
        store: &S,
    ) -> Result<Option<DayPage>, StoreError> {
        while self.shard < SHARDS {
            let after = self.after.take();
            let page = store.of_day(self.project_id, self.day, self.shard, after.as_ref());
            let keys = page.await?;
            if let Some(last) = keys.last().cloned() {
                self.after = Some(last.clone());
                return Ok(Some(DayPage {
                    shard: self.shard,
                    after,
                    last,
                    keys,
                }));
            }
            self.shard += 1;
        }
        Ok(None)
    }
}

/// The payments of these keys, in their order.
pub fn load_all<S: PaymentStore>(
    store: &S,
    keys: Vec<PaymentKey>,
) -> impl Stream<Item = Result<Payment, StoreError>> {
    let loads = stream::iter(keys).map(move |key| async move {
        let stored = store.load(&key).await;
        stored.map(|stored| stored.map(|stored| stored.payment))
    });
    loads
        .buffered(AT_ONCE)
        .filter_map(|loaded| async { loaded.transpose() })
}
