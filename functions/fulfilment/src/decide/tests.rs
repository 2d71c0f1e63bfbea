use super::*;
use crate::event::samples::{event, refunded, succeeded};
use Action::{Hold, Nothing, Ship, TakeBack};

fn declined(sequence: u64) -> Event {
    event(sequence, "payment.declined", Status::Declined, 0)
}

fn quarantined(sequence: u64) -> Event {
    event(sequence, "payment.quarantined", Status::Quarantined, 0)
}

/// Returns the event of a full refund that leaves the payment quarantined: an operator has rejected one item, and
/// another item is still open.
fn rejected(sequence: u64) -> Event {
    event(sequence, "refund.succeeded", Status::Quarantined, 1000)
}

fn unmatched(sequence: u64) -> Event {
    event(sequence, "payment.unmatched", Status::Unmatched, 0)
}

fn paid_twice(sequence: u64) -> Event {
    event(sequence, "order.paid_twice", Status::Succeeded, 0)
}

fn refund_pending(sequence: u64) -> Event {
    event(sequence, "refund.pending", Status::Succeeded, 0)
}

fn refund_declined(sequence: u64) -> Event {
    event(sequence, "refund.declined", Status::Succeeded, 0)
}

/// Returns the event of a returned refund. Afterwards no refund counts.
fn refund_returned(sequence: u64) -> Event {
    event(sequence, "refund.returned", Status::Succeeded, 0)
}

/// Returns the action of each event, `Nothing` for a duplicate, and the last memory.
fn process(events: &[Event]) -> (Vec<Action>, Memory) {
    let mut memory = None;
    let mut actions = Vec::new();
    for event in events {
        match decide(memory.clone(), event) {
            Decision::Duplicate(_) => actions.push(Nothing),
            Decision::New(action, next) => {
                actions.push(action);
                memory = Some(next);
            }
        }
    }
    (actions, memory.unwrap())
}

fn actions(events: &[Event]) -> Vec<Action> {
    process(events).0
}

#[test]
fn every_cell_of_the_table_fits_the_money_and_the_goods() {
    let all = [
        Money::Pending,
        Money::Paid,
        Money::InReview,
        Money::Gone,
        Money::Withdrawn,
    ];
    for money in all {
        for goods in Goods::ALL {
            let action = action(goods, money);
            let is_allowed = match action {
                Ship => money == Money::Paid,
                TakeBack => money == Money::Gone && goods != Goods::Waiting,
                Hold => matches!(money, Money::InReview | Money::Withdrawn),
                Nothing => true,
            };
            let cell = format!("{money:?} {goods:?}: {action:?}");
            assert!(is_allowed, "{cell}");
            assert!(action == Nothing || goods.after(action) != goods, "{cell}");
        }
    }
}

#[test]
fn the_goods_of_a_succeeded_payment_are_shipped() {
    assert_eq!(actions(&[succeeded(3)]), [Ship]);
}

#[test]
fn a_duplicate_returns_its_first_action_and_changes_nothing() {
    let (_, memory) = process(&[succeeded(3)]);
    let again = decide(Some(memory), &succeeded(3));
    assert_eq!(again, Decision::Duplicate(Ship));
    let (_, memory) = process(&[succeeded(3), refunded(5, 1000)]);
    let again = decide(Some(memory.clone()), &succeeded(3));
    assert_eq!(again, Decision::Duplicate(Ship));
    let again = decide(Some(memory), &refunded(5, 1000));
    assert_eq!(again, Decision::Duplicate(TakeBack));
}

#[test]
fn a_duplicate_of_a_success_does_not_ship_goods_that_were_taken_back() {
    let events = [succeeded(3), refunded(5, 1000), succeeded(3), succeeded(3)];
    assert_eq!(actions(&events), [Ship, TakeBack, Nothing, Nothing]);
}

#[test]
fn an_event_is_processed_even_if_lower_sequence_numbers_are_missing() {
    // The queue receives only some event types, so some sequence numbers never arrive.
    assert_eq!(actions(&[succeeded(900)]), [Ship]);
    assert_eq!(actions(&[declined(4), succeeded(7)]), [Nothing, Ship]);
}

#[test]
fn a_late_success_ships_when_the_newest_state_is_still_paid() {
    let events = [refund_pending(4), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Ship]);
    assert_eq!(actions(&[refunded(5, 400), succeeded(3)]), [Nothing, Ship]);
    let events = [refund_pending(4), refund_declined(5), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Nothing, Ship]);
}

