//! Tests that a payment ends the same in every order of the same reports. The search delivers the reports of one
//! consistent history, and repeats some of the reports. An operator decides at most once, at any point.
//!
//! Each history has a sale, whose sums can differ from the order. A history can also have a confirmation, a refund, the
//! return of the refund, and a manual change. After each step, the platform sends a callback and answers a status poll.
//! If a history has at most 6 reports, the search delivers all of them. For a longer history, the search delivers every
//! selection of 3 reports. With `LONG=1`, the search delivers every selection of 6 reports.
//!
//! `LONG=1 cargo test --release -p payments --test decide exhaustive`
//!
//! The search visits each state once, and also repeats each delivered report. A repeat must not change the state, so
//! one repeat stands for any number of repeats.

mod history;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use payments::decide::{Change, Command, decide, execute};
use payments::events::EventKind;
use payments::model::{Payment, QuarantineItem, QuarantineReason, Status, Verdict};

use self::history::{Delivery, History, STEPS, SUMS, Step};
use super::any_order::check_change;
use super::is_long;
use crate::fixtures::*;

#[derive(Clone)]
struct Node<'a> {
    /// A bit for each delivery, set if the report was delivered.
    delivered: u32,
    path: Vec<&'a str>,
    payment: Payment,
    /// The paid amount of the last `payment.succeeded`. `None` before this event, and after `payment.declined` or
    /// `payment.quarantined`.
    emitted_success: Option<u64>,
}

/// An operator's verdict, the items of the decision, and the amount that the decision reserved for a refund. `None`
/// before a decision.
type Decided = Option<(String, BTreeSet<QuarantineItem>, u64)>;

/// Status, paid amount, refunded amount, pending refund amount, quarantine items.
type End = (Status, u64, u64, u64, BTreeSet<QuarantineItem>);

/// The end of the payment and the first path to this end, for each set of deliveries and each decision.
type Ends<'a> = BTreeMap<(u32, Decided), (End, Vec<&'a str>)>;

fn decided(payment: &Payment) -> Decided {
    let decision = payment.decisions().first()?;
    let refunds = payment.refunds().iter();
    let ours = refunds.filter(|refund| refund.refund_id().is_some());
    let reserved = ours.map(|refund| refund.amount()).sum();
    let verdict = format!("{:?}", decision.verdict);
    Some((verdict, payment.items_of(decision), reserved))
}

fn end(payment: &Payment) -> End {
    (
        payment.status(),
        payment.paid_amount(),
        payment.refunded_amount(),
        payment.pending_refund_amount(),
        payment.quarantine(),
    )
}

/// Returns everything on which later changes depend, except the polling state.
fn state(node: &Node<'_>) -> (u32, String, Option<u64>) {
    let payment = &node.payment;
    let parts = (
        payment.attempt(),
        payment.reported(),
        payment.refunds(),
        payment.decisions(),
        payment.emitted(),
    );
    let parts = serde_json::to_string(&parts).unwrap();
    (node.delivered, parts, node.emitted_success)
}

impl Node<'_> {
    /// Applies a change and checks its events.
    fn apply(&mut self, history: &History, change: Option<Change>) {
        let Some(change) = change else { return };
        let path = &self.path;
        check_change(&self.payment, &change, path);
        let mut decisions = change.payment.decisions().iter();
        let is_released = decisions.any(|decision| decision.verdict == Verdict::Released);
        for event in &change.events {
            match event.kind {
                EventKind::PaymentSucceeded => {
                    // After a release, later reports can change the paid amount.
                    let paid = Some(change.payment.paid_amount());
                    let is_first = self.emitted_success.is_none();
                    let is_other = is_released && self.emitted_success != paid;
                    assert!(is_first || is_other, "{path:?}: success is emitted twice");
                    let is_credited = self.delivered & history.credited != 0;
                    let may_succeed = is_released || !history.differs && is_credited;
                    assert!(
                        may_succeed,
                        "{path:?}: success is emitted without credited money"
                    );
                    self.emitted_success = paid;
                }
                EventKind::PaymentDeclined | EventKind::PaymentQuarantined => {
                    self.emitted_success = None;
                }
                _ => {}
            }
        }
        self.payment = change.payment;
    }

    /// Delivers a report. Returns `false` if the report certainly changed nothing.
    fn deliver(&mut self, history: &History, delivery: &Delivery) -> bool {
        if !delivery.is_answer {
            let change = decide(Some(&self.payment), delivery.report.fact(), NOW);
            let has_changed = change.is_some();
            self.apply(history, change);
            return has_changed;
        }
        let polled = change_of(Some(&self.payment), Command::PollNow, NOW);
        self.apply(history, polled);
        let poll = self.payment.polling().polls_sent();
        let fact = fact_of_answer(&delivery.report, poll).unwrap();
        let change = decide(Some(&self.payment), fact, NOW);
        self.apply(history, change);
        true
    }

    /// Returns the state after each verdict. A verdict is about all quarantine items.
    fn reviewed(&self, history: &History) -> Vec<Self> {
        let quarantine = self.payment.quarantine();
        if quarantine.is_empty() || !self.payment.decisions().is_empty() {
            return Vec::new();
        }
        let verdicts = [
            (Verdict::Released, "released"),
            (Verdict::Rejected, "rejected"),
        ];
        let reviewed = verdicts.into_iter().filter_map(|(verdict, name)| {
            let (by, items) = ("anna", &quarantine);
            let command = Command::Review { verdict, by, items };
            // A release is refused if no money counts. A rejection is refused if no money can be refunded.
            let change = execute(Some(&self.payment), command, NOW).ok()?;
            let mut after = self.clone();
            after.path.push(name);
            after.apply(history, change);
            Some(after)
        });
        reviewed.collect()
    }

    fn check(&self, history: &History) {
        let (payment, path) = (&self.payment, &self.path);
        let paid = payment.paid_amount();
        assert!(
            paid <= history.most_paid,
            "{path:?}: the paid amount {paid} is too large"
        );
        let refundable = payment.refundable_amount();
        assert!(
            refundable <= paid,
            "{path:?}: {refundable} can be refunded, but only {paid} was paid"
        );
        if payment.decisions().is_empty() && history.differs {
            assert!(!payment.status().is_paid(), "{path:?}");
        }
    }
}

