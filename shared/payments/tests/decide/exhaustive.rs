//! Every order and multiplicity of the reports of one consistent history, with one operator's decision
//! at any moment.
//!
//! A history has a sale whose sums may differ from the order, a confirmation, a refund that may be
//! taken back, and a manual change; after each step the platform sends a callback, and answers a status
//! request. All reports of the shorter histories are delivered, and every 3 or 4 of the longer ones, each
//! once and again; `LONG=1` delivers every 6 (`LONG=1 cargo test --release -p payments --test decide
//! exhaustive`).
//!
//! The search goes over states: a repeated report changes no state, so any number of repeats is covered
//! by one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use payments::decide::{Change, Command, decide, execute};
use payments::events::EventKind;
use payments::model::{Payment, QuarantineItem, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::orders::{check_change, long};
use super::story::*;

const ORDERED: u64 = 1000;

/// Where the platform names a sum that differs from the order: in `payment.sum`, in the sale's
/// `sum_initial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sums {
    of_payment: u64,
    initial: u64,
}

const SUMS: [Sums; 5] = [
    Sums {
        of_payment: ORDERED,
        initial: ORDERED,
    },
    Sums {
        of_payment: 1234,
        initial: ORDERED,
    },
    Sums {
        of_payment: 900,
        initial: ORDERED,
    },
    Sums {
        of_payment: ORDERED,
        initial: 900,
    },
    Sums {
        of_payment: 900,
        initial: 900,
    },
];

/// What happens to a payment at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A sale that is confirmed by itself.
    Sale,
    /// A sale that awaits its confirmation.
    UnconfirmedSale,
    ConfirmationStarts,
    Credited,
    NotCredited,
    Refund,
    RefundReturned,
    ManualChange,
}

/// The steps of each history.
const STEPS: [&[Step]; 13] = {
    use Step::*;
    [
        &[Sale, Refund],
        &[Sale, Refund, RefundReturned],
        &[Sale, ManualChange],
        &[Sale, Refund, ManualChange],
        &[Sale, ManualChange, Refund],
        &[Sale, Refund, RefundReturned, ManualChange],
        &[UnconfirmedSale, ConfirmationStarts, Credited],
        &[UnconfirmedSale, ConfirmationStarts, NotCredited],
        &[UnconfirmedSale, ConfirmationStarts, Credited, NotCredited],
        &[UnconfirmedSale, ConfirmationStarts, NotCredited, Credited],
        &[UnconfirmedSale, ConfirmationStarts, Credited, Refund],
        &[Sale, ConfirmationStarts, NotCredited],
        &[
            UnconfirmedSale,
            ConfirmationStarts,
            Credited,
            Refund,
            RefundReturned,
            ManualChange,
        ],
    ]
};

/// A refund of this much.
const REFUND: u64 = 250;
/// A manual change of this much.
const MANUAL: u64 = 100;

/// A callback or a status answer.
struct Delivery {
    name: String,
    report: Verified,
    is_answer: bool,
}

/// A consistent history: its reports, and what may follow from them.
struct History {
    deliveries: Vec<Delivery>,
    /// The most that came at the platform.
    came: u64,
    /// Money differs from the order.
    differs: bool,
    /// A bit for each delivery that shows the money credited.
    credited: u32,
}

/// The payment at the platform.
struct Account {
    operations: Vec<Value>,
    status: &'static str,
    sum: u64,
    /// How much `payment.sum` is less after a refund: documented in two ways.
    is_remainder: bool,
    is_credited: bool,
}

impl Account {
    fn operation(&mut self, id: u64, kind: &str, status: &str, sums: [u64; 2], date: &str) {
        let sum = |amount: u64| json!({ "amount": amount, "currency": "EUR" });
        self.operations.retain(|one| one["id"] != id);
        self.operations.push(json!({
            "id": id, "type": kind, "status": status, "date": date, "created_date": date,
            "request_id": format!("request-{id}"),
            "sum_initial": sum(sums[0]), "sum_converted": sum(sums[1]), "code": "0",
        }));
    }

