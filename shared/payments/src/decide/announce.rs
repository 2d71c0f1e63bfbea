//! The events of a change: what differs from what was announced before.

use std::time::Duration;

use super::Change;
use crate::event::{About, Event, EventKind};
use crate::payment::{Announced, Difference, Payment, Refund, RefundStatus, Status, Waiting};
use crate::timestamp::Timestamp;
use crate::view::{DifferenceView, OperationView, RefundView};

/// No change has more events: it is one write of the store, which takes 4 MB, and an event carries
/// the whole state, which may take 400 KB. What is left is told by the next change.
const MOST_EVENTS: usize = 8;

/// So long a refund operation without a name may turn out to be one of ours.
const NAMES_COME_WITHIN: Duration = Duration::from_secs(15 * 60);

/// What one event of a change tells.
enum Told {
    Payment { late: bool },
    Refund { index: usize, corrects: bool },
    PaidBefore,
    Difference(Difference),
}

/// Whether anything is known and not announced.
pub(crate) fn has_news(payment: &Payment, at: Timestamp) -> bool {
    !take_news(&mut payment.clone(), at).is_empty()
}

/// Numbers and writes the events of a change.
pub(super) fn announce(mut payment: Payment, at: Timestamp) -> Change {
    payment.updated_at = at;
    let news = take_news(&mut payment, at);
    let mut events = Vec::with_capacity(news.len());
    let first = payment.sequence + 1;
    for (sequence, (kind, told)) in (first..).zip(news) {
        payment.sequence = sequence;
        let about = match &told {
            Told::Payment { late } => About::Payment {
                operation: OperationView::deciding(&payment),
                late: *late,
            },
            Told::PaidBefore => About::PaidBefore {
                operation: OperationView::deciding(&payment),
                other_payment_ids: &payment.paid_before_by,
            },
            Told::Difference(difference) => About::Difference {
                operation: OperationView::find(&payment, &difference.operation_id),
                difference: DifferenceView::new(difference),
            },
            Told::Refund { index, corrects } => match payment.refunds.get(*index) {
                Some(refund) => About::Refund {
                    refund: RefundView::new(refund),
                    corrects: corrects.then_some(EventKind::RefundDeclined.as_str()),
                },
                None => continue,
            },
        };
        events.push(Event::new(&payment, kind, about, at));
    }
    Change { payment, events }
}

/// What is to be announced, in its order; noted as announced from now on.
fn take_news(payment: &mut Payment, at: Timestamp) -> Vec<(EventKind, Told)> {
    let mut news = Vec::new();
    let status = payment.status();
    let said = |payment: &Payment, status| {
        Some(Announced {
            status,
            paid_amount: payment.paid_amount(),
            quarantine: payment.quarantine(),
            question: payment.question().map(Waiting::digest),
        })
    };
    // What is ordered begins with this, also where it goes on at once.
    if payment.order.is_some() && payment.announced.is_none() {
        payment.announced = said(payment, Status::Created);
        news.push((EventKind::PaymentCreated, Told::Payment { late: false }));
    }
    if let Some(kind) = news_of_payment(payment, status) {
        let late = payment.end_announced && status.is_paid();
        payment.end_announced |= matches!(status, Status::Declined | Status::Failed);
        payment.announced = said(payment, status);
        news.push((kind, Told::Payment { late }));
    }
    for index in refunds_to_tell(payment, at) {
        let amount = payment.amount_of_refund(index);
        if news.len() == MOST_EVENTS {
            break;
        }
        if let Some(refund) = payment.refunds.get_mut(index) {
            let corrects = refund.decline_announced && refund.status == RefundStatus::Succeeded;
            refund.decline_announced |= refund.status == RefundStatus::Declined;
            refund.announced = Some(refund.status);
            refund.announced_amount = amount;
            let kind = EventKind::of_refund(refund.status);
            news.push((kind, Told::Refund { index, corrects }));
        }
    }
    // Never hidden by showing less: whoever gave back too much must hear of it.
    let (refunded, paid) = (payment.refunded_amount(), payment.paid_amount());
    let is_told = payment.overrefund_announced == refunded;
    if paid > 0 && refunded > paid && !is_told && news.len() < MOST_EVENTS {
        payment.overrefund_announced = refunded;
        let told = Told::Payment { late: false };
        news.push((EventKind::PaymentOverrefunded, told));
    }
    let paid_before = payment.paid_before_by.len();
    if payment.paid_before_announced < paid_before && news.len() < MOST_EVENTS {
        payment.paid_before_announced = paid_before;
        news.push((EventKind::OrderPaidTwice, Told::PaidBefore));
    }
    let room = MOST_EVENTS.saturating_sub(news.len());
    let untold = room.min(payment.untold_differences.len());
    let differences = payment.untold_differences.drain(..untold);
    let kind = EventKind::ReconciliationDifference;
    news.extend(differences.map(|difference| (kind, Told::Difference(difference))));
    news
}

