//! Implements a Data API that lists platform records from memory.

use std::sync::{Mutex, MutexGuard};

use ecommpay::data_api::{ListedOperation, PAGE};
use ecommpay::fields::ProjectId;
use ecommpay::report::Sum;
use payments::Timestamp;
use payments::ports::{DataApi, NoAnswer};

#[derive(Default)]
pub struct PlatformRecords(Mutex<State>);

#[derive(Default)]
pub struct State {
    /// The operations, each with the time of its completion.
    pub operations: Vec<(Timestamp, ListedOperation)>,
    /// The interval and the offset of each request.
    pub requests: Vec<(Timestamp, Timestamp, u32)>,
    /// The number of requests that fail next.
    pub failures: u32,
    /// Whether the requests after the failures get no answer.
    pub hangs: bool,
    /// Whether each request returns the first page.
    pub repeats_first_page: bool,
    /// If the interval of a request includes this time, the answer is too large.
    pub too_large_at: Option<Timestamp>,
}

pub fn listed_sale(payment_id: &str, operation_id: &str, amount: u64) -> ListedOperation {
    ListedOperation {
        project_id: Some(211),
        operation_id: operation_id.into(),
        payment_id: payment_id.into(),
        kind: "sale".into(),
        status: "success".into(),
        sum_initial: Some(Sum {
            amount,
            currency: "EUR".into(),
        }),
    }
}

impl PlatformRecords {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn add(&self, ended: Timestamp, operation: ListedOperation) {
        self.state().operations.push((ended, operation));
    }

    pub fn remove(&self, operation_id: &str) {
        let is_other = |operation: &ListedOperation| operation.operation_id != operation_id;
        self.state()
            .operations
            .retain(|(_, operation)| is_other(operation));
    }

    /// Removes all requests and returns the start of the interval of each request for a first page.
    pub fn take_starts(&self) -> Vec<Timestamp> {
        let requests = std::mem::take(&mut self.state().requests);
        let first_pages = requests.iter().filter(|(_, _, offset)| *offset == 0);
        first_pages.map(|(from, _, _)| *from).collect()
    }

    pub fn take_offsets(&self) -> Vec<u32> {
        let requests = std::mem::take(&mut self.state().requests);
        requests.iter().map(|(_, _, offset)| *offset).collect()
    }
}

impl DataApi for PlatformRecords {
    async fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        assert_eq!(project_id.get(), 211);
        tokio::task::yield_now().await;
        let hangs = {
            let mut state = self.state();
            state.requests.push((from, to, offset));
            if state.failures > 0 {
                state.failures -= 1;
                return Err(NoAnswer::Failed("HTTP status 429".into()));
            }
            if state
                .too_large_at
                .is_some_and(|at| (from..=to).contains(&at))
            {
                return Err(NoAnswer::TooLarge);
            }
            state.hangs
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        let state = self.state();
        let skipped = match state.repeats_first_page {
            true => 0,
            false => offset,
        };
        let operations = state.operations.iter();
        let inside = operations.filter(|(ended, _)| (from..=to).contains(ended));
        let page = inside.skip(skipped as usize).take(PAGE as usize);
        Ok(page.map(|(_, operation)| operation.clone()).collect())
    }
}