#[test]
fn a_late_success_does_not_ship_when_the_money_is_gone_or_under_review() {
    let events = [refunded(5, 1000), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Nothing]);
    assert_eq!(actions(&[quarantined(5), succeeded(3)]), [Hold, Nothing]);
    assert_eq!(actions(&[declined(5), succeeded(3)]), [Nothing, Nothing]);
}

#[test]
fn goods_stay_shipped_after_a_partial_refund_and_are_taken_back_after_the_full_refund() {
    let events = [
        succeeded(3),
        refund_pending(4),
        refunded(5, 400),
        refund_pending(6),
        refunded(7, 1000),
    ];
    let expected = [Ship, Nothing, Nothing, Nothing, TakeBack];
    assert_eq!(actions(&events), expected);
}

#[test]
fn goods_are_taken_back_once() {
    let events = [succeeded(3), refunded(7, 1000), refunded(5, 400)];
    assert_eq!(actions(&events), [Ship, TakeBack, Nothing]);
    let overrefunded = event(8, "payment.overrefunded", Status::Refunded, 1400);
    let events = [succeeded(3), refunded(7, 1000), overrefunded];
    assert_eq!(actions(&events), [Ship, TakeBack, Nothing]);
}

#[test]
fn goods_are_held_once_while_the_money_is_under_review() {
    assert_eq!(actions(&[quarantined(2), quarantined(3)]), [Hold, Nothing]);
    assert_eq!(actions(&[unmatched(1), unmatched(2)]), [Hold, Nothing]);
}

#[test]
fn held_goods_ship_after_a_release() {
    assert_eq!(actions(&[quarantined(2), succeeded(4)]), [Hold, Ship]);
}

#[test]
fn shipped_goods_are_stopped_while_the_money_is_under_review_and_ship_after_a_release() {
    let events = [succeeded(3), quarantined(5), succeeded(7)];
    assert_eq!(actions(&events), [Ship, Hold, Ship]);
}

#[test]
fn shipped_goods_are_not_stopped_by_a_quarantine_that_is_older_than_the_success() {
    assert_eq!(actions(&[succeeded(4), quarantined(2)]), [Ship, Nothing]);
}

#[test]
fn stopped_goods_are_taken_back_after_a_rejection() {
    let events = [quarantined(5), rejected(6), succeeded(3)];
    assert_eq!(actions(&events), [Hold, Nothing, Nothing]);
    let events = [succeeded(3), quarantined(5), rejected(6)];
    assert_eq!(actions(&events), [Ship, Hold, TakeBack]);
}

#[test]
fn shipped_goods_are_taken_back_when_the_payment_is_declined_later() {
    assert_eq!(actions(&[succeeded(3), declined(5)]), [Ship, TakeBack]);
    let events = [succeeded(3), declined(5), succeeded(7)];
    assert_eq!(actions(&events), [Ship, TakeBack, Ship]);
    let events = [succeeded(3), succeeded(7), declined(5)];
    assert_eq!(actions(&events), [Ship, Nothing, Nothing]);
}

#[test]
fn goods_wait_while_a_payment_is_not_confirmed_or_its_checkout_has_expired() {
    let kind = "payment.awaiting_confirmation";
    let unconfirmed = event(3, kind, Status::AwaitingConfirmation, 0);
    let expired = event(4, "checkout.expired", Status::AwaitingCustomer, 0);
    let events = [unconfirmed, expired, succeeded(5)];
    assert_eq!(actions(&events), [Nothing, Nothing, Ship]);
}

#[test]
fn goods_that_were_taken_back_are_held_when_the_refund_is_returned() {
    let events = [succeeded(3), refunded(5, 1000), refund_returned(7)];
    assert_eq!(actions(&events), [Ship, TakeBack, Hold]);
    let events = [succeeded(3), refund_returned(7), refunded(5, 1000)];
    assert_eq!(actions(&events), [Ship, Nothing, Hold]);
}

#[test]
fn goods_stay_shipped_when_a_partial_refund_is_returned() {
    let events = [succeeded(3), refunded(5, 400), refund_returned(7)];
    assert_eq!(actions(&events), [Ship, Nothing, Nothing]);
}

#[test]
fn goods_that_never_shipped_are_held_when_the_full_refund_is_returned() {
    let events = [refunded(5, 1000), succeeded(3), refund_returned(7)];
    assert_eq!(actions(&events), [Nothing, Nothing, Hold]);
}

