//! What follows from an event, given what is remembered. Pure, so that tests can try every order.
//!
//! Each event carries the payment's whole state, so the newest state heard of decides, never the
//! order of arrival and never a number that is missing. A payment ships on `payment.succeeded`, also
//! on a late one, unless a newer event has said that the money is gone or in doubt. A partial refund
//! moves no goods. What has shipped for an order that another payment had paid before is stopped. What
//! was taken back waits for a person once its refund is taken back in turn.

use payments::events::EventKind;
use payments::model::Status;

use crate::actions::Action;
use crate::event::{Event, State};
use crate::memory::{Goods, Memory, Newest};

/// What a state says about the goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not paid yet, or not confirmed.
    Open,
    /// Paid, and not all of it given back.
    Paid,
    /// All of it given back, or never paid.
    Undone,
    /// Money, but not as ordered.
    InDoubt,
}

impl Standing {
    fn of(state: &State) -> Self {
        // Also while in doubt: what was rejected and refunded is settled.
        if state.paid_amount > 0 && state.refunded_amount >= state.paid_amount {
            return Standing::Undone;
        }
        match state.status {
            Status::Created
            | Status::Processing
            | Status::AwaitingCustomer
            | Status::AwaitingClarification
            | Status::AwaitingConfirmation => Standing::Open,
            Status::Succeeded | Status::PartiallyRefunded => Standing::Paid,
            Status::Declined | Status::Failed | Status::Refunded => Standing::Undone,
            Status::Quarantined | Status::Unmatched => Standing::InDoubt,
        }
    }
}

/// What an event leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The event was taken before; this was the action then.
    Known(Action),
    /// The action, and what is to be remembered from now on.
    New(Action, Memory),
}

/// Decides on an event. Whoever acts on the decision must write the memory in the same step.
pub fn decide(memory: Memory, event: &Event) -> Decision {
    if let Some(action) = memory.actions.of(event.sequence) {
        return Decision::Known(action);
    }
    let newest = match memory.newest {
        Some(newest) if newest.sequence > event.sequence => newest,
        _ => Newest {
            sequence: event.sequence,
            state: event.state,
        },
    };
    let action = action(memory.goods, Standing::of(&newest.state), event.kind);
    let mut actions = memory.actions;
    actions.add(event.sequence, action);
    Decision::New(
        action,
        Memory {
            goods: memory.goods.after(action),
            newest: Some(newest),
            actions,
        },
    )
}

