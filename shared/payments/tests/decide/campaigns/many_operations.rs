//! Tests that a payment with thousands of operations fits into one item of the table. The amounts of this payment must
//! not depend on the order of the reports.

use std::collections::BTreeSet;

use payments::decide::{Command, Fact, decide, execute};
use payments::model::{Payment, QuarantineItem, Refund, RefundStatus, Status, Verdict};
use serde_json::{Value, json};

use super::is_long;
use crate::builders::reports::{TestReport, callback, operation, status_answer};
use crate::builders::*;
use crate::fixtures::*;

/// The maximum size of a stored payment in bytes. An item of the table has at most 400 KB, and its keys and other
/// attributes take some of this space.
pub(super) const MAX_BYTES: usize = 380 * 1_024;
/// The maximum size of an event in bytes. Each event is stored in a separate item.
pub(super) const MAX_EVENT_BYTES: usize = 380 * 1_024;

/// Pseudo-random numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for index in (1..all.len()).rev() {
            all.swap(index, self.below(index + 1));
        }
    }
}

pub(super) fn date(second: usize) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("2027-01-15T{hour:02}:{minute:02}:{second:02}+0000")
}

/// Returns a refund that was made in the platform's Dashboard.
pub(super) fn refund(number: usize, status: &str, amount: u64) -> Value {
    let mut refund = operation(&format!("19{number:014}"), "refund", status, amount);
    refund["date"] = json!(date(3_600 + number * 10));
    refund["created_date"] = json!(date(3_600 + number * 10));
    refund["request_id"] = json!(format!("{number:064}-00000001"));
    refund
}

pub(super) fn sale(amount: u64) -> Value {
    let mut sale = operation("1800000000000", "sale", "success", amount);
    sale["date"] = json!(date(0));
    sale
}

pub(super) fn size(payment: &Payment) -> usize {
    serde_json::to_string(payment).unwrap().len()
}

pub(super) fn created(amount: u64) -> Payment {
    let order = payments::model::Order {
        amount: ecommpay::fields::MinorUnits::for_sale(amount).unwrap(),
        ..order()
    };
    create(&order, NOW).payment
}

/// Stores and loads a payment.
pub(super) fn stored(payment: &Payment) -> Payment {
    let text = serde_json::to_string(payment).unwrap();
    let loaded: Payment = serde_json::from_str(&text).unwrap();
    assert_eq!(
        loaded, *payment,
        "the loaded payment differs from the stored payment"
    );
    loaded
}

