//! Tests refunds: reservation, attribution of the platform's operations, repeats, returns, and events.

mod amounts;
mod attribution;
mod events;
mod overrefunds;
mod repeats;
mod reservation;
mod returns;

use payments::decide::Command;
use payments::model::{Refund, RefundStatus};

use crate::fixtures::*;

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