fn action(goods: Goods, newest: Standing, kind: Option<EventKind>) -> Action {
    let paid = kind == Some(EventKind::PaymentSucceeded);
    let paid_twice = kind == Some(EventKind::OrderPaidTwice);
    let returned = kind == Some(EventKind::RefundReturned);
    match (newest, goods) {
        // The goods of this order may have gone out for the other payment.
        (Standing::Paid, Goods::Shipped) if paid_twice => Action::Hold,
        (Standing::Paid, Goods::Shipped) => Action::Nothing,
        (Standing::Paid, _) if paid => Action::Ship,
        // The refund was none after all, or was taken back: the money is ours again.
        (Standing::Paid, Goods::TakenBack) => Action::Hold,
        // The refund may have come first, and the goods never went out.
        (Standing::Paid, Goods::Waiting) if returned => Action::Hold,
        (Standing::Undone, Goods::Shipped | Goods::Stopped) => Action::TakeBack,
        (Standing::InDoubt, Goods::Waiting | Goods::Shipped | Goods::TakenBack) => Action::Hold,
        _ => Action::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Hold, Nothing, Ship, TakeBack};
    use ecommpay::fields::ProjectId;
    use payments::PaymentKey;

    fn event(sequence: u64, kind: &str, status: Status, refunded_amount: u64) -> Event {
        let open = Standing::Open
            == Standing::of(&State {
                status,
                paid_amount: 0,
                refunded_amount: 0,
            });
        let unpaid = open || matches!(status, Status::Declined | Status::Failed);
        Event {
            key: PaymentKey::new(ProjectId::new(211).unwrap(), "p-1"),
            sequence,
            kind: EventKind::parse(kind),
            state: State {
                status,
                paid_amount: if unpaid { 0 } else { 1000 },
                refunded_amount,
            },
        }
    }

    fn succeeded(sequence: u64) -> Event {
        event(sequence, "payment.succeeded", Status::Succeeded, 0)
    }

    fn pending(sequence: u64) -> Event {
        event(sequence, "refund.pending", Status::Succeeded, 0)
    }

    fn refund_declined(sequence: u64) -> Event {
        event(sequence, "refund.declined", Status::Succeeded, 0)
    }

    fn refunded(sequence: u64, amount: u64) -> Event {
        let status = if amount < 1000 {
            Status::PartiallyRefunded
        } else {
            Status::Refunded
        };
        event(sequence, "refund.succeeded", status, amount)
    }

    fn quarantined(sequence: u64) -> Event {
        event(sequence, "payment.quarantined", Status::Quarantined, 0)
    }

    fn unmatched(sequence: u64) -> Event {
        event(sequence, "payment.unmatched", Status::Unmatched, 0)
    }

    /// The actions of events in the order of their arrival, and what is remembered at the end.
    fn after(events: &[Event]) -> (Vec<Action>, Memory) {
        let mut memory = Memory::default();
        let mut actions = Vec::new();
        for event in events {
            match decide(memory.clone(), event) {
                Decision::Known(_) => actions.push(Nothing),
                Decision::New(action, next) => {
                    actions.push(action);
                    memory = next;
                }
            }
        }
        (actions, memory)
    }

    fn actions(events: &[Event]) -> Vec<Action> {
        after(events).0
    }

    #[test]
    fn a_paid_order_ships() {
        assert_eq!(actions(&[succeeded(3)]), [Ship]);
    }

    #[test]
    fn an_event_that_comes_twice_is_recognised_and_changes_nothing() {
        let (_, memory) = after(&[succeeded(3)]);
        let again = decide(memory.clone(), &succeeded(3));
        assert_eq!(again, Decision::Known(Ship));
        let (_, memory) = after(&[succeeded(3), refunded(5, 1000)]);
        assert_eq!(decide(memory.clone(), &succeeded(3)), Decision::Known(Ship));
        assert_eq!(
            decide(memory, &refunded(5, 1000)),
            Decision::Known(TakeBack)
        );
    }

    #[test]
    fn an_event_that_is_published_again_under_its_id_does_not_ship_what_was_taken_back() {
        let story = [succeeded(3), refunded(5, 1000), succeeded(3), succeeded(3)];
        assert_eq!(actions(&story), [Ship, TakeBack, Nothing, Nothing]);
    }

    #[test]
    fn an_id_that_was_never_seen_is_acted_on_whatever_its_number() {
        // The queue takes only some types: numbers are missing for good.
        assert_eq!(actions(&[succeeded(900)]), [Ship]);
        // A payment that came to its end before: the number is old, the event is not known.
        let declined = event(4, "payment.declined", Status::Declined, 0);
        assert_eq!(actions(&[declined, succeeded(7)]), [Nothing, Ship]);
    }

    #[test]
    fn a_late_success_ships_although_newer_events_were_taken() {
        assert_eq!(actions(&[pending(4), succeeded(3)]), [Nothing, Ship]);
        assert_eq!(actions(&[refunded(5, 400), succeeded(3)]), [Nothing, Ship]);
        let story = [pending(4), refund_declined(5), succeeded(3)];
        assert_eq!(actions(&story), [Nothing, Nothing, Ship]);
    }

    #[test]
    fn a_late_success_does_not_ship_what_is_undone_or_in_doubt() {
        assert_eq!(
            actions(&[refunded(5, 1000), succeeded(3)]),
            [Nothing, Nothing]
        );
        assert_eq!(actions(&[quarantined(5), succeeded(3)]), [Hold, Nothing]);
        let declined = event(5, "payment.declined", Status::Declined, 0);
        assert_eq!(actions(&[declined, succeeded(3)]), [Nothing, Nothing]);
    }

    #[test]
    fn a_partial_refund_moves_no_goods_and_the_rest_takes_them_back() {
        let story = [
            succeeded(3),
            pending(4),
            refunded(5, 400),
            pending(6),
            refunded(7, 1000),
        ];
        let expected = [Ship, Nothing, Nothing, Nothing, TakeBack];
        assert_eq!(actions(&story), expected);
    }

    #[test]
    fn what_is_taken_back_is_taken_back_once() {
        let story = [succeeded(3), refunded(7, 1000), refunded(5, 400)];
        assert_eq!(actions(&story), [Ship, TakeBack, Nothing]);
        let overrefunded = event(8, "payment.overrefunded", Status::Refunded, 1400);
        let story = [succeeded(3), refunded(7, 1000), overrefunded];
        assert_eq!(actions(&story), [Ship, TakeBack, Nothing]);
    }

    #[test]
    fn money_in_doubt_is_held_once() {
        assert_eq!(actions(&[quarantined(2), quarantined(3)]), [Hold, Nothing]);
        assert_eq!(actions(&[unmatched(1), unmatched(2)]), [Hold, Nothing]);
    }

    #[test]
    fn what_is_released_ships_and_late_doubts_are_history() {
        assert_eq!(actions(&[quarantined(2), succeeded(4)]), [Hold, Ship]);
        assert_eq!(actions(&[succeeded(4), quarantined(2)]), [Ship, Nothing]);
    }

    #[test]
    fn what_has_shipped_is_stopped_while_in_doubt_and_goes_on_after_a_release() {
        let story = [succeeded(3), quarantined(5), succeeded(7)];
        assert_eq!(actions(&story), [Ship, Hold, Ship]);
    }

    #[test]
    fn what_is_rejected_comes_back_if_it_had_gone_out() {
        let rejected = event(6, "refund.succeeded", Status::Quarantined, 1000);
        let story = [quarantined(5), rejected.clone(), succeeded(3)];
        assert_eq!(actions(&story), [Hold, Nothing, Nothing]);
        let story = [succeeded(3), quarantined(5), rejected];
        assert_eq!(actions(&story), [Ship, Hold, TakeBack]);
    }

    #[test]
    fn a_success_that_turns_out_to_be_none_is_taken_back() {
        let declined = event(5, "payment.declined", Status::Declined, 0);
        assert_eq!(actions(&[succeeded(3), declined]), [Ship, TakeBack]);
    }

    #[test]
    fn a_success_that_is_withdrawn_takes_the_goods_back_and_ships_again_once_it_is_credited() {
        let declined = event(5, "payment.declined", Status::Declined, 0);
        let story = [succeeded(3), declined.clone(), succeeded(7)];
        assert_eq!(actions(&story), [Ship, TakeBack, Ship]);
        let story = [succeeded(3), succeeded(7), declined];
        assert_eq!(actions(&story), [Ship, Nothing, Nothing]);
    }

    #[test]
    fn a_payment_that_is_not_confirmed_or_whose_checkout_expired_moves_no_goods() {
        let awaiting = event(
            3,
            "payment.awaiting_confirmation",
            Status::AwaitingConfirmation,
            0,
        );
        let expired = event(4, "checkout.expired", Status::AwaitingCustomer, 0);
        let story = [awaiting, expired, succeeded(5)];
        assert_eq!(actions(&story), [Nothing, Nothing, Ship]);
    }

    #[test]
    fn goods_that_were_taken_back_are_held_when_their_refund_is_returned() {
        let returned = event(7, "refund.returned", Status::Succeeded, 0);
        let story = [succeeded(3), refunded(5, 1000), returned.clone()];
        assert_eq!(actions(&story), [Ship, TakeBack, Hold]);
        // Nothing came back of a partial refund.
        let story = [succeeded(3), refunded(5, 400), returned.clone()];
        assert_eq!(actions(&story), [Ship, Nothing, Nothing]);
        let story = [succeeded(3), returned.clone(), refunded(5, 1000)];
        assert_eq!(actions(&story), [Ship, Nothing, Nothing]);
        // The refund came first, so the goods never went out.
        let story = [refunded(5, 1000), succeeded(3), returned];
        assert_eq!(actions(&story), [Nothing, Nothing, Hold]);
    }

    #[test]
    fn what_has_shipped_for_an_order_that_was_paid_before_is_stopped() {
        let twice = event(4, "order.paid_twice", Status::Succeeded, 0);
        let story = [succeeded(3), twice.clone(), refunded(6, 1000)];
        assert_eq!(actions(&story), [Ship, Hold, TakeBack]);
        let story = [succeeded(3), refunded(6, 1000), twice];
        assert_eq!(actions(&story), [Ship, TakeBack, Nothing]);
    }

    #[test]
    fn a_refund_that_turns_out_to_be_none_is_looked_at() {
        let story = [succeeded(3), refunded(5, 1000), refund_declined(7)];
        assert_eq!(actions(&story), [Ship, TakeBack, Hold]);
        let story = [succeeded(3), refund_declined(7), refunded(5, 1000)];
        assert_eq!(actions(&story), [Ship, Nothing, Nothing]);
    }

    #[test]
    fn events_of_other_types_move_nothing() {
        let story = [
            event(1, "payment.created", Status::Created, 0),
            event(2, "payment.awaiting_customer", Status::AwaitingCustomer, 0),
            event(3, "payment.blessed", Status::Succeeded, 0),
            event(4, "refund.unknown", Status::Succeeded, 0),
        ];
        assert_eq!(actions(&story), [Nothing; 4]);
    }

    #[test]
    fn the_highest_number_and_its_state_are_remembered() {
        let (_, memory) = after(&[refunded(5, 400), succeeded(3)]);
        let newest = memory.newest.unwrap();
        assert_eq!(
            (newest.sequence, newest.state.status),
            (5, Status::PartiallyRefunded)
        );
        assert_eq!(memory.actions.to_string(), "3 ship, 5 nothing");
    }

    fn orders(events: &[Event]) -> Vec<Vec<Event>> {
        let Some((first, rest)) = events.split_first() else {
            return vec![Vec::new()];
        };
        let mut all = Vec::new();
        for order in orders(rest) {
            for place in 0..=order.len() {
                let mut order = order.clone();
                order.insert(place, first.clone());
                all.push(order);
            }
        }
        all
    }

    #[test]
    fn any_order_with_any_repeats_ends_where_the_newest_state_says() {
        let out = [Goods::Shipped].as_slice();
        let here = [Goods::Waiting, Goods::Held, Goods::TakenBack].as_slice();
        let held = [Goods::Held, Goods::Stopped].as_slice();
        let declined = || event(1, "payment.declined", Status::Declined, 0);
        let rejected = event(6, "refund.succeeded", Status::Quarantined, 1000);
        let returned = event(7, "refund.returned", Status::Succeeded, 0);
        let withdrawn = event(5, "payment.declined", Status::Declined, 0);
        let out_or_held = [Goods::Shipped, Goods::Held].as_slice();
        let stories = [
            (vec![succeeded(3), refunded(5, 1000), returned], out_or_held),
            (vec![succeeded(3), withdrawn], here),
            (vec![succeeded(3), pending(4), refunded(5, 400)], out),
            (vec![declined(), succeeded(3), refunded(5, 400)], out),
            (
                vec![succeeded(3), refunded(5, 400), refunded(7, 1000)],
                here,
            ),
            (vec![succeeded(3), pending(4), quarantined(5)], held),
            (vec![succeeded(3), quarantined(5), succeeded(7)], out),
            (vec![quarantined(2), succeeded(4), pending(5)], out),
            (vec![succeeded(3), quarantined(5), rejected], here),
            (vec![unmatched(1), unmatched(2), unmatched(3)], held),
        ];
        for (story, ends) in stories {
            // Every event twice, in every order.
            let twice = [story.clone(), story].concat();
            for order in orders(&twice) {
                let (actions, memory) = after(&order);
                assert!(ends.contains(&memory.goods), "{order:#?}: {memory:?}");
                let count = |wanted| actions.iter().filter(|action| **action == wanted).count();
                // Each further instruction to ship follows a hold or a return.
                assert!(
                    count(Ship) <= 1 + count(Hold) + count(TakeBack),
                    "{actions:?}"
                );
                assert!(count(TakeBack) <= count(Ship), "{actions:?}");
                let known = |event: &Event| memory.actions.of(event.sequence).is_some();
                assert!(order.iter().all(known), "{memory:?}");
            }
        }
    }
}