/// The refunds that differ from what was announced of them.
fn refunds_to_tell(payment: &Payment, at: Timestamp) -> Vec<usize> {
    let is_told = |index: usize, refund: &Refund| {
        refund.announced == Some(refund.status)
            && refund.announced_amount == payment.amount_of_refund(index)
    };
    // A refund is announced after the sale it belongs to; what was begun is told to its end.
    let has_sale = payment.has_taken_money() || payment.order.is_none();
    let refunds = payment.refunds.iter().enumerate();
    refunds
        .filter(|(_, refund)| has_sale || refund.announced.is_some())
        .filter(|(index, refund)| !is_told(*index, refund))
        .filter(|(_, refund)| !may_be_ours(payment, refund, at))
        .map(|(index, _)| index)
        .collect()
}

impl Payment {
    /// When the first refund that is withheld will be told.
    pub(crate) fn withheld_until(&self) -> Option<Timestamp> {
        let refunds = self.refunds.iter();
        let withheld = refunds.filter(|refund| {
            let is_told = refund.announced == Some(refund.status);
            !is_told && may_be_ours(self, refund, self.updated_at)
        });
        withheld
            .map(|refund| refund.created_at.after(NAMES_COME_WITHIN))
            .min()
    }
}

/// Whether a refund that seems to be made elsewhere may be one of ours whose answer has not come:
/// its callback, which names it, may follow.
fn may_be_ours(payment: &Payment, refund: &Refund, at: Timestamp) -> bool {
    let is_nameless = |ours: &Refund| {
        ours.operation_id.is_none()
            && ours.request.request_id().is_none()
            && ours.status.is_reserved()
            && ours.amount == refund.amount
    };
    refund.refund_id.is_none()
        && refund.created_at.after(NAMES_COME_WITHIN) > at
        && payment.refunds.iter().any(is_nameless)
}

/// The event that the payment itself needs, if any.
fn news_of_payment(payment: &Payment, status: Status) -> Option<EventKind> {
    let kind = EventKind::of_status(status).filter(|_| payment.is_heard_of())?;
    if payment.is_rejected() {
        // It was never taken as paid; that it went back is the refund's news.
        return None;
    }
    let Some(said) = &payment.announced else {
        return Some(kind);
    };
    let same_kind = EventKind::of_status(said.status) == Some(kind);
    let same_money =
        said.paid_amount == payment.paid_amount() && said.quarantine == payment.quarantine();
    // Of money everything is told again whenever it changes.
    let is_money = status.is_paid() || matches!(status, Status::Quarantined | Status::Unmatched);
    let same_question = said.question == payment.question().map(Waiting::digest);
    let is_asked = status == Status::AwaitingClarification;
    let is_news = !same_kind || is_money && !same_money || is_asked && !same_question;
    is_news.then_some(kind)
}
