//! When something is to be done about a payment that is silent: what is silent is asked about, and
//! nothing ends silently.

use std::time::Duration;

use crate::payment::{Channel, GateRequest, Payment, Status};
use crate::timestamp::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// So long the platform waits for an answer to what it asks, and a minute.
const CLARIFICATION_ENDS: Duration = Duration::from_secs(31 * MINUTE);

/// How long things take. The defaults are those of production; tests divide them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How long to wait before a question to the platform, by how many were put before; the last
    /// one counts for all that follow.
    pub pauses: Vec<Duration>,
    /// So long after something was begun it is asked about; what is open then needs an operator.
    pub questions_end: Duration,
    /// So long after its end a checkout may still be on its way to the platform.
    pub checkout_grace: Duration,
    /// So long after a payment was begun its customer is known.
    pub customer_kept: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        let pauses = [
            MINUTE,
            2 * MINUTE,
            5 * MINUTE,
            15 * MINUTE,
            HOUR,
            6 * HOUR,
            DAY,
        ];
        Self {
            pauses: pauses.map(Duration::from_secs).into(),
            // The platform ends a payment after 30 days.
            questions_end: Duration::from_secs(31 * DAY),
            checkout_grace: Duration::from_secs(HOUR),
            customer_kept: Duration::from_secs(31 * DAY),
        }
    }
}

/// What is to be done about a payment, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask the platform.
    Ask(Timestamp),
    /// Forget who the customer was.
    Erase(Timestamp),
    /// Nothing more: it is open past its end since then, and only an operator can help.
    Overdue(Timestamp),
}

impl Schedule {
    /// What is to be done next; `None`: nothing, until something is heard of it.
    pub fn next(&self, payment: &Payment) -> Option<Next> {
        let question = self.question(payment);
        let erasure = self.erasure(payment);
        match (question, erasure) {
            (Some(Next::Ask(ask)), Some(erase)) if ask > erase => Some(Next::Erase(erase)),
            (Some(Next::Ask(ask)), _) => Some(Next::Ask(ask)),
            (_, Some(erase)) => Some(Next::Erase(erase)),
            (overdue, None) => overdue,
        }
    }

    /// When the platform is to be asked, if that is what is to be done next.
    pub fn ask_at(&self, payment: &Payment) -> Option<Timestamp> {
        match self.next(payment)? {
            Next::Ask(at) => Some(at),
            Next::Erase(_) | Next::Overdue(_) => None,
        }
    }

    /// Whether the last question has been put and something is still open or doubtful.
    pub(crate) fn is_over(&self, payment: &Payment) -> bool {
        matches!(self.question(payment), Some(Next::Overdue(_)))
    }

    /// When the platform is to be asked, as long as something is open or doubtful.
    fn question(&self, payment: &Payment) -> Option<Next> {
        let since = payment.silent_since?;
        if payment.is_doubt_unasked() {
            return Some(Next::Ask(since));
        }
        let end = payment.open_since()?.after(self.questions_end);
        if since >= end {
            return Some(Next::Overdue(end));
        }
        let usual = since.after(self.pause(payment.asked));
        // Sooner where something is known to end by itself.
        let ends = [
            self.unknown_end(payment),
            payment.clarification_end(),
            payment.withheld_until(),
        ];
        let sooner = ends.into_iter().flatten().filter(|end| *end > since);
        Some(Next::Ask(sooner.fold(usual.min(end), Timestamp::min)))
    }

    fn pause(&self, asked: u32) -> Duration {
        let index = usize::try_from(asked).unwrap_or(usize::MAX);
        let pause = self.pauses.get(index).or(self.pauses.last());
        pause.copied().unwrap_or_default()
    }

    /// When a payment of which the platform knows nothing is over. What it has once taken, or even
    /// begun, may be found until the last question.
    pub(crate) fn unknown_end(&self, payment: &Payment) -> Option<Timestamp> {
        let order = payment.order.as_ref()?;
        let was_sent = match payment.sale {
            GateRequest::None => order.channel == Channel::PaymentPage,
            GateRequest::Refused { .. } => false,
            _ => true,
        };
        let mut operations = payment.operations.values();
        if !was_sent || operations.any(|operation| operation.outcome.is_final()) {
            return None;
        }
        Some(match payment.is_known_to_platform() {
            true => payment.begun_at.after(self.questions_end),
            false => order.expires_at.after(self.checkout_grace),
        })
    }

    fn erasure(&self, payment: &Payment) -> Option<Timestamp> {
        let is_due = payment.has_personal_data() && !payment.has_open_refund();
        is_due.then(|| payment.begun_at.after(self.customer_kept))
    }
}

impl Payment {
    /// Whether the platform has ever taken it, or begun something.
    pub(crate) fn is_known_to_platform(&self) -> bool {
        let is_taken = matches!(self.sale, GateRequest::Accepted { .. });
        is_taken || !self.operations.is_empty()
    }

    /// When the newest thing that is still open, or doubtful, was begun.
    fn open_since(&self) -> Option<Timestamp> {
        let sale = self.is_sale_open().then_some(self.begun_at);
        let refunds = self.refunds.iter();
        let refunds = refunds.filter(|refund| refund.status.is_reserved());
        let doubt = self.doubted.map(|doubted| doubted.since);
        refunds
            .map(|refund| refund.created_at)
            .chain(sale)
            .chain(doubt)
            .max()
    }

    /// When the platform gives up to wait for what it has asked.
    fn clarification_end(&self) -> Option<Timestamp> {
        let question = match self.status() {
            Status::AwaitingClarification => self.question()?,
            _ => return None,
        };
        Some(Timestamp::of_platform(&question.news.0)?.after(CLARIFICATION_ENDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_rarer() {
        let schedule = Schedule::default();
        let pauses: Vec<u64> = (0..9)
            .map(|asked| schedule.pause(asked).as_secs())
            .collect();
        assert_eq!(
            pauses,
            [60, 120, 300, 900, 3_600, 21_600, 86_400, 86_400, 86_400]
        );
        assert_eq!(schedule.pause(u32::MAX).as_secs(), 86_400);
    }
}
