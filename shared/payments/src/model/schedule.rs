//! Decides the next action about a payment, and its time. Actions are a status poll, the expiry of the checkout, and
//! the erasure of the customer's data (`shared/decisions/state/0009-polling-index.md`).

use std::time::Duration;

use super::attempt::gate_request::GateRequest;
use super::order::Channel;
use super::payment::Payment;
use super::refunds::refund::Refund;
use super::reported::waiting::Waiting;
use super::timestamp::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The delay of a poll after a clarification request. The platform waits 30 minutes for the data. One minute later,
/// the outcome is known.
const CLARIFICATION_TIMEOUT: Duration = Duration::from_secs(31 * MINUTE);

/// If a poll moves to a later time by less than this duration, its entry in the index of due times keeps the earlier
/// time.
const POLL_TOLERANCE: Duration = Duration::from_secs(5);

/// The delays and time limits. The defaults are for production; a sandbox uses shorter times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The delay before each scheduled poll. The last delay is repeated.
    pub poll_delays: Vec<Duration>,
    /// The delay after the sale request until a Gate sale without a report is polled for its redirect URL.
    pub redirect_poll_delay: Duration,
    /// How long a sale, a refund or a recheck is polled. Afterwards the payment is overdue.
    pub max_poll_age: Duration,
    /// The delay between the expiry of the checkout and the failure of a sale that the platform does not find. During
    /// this delay, the first report can still arrive.
    pub checkout_grace: Duration,
    /// The age of an attempt at which the customer's data is erased.
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
            max_poll_age: Duration::from_secs(31 * DAY),
            checkout_grace: Duration::from_secs(HOUR),
            customer_retention: Duration::from_secs(31 * DAY),
        }
    }
}

/// The next action about a payment, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Poll the platform.
    Poll(Timestamp),
    /// Emit `checkout.expired`.
    Expire(Timestamp),
    /// Erase the customer's data.
    Erase(Timestamp),
    /// Do nothing, because the payment has been overdue since this time. If the payment is never polled, because its id
    /// cannot be signed, the time can be in the future.
    Overdue(Timestamp),
}

impl Schedule {
    /// Returns the next action; `None` if nothing is planned.
    pub fn next(&self, payment: &Payment) -> Option<Next> {
        let (poll, overdue) = match self.poll(payment) {
            Some(Next::Poll(at)) => (Some(at), None),
            other => (None, other),
        };
        let is_known = !payment.needs_newer_release();
        let planned = [
            poll.map(|at| (at, Next::Poll(at))),
            payment
                .expires_at()
                .filter(|_| is_known)
                .map(|at| (at, Next::Expire(at))),
            self.erase_at(payment)
                .filter(|_| is_known)
                .map(|at| (at, Next::Erase(at))),
        ];
        let first = planned.into_iter().flatten().min_by_key(|(at, _)| *at);
        first.map(|(_, next)| next).or(overdue)
    }

    /// Returns the next action for the payment's entry in the index of due times, after a change of the payment.
    ///
    /// Each move of an entry costs two write units. Two rules avoid moves:
    /// - If a poll moves to a later time by less than [`POLL_TOLERANCE`], its entry keeps the earlier time.
    /// - The entry of a new Gate sale has the time of the poll for the redirect URL. So the entry does not move when
    ///   Gate accepts the sale.
    ///
    /// If a sweeper run finds an entry whose action is not due yet, the run does nothing. A later run finds the entry
    /// again.
    pub(crate) fn entry(&self, before: Option<&Payment>, after: &Payment) -> Option<Next> {
        let stored = before.and_then(|before| self.early(before));
        keep_close(stored, self.early(after))
    }

    /// Returns the next action. If a Gate sale is being sent, the poll has the time that it would have after Gate has
    /// accepted the sale.
    fn early(&self, payment: &Payment) -> Option<Next> {
        let next = self.next(payment)?;
        let order = payment.order();
        let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
        let is_sending = matches!(payment.attempt().request(), GateRequest::Sending { .. });
        let since = payment.polling().last_activity_at();
        match (next, since) {
            (Next::Poll(at), Some(since)) if is_gate && is_sending => {
                Some(Next::Poll(at.min(since.after(self.redirect_poll_delay))))
            }
            _ => Some(next),
        }
    }

    /// Returns when the next status poll is due; `None` if no poll is planned.
    pub fn poll_at(&self, payment: &Payment) -> Option<Timestamp> {
        match self.poll(payment)? {
            Next::Poll(at) => Some(at),
            _ => None,
        }
    }

    /// Whether a Gate sale has no report, and a status poll is due.
    pub fn is_poll_due_without_report(&self, payment: &Payment, at: Timestamp) -> bool {
        payment.awaits_first_report() && self.poll_at(payment).is_some_and(|due| due <= at)
    }

    /// Whether the next poll is for a redirect URL. The poll is needed if the callback with the URL was lost.
    pub(crate) fn is_poll_for_redirect(&self, payment: &Payment) -> bool {
        payment.awaits_first_report()
            && !payment.is_polled_for_redirect()
            && payment.polling().polls_since_activity() == 0
    }