/// Delivers up to `most` reports in every order. Returns the number of states and the number of ends.
fn explore(history: &History, most: u32) -> (usize, usize) {
    let mut ends = Ends::new();
    let mut seen = HashSet::new();
    let first = Node {
        delivered: 0,
        path: Vec::new(),
        payment: (*TestPayment::created()).clone(),
        emitted_success: None,
    };
    let mut open = vec![(state(&first), first)];
    while let Some((known, node)) = open.pop() {
        let mut next = node.reviewed(history);
        for (index, delivery) in history.deliveries.iter().enumerate() {
            let is_repeat = node.delivered & (1 << index) != 0;
            if !is_repeat && node.delivered.count_ones() == most {
                continue;
            }
            let mut after = node.clone();
            after.delivered |= 1 << index;
            after.path.push(&delivery.name);
            let has_changed = after.deliver(history, delivery);
            if is_repeat {
                let is_same = !has_changed || state(&after) == known;
                assert!(is_same, "{:?}: the repeat changed the state", after.path);
                assert_eq!(after.payment.sequence(), node.payment.sequence());
            } else {
                next.push(after);
            }
        }
        for node in next {
            node.check(history);
            let key = (node.delivered, decided(&node.payment));
            let end = end(&node.payment);
            let first = || (end.clone(), node.path.clone());
            let (expected, path) = ends.entry(key).or_insert_with(first);
            assert_eq!(end, *expected, "{:?} and {path:?}", node.path);
            let state = state(&node);
            if seen.insert(state.clone()) {
                open.push((state, node));
            }
        }
    }
    check_decisions(&ends);
    (seen.len(), ends.len())
}

/// Checks that a release removes exactly the quarantine items that it lists, and that a rejection removes no item. If
/// later reports removed all items, the only item is the item for rejected money that was not refunded.
fn check_decisions(ends: &Ends<'_>) {
    for ((delivered, decided), ((status, .., quarantine), path)) in ends {
        let Some((verdict, items, _)) = decided else {
            continue;
        };
        let (undecided, _) = &ends[&(*delivered, None)];
        let mut expected = undecided.4.clone();
        if verdict == "Released" {
            expected.retain(|item| !items.contains(item));
        } else if expected.is_empty() && *status == Status::Quarantined {
            let reasons = quarantine.iter().map(|item| item.reason);
            assert!(reasons.eq([QuarantineReason::Rejected]), "{path:?}");
            continue;
        }
        assert_eq!(*quarantine, expected, "{path:?}");
        let is_quarantined = matches!(status, Status::Quarantined | Status::Refunded);
        assert!(
            expected.is_empty() || is_quarantined,
            "{path:?}: {status:?}"
        );
    }
}

#[test]
fn the_reports_of_a_history_and_a_decision_end_the_same_in_every_order() {
    let (mut histories, mut states, mut ends) = (0, 0, 0);
    for steps in STEPS {
        for sums in SUMS {
            for is_remainder in [false, true] {
                if is_remainder && !steps.contains(&Step::Refund) {
                    continue;
                }
                println!("{steps:?}, {sums:?}, remainder: {is_remainder}");
                let history = History::new(steps, sums, is_remainder);
                let most = match history.deliveries.len() {
                    ..=6 => 6,
                    _ if is_long() => 6,
                    _ => 3,
                };
                let found = explore(&history, most);
                (histories, states, ends) = (histories + 1, states + found.0, ends + found.1);
            }
        }
    }
    println!("{histories} histories, {states} states, {ends} ends");
}
