//! The platform's books, as far as a test wants to see them.

use std::sync::Mutex;

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::Sum;
use payments::Timestamp;
use payments::ports::{DataApi, NoAnswer};

/// Operations with the time of their completion.
#[derive(Default)]
pub struct Books {
    pub operations: Mutex<Vec<(Timestamp, ListedOperation)>>,
    /// The intervals and offsets that were asked for.
    pub asked: Mutex<Vec<(Timestamp, Timestamp, u32)>>,
    /// So many questions are not answered.
    pub silent: Mutex<u32>,
    /// Behind those that are not answered no question ever comes to an end.
    pub hangs: Mutex<bool>,
    /// The same first page is given again and again.
    pub circle: Mutex<bool>,
}

pub fn sale(payment: &str, operation: &str, amount: u64) -> ListedOperation {
    ListedOperation {
        project_id: Some(211),
        operation_id: operation.into(),
        payment_id: payment.into(),
        kind: "sale".into(),
        status: "success".into(),
        sum_initial: Some(Sum {
            amount,
            currency: "EUR".into(),
        }),
    }
}

impl Books {
    pub fn enter(&self, at: Timestamp, operation: ListedOperation) {
        self.operations.lock().unwrap().push((at, operation));
    }

    pub fn remove(&self, operation_id: &str) {
        let mut operations = self.operations.lock().unwrap();
        operations.retain(|(_, one)| one.operation_id != operation_id);
    }

    pub fn offsets(&self) -> Vec<u32> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, _, offset)| *offset).collect()
    }
}

impl DataApi for Books {
    async fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        assert_eq!(project_id.get(), 211);
        tokio::task::yield_now().await;
        self.asked.lock().unwrap().push((from, to, offset));
        {
            let mut silent = self.silent.lock().unwrap();
            if *silent > 0 {
                *silent -= 1;
                return Err(NoAnswer("HTTP status 429".into()));
            }
        }
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        let skipped = if *self.circle.lock().unwrap() {
            0
        } else {
            offset
        };
        let operations = self.operations.lock().unwrap();
        let inside = operations
            .iter()
            .filter(|(at, _)| (from..=to).contains(at))
            .map(|(_, operation)| operation.clone());
        let page = inside.skip(skipped as usize).take(PAGE as usize);
        Ok(page.collect())
    }
}
