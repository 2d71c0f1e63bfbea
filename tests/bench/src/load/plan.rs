//! Plans the callbacks and the expected result of each payment. The plan follows from the number of the payment.

use payments::events::EventKind;
use payments::model::Status;

/// The amount of each payment, in cents.
pub const AMOUNT: u64 = 1_000;
const PREFIX: &str = "load-";

/// The plan of the payment with this number, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan(pub u32);

/// When the callback with the redirect URL arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectTime {
    /// While the checkout function runs.
    Early,
    /// After the checkout function answered.
    Usual,
    /// After the final callback.
    Late,
}

impl Plan {
    pub fn of(payment_id: &str) -> Option<Self> {
        payment_id.strip_prefix(PREFIX)?.parse().ok().map(Self)
    }

    pub fn payment_id(self) -> String {
        format!("{PREFIX}{:08}", self.0)
    }

    pub fn is_declined(self) -> bool {
        self.0 % 10 == 3
    }

    /// Whether the platform sends the final callback twice at the same time.
    pub fn is_reported_twice(self) -> bool {
        self.0 % 5 == 1
    }

    pub fn redirect_time(self) -> RedirectTime {
        match self.0 {
            number if number % 20 == 7 => RedirectTime::Early,
            number if number % 50 == 9 => RedirectTime::Late,
            _ => RedirectTime::Usual,
        }
    }

    pub fn status(self) -> Status {
        match self.is_declined() {
            true => Status::Declined,
            false => Status::Succeeded,
        }
    }

    pub fn events(self) -> Vec<EventKind> {
        let has_redirect = self.redirect_time() != RedirectTime::Late;
        let redirect = has_redirect.then_some(EventKind::PaymentAwaitingCustomer);
        let end = EventKind::of_status(self.status());
        let events = [Some(EventKind::PaymentCreated), redirect, end];
        events.into_iter().flatten().collect()
    }
}
