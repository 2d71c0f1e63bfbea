//! Simulates the platform: its records, its answers, and the messages that it sends.

mod account;
mod gate;
mod steps;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use payments::decide::Fact;
use payments::ports::Clock;
use serde_json::{Value, json};

pub use self::account::{Account, Operation, Scenario};
use crate::builders::reports::{TestReport, euros};
use crate::fakes::clock::TestClock;
use crate::faults::RandomFaults;

/// A callback.
#[derive(Debug)]
pub struct Message {
    pub payment_id: String,
    report: TestReport,
    /// Whether another body could have the same signature. If so, the callback is only a hint.
    is_hint: bool,
}

impl Message {
    fn new(payment_id: &str, body: &Value) -> Self {
        Self {
            payment_id: payment_id.into(),
            report: TestReport::read(body),
            is_hint: false,
        }
    }

    pub fn fact(&self) -> Fact<'_> {
        match self.is_hint {
            true => self.report.hint(),
            false => self.report.callback(),
        }
    }
}

struct Records {
    clock: TestClock,
    /// Whether the platform ignores `merchant_refund_id`, and therefore accepts the same refund twice.
    ignores_refund_ids: bool,
    accounts: BTreeMap<String, Account>,
    messages: Vec<Message>,
    /// The sequence number of the last change.
    change: u64,
    /// Whether every payment has the usual scenario, and nothing happens in the Dashboard.
    is_plain: bool,
    /// The payment and the time of each status request, in Unix milliseconds.
    polls: Vec<(String, i64)>,
}

impl Records {
    /// Returns a new operation with the status `processing`.
    fn operation(&mut self, kind: &'static str, amount: u64, request: &str) -> Operation {
        self.change += 1;
        Operation {
            id: 1_000 + self.change,
            kind,
            status: "processing",
            amount,
            moves: amount,
            merchant_refund_id: None,
            intent: None,
            request_id: format!("{request}-{}", self.change),
            date: self.date(),
            created_at: self.clock.now(),
            takes_back: None,
        }
    }

    /// Returns the date of the last change. Up to three changes happen in the same second.
    fn date(&self) -> u64 {
        10 + self.change / 3
    }
}

pub struct Platform {
    clock: TestClock,
    faults: RandomFaults,
    records: Mutex<Records>,
}

impl Platform {
    pub fn new(clock: TestClock, faults: RandomFaults) -> Self {
        let records = Records {
            clock: clock.clone(),
            ignores_refund_ids: clock.random(3) == 0,
            accounts: BTreeMap::new(),
            messages: Vec::new(),
            change: 0,
            is_plain: false,
            polls: Vec::new(),
        };
        Self {
            clock,
            faults,
            records: Mutex::new(records),
        }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap()
    }

    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.records().accounts.clone()
    }

    pub fn polls(&self) -> Vec<(String, i64)> {
        self.records().polls.clone()
    }

    /// From now on, every payment has the usual scenario, nothing happens in the Dashboard, and refund ids are ignored.
    /// Only callbacks and the platform records would show the excluded changes.
    pub fn be_plain(&self) {
        let mut records = self.records();
        (records.is_plain, records.ignores_refund_ids) = (true, true);
    }

    /// Removes and returns the callbacks that wait to be delivered.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.records().messages)
    }

    pub fn is_done(&self) -> bool {
        !self.records().accounts.values().any(Account::is_open)
    }

    /// Ends every operation.
    pub fn finish(&self) {
        while !self.is_done() {
            self.act(true);
        }
    }
}

fn callback(payment_id: &str, account: &Account, operation: &Operation) -> Value {
    let mut payment = payment_json(payment_id, account);
    if let Some(refund_id) = &operation.merchant_refund_id {
        payment["merchant_refund_id"] = json!(refund_id);
    }
    json!({ "project_id": 211, "payment": payment, "operation": operation_json(operation) })
}

/// Returns the text of a date in a report. All dates have the same width, because they are compared as texts.
fn date_text(date: u64) -> String {
    format!("{date:06}")
}

fn payment_json(payment_id: &str, account: &Account) -> Value {
    let newest = account
        .operations
        .iter()
        .map(|operation| operation.date)
        .max();
    json!({
        "id": payment_id, "status": account.status, "date": date_text(newest.unwrap()),
        "sum": euros(account.payment_sum()),
    })
}

fn operation_json(operation: &Operation) -> Value {
    let mut body = json!({
        "id": operation.id, "type": operation.kind, "status": operation.status,
        "date": date_text(operation.date), "request_id": operation.request_id, "code": "0",
        "sum_initial": euros(operation.amount), "sum_converted": euros(operation.moves),
    });
    // The date shows that the sale is ours. A sale that is older than its checkout counts as another system's sale.
    if operation.kind == "sale" {
        let created_at = operation.created_at.to_seconds_with_offset();
        body["created_date"] = created_at.replace("+00:00", "+0000").into();
    }
    body
}