#[test]
fn a_success_that_arrives_after_a_full_refund_and_its_return_does_not_ship() {
    let events = [refunded(5, 1000), refund_returned(7), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Hold, Nothing]);
    let events = [refunded(5, 1000), refund_declined(7), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Hold, Nothing]);
}

#[test]
fn a_success_that_is_older_than_a_decline_or_a_quarantine_does_not_ship() {
    for lost in [declined(5), quarantined(5)] {
        let events = [lost, refund_pending(8), succeeded(3), succeeded(7)];
        let ends = actions(&events)[2..].to_vec();
        assert_eq!(ends, [Nothing, Ship]);
    }
}

#[test]
fn a_success_with_the_status_refunded_does_not_ship_when_the_refund_is_returned() {
    let wholly_refunded = event(3, "payment.succeeded", Status::Refunded, 1000);
    let events = [wholly_refunded, refund_returned(7)];
    assert_eq!(actions(&events), [Nothing, Hold]);
}

#[test]
fn shipped_goods_are_stopped_when_another_payment_also_paid_the_order() {
    let events = [succeeded(3), paid_twice(4), refunded(6, 1000)];
    assert_eq!(actions(&events), [Ship, Hold, TakeBack]);
    let events = [succeeded(3), refunded(6, 1000), paid_twice(4)];
    assert_eq!(actions(&events), [Ship, TakeBack, Nothing]);
}

#[test]
fn a_late_success_does_not_ship_when_another_payment_paid_the_order_first() {
    assert_eq!(actions(&[paid_twice(4), succeeded(3)]), [Hold, Nothing]);
    let events = [paid_twice(4), refunded(6, 400), succeeded(3)];
    assert_eq!(actions(&events), [Hold, Nothing, Nothing]);
    let events = [refunded(6, 400), paid_twice(4), succeeded(3)];
    assert_eq!(actions(&events), [Nothing, Hold, Nothing]);
}

#[test]
fn a_release_does_not_ship_when_another_payment_paid_the_order_first() {
    let events = [succeeded(3), paid_twice(4), quarantined(5), succeeded(7)];
    assert_eq!(actions(&events), [Ship, Hold, Nothing, Nothing]);
}

#[test]
fn goods_that_were_taken_back_are_held_when_the_refund_is_declined_later() {
    let events = [succeeded(3), refunded(5, 1000), refund_declined(7)];
    assert_eq!(actions(&events), [Ship, TakeBack, Hold]);
    let events = [succeeded(3), refund_declined(7), refunded(5, 1000)];
    assert_eq!(actions(&events), [Ship, Nothing, Hold]);
}

#[test]
fn goods_wait_while_no_event_says_that_the_payment_succeeded() {
    let events = [
        event(1, "payment.created", Status::Created, 0),
        event(2, "payment.awaiting_customer", Status::AwaitingCustomer, 0),
        event(3, "payment.invented", Status::Succeeded, 0),
        event(4, "refund.unknown", Status::Succeeded, 0),
    ];
    assert_eq!(actions(&events), [Nothing; 4]);
}

#[test]
fn the_memory_has_the_state_with_the_highest_sequence() {
    let (_, memory) = process(&[refunded(5, 400), succeeded(3)]);
    assert_eq!(memory.newest.sequence, 5);
    assert_eq!(memory.newest.state.status, Status::PartiallyRefunded);
    assert_eq!(memory.actions.to_string(), "3 ship, 5 nothing");
}

fn permutations(events: &[Event]) -> Vec<Vec<Event>> {
    let Some((first, rest)) = events.split_first() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in permutations(rest) {
        for index in 0..=order.len() {
            let mut order = order.clone();
            order.insert(index, first.clone());
            all.push(order);
        }
    }
    all
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Shipped,
    OnHold,
    InWarehouse,
}

impl End {
    fn of(memory: &Memory) -> Self {
        match memory.goods {
            Goods::Shipped => Self::Shipped,
            Goods::Held | Goods::Stopped => Self::OnHold,
            Goods::Waiting | Goods::TakenBack => Self::InWarehouse,
        }
    }
}