    fn step(&mut self, step: Step, sums: Sums, date: &str) {
        let Sums {
            of_payment,
            initial,
        } = sums;
        let sale = [initial, of_payment];
        match step {
            Step::Sale => {
                self.operation(1, "sale", "success", sale, date);
                (self.status, self.sum, self.is_credited) = ("success", of_payment, true);
            }
            Step::UnconfirmedSale => {
                self.operation(1, "sale", "success", sale, date);
                (self.status, self.sum) = ("awaiting confirmation", of_payment);
            }
            Step::ConfirmationStarts => {
                self.operation(2, "payment confirmation", "processing", sale, date);
                self.status = "awaiting confirmation";
                self.is_credited = false;
            }
            Step::Credited => {
                self.operation(2, "payment confirmation", "success", sale, date);
                (self.status, self.is_credited) = ("success", true);
            }
            Step::NotCredited => {
                self.operation(2, "payment confirmation", "decline", sale, date);
                (self.status, self.is_credited) = ("decline", false);
            }
            Step::Refund => {
                self.operation(3, "refund", "success", [REFUND; 2], date);
                self.status = "partially refunded";
                self.sum -= if self.is_remainder { REFUND } else { 0 };
            }
            Step::RefundReturned => {
                self.operation(4, "refund reverse", "success", [REFUND; 2], date);
                self.status = "success";
                self.sum += if self.is_remainder { REFUND } else { 0 };
            }
            Step::ManualChange => {
                self.operation(5, "manual change", "success", [MANUAL; 2], date);
                self.sum += MANUAL;
            }
        }
    }

    fn body(&self, date: &str, is_answer: bool) -> Verified {
        edited("sale_success", |body| {
            body["payment"]["status"] = self.status.into();
            body["payment"]["sum"]["amount"] = self.sum.into();
            body["payment"]["date"] = date.into();
            let operation = body.as_object_mut().unwrap();
            operation.remove("operation");
            match is_answer {
                true => body["operations"] = self.operations.clone().into(),
                false => body["operation"] = self.operations.last().unwrap().clone(),
            }
        })
    }
}

impl History {
    fn new(steps: &[Step], sums: Sums, is_remainder: bool) -> Self {
        let mut account = Account {
            operations: Vec::new(),
            status: "",
            sum: 0,
            is_remainder,
            is_credited: false,
        };
        let (mut deliveries, mut came, mut credited) = (Vec::new(), 0, 0);
        for (number, step) in steps.iter().enumerate() {
            let date = format!("2019-07-02T10:{number:02}:00+0000");
            account.step(*step, sums, &date);
            let refunded = account.operations.iter().any(|one| one["type"] == "refund");
            if account.is_credited {
                let gone = if is_remainder && refunded { REFUND } else { 0 };
                came = came.max(account.sum + gone);
            }
            for is_answer in [false, true] {
                // A callback about the sale or its confirmation; an answer about all of it.
                let is_about_sale = is_answer || !matches!(step, Step::Refund | Step::ManualChange);
                if account.is_credited && is_about_sale {
                    credited |= 1 << deliveries.len();
                }
                let what = if is_answer { "answer" } else { "callback" };
                deliveries.push(Delivery {
                    name: format!("{step:?} {what}"),
                    report: account.body(&date, is_answer),
                    is_answer,
                });
            }
        }
        let ordered = Sums {
            of_payment: ORDERED,
            initial: ORDERED,
        };
        Self {
            deliveries,
            came,
            differs: sums != ordered,
            credited,
        }
    }
}

/// A state of the search.
#[derive(Clone)]
struct Node<'a> {
    /// A bit for each delivery.
    taken: u32,
    way: Vec<&'a str>,
    payment: Payment,
    /// The sum that was emitted as paid, and neither withdrawn nor quarantined since.
    emitted_success: Option<u64>,
}

/// What an operator decided, and how much was reserved for it.
type Decided = Option<(String, BTreeSet<QuarantineItem>, u64)>;

/// Where a payment ends: status, paid, refunded, pending, quarantine.
type End = (Status, u64, u64, u64, BTreeSet<QuarantineItem>);

fn decided(payment: &Payment) -> Decided {
    let decision = payment.decisions().first()?;
    let reserved = payment.refunds().iter();
    let reserved = reserved.filter(|refund| refund.refund_id().is_some());
    Some((
        format!("{:?}", decision.verdict),
        decision.items.clone(),
        reserved.map(|refund| refund.amount()).sum(),
    ))
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

/// All that the future of a payment depends on, but for when it is polled.
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
    (node.taken, parts, node.emitted_success)
}

