//! Replaces the platform: counts the sales that it receives, and signs its callbacks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::plan::Plan;
use crate::scenario::{report, sign};

#[derive(Debug, Default)]
pub struct Platform {
    sales: Mutex<Sales>,
}

#[derive(Debug, Default)]
struct Sales {
    /// The number of received sales, by payment number.
    counts: BTreeMap<u32, u32>,
    /// The tasks that wait for a sale, by payment number.
    waiting: BTreeMap<u32, oneshot::Sender<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The redirect URL.
    Redirect,
    /// The final result.
    End,
}

impl Platform {
    /// Returns a receiver that is notified when the payment's sale arrives.
    pub fn sale_of(&self, plan: Plan) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.sales().waiting.insert(plan.0, sender);
        receiver
    }

    pub fn sales_of(&self, plan: Plan) -> u32 {
        self.sales().counts.get(&plan.0).copied().unwrap_or(0)
    }

    /// Counts a sale that Gate accepted, and notifies the task that waits for it.
    pub fn count(&self, plan: Plan) {
        let mut sales = self.sales();
        *sales.counts.entry(plan.0).or_default() += 1;
        if let Some(waiting) = sales.waiting.remove(&plan.0) {
            // A failed send is ignored, because the send fails only after the load test has failed.
            let _ = waiting.send(());
        }
    }

    fn sales(&self) -> MutexGuard<'_, Sales> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a signed callback.
pub fn callback(plan: Plan, content: Report) -> anyhow::Result<String> {
    let (status, code, text) = match (content, plan.is_declined()) {
        (Report::Redirect, _) => ("awaiting redirect result", "9999", "Awaiting processing"),
        (Report::End, false) => ("success", "0", "Success"),
        (Report::End, true) => ("decline", "20301", "Account owner cancelled operation"),
    };
    let date = Timestamp::now().to_platform();
    let mut message = report(&plan.payment_id());
    for (field, value) in [
        ("/payment/status", json!(status)),
        ("/payment/date", json!(date)),
        (
            "/operation/id",
            json!(37_493_000_000_000 + u64::from(plan.0)),
        ),
        ("/operation/status", json!(status)),
        ("/operation/date", json!(date)),
        ("/operation/created_date", json!(date)),
        ("/operation/code", json!(code)),
        ("/operation/message", json!(text)),
    ] {
        if let Some(field) = message.pointer_mut(field) {
            *field = value;
        }
    }
    if let (Report::Redirect, Value::Object(fields)) = (content, &mut message) {
        let url = format!("https://bank.example/pay?tx={}", plan.0);
        let redirect = json!({ "method": "GET", "body": [], "encrypted": [], "url": url });
        fields.insert("redirect_data".to_owned(), redirect);
    }
    sign(message)
}