/// Processes the events. Checks that goods are shipped only while the newest state is paid, and are taken back only
/// after they were shipped.
fn process_and_check(events: &[Event]) -> Memory {
    let (actions, memory) = process(events);
    for (index, action) in actions.iter().enumerate() {
        let newest = events[..=index].iter().max_by_key(|event| event.sequence);
        let money = Money::of(&newest.unwrap().state);
        assert!(*action != Ship || money == Money::Paid, "{events:#?}");
    }
    let count = |wanted| actions.iter().filter(|action| **action == wanted).count();
    // Between two instructions to ship, there is an instruction to hold the goods or to take them back.
    assert!(
        count(Ship) <= 1 + count(Hold) + count(TakeBack),
        "{actions:?}"
    );
    assert!(count(TakeBack) <= count(Ship), "{actions:?}");
    let is_processed = |event: &Event| memory.actions.of(event.sequence).is_some();
    assert!(events.iter().all(is_processed), "{memory:?}");
    memory
}
#[test]
fn every_order_with_duplicates_leaves_the_goods_where_the_newest_state_requires() {
    let (shipped, on_hold) = ([End::Shipped].as_slice(), [End::OnHold].as_slice());
    let unshipped = [End::InWarehouse, End::OnHold].as_slice();
    for (events, expected) in [
        (
            vec![succeeded(3), refunded(5, 1000), refund_returned(7)],
            on_hold,
        ),
        (vec![succeeded(3), declined(5)], unshipped),
        (
            vec![succeeded(3), refund_pending(4), refunded(5, 400)],
            shipped,
        ),
        (vec![declined(1), succeeded(3), refunded(5, 400)], shipped),
        (
            vec![succeeded(3), refunded(5, 400), refunded(7, 1000)],
            unshipped,
        ),
        (
            vec![succeeded(3), refund_pending(4), quarantined(5)],
            on_hold,
        ),
        (vec![succeeded(3), quarantined(5), succeeded(7)], shipped),
        (
            vec![quarantined(2), succeeded(4), refund_pending(5)],
            shipped,
        ),
        (vec![succeeded(3), quarantined(5), rejected(6)], unshipped),
        (vec![unmatched(1), unmatched(2), unmatched(3)], on_hold),
        (vec![succeeded(3), paid_twice(4)], on_hold),
        (vec![succeeded(3), paid_twice(4), refunded(5, 400)], on_hold),
        (vec![quarantined(2), succeeded(3), paid_twice(4)], on_hold),
        (
            vec![succeeded(3), paid_twice(4), refunded(5, 1000)],
            unshipped,
        ),
    ] {
        let twice = [events.clone(), events].concat();
        for order in permutations(&twice) {
            let memory = process_and_check(&order);
            assert!(
                expected.contains(&End::of(&memory)),
                "{order:#?}: {memory:?}"
            );
        }
    }
}

/// The order in which four events arrive does not change where the goods are at the end. There are two exceptions:
/// - If the newest state is pending, goods can stay unshipped, although the order of the numbers would ship them.
/// - If the money is gone, the goods can be in the warehouse or on hold.
#[test]
fn every_order_of_any_four_events_ends_like_the_order_of_their_numbers() {
    let refunded_at_the_same_time = |sequence| {
        let kind = "payment.succeeded";
        event(sequence, kind, Status::Refunded, 1000)
    };
    let shapes: [&dyn Fn(u64) -> Event; 9] = [
        &succeeded,
        &refunded_at_the_same_time,
        &refund_pending,
        &|sequence| refunded(sequence, 400),
        &|sequence| refunded(sequence, 1000),
        &quarantined,
        &declined,
        &paid_twice,
        &|sequence| {
            let kind = "payment.awaiting_confirmation";
            event(sequence, kind, Status::AwaitingConfirmation, 0)
        },
    ];
    let mut sequences = vec![Vec::new()];
    for _ in 0..4 {
        let longer = sequences.iter().flat_map(|known: &Vec<usize>| {
            (0..shapes.len()).map(|next| [known.as_slice(), &[next]].concat())
        });
        sequences = longer.collect();
    }
    for sequence in sequences {
        let numbered = sequence.iter().zip(1..);
        let events: Vec<Event> = numbered
            .map(|(index, number)| shapes[*index](number))
            .collect();
        let in_order = End::of(&process_and_check(&events));
        let newest = Money::of(&events[3].state);
        for order in permutations(&events) {
            let again = [order.clone(), order].concat();
            let end = End::of(&process_and_check(&again));
            let is_same = match newest {
                Money::Pending => end != End::Shipped || in_order == End::Shipped,
                Money::Gone => end != End::Shipped && in_order != End::Shipped,
                _ => end == in_order,
            };
            assert!(is_same, "{in_order:?} {end:?} {again:#?}");
        }
    }
}