/// Applies the facts, then emits the remaining events. After every 50th fact, the payment is stored and loaded. Returns
/// the payment and the number of events.
pub(super) fn apply_all(start: Option<Payment>, facts: &[Fact<'_>]) -> (Payment, usize) {
    let mut payment = start;
    let (mut events, mut largest) = (0, 0);
    let now = at("2027-02-01T12:00:00");
    for (number, fact) in facts.iter().enumerate() {
        if let Some(change) = decide(payment.as_ref(), *fact, now) {
            events += change.events.len();
            let lengths = change.events.iter().map(|event| event.body.len());
            largest = lengths.chain([largest]).max().unwrap();
            payment = Some(match number % 50 {
                0 => stored(&change.payment),
                _ => change.payment,
            });
        }
    }
    let mut payment = payment.unwrap();
    loop {
        let emit = Command::EmitPending;
        let emitted = execute(Some(&payment), emit, now).unwrap();
        let Some(change) = emitted.filter(|change| !change.events.is_empty()) else {
            break;
        };
        events += change.events.len();
        let lengths = change.events.iter().map(|event| event.body.len());
        largest = lengths.chain([largest]).max().unwrap();
        payment = change.payment;
    }
    assert!(largest < MAX_EVENT_BYTES, "an event has {largest} bytes");
    let payment = stored(&payment);
    assert!(size(&payment) < MAX_BYTES, "{} bytes", size(&payment));
    (payment, events)
}

/// The data that must not depend on the order of the reports: status, amounts, and for each refund the operation id,
/// the amount, the status and the returned amount.
type Money = (
    Status,
    [u64; 4],
    Vec<(Option<String>, u64, RefundStatus, u64)>,
);

fn money(payment: &Payment) -> Money {
    let refunds = payment.refunds().iter();
    let mut refunds: Vec<_> = refunds
        .map(|refund| {
            let id = refund.operation_id().map(str::to_owned);
            (
                id,
                refund.amount(),
                refund.status(),
                refund.returned_amount(),
            )
        })
        .collect();
    refunds.sort_by(|one, other| one.0.cmp(&other.0));
    let amounts = [
        payment.paid_amount(),
        payment.refunded_amount(),
        payment.pending_refund_amount(),
        payment.refundable_amount(),
    ];
    (payment.status(), amounts, refunds)
}

/// Asserts that the two results are equal. A failure shows only one refund that differs.
fn same(one: &Money, other: &Money) {
    assert_eq!((one.0, one.1), (other.0, other.1));
    for refund in &one.2 {
        assert!(other.2.contains(refund), "{refund:?}");
    }
    assert_eq!(one.2.len(), other.2.len());
}

#[test]
fn operations_that_arrive_one_by_one_fit_into_an_item_and_count_in_any_order() {
    let count = if is_long() { 2_000 } else { 300 };
    let mut reports = vec![TestReport::read(&callback(
        PAYMENT,
        "success",
        100_000,
        sale(100_000),
    ))];
    for number in 1..count {
        let refund = refund(number, "success", 10);
        reports.push(TestReport::read(&callback(
            PAYMENT,
            "partially refunded",
            1,
            refund,
        )));
    }
    let mut expected = None;
    for seed in [1, 2] {
        let mut facts: Vec<Fact<'_>> = reports.iter().map(TestReport::callback).collect();
        Random(seed * 7_919).shuffle(&mut facts);
        let (payment, events) = apply_all(Some(created(100_000)), &facts);
        assert_eq!(payment.operations().len(), count);
        let refunded = 10 * (count as u64 - 1);
        assert_eq!(
            (payment.status(), payment.refunded_amount()),
            (Status::PartiallyRefunded, refunded)
        );
        assert_eq!(payment.refundable_amount(), 100_000 - refunded);
        assert!(events >= count, "{events} events");
        eprintln!("{count} operations: {} bytes", size(&payment));
        let money = money(&payment);
        same(expected.get_or_insert(money.clone()), &money);
        // A repeat of a report changes nothing.
        for report in reports.iter().step_by(97) {
            let now = at("2027-02-01T12:00:00");
            assert_eq!(decide(Some(&payment), report.callback(), now), None);
        }
    }
}

/// Returns a payment of 1,000 EUR with a sale and 1,999 refunds.
pub fn with_two_thousand_operations() -> Payment {
    let mut operations = vec![sale(100_000)];
    operations.extend((1..2_000).map(|number| refund(number, "success", 10)));
    let answer = status_answer(PAYMENT, "partially refunded", 80_010, &operations);
    let answer = TestReport::read(&answer);
    apply_all(Some(created(100_000)), &[answer.answer_to(0)]).0
}

#[test]
fn a_status_answer_with_two_thousand_operations_counts() {
    let payment = with_two_thousand_operations();
    assert_eq!(
        (payment.status(), payment.refunded_amount()),
        (Status::PartiallyRefunded, 19_990)
    );
    assert_eq!(payment.most_known_operations(), 0);
}

#[test]
fn the_newest_answer_gives_the_amounts_when_a_payment_has_more_operations_than_fit() {
    let count = if is_long() { 2_500 } else { 2_050 };
    let mut operations = vec![sale(100_000)];
    operations.extend((1..count).map(|number| refund(number, "success", 10)));
    let answer = |operations: &[Value]| {
        let answer = status_answer(PAYMENT, "partially refunded", 90_000, operations);
        TestReport::read(&answer)
    };
    let (first, all) = (answer(&operations[..1_950]), answer(&operations));
    let callbacks: Vec<TestReport> = operations[1_950..]
        .iter()
        .map(|refund| TestReport::read(&callback(PAYMENT, "partially refunded", 1, refund.clone())))
        .collect();
    let mut facts: Vec<Fact<'_>> = callbacks.iter().map(TestReport::callback).collect();
    Random(5).shuffle(&mut facts);
    facts.insert(0, first.answer_to(0));
    let (before, _) = apply_all(Some(created(100_000)), &facts);
    assert_eq!(before.operations().len(), 2_000);
    assert_eq!(before.most_known_operations(), 2_001);
    assert!(before.polling().needs_recheck(), "no recheck is due");
    let (after, _) = apply_all(Some(before), &[all.answer_to(1)]);
    assert_eq!(after.most_known_operations(), count);
    let refunded = 10 * (count as u64 - 1);
    assert_eq!(
        (after.paid_amount(), after.refunded_amount()),
        (100_000, refunded)
    );
    // A callback reports the success of an operation that is not stored. A newer answer declines this operation. The
    // answer counts.
    let last = callbacks.last().unwrap();
    let now = at("2027-02-01T12:00:00");
    let mut declined = operations.clone();
    declined.last_mut().unwrap()["status"] = json!("decline");
    let declined = answer(&declined);
    let (less, _) = apply_all(
        Some(after.clone()),
        &[last.callback(), declined.answer_to(2)],
    );
    assert_eq!(less.refunded_amount(), refunded - 10);
    // A repeat of a callback about an operation that is not stored changes nothing.
    let (once, _) = apply_all(Some(after.clone()), &[last.callback()]);
    assert_eq!(decide(Some(&once), last.callback(), now), None);
    // The money is the same if the answer arrives before the callbacks.
    facts.insert(0, all.answer_to(1));
    let (other, _) = apply_all(Some(created(100_000)), &facts);
    same(&money(&other), &money(&after));
}

#[test]
fn contradictory_reports_of_many_operations_end_the_same_in_any_order() {
    // The time grows with the square of the number of operations.
    let (seeds, operations) = if is_long() { (3, 260) } else { (1, 100) };
    for seed in 1..=seeds {
        let mut random = Random(seed * 104_729);
        let mut reports = vec![(
            TestReport::read(&callback(PAYMENT, "success", 100_000, sale(100_000))),
            false,
        )];
        for number in 1..operations {
            for _ in 0..=random.below(3) {
                let status = ["success", "decline", "processing", "success"][random.below(4)];
                let mut body = refund(number, status, 10 + random.below(2) as u64);
                if random.below(4) == 0 {
                    body["type"] = json!(["refund reverse", "reversal"][random.below(2)]);
                }
                body["date"] = json!(date(3_600 + number * 10 + random.below(3)));
                let mut callback = callback(PAYMENT, "partially refunded", 1, body.clone());
                if number % 40 == 0 {
                    callback["payment"]["merchant_refund_id"] = json!(format!("external-{number}"));
                }
                let is_answer = random.below(5) == 0;
                let body = match is_answer {
                    true => status_answer(
                        PAYMENT,
                        "partially refunded",
                        100_000,
                        &[sale(100_000), body],
                    ),
                    false => callback,
                };
                reports.push((TestReport::read(&body), is_answer));
            }
        }
        let mut expected = None;
        for _ in 0..3 {
            let mut facts: Vec<Fact<'_>> = reports
                .iter()
                .map(|(report, is_answer)| match is_answer {
                    true => report.answer_to(0),
                    false => report.callback(),
                })
                .collect();
            random.shuffle(&mut facts);
            let (payment, _) = apply_all(Some(created(100_000)), &facts);
            let money = money(&payment);
            same(expected.get_or_insert(money.clone()), &money);
        }
    }
}

/// Runs a command. Returns the same payment if the command is refused or changes nothing.
pub(super) fn run(payment: Payment, command: Command<'_>) -> Payment {
    match execute(Some(&payment), command, NOW) {
        Ok(Some(change)) => change.payment,
        Ok(None) | Err(_) => payment,
    }
}

/// Gate refuses the last refunds. The code of each refused request stays stored, so fewer operations fit.
#[test]
fn refund_requests_that_take_the_room_of_operations_change_no_refunded_amount() {
    let mut operations = vec![sale(100_000_000)];
    operations.extend((1..2_000).map(|number| {
        let mut refund = refund(number, "success", 1_000);
        refund["sum_converted"] = json!({ "amount": 1, "currency": "USD" });
        refund["type"] = json!(["refund", "refund reverse"][number % 2]);
        refund
    }));
    let answer = status_answer(PAYMENT, "partially refunded", 1, &operations);
    let answer = TestReport::read(&answer);
    let (mut payment, _) = apply_all(Some(created(100_000_000)), &[answer.answer_to(0)]);
    let refunded = payment.refunded_amount();
    let count = if is_long() { 500 } else { 130 };
    for number in 0..count {
        let order = payments::model::RefundOrder {
            description: text(&"d".repeat(30)),
            content: "c".repeat(32),
            ..refund_order(&format!("{number:0>64}"), Some(10_000))
        };
        payment = run(payment, Command::Refund(&order));
        assert!(size(&payment) < MAX_BYTES, "after {number} refunds");
        if number >= 90 {
            let fact = Fact::RefundAnswer {
                refund_id: &order.refund_id,
                answer: &refused("3281"),
            };
            payment = decide(Some(&payment), fact, NOW).unwrap().payment;
        }
        assert_eq!(payment.refunded_amount(), refunded);
    }
    assert_eq!(
        stored(&payment)
            .refund(&id(&format!("{:0>64}", count - 1)))
            .unwrap()
            .code(),
        Some("3281")
    );
    eprintln!(
        "{count} refunds and {} operations: {} bytes",
        payment.operations().len(),
        size(&payment)
    );
}

#[test]
fn a_refund_of_ours_keeps_its_result_beside_thousands_of_newer_and_older_operations() {
    let paid = TestReport::read(&callback(PAYMENT, "success", 100_000, sale(100_000)));
    let (paid, _) = apply_all(Some(created(100_000)), &[paid.callback()]);
    let order = refund_order("r-1", Some(700));
    let payment = run(paid, Command::Refund(&order));
    let mut ours = refund(9_999, "success", 700);
    ours["id"] = json!("9999999999999999999");
    let mut body = callback(PAYMENT, "partially refunded", 1, ours);
    body["payment"]["merchant_refund_id"] = json!("r-1");
    let ours = TestReport::read(&body);
    let mut operations = vec![sale(100_000)];
    operations.extend((1..1_980).map(|number| refund(number, "success", 10)));
    let answer = status_answer(PAYMENT, "partially refunded", 90_000, &operations);
    let answer = TestReport::read(&answer);
    let others: Vec<TestReport> = (1_980..2_030)
        .map(|number| {
            let refund = refund(number, "success", 10);
            TestReport::read(&callback(PAYMENT, "partially refunded", 1, refund))
        })
        .collect();
    let mut facts: Vec<Fact<'_>> = others.iter().map(TestReport::callback).collect();
    facts.insert(10, ours.callback());
    facts.insert(0, answer.answer_to(0));
    let (payment, _) = apply_all(Some(payment), &facts);
    assert_eq!(payment.operations().len(), 2_000);
    let status = payment.refund(&id("r-1")).map(Refund::status);
    assert_eq!(status, Some(RefundStatus::Succeeded));
    assert_eq!(payment.pending_refund_amount(), 0);
}

#[test]
fn a_payment_with_two_thousand_items_in_quarantine_can_be_released() {
    let mut operations = vec![sale(1_000)];
    operations.extend((1..2_000).map(|number| {
        let mut operation = refund(number, "success", 10);
        operation["type"] = json!("undocumented");
        operation
    }));
    let answer = status_answer(PAYMENT, "success", 1_000, &operations);
    let answer = TestReport::read(&answer);
    let (payment, _) = apply_all(Some(created(1_000)), &[answer.answer_to(0)]);
    assert_eq!(payment.status(), Status::Quarantined);
    let items = payment.quarantine();
    assert!(items.len() >= 1_999, "{} items", items.len());
    let released = run(
        payment,
        Command::Review {
            verdict: Verdict::Released,
            by: "anna",
            items: &items,
        },
    );
    assert_eq!(released.status(), Status::Succeeded);
    assert_eq!(released.items_of(&released.decisions()[0]), items);
    assert!(size(&stored(&released)) < MAX_BYTES);
}

/// Each sale has two quarantine items: one for its amount, and one because the payment was paid more than once.
#[test]
fn a_payment_with_more_items_than_a_decision_lists_can_be_released_and_rejected() {
    let operations = |count: usize| -> Vec<Value> {
        let sale = |number: usize| {
            let mut sale = sale(950);
            sale["id"] = json!(format!("18{number:011}"));
            sale["sum_converted"] = json!({ "amount": 1_100, "currency": "USD" });
            sale
        };
        (0..count).map(sale).collect()
    };
    let answer = |count: usize| {
        let sum = 1_425_000;
        TestReport::read(&status_answer(PAYMENT, "success", sum, &operations(count)))
    };
    let (payment, _) = apply_all(Some(created(1_000)), &[answer(1_500).answer_to(0)]);
    let items = payment.quarantine();
    assert!(items.len() > 2_500, "{} items", items.len());
    fn command(verdict: Verdict, items: &BTreeSet<QuarantineItem>) -> Command<'_> {
        let by = "anna";
        Command::Review { verdict, by, items }
    }
    let reviewed = |payment: &Payment, verdict| {
        let items = payment.quarantine();
        let change = execute(Some(payment), command(verdict, &items), NOW);
        change.unwrap().unwrap().payment
    };
    let released = reviewed(&payment, Verdict::Released);
    assert_eq!(released.status(), Status::Succeeded);
    assert_eq!(released.items_of(&released.decisions()[0]), items);
    assert_eq!(released.decisions()[0].item_count(), items.len());
    assert!(size(&stored(&released)) < MAX_BYTES);
    // A decision lists a limited number of items. A decision about more items must be about all items.
    let some = items.iter().skip(1).cloned().collect();
    assert!(execute(Some(&payment), command(Verdict::Released, &some), NOW).is_err());
    // A further sale adds an item that the decision does not settle.
    let (again, _) = apply_all(Some(released), &[answer(1_501).answer_to(0)]);
    assert_eq!(again.status(), Status::Quarantined);
    let released = reviewed(&again, Verdict::Released);
    assert_eq!(released.status(), Status::Succeeded);

    let rejected = reviewed(&payment, Verdict::Rejected);
    let pending = (rejected.status(), rejected.pending_refund_amount());
    assert_eq!(pending, (Status::Quarantined, 1_425_000));
    assert_eq!(rejected.items_of(&rejected.decisions()[0]), items);
    let mut refund = refund(1, "success", 1_425_000);
    // The refund is newer than the signed answer.
    refund["date"] = json!("2027-02-01T12:00:00+0000");
    let mut body = callback(PAYMENT, "refunded", 0, refund);
    let refund_id = rejected.refunds()[0].refund_id().unwrap();
    body["payment"]["merchant_refund_id"] = json!(refund_id.as_str());
    let (refunded, _) = apply_all(
        Some(rejected.clone()),
        &[TestReport::read(&body).callback()],
    );
    assert_eq!(refunded.status(), Status::Refunded);
}
