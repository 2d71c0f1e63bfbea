//! Tests refunds: reservation, attribution of the platform's operations, repeats, returns, and events.

mod amounts;
mod attribution;
mod events;
mod further_successes;
mod overrefunds;
mod repeats;
mod reservation;
mod returns;
mod revoked;

use payments::decide::Command;
use payments::model::{Refund, RefundStatus};
use payments::service::callback::Verified;
use serde_json::Value;

use crate::fixtures::*;

/// Returns a signed answer with the sale of 10.00 EUR and further operations.
fn answer_listing(status: &str, sum: u64, operations: &[Value]) -> Verified {
    edited("status_many_operations", |body| {
        body["payment"]["status"] = status.into();
        body["payment"]["sum"]["amount"] = sum.into();
        let all = body["operations"].as_array_mut().unwrap();
        all.truncate(1);
        all.extend_from_slice(operations);
    })
}

/// Returns an operation about the refund r-1, as a signed answer lists it.
fn operation_of_r_1(id: &str, kind: &str, status: &str, amount: u64) -> Value {
    let mut operation = reports::operation(id, kind, status, amount);
    operation["merchant_refund_id"] = "r-1".into();
    operation["date"] = "2019-07-02T09:40:01+0000".into();
    operation
}

impl TestPayment {
    fn our_refund(&self, refund_id: &str) -> &Refund {
        self.refund(&id(refund_id)).unwrap()
    }

    fn refund_status(&self, refund_id: &str) -> RefundStatus {
        self.our_refund(refund_id).status()
    }

    /// Returns whether a lost refund can be sent again.
    fn can_repeat(&self, refund_id: &str) -> bool {
        change_of(Some(self), Command::RepeatRefund(&id(refund_id)), NOW).is_some()
    }

    /// Returns each event about a refund: our id or the operation's id, the status, and the corrected event.
    fn refund_events(&self) -> Vec<String> {
        let events = self.events.iter().filter_map(|event| {
            let data = data(event);
            let refund = &data["refund"];
            let ours = refund["refund_id"].as_str();
            let id = ours.or(refund["operation_id"].as_str())?;
            let corrects = data["corrects"].as_str();
            let corrects = corrects.map(|kind| format!(" corrects {kind}"));
            let status = refund["status"].as_str()?;
            Some(format!("{id} {status}{}", corrects.unwrap_or_default()))
        });
        events.collect()
    }
}
