//! Decides the action that follows from an event and the stored memory of its payment. The functions are pure, so that
//! tests can try every order of events.
//!
//! Each event carries the whole state of its payment. The newest state decides, which is the state of the event with
//! the highest sequence number. So no event waits for another event. `payment.succeeded` ships the goods, even if it
//! arrives late. But it ships nothing if the money is unconfirmed, under review or gone in a newer state.
//!
//! After `order.paid_twice`, the payment ships nothing, whatever the sequence numbers are. So in every order of the
//! events, the goods of an order stay shipped only for the payment that paid first.

use payments::events::EventKind;
use payments::model::Status;

use crate::actions::Actions;
use crate::event::{Event, State};
use crate::goods::{Action, Goods};
use crate::memory::{Memory, Newest};

/// What the state of a payment says about the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    /// The money is not paid yet, or not confirmed yet.
    Pending,
    /// The money is paid and not refunded in full.
    Paid,
    /// The payment is quarantined or unmatched, or another payment paid its order first: a person must decide.
    InReview,
    /// The payment is declined, failed or refunded in full.
    Gone,
}

impl Money {
    fn of(state: &State, is_paid_twice: bool) -> Self {
        // The amounts are checked before the status, because a payment can stay `quarantined` after a complete refund.
        if state.paid_amount > 0 && state.refunded_amount >= state.paid_amount {
            return Money::Gone;
        }
        match state.status {
            Status::Created
            | Status::Processing
            | Status::AwaitingCustomer
            | Status::AwaitingClarification
            | Status::AwaitingConfirmation => Money::Pending,
            Status::Succeeded | Status::PartiallyRefunded if is_paid_twice => Money::InReview,
            Status::Succeeded | Status::PartiallyRefunded => Money::Paid,
            Status::Quarantined | Status::Unmatched => Money::InReview,
            Status::Declined | Status::Failed | Status::Refunded => Money::Gone,
        }
    }
}

/// The result of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The event was processed before and led to this action.
    Duplicate(Action),
    /// The event leads to this action. The caller must store the memory, which includes the action.
    New(Action, Memory),
}

/// Decides the action for an event. `memory` is `None` before the first event of the payment.
pub fn decide(memory: Option<Memory>, event: &Event) -> Decision {
    let arrived = Newest {
        sequence: event.sequence,
        state: event.state,
    };
    let Memory {
        goods,
        newest,
        is_paid_twice,
        mut actions,
    } = memory.unwrap_or(Memory {
        goods: Goods::Waiting,
        newest: arrived,
        is_paid_twice: false,
        actions: Actions::default(),
    });
    if let Some(action) = actions.of(event.sequence) {
        return Decision::Duplicate(action);
    }
    let newest = match newest.sequence > arrived.sequence {
        true => newest,
        false => arrived,
    };
    let is_paid_twice = is_paid_twice || event.kind == Some(EventKind::OrderPaidTwice);
    let money = Money::of(&newest.state, is_paid_twice);
    let action = action(goods, money, event.kind);
    actions.add(event.sequence, action);
    let memory = Memory {
        goods: goods.after(action),
        newest,
        is_paid_twice,
        actions,
    };
    Decision::New(action, memory)
}

/// Looks up the action in the table below. A row stands for one state of the money and one type of event. A column
/// stands for one location of the goods before the action. [`Goods::after`] returns the location after the action.
#[rustfmt::skip]
fn action(goods: Goods, money: Money, kind: Option<EventKind>) -> Action {
    use Action::{Hold, Nothing, Ship, TakeBack};
    use EventKind::{PaymentSucceeded, RefundReturned};

    let [waiting, held, shipped, stopped, taken_back] = match (money, kind) {
        //                                            waiting  held     shipped   stopped   taken back
        (Money::Pending,  _)                      => [Nothing, Nothing, Nothing,  Nothing,  Nothing],
        (Money::Paid,     Some(PaymentSucceeded)) => [Ship,    Ship,    Nothing,  Ship,     Ship],
        // Waiting: `payment.succeeded` shipped nothing if it arrived after the event of the refund.
        (Money::Paid,     Some(RefundReturned))   => [Hold,    Nothing, Nothing,  Nothing,  Hold],
        // Taken back: the payment counts as paid again, for example after a declined refund. A person must decide.
        (Money::Paid,     _)                      => [Nothing, Nothing, Nothing,  Nothing,  Hold],
        (Money::InReview, _)                      => [Hold,    Nothing, Hold,     Nothing,  Hold],
        (Money::Gone,     _)                      => [Nothing, Nothing, TakeBack, TakeBack, Nothing],
    };
    match goods {
        Goods::Waiting   => waiting,
        Goods::Held      => held,
        Goods::Shipped   => shipped,
        Goods::Stopped   => stopped,
        Goods::TakenBack => taken_back,
    }
}

#[cfg(test)]
mod tests;
