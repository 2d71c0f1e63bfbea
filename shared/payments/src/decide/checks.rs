//! When the platform is to be asked: what is silent does not stay silent.

use std::time::Duration;

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

/// Something doubtful was heard: ask at once.
pub(super) fn ask_now(payment: &mut Payment, at: Timestamp) {
    payment.doubtful = true;
    payment.check_at = Some(payment.check_at.map_or(at, |planned| planned.min(at)));
}

/// The platform has answered a question about the payment's status, and may have left it open.
pub(super) fn answered(payment: &mut Payment, doubtful: bool) {
    payment.doubtful = doubtful;
    payment.asked = payment.asked.saturating_add(1);
    payment.check_at = None;
}

/// Plans the next question, or none if nothing is open.
pub(super) fn settle(payment: &mut Payment, at: Timestamp) {
    if payment.doubtful || payment.is_open() {
        let planned = at.after(pause(payment.asked));
        payment.check_at.get_or_insert(planned);
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
