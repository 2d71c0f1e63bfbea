//! The events of a change: what differs from what was announced before.

use super::Change;
use crate::event::{About, Event, EventKind};
use crate::payment::{Announced, GateRequest, Payment, Refund, Status};
use crate::timestamp::Timestamp;

/// What one event of a change is about.
enum News {
    Payment { late: bool },
    Refund(usize),
}

/// Numbers and writes the events of a change.
pub(super) fn announce(mut payment: Payment, at: Timestamp) -> Change {
    payment.updated_at = at;
    let mut news: Vec<(EventKind, News)> = Vec::new();
    let status = payment.status();
    if let Some(kind) = news_of_payment(&payment, status) {
        let late = payment.end_announced && status.is_paid();
        payment.end_announced |= matches!(status, Status::Declined | Status::Failed);
        payment.announced = Some(Announced {
            status,
            paid_amount: payment.paid_amount(),
            quarantine: payment.quarantine(),
        });
        news.push((kind, News::Payment { late }));
    }
    // A refund is announced after the sale it belongs to.
    if payment.paid_amount() > 0 || payment.order.is_none() {
        let one_is_being_sent = payment.refunds.iter().any(is_being_sent);
        for (index, refund) in payment.refunds.iter_mut().enumerate() {
            // As long as a refund of ours has no answer, an unknown operation may be that refund.
            let may_be_ours = refund.refund_id.is_none() && one_is_being_sent;
            if refund.announced != Some(refund.status) && !may_be_ours {
                refund.announced = Some(refund.status);
                news.push((EventKind::of_refund(refund.status), News::Refund(index)));
            }
        }
    }
    // Never hidden by showing less: whoever gave back too much must hear of it.
    let (refunded, paid) = (payment.refunded_amount(), payment.paid_amount());
    if paid > 0 && refunded > paid && payment.overrefund_announced != refunded {
        payment.overrefund_announced = refunded;
        news.push((
            EventKind::PaymentOverrefunded,
            News::Payment { late: false },
        ));
    }
    let mut events = Vec::with_capacity(news.len());
    let first = payment.sequence + 1;
    for (sequence, (kind, news)) in (first..).zip(news) {
        payment.sequence = sequence;
        let about = match news {
            News::Payment { late } => About::Payment { late },
            News::Refund(index) => match payment.refunds.get(index) {
                Some(refund) => About::Refund(refund),
                None => continue,
            },
        };
        events.push(Event::new(&payment, kind, about, at));
    }
    Change { payment, events }
}

fn is_being_sent(refund: &Refund) -> bool {
    refund.operation_id.is_none() && matches!(refund.request, GateRequest::Sending { .. })
}

/// The event that the payment itself needs, if any.
fn news_of_payment(payment: &Payment, status: Status) -> Option<EventKind> {
    let kind = EventKind::of_status(status)?;
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
