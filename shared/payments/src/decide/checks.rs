//! What is open or doubtful is silent since some moment, and asked about so many times since. When
//! the next question is put follows from that and from the [`Schedule`].

use super::{Change, announce};
use crate::payment::{Doubted, Payment};
use crate::schedule::Schedule;
use crate::timestamp::Timestamp;

/// Something doubtful was heard: it is asked about at once. If that is going to be done anyway,
/// there is nothing to note, so that repeats change nothing.
pub(super) fn ask_now(payment: &mut Payment, at: Timestamp) {
    if payment.is_doubt_unasked() {
        return;
    }
    let since = payment.doubted.map_or(at, |doubted| doubted.since);
    payment.doubted = Some(Doubted {
        after: payment.questions,
        since,
    });
    (payment.asked, payment.silent_since) = (0, Some(at));
}

/// Something new was begun: it is asked about as if nothing had been open before.
pub(super) fn begin(payment: &mut Payment, at: Timestamp) {
    // Never put off: the question about what was begun just before comes in time for both.
    if payment.asked > 0 || payment.silent_since.is_none() {
        (payment.asked, payment.silent_since) = (0, Some(at));
    }
}

/// Claims the question that was due before a moment and numbers it, so that the next one is planned
/// whatever will be answered.
///
/// `None`: nothing is due.
pub fn claim_check(
    payment: &Payment,
    schedule: &Schedule,
    before: Timestamp,
    at: Timestamp,
) -> Option<Change> {
    schedule
        .ask_at(payment)
        .filter(|planned| *planned < before)?;
    let mut after = payment.clone();
    after.asked = after.asked.saturating_add(1);
    after.silent_since = Some(at);
    Some(numbered(after, at))
}

/// Claims a question that somebody puts by hand. The next one of the schedule comes in its time.
pub fn claim_question(payment: &Payment, at: Timestamp) -> Change {
    numbered(payment.clone(), at)
}

fn numbered(mut payment: Payment, at: Timestamp) -> Change {
    payment.questions = payment.questions.saturating_add(1);
    super::settle(&mut payment, at);
    // Time itself may have told something: that an answer will not come any more.
    match announce::has_news(&payment, at) {
        true => announce::announce(payment, at),
        false => Change {
            payment,
            events: Vec::new(),
        },
    }
}

/// Notes since when it is silent, if anything is open.
pub(super) fn settle(payment: &mut Payment, at: Timestamp) {
    if payment.doubted.is_some() || payment.is_open() {
        payment.silent_since.get_or_insert(at);
    } else {
        (payment.asked, payment.silent_since) = (0, None);
    }
}

impl Payment {
    /// Whether the platform still owes a result: of the sale that was ordered, or of a refund.
    pub fn is_open(&self) -> bool {
        self.is_sale_open() || self.has_open_refund()
    }

    /// Whether the platform still owes the result of the sale that was ordered.
    pub(crate) fn is_sale_open(&self) -> bool {
        self.order.is_some() && !self.status().is_final()
    }

    /// Whether money is held back for a refund.
    pub(crate) fn has_open_refund(&self) -> bool {
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.status.is_reserved())
    }

    /// Whether something doubtful was heard and no question was put since.
    pub(crate) fn is_doubt_unasked(&self) -> bool {
        let after = self.doubted.map(|doubted| doubted.after);
        after == Some(self.questions)
    }
}