    pub(crate) fn is_overdue(&self, payment: &Payment) -> bool {
        matches!(self.poll(payment), Some(Next::Overdue(_)))
    }

    /// Returns when to poll, or since when the payment is overdue; `None` if the payment needs no poll.
    fn poll(&self, payment: &Payment) -> Option<Next> {
        let polling = payment.polling();
        let since = polling.last_activity_at()?;
        let end = open_since(payment).map(|since| since.after(self.max_poll_age));
        if !payment.has_signable_id() {
            return end.map(Next::Overdue);
        }
        if polling.is_recheck_due() {
            return Some(Next::Poll(since));
        }
        let end = end?;
        if since >= end {
            return Some(Next::Overdue(end));
        }
        let usual = since.after(self.delay(polling.polls_since_activity()));
        // If a change is known to happen before the usual poll, the poll is due at the time of the change.
        let redirect = since.after(self.redirect_poll_delay);
        let changes = [
            self.not_found_deadline(payment),
            clarification_end(payment),
            payment.attribution_window_end(),
            Some(redirect).filter(|_| self.is_poll_for_redirect(payment)),
        ];
        let earlier = changes.into_iter().flatten().filter(|end| *end > since);
        Some(Next::Poll(earlier.fold(usual.min(end), Timestamp::min)))
    }

    fn delay(&self, polls: u32) -> Duration {
        let index = usize::try_from(polls).unwrap_or(usize::MAX);
        let delay = self.poll_delays.get(index).or(self.poll_delays.last());
        delay.copied().unwrap_or_default()
    }

    /// Returns the time from which the answer "not found" ends the sale. If the platform knows the sale, polling for
    /// the sale stops at this time. Returns `None` if the sale was not sent or was refused, or if an operation has
    /// ended.
    pub(crate) fn not_found_deadline(&self, payment: &Payment) -> Option<Timestamp> {
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
            true => attempt.started_at().after(self.max_poll_age),
            false => order.expires_at.after(self.checkout_grace),
        })
    }

    /// Returns when to erase the customer's data. Returns `None` if there is no personal data, or if a refund is
    /// open, because the refund needs the customer's IP address.
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

fn keep_close(before: Option<Next>, after: Option<Next>) -> Option<Next> {
    match (before, after) {
        (Some(Next::Poll(earlier)), Some(Next::Poll(at)))
            if earlier <= at && at < earlier.after(POLL_TOLERANCE) =>
        {
            before
        }
        _ => after,
    }
}

/// Returns the start of the newest open sale, refund or recheck.
fn open_since(payment: &Payment) -> Option<Timestamp> {
    let sale = payment
        .is_sale_open()
        .then(|| payment.attempt().started_at());
    let refunds = payment.refunds().iter();
    let open_refunds = refunds.filter(|refund| refund.status().is_reserved());
    open_refunds
        .map(Refund::created_at)
        .chain(sale)
        .chain(payment.polling().recheck_since())
        .max()
}

/// Returns the earliest time at which the outcome of an open clarification request is known.
fn clarification_end(payment: &Payment) -> Option<Timestamp> {
    let refunds = payment.refunds().iter();
    let of_refunds = refunds.filter_map(|refund| payment.clarification_request_of(refund));
    let requests = of_refunds.chain(payment.clarification_request());
    let ends = requests.filter_map(Waiting::since);
    ends.map(|since| since.after(CLARIFICATION_TIMEOUT)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_a_poll_keeps_its_time_if_the_poll_moves_by_less_than_five_seconds() {
        let at = |seconds: i64| Timestamp::from_millis(1_767_225_600_000 + seconds * 1_000);
        let poll = |seconds| Some(Next::Poll(at(seconds)));
        let (expiry, erasure) = (Some(Next::Expire(at(10))), Some(Next::Erase(at(11))));
        for (before, after, entry) in [
            (poll(10), poll(10), poll(10)),
            (poll(10), poll(14), poll(10)),
            (poll(10), poll(15), poll(15)),
            (poll(10), poll(9), poll(9)),
            (None, poll(12), poll(12)),
            (expiry, poll(12), poll(12)),
            (poll(10), expiry, expiry),
            (expiry, erasure, erasure),
            (poll(10), None, None),
        ] {
            assert_eq!(keep_close(before, after), entry, "{before:?}, {after:?}");
        }
    }

    #[test]
    fn the_delays_grow_and_the_last_delay_is_repeated() {
        let schedule = Schedule::default();
        let delays: Vec<u64> = (0..9)
            .map(|polls| schedule.delay(polls).as_secs())
            .collect();
        assert_eq!(
            delays,
            [60, 120, 300, 900, 3_600, 21_600, 86_400, 86_400, 86_400]
        );
        assert_eq!(schedule.delay(u32::MAX).as_secs(), 86_400);
    }
}
