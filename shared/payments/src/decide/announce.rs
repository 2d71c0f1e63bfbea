//! The events of a change: what differs from what was announced before.

use super::Change;
use crate::event::{About, Event, EventKind};
use crate::payment::{Announced, Payment, Refund, RefundStatus, Status};
use crate::timestamp::Timestamp;

/// No change has more events: it is one write of the store, which takes 4 MB, and an event carries
/// the whole state, which may take 400 KB. What is left is told by the next change.
const MOST_EVENTS: usize = 8;

/// What one event of a change tells.
enum Told {
    Payment { late: bool },
    Refund { index: usize, corrects: bool },
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
        let about = match told {
            Told::Payment { late } => About::Payment { late },
            Told::Refund { index, corrects } => match payment.refunds.get(index) {
                Some(refund) => About::Refund { refund, corrects },
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
    // What is ordered begins with this, also where it goes on at once.
    let is_new = payment.order.is_some() && payment.announced.is_none();
    if is_new && status != Status::Created {
        news.push((EventKind::PaymentCreated, Told::Payment { late: false }));
    }
    if let Some(kind) = news_of_payment(payment, status) {
        let late = payment.end_announced && status.is_paid();
        payment.end_announced |= matches!(status, Status::Declined | Status::Failed);
        payment.announced = Some(Announced {
            status,
            paid_amount: payment.paid_amount(),
            quarantine: payment.quarantine(),
        });
        news.push((kind, Told::Payment { late }));
    }
    // A refund is announced after the sale it belongs to.
    if payment.paid_amount() > 0 || payment.order.is_none() {
        let one_is_under_way = payment.refunds.iter().any(|one| is_under_way(one, at));
        for (index, refund) in payment.refunds.iter_mut().enumerate() {
            // As long as a refund of ours has no answer, an unknown operation may be that refund.
            let may_be_ours = refund.refund_id.is_none() && one_is_under_way;
            let is_told = refund.announced == Some(refund.status);
            if is_told || may_be_ours || news.len() == MOST_EVENTS {
                continue;
            }
            let before = refund.announced.replace(refund.status);
            let corrects =
                refund.status == RefundStatus::Succeeded && before == Some(RefundStatus::Declined);
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
    news
}

fn is_under_way(refund: &Refund, at: Timestamp) -> bool {
    refund.operation_id.is_none() && refund.request.is_under_way(at)
}

/// The event that the payment itself needs, if any.
fn news_of_payment(payment: &Payment, status: Status) -> Option<EventKind> {
    let kind = EventKind::of_status(status).filter(|_| payment.is_heard_of())?;
    let Some(said) = &payment.announced else {
        return Some(kind);
    };
    let same_kind = EventKind::of_status(said.status) == Some(kind);
    // Money that nobody ordered like this is told again whenever it changes.
    let is_odd = matches!(status, Status::Quarantined | Status::Unmatched);
    let same_money =
        said.paid_amount == payment.paid_amount() && said.quarantine == payment.quarantine();
    let is_news = !same_kind || is_odd && !same_money;
    is_news.then_some(kind)
}
