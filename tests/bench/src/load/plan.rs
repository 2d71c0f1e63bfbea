//! What happens to a payment, by its number, and what must have become of it.

use payments::events::EventKind;
use payments::model::Status;

/// What every order costs, in cents.
pub const AMOUNT: u64 = 1_000;
const PREFIX: &str = "load-";

/// One payment, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan(pub u32);

impl Plan {
    /// The payment with that id.
    pub fn of(payment_id: &str) -> Option<Self> {
        payment_id.strip_prefix(PREFIX)?.parse().ok().map(Self)
    }

    /// The payment's id.
    pub fn payment_id(self) -> String {
        format!("{PREFIX}{:08}", self.0)
    }

    /// The shopper changes their mind.
    pub fn is_declined(self) -> bool {
        self.0 % 10 == 3
    }

    /// The platform tells the end twice, at the same time.
    pub fn is_told_twice(self) -> bool {
        self.0 % 5 == 1
    }

    /// The platform tells the bank's address while the checkout is still being answered.
    pub fn is_told_early(self) -> bool {
        self.0 % 20 == 7
    }

    /// The platform tells the bank's address after the end.
    pub fn is_told_late(self) -> bool {
        self.0 % 50 == 9
    }

    /// The status that it must end with.
    pub fn status(self) -> Status {
        match self.is_declined() {
            true => Status::Declined,
            false => Status::Succeeded,
        }
    }

    /// The events that there must be, in this order.
    pub fn events(self) -> Vec<EventKind> {
        let address = (!self.is_told_late()).then_some(EventKind::PaymentAwaitingCustomer);
        let end = EventKind::of_status(self.status());
        let events = [Some(EventKind::PaymentCreated), address, end];
        events.into_iter().flatten().collect()
    }
}