impl Node<'_> {
    /// Takes a change in, and checks its events.
    fn take(&mut self, history: &History, change: Option<Change>) {
        let Some(change) = change else { return };
        check_change(&self.payment, &change, &self.way);
        let is_released = |one: &payments::model::Decision| one.verdict == Verdict::Released;
        let has_release = change.payment.decisions().iter().any(is_released);
        for event in &change.events {
            match event.kind {
                EventKind::PaymentSucceeded => {
                    // After a release, other reports may change the sum that came.
                    let paid = Some(change.payment.paid_amount());
                    let is_first = self.emitted_success.is_none();
                    let is_other = has_release && self.emitted_success != paid;
                    assert!(is_first || is_other, "{:?}: succeeded twice", self.way);
                    let is_credited = self.taken & history.credited != 0;
                    let may_succeed = has_release || !history.differs && is_credited;
                    assert!(may_succeed, "{:?}: succeeded", self.way);
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

    /// Whether anything but the polling state can have changed.
    fn deliver(&mut self, history: &History, delivery: &Delivery) -> bool {
        if !delivery.is_answer {
            let change = decide(Some(&self.payment), delivery.report.fact(), NOW);
            let has_changed = change.is_some();
            self.take(history, change);
            return has_changed;
        }
        let polled = run(Some(&self.payment), Command::PollNow, NOW);
        self.take(history, polled);
        let poll = self.payment.polling().polls_sent();
        let fact = answer_with(&delivery.report, poll).unwrap();
        let change = decide(Some(&self.payment), fact, NOW);
        self.take(history, change);
        true
    }

    fn check(&self, history: &History) {
        let (payment, way) = (&self.payment, &self.way);
        let paid = payment.paid_amount();
        assert!(paid <= history.came, "{way:?}: {paid} paid");
        let refundable = payment.refundable_amount();
        assert!(refundable <= paid, "{way:?}: {refundable} of {paid}");
        if payment.decisions().is_empty() && history.differs {
            assert!(!payment.status().is_paid(), "{way:?}");
        }
    }
}

/// The numbers of states and of ends.
fn explore(history: &History, most: u32) -> (usize, usize) {
    let mut ends: BTreeMap<(u32, Decided), (End, Vec<&str>)> = BTreeMap::new();
    let mut seen = HashSet::new();
    let first = Node {
        taken: 0,
        way: Vec::new(),
        payment: Story::created().payment,
        emitted_success: None,
    };
    let mut open = vec![(state(&first), first)];
    while let Some((known, node)) = open.pop() {
        let known = &known;
        let mut next = Vec::new();
        for (index, delivery) in history.deliveries.iter().enumerate() {
            let is_repeat = node.taken & (1 << index) != 0;
            if !is_repeat && node.taken.count_ones() == most {
                continue;
            }
            let mut after = node.clone();
            after.taken |= 1 << index;
            after.way.push(&delivery.name);
            let has_changed = after.deliver(history, delivery);
            if is_repeat {
                let way = &after.way;
                let is_same = !has_changed || state(&after) == *known;
                assert!(is_same, "{way:?}: a repeat");
                assert_eq!(after.payment.sequence(), node.payment.sequence());
                continue;
            }
            next.push(after);
        }
        let quarantine = node.payment.quarantine();
        if !quarantine.is_empty() && node.payment.decisions().is_empty() {
            for verdict in [Verdict::Released, Verdict::Rejected] {
                let (by, items) = ("anna", &quarantine);
                let command = Command::Review { verdict, by, items };
                // Rejected where there is no money.
                let Ok(change) = execute(Some(&node.payment), command, NOW) else {
                    continue;
                };
                let mut after = node.clone();
                after.way.push(match verdict {
                    Verdict::Released => "released",
                    Verdict::Rejected => "rejected",
                });
                after.take(history, change);
                next.push(after);
            }
        }
        for node in next {
            node.check(history);
            let key = (node.taken, decided(&node.payment));
            let end = end(&node.payment);
            let (expected, way) = ends
                .entry(key)
                .or_insert_with(|| (end.clone(), node.way.clone()));
            assert_eq!(end, *expected, "{:?} and {way:?}", node.way);
            let state = state(&node);
            if seen.insert(state.clone()) {
                open.push((state, node));
            }
        }
    }
    check_decisions(&ends);
    (seen.len(), ends.len())
}

/// A decision settles the items that it lists, and no others.
fn check_decisions(ends: &BTreeMap<(u32, Decided), (End, Vec<&str>)>) {
    for ((taken, decided), ((status, .., quarantine), way)) in ends {
        let Some((verdict, items, _)) = decided else {
            continue;
        };
        let (undecided, _) = &ends[&(*taken, None)];
        let mut expected = undecided.4.clone();
        if verdict == "Released" {
            expected.retain(|item| !items.contains(item));
        }
        assert_eq!(*quarantine, expected, "{way:?}");
        let is_quarantined = matches!(status, Status::Quarantined | Status::Refunded);
        assert!(expected.is_empty() || is_quarantined, "{way:?}: {status:?}");
    }
}

#[test]
fn every_order_of_the_reports_of_a_history_with_a_decision_ends_the_same() {
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
                    _ if long() => 6,
                    7..=8 => 4,
                    _ => 3,
                };
                let found = explore(&history, most);
                (histories, states, ends) = (histories + 1, states + found.0, ends + found.1);
            }
        }
    }
    println!("{histories} histories, {states} states, {ends} ends");
}
