//! When something is to be done about a payment by itself: it is polled while it is open, its checkout
//! expires, its customer is erased. Nothing ends without somebody being told.

use std::time::Duration;

use crate::decide::withheld_until;
use crate::model::timestamp::Timestamp;
use crate::model::{Channel, GateRequest, Payment, Waiting};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long the platform waits for an answer to what it asks, and a minute.
const CLARIFICATION_ENDS: Duration = Duration::from_secs(31 * MINUTE);

/// How long things take. The defaults are those of production; tests divide them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How long to wait before a status request, by how many were sent before; the last one counts for
    /// all that follow.
    pub poll_delays: Vec<Duration>,
    /// How long to wait for the first report about a Gate sale before its redirect URL is polled for.
    pub redirect_poll_delay: Duration,
    /// Stop polling after this age; what is open then needs an operator.
    pub poll_until: Duration,
    /// How long after its end a checkout may still be on its way to the platform.
    pub checkout_grace: Duration,
    /// How long after a payment was started its customer is known.
    pub customer_retention: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        let delays = [
            MINUTE,
            2 * MINUTE,
            5 * MINUTE,
            15 * MINUTE,
            HOUR,
            6 * HOUR,
            DAY,
        ];
        Self {
            poll_delays: delays.map(Duration::from_secs).into(),
            redirect_poll_delay: Duration::from_secs(12),
            // The platform ends a payment after 30 days.
            poll_until: Duration::from_secs(31 * DAY),
            checkout_grace: Duration::from_secs(HOUR),
            customer_retention: Duration::from_secs(31 * DAY),
        }
    }
}

/// What is to be done about a payment, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Poll the platform.
    Poll(Timestamp),
    /// Emit the end of the checkout.
    Expire(Timestamp),
    /// Erase the customer.
    Erase(Timestamp),
    /// Nothing more: it is open past its end since then, and only an operator can help.
    Overdue(Timestamp),
}

impl Schedule {
    /// What is to be done next; `None`: nothing, until something is reported of it.
    pub fn next(&self, payment: &Payment) -> Option<Next> {
        let (poll, overdue) = match self.poll(payment) {
            Some(Next::Poll(at)) => (Some(at), None),
            other => (None, other),
        };
        let planned = [
            poll.map(|at| (at, Next::Poll(at))),
            payment.expires_at().map(|at| (at, Next::Expire(at))),
            self.erase_at(payment).map(|at| (at, Next::Erase(at))),
        ];
        let first = planned.into_iter().flatten().min_by_key(|(at, _)| *at);
        first.map(|(_, next)| next).or(overdue)
    }

    /// When the platform is to be polled.
    pub fn poll_at(&self, payment: &Payment) -> Option<Timestamp> {
        match self.poll(payment)? {
            Next::Poll(at) => Some(at),
            _ => None,
        }
    }

    /// Whether no report about a Gate sale has come and the platform is to be polled by now.
    pub fn is_first_report_overdue(&self, payment: &Payment, at: Timestamp) -> bool {
        payment.awaits_first_report() && self.poll_at(payment).is_some_and(|due| due <= at)
    }

    /// Whether the next status request is for a redirect URL whose callback may be lost.
    pub(crate) fn is_poll_for_redirect(&self, payment: &Payment) -> bool {
        payment.awaits_first_report()
            && !payment.is_polled_for_redirect()
            && payment.polling().polls_since_activity() == 0
    }

    /// Whether the last status request was sent and something is still open or unsettled.
    pub(crate) fn is_over(&self, payment: &Payment) -> bool {
        matches!(self.poll(payment), Some(Next::Overdue(_)))
    }

    /// When the platform is to be polled, as long as something is open or unsettled.
    fn poll(&self, payment: &Payment) -> Option<Next> {
        let polling = payment.polling();
        let since = polling.last_activity_at()?;
        if polling.is_recheck_due() {
            return Some(Next::Poll(since));
        }
        let end = payment.open_since()?.after(self.poll_until);
        if since >= end {
            return Some(Next::Overdue(end));
        }
        let usual = since.after(self.delay(polling.polls_since_activity()));
        // Sooner where something is known to end by itself.
        let redirect = since.after(self.redirect_poll_delay);
        let ends = [
            self.unknown_end(payment),
            payment.clarification_end(),
            withheld_until(payment),
            Some(redirect).filter(|_| self.is_poll_for_redirect(payment)),
        ];
        let sooner = ends.into_iter().flatten().filter(|end| *end > since);
        Some(Next::Poll(sooner.fold(usual.min(end), Timestamp::min)))
    }

    fn delay(&self, polls: u32) -> Duration {
        let index = usize::try_from(polls).unwrap_or(usize::MAX);
        let delay = self.poll_delays.get(index).or(self.poll_delays.last());
        delay.copied().unwrap_or_default()
    }

    /// When a payment of which the platform knows nothing is over. What it has once taken, or even
    /// started, may be found until the last status request.
    pub(crate) fn unknown_end(&self, payment: &Payment) -> Option<Timestamp> {
        let order = payment.order()?;
        let attempt = payment.attempt();
        let was_sent = match attempt.request() {
            GateRequest::NotSent => order.channel == Channel::PaymentPage,
            GateRequest::Refused { .. } => false,
            _ => true,
        };
        let mut operations = payment.operations();
        if !was_sent || operations.any(|(_, operation)| operation.outcome().is_final()) {
            return None;
        }
        Some(match payment.is_known_to_platform() {
            true => attempt.started_at().after(self.poll_until),
            false => order.expires_at.after(self.checkout_grace),
        })
    }

    /// When the customer is to be erased.
    pub(crate) fn erase_at(&self, payment: &Payment) -> Option<Timestamp> {
        let is_due = payment.has_personal_data() && !payment.has_open_refund();
        is_due.then(|| {
            payment
                .attempt()
                .started_at()
                .after(self.customer_retention)
        })
    }
}

impl Payment {
    /// When the newest thing that is still open, or unsettled, was started.
    fn open_since(&self) -> Option<Timestamp> {
        let sale = self.is_sale_open().then(|| self.attempt().started_at());
        let refunds = self.refunds().iter();
        let refunds = refunds.filter(|refund| refund.status().is_reserved());
        refunds
            .map(|refund| refund.created_at())
            .chain(sale)
            .chain(self.polling().unsettled_since())
            .max()
    }

    /// When the platform gives up to wait for what it has asked of the shopper or for a refund.
    fn clarification_end(&self) -> Option<Timestamp> {
        let of_refunds = self.refunds().iter();
        let of_refunds = of_refunds.filter_map(|one| self.clarification_request_of(one));
        let requests = of_refunds.chain(self.clarification_request());
        let ends = requests.filter_map(Waiting::since);
        ends.map(|since| since.after(CLARIFICATION_ENDS)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_requests_become_rarer() {
        let schedule = Schedule::default();
        let pauses: Vec<u64> = (0..9)
            .map(|polls| schedule.delay(polls).as_secs())
            .collect();
        assert_eq!(
            pauses,
            [60, 120, 300, 900, 3_600, 21_600, 86_400, 86_400, 86_400]
        );
        assert_eq!(schedule.delay(u32::MAX).as_secs(), 86_400);
    }
}
