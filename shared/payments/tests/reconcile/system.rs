//! Builds the use cases with platform records in memory, and defines the steps that the tests of this crate share.

use std::collections::BTreeMap;
use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use payments::Timestamp;
use payments::events::EventKind;
use payments::ports::{Daily, Run};
use payments::service::daily_run::{Counts, PartError};
use payments::service::reconcile::{Differences, Span};
use serde_json::Value;
use tokio::time::Instant;

use crate::builders::reports::{TestReport, callback, operation};
use crate::builders::*;
use crate::fakes::behaviour::FailNext;
use crate::fakes::clock::TestClock;
use crate::fakes::daily_runs::{do_due, do_run};
use crate::fakes::records::{PlatformRecords, listed_sale};
use crate::fakes::system::TestSystem;

pub const NONE: Differences = Differences {
    missing_locally: 0,
    missing_at_platform: 0,
    status: 0,
    amount: 0,
};

/// Returns a time in November 2026, such as `21T12:00:00`.
pub fn on(text: &str) -> Timestamp {
    at(&format!("2026-11-{text}"))
}

pub fn span(from: &str, to: &str) -> Span {
    Span {
        from: on(from),
        to: on(to),
    }
}

/// Returns a deadline that no test reaches.
pub fn in_five_minutes() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

pub type System = TestSystem<FailNext, PlatformRecords>;

impl System {
    /// Creates a system without payments and platform records. The time is noon on November 22nd.
    pub fn empty() -> Self {
        let clock = TestClock::new(0);
        clock.set(on("22T12:00:00"));
        let records = PlatformRecords::default();
        Self::new(FailNext::default(), clock, &[|_| true], records)
    }

    pub async fn report(&self, payment: &str, operation: &str, ended: Timestamp, amount: u64) {
        let report = sale_report(payment, operation, ended, amount);
        self.apply(payment, report.callback()).await.unwrap();
    }

    pub fn list(&self, payment: &str, operation: &str, ended: Timestamp, amount: u64) {
        let sale = listed_sale(payment, operation, amount);
        self.platform.add(ended, sale);
    }

    pub async fn report_and_list(&self, payment: &str, operation: &str, ended: Timestamp) {
        self.report(payment, operation, ended, 1000).await;
        self.list(payment, operation, ended, 1000);
    }

    /// Compares an interval on demand.
    pub async fn reconcile(&self, span: Span) -> Counts {
        let run = self.payments.run_on_demand(project(), span);
        self.do_run(&run).await.unwrap()
    }

    pub async fn do_run(&self, run: &Run) -> Result<Counts, PartError> {
        do_run(&self.payments, Some(&self.platform), run, in_five_minutes()).await
    }

    /// Does each comparison that is due.
    pub async fn reconcile_due(&self) -> Result<Vec<(Run, Counts)>, PartError> {
        do_due(&self.payments, Some(&self.platform), Daily::Compare).await
    }

    /// Returns the payment and kind of each emitted discrepancy, sorted. An event that was sent twice counts once,
    /// because both copies have the same id.
    pub fn differences(&self) -> Vec<(String, String)> {
        let sent = self.payments.queues[0].sent();
        let events = sent.iter().map(|sent| &sent.event);
        let events = events.filter(|event| event.kind == EventKind::ReconciliationDifference);
        let by_id: BTreeMap<String, (String, String)> = events
            .map(|event| {
                let body: Value = serde_json::from_str(&event.body).unwrap();
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let kind = &body["data"]["difference"]["kind"];
                (text(&body["id"]), (text(&body["subject"]), text(kind)))
            })
            .collect();
        let mut differences: Vec<_> = by_id.into_values().collect();
        differences.sort_unstable();
        differences
    }
}

pub fn differences(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(payment, kind): &(&str, &str)| ((*payment).to_owned(), (*kind).to_owned());
    expected.iter().map(own).collect()
}

pub fn sale_report(payment: &str, operation_id: &str, ended: Timestamp, amount: u64) -> TestReport {
    let mut sale = operation(operation_id, "sale", "success", amount);
    sale["date"] = ended.to_platform().into();
    TestReport::read(&callback(payment, "success", amount, sale))
}

pub fn declined(payment: &str, operation: &str) -> ListedOperation {
    ListedOperation {
        status: "decline".into(),
        ..listed_sale(payment, operation, 1000)
    }
}
