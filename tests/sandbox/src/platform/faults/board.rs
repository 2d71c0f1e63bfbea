//! Stores the switches of all payments.

use std::collections::HashMap;
use std::time::Duration;

use super::answer::{Answer, RequestKind};
use super::switches::Faults;
use crate::platform::records::key;

/// The default delay of a slow answer.
const SLOW: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct FaultBoard {
    /// The switches of each payment that has no switches of its own.
    pub defaults: Faults,
    by_payment: HashMap<String, Faults>,
}

impl FaultBoard {
    pub fn of(&self, payment_id: &str) -> &Faults {
        let own = self.by_payment.get(&key(payment_id));
        own.unwrap_or(&self.defaults)
    }

    pub fn has_own(&self, payment_id: &str) -> bool {
        self.by_payment.contains_key(&key(payment_id))
    }

    /// Replaces the switches of a payment. The payment need not exist yet.
    pub fn set(&mut self, payment_id: &str, faults: Faults) {
        self.by_payment.insert(key(payment_id), faults);
    }

    /// Returns the answer to the next request about a payment, and the delay of a slow answer. The first request about
    /// a payment copies the default switches to the payment. Later changes of the defaults do not affect this copy.
    pub fn next_answer(&mut self, payment_id: &str, kind: RequestKind) -> (Answer, Duration) {
        let own = self.by_payment.entry(key(payment_id));
        let faults = own.or_insert_with(|| self.defaults.clone());
        let delay = faults.slow_ms.map_or(SLOW, Duration::from_millis);
        let answer_to = faults.answer_to.as_deref();
        let answer_to = answer_to.unwrap_or(&[RequestKind::Sale, RequestKind::Refund]);
        if !answer_to.contains(&kind) {
            return (Answer::Ok, delay);
        }
        match faults.answer_times.as_mut() {
            None => (faults.answer, delay),
            Some(0) => (Answer::Ok, delay),
            Some(times) => {
                *times -= 1;
                (faults.answer, delay)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn board(faults: &str) -> FaultBoard {
        let mut board = FaultBoard::default();
        board.set("Order-1", serde_json::from_str(faults).unwrap());
        board
    }

    #[test]
    fn the_switch_answer_applies_to_as_many_requests_as_answer_times_says() {
        let mut board = board(r#"{"answer":"lost","answer_times":1}"#);
        let mut next = |id, kind| board.next_answer(id, kind).0;
        assert_eq!(next("order-1", RequestKind::Status), Answer::Ok);
        assert_eq!(next("order-1", RequestKind::Sale), Answer::Lost);
        assert_eq!(next("ORDER-1", RequestKind::Sale), Answer::Ok);
        assert_eq!(next("order-2", RequestKind::Sale), Answer::Ok);
    }

    #[test]
    fn the_switch_answer_applies_to_the_kinds_of_requests_in_answer_to() {
        let mut board = board(r#"{"answer":"error_400","answer_to":["clarification"]}"#);
        let mut next = |kind| board.next_answer("order-1", kind).0;
        assert_eq!(next(RequestKind::Sale), Answer::Ok);
        assert_eq!(next(RequestKind::Clarification), Answer::Error400);
    }

    #[test]
    fn a_payment_keeps_the_default_switches_of_its_first_request() {
        let mut board = FaultBoard::default();
        board.defaults.drop = true;
        board.next_answer("order-1", RequestKind::Sale);
        board.defaults.drop = false;
        assert!(board.of("order-1").drop);
        assert!(!board.of("order-2").drop);
    }
}
