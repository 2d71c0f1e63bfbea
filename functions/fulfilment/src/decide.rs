//! Decides the action that follows from an event and the [`Memory`] of its payment. The functions are pure, so that
//! tests can try every order of events.
//!
//! Each event carries the whole state of its payment, so no event waits for another event. Events can arrive in any
//! order, because their sequence numbers decide:
//!
//! - The state with the highest number says whether the money is there.
//! - `payment.succeeded` ships the goods, even if it arrives late. It ships nothing if an event with a higher number
//!   showed the money as gone or under review. If the newest state then shows the money as paid again, a person
//!   decides.
//! - After `order.paid_twice`, the payment ships nothing, whatever the numbers are, because another payment has already
//!   paid for these goods.

use payments::events::EventKind;
use payments::model::Status;

use crate::actions::Actions;
use crate::event::{Event, State};
use crate::goods::{Action, Goods};
use crate::memory::{Memory, Newest};

/// What the events of a payment say about the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    /// The money is not paid yet, or not confirmed yet, or no `payment.succeeded` has arrived.
    Pending,
    /// The money is paid and not refunded in full.
    Paid,
    /// A person must decide: the payment is quarantined or unmatched, another payment paid its order first, or the
    /// money is paid again after it was gone or under review.
    InReview,
    /// The payment is declined, failed or refunded in full.
    Gone,
    /// The money is not confirmed. Also, it was gone or under review after the last `payment.succeeded`, or another
    /// payment paid the order first.
    Withdrawn,
}

impl Money {
    fn of(state: &State) -> Self {
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
            Status::Succeeded | Status::PartiallyRefunded => Money::Paid,
            Status::Quarantined | Status::Unmatched => Money::InReview,
            Status::Declined | Status::Failed | Status::Refunded => Money::Gone,
        }
    }

    /// Combines the newest state with the older events.
    fn of_events(memory: &Memory) -> Self {
        let is_withdrawn = memory.is_paid_twice || memory.last_without_money > memory.last_success;
        match Self::of(&memory.newest.state) {
            Money::Paid if is_withdrawn => Money::InReview,
            Money::Paid if memory.last_success == 0 => Money::Pending,
            Money::Pending if is_withdrawn => Money::Withdrawn,
            money => money,
        }
    }
}

/// What follows from an event.
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
    let mut memory = memory.unwrap_or(Memory {
        goods: Goods::Waiting,
        newest: arrived,
        is_paid_twice: false,
        last_success: 0,
        last_without_money: 0,
        actions: Actions::default(),
    });
    if let Some(action) = memory.actions.of(event.sequence) {
        return Decision::Duplicate(action);
    }
    if arrived.sequence > memory.newest.sequence {
        memory.newest = arrived;
    }
    let raise = |last: &mut u64| *last = event.sequence.max(*last);
    match Money::of(&event.state) {
        Money::Paid if event.kind == Some(EventKind::PaymentSucceeded) => {
            raise(&mut memory.last_success);
        }
        Money::InReview | Money::Gone => raise(&mut memory.last_without_money),
        _ => {}
    }
    memory.is_paid_twice |= event.kind == Some(EventKind::OrderPaidTwice);
    let action = action(memory.goods, Money::of_events(&memory));
    memory.goods = memory.goods.after(action);
    memory.actions.add(event.sequence, action);
    Decision::New(action, memory)
}

/// Looks up the action in a table. The row is what the events say about the money. The column is the location of the
/// goods before the action.
#[rustfmt::skip]
fn action(goods: Goods, money: Money) -> Action {
    use Action::{Hold, Nothing, Ship, TakeBack};

    let [waiting, held, shipped, stopped, taken_back] = match money {
        //                    waiting  held     shipped   stopped   taken back
        Money::Pending   => [Nothing, Nothing, Nothing,  Nothing,  Nothing],
        Money::Paid      => [Ship,    Ship,    Nothing,  Ship,     Ship],
        Money::InReview  => [Hold,    Nothing, Hold,     Nothing,  Hold],
        Money::Gone      => [Nothing, Nothing, TakeBack, TakeBack, Nothing],
        Money::Withdrawn => [Nothing, Nothing, Hold,     Nothing,  Nothing],
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
