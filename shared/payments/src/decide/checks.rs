//! When the platform is to be asked: what is silent does not stay silent.

use std::time::Duration;

use super::{Change, announce};
use crate::payment::Payment;
use crate::timestamp::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long to wait before asking, by how often it was asked already; from the last one on daily.
const PAUSES: [u64; 7] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    6 * HOUR,
    24 * HOUR,
];

fn pause(asked: u32) -> Duration {
    let index = usize::try_from(asked).unwrap_or(usize::MAX);
    Duration::from_secs(PAUSES.get(index).copied().unwrap_or(24 * HOUR))
}

/// Something doubtful was heard: ask at once. If the platform is going to be asked anyway, there is
/// nothing to note, so that repeats change nothing.
pub(super) fn ask_now(payment: &mut Payment, at: Timestamp) {
    let is_due = payment.check_at.is_some_and(|planned| planned <= at);
    if payment.doubted_after.is_none() || !is_due {
        payment.doubted_after = Some(payment.questions);
        payment.asked = 0;
        ask_at(payment, at);
    }
}

fn ask_at(payment: &mut Payment, at: Timestamp) {
    payment.check_at = Some(payment.check_at.map_or(at, |planned| planned.min(at)));
}

/// Something new was begun: ask about it as if nothing had been open before.
pub(super) fn begin(payment: &mut Payment, at: Timestamp) {
    payment.asked = 0;
    ask_at(payment, at.after(pause(0)));
}

/// Claims the question that was due before a moment, numbers it and plans the next one, whatever
/// will be answered.
///
/// `None`: nothing is due.
pub fn claim_check(payment: &Payment, before: Timestamp, at: Timestamp) -> Option<Change> {
    payment.check_at.filter(|planned| *planned < before)?;
    let mut after = payment.clone();
    after.questions = after.questions.saturating_add(1);
    after.asked = after.asked.saturating_add(1);
    after.check_at = None;
    super::settle(&mut after, at);
    // Time itself may have told something: that an answer will not come any more.
    match announce::has_news(&after, at) {
        true => Some(announce::announce(after, at)),
        false => Some(Change {
            payment: after,
            events: Vec::new(),
        }),
    }
}

/// Plans the next question, or none if nothing is open.
pub(super) fn settle(payment: &mut Payment, at: Timestamp) {
    if payment.doubted_after.is_some() || payment.is_open() {
        let planned = at.after(pause(payment.asked));
        payment.check_at.get_or_insert(planned);
        if let Some(end) = announce::withheld_until(payment, at) {
            ask_at(payment, end);
        }
    } else {
        payment.check_at = None;
        payment.asked = 0;
    }
}

impl Payment {
    /// Whether the platform still owes a result: of the sale that was ordered, or of a refund.
    pub fn is_open(&self) -> bool {
        let sale = self.order.is_some() && !self.status().is_final();
        let refund = self
            .refunds
            .iter()
            .any(|refund| refund.status.is_reserved());
        sale || refund
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_rarer_and_never_stop() {
        let pauses: Vec<u64> = (0..9).map(|asked| pause(asked).as_secs()).collect();
        assert_eq!(
            pauses,
            [60, 120, 300, 900, 3_600, 21_600, 86_400, 86_400, 86_400]
        );
        assert_eq!(pause(u32::MAX).as_secs(), 86_400);
    }
}
