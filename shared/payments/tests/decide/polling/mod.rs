//! Tests status polls: the times of the polls, and the effects of signed answers, errors and "not found". Also tests
//! the erasure of the customer's data.

mod answers;
mod erasure;
mod errors;
mod not_found;
mod schedule;

use payments::Timestamp;
use payments::decide::{Command, Fact};
use payments::model::Order;
use payments::model::schedule::Schedule;

use crate::fixtures::*;

impl TestPayment {
    /// Returns a payment after two callbacks about the same sale: a success and a decline.
    fn contradicted() -> Self {
        Self::with_callbacks(&["sale_success", "sale_decline_customer"])
    }

    /// Returns a payment whose sale is being sent to Gate, and whose checkout expires after 30 days.
    fn open_for_thirty_days() -> Self {
        let order = Order {
            expires_at: NOW.after(30 * DAY),
            ..order()
        };
        Self::created_with(&order)
    }

    fn hint(&mut self, at: Timestamp) -> &mut Self {
        self.fact(Fact::Hint(&corpus("sale_success").report), at)
    }

    fn poll_not_found(&mut self, at: Timestamp, signed: bool) -> &mut Self {
        self.claim_or_poll_now(at).not_found(signed, at)
    }

    /// Returns whether the last answer causes a repeat of a request, or the end of a payment or of a recheck.
    fn can_conclude(&self, at: Timestamp) -> bool {
        let command = Command::ResolveNotFound(&Schedule::default());
        change_of(Some(self), command, at).is_some()
    }

    fn conclude(&mut self, at: Timestamp) -> &mut Self {
        self.execute(Command::ResolveNotFound(&Schedule::default()), at)
    }

    fn erase(&mut self, at: Timestamp) -> &mut Self {
        self.execute(Command::Erase(&Schedule::default()), at)
    }

    /// Emits `checkout.expired`. After this event, the next action of the schedule is a status poll again.
    fn expire(&mut self) -> &mut Self {
        self.execute(Command::Expire, order().expires_at)
    }
}
