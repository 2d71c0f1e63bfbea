//! Tests that a payment ends the same if its callbacks arrive in any order and repeatedly. The random runs also have
//! status answers, and reports with dates in the future.
//!
//! By default, the search tries every set of up to three kinds of callbacks, and there are 300 random runs. With
//! `LONG=1`, the sets have up to six kinds, and there are 100,000 random runs.
//!
//! `LONG=1 cargo test --release -p payments --test decide any_order`

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::sync::LazyLock;

use payments::Timestamp;
use payments::decide::{Change, Fact, decide};
use payments::events::Event;
use payments::events::view::PaymentView;
use payments::model::{Payment, Status};
use payments::service::callback::Verified;
use proptest::prelude::*;
use serde_json::json;

use super::is_long;
use crate::fixtures::*;

/// Gate's answer, and callbacks of the corpus about one payment.
const KINDS: [&str; 17] = [
    GATE_ANSWER,
    "processing",
    "redirect_get",
    "redirect_second_url",
    "clarification_last_name",
    "awaiting_customer",
    "sale_decline_customer",
    "late_decline_after_success",
    "sale_success",
    "success_after_decline",
    "amount_differs",
    "error_validation",
    "refund_partial_1",
    "refund_partial_2_rest",
    "refund_decline_amount",
    "refund_processing",
    "separators_in_values",
];
/// Stands for the answer with which Gate accepts the sale.
const GATE_ANSWER: &str = "GATE_ANSWER";

/// Returns when all facts arrive. No date of [`KINDS`] is too far in the future.
fn reported_at() -> Timestamp {
    NOW.after(20 * MINUTE)
}

fn change_by(payment: &Payment, kind: &str) -> Option<Change> {
    match kind {
        GATE_ANSWER => {
            let (attempt, answer) = (0, &accepted(REQUEST));
            let fact = Fact::SaleAnswer { attempt, answer };
            decide(Some(payment), fact, reported_at())
        }
        file => decide(Some(payment), corpus(file).fact(), reported_at()),
    }
}

/// Returns the content that must not depend on the order of the reports. It leaves out the fields about emitted events
/// and about polling.
fn content(payment: &Payment) -> String {
    let mut value = serde_json::to_value(payment).unwrap();
    let fields = value.as_object_mut().unwrap();
    for dependent in ["emitted", "sequence", "polling"] {
        fields.remove(dependent);
    }
    let attempt = fields["attempt"].as_object_mut().unwrap();
    attempt.remove("polled_for_redirect");
    let request = attempt["request"].as_object_mut().unwrap();
    request.remove("polls_before");
    // Over time, a request that is being sent becomes unknown, so both count as the same state.
    if request["state"] == "sending" {
        *request = serde_json::Map::from_iter([("state".into(), "unknown".into())]);
    }
    let refunds = fields["refunds"].as_array_mut().unwrap();
    for refund in refunds.iter_mut() {
        // A refund without a stored Gate request is stored as a short text. The third field of the text says what was
        // emitted.
        if let Some(text) = refund.as_str() {
            let mut fields: Vec<&str> = text.splitn(7, ';').collect();
            fields.remove(2);
            fields.reverse();
            *refund = fields.into();
        } else {
            refund.as_object_mut().unwrap().remove("emitted");
        }
    }
    refunds.sort_by_key(|refund| format!("{}{}", refund["operation_id"], refund[0]));
    value.to_string()
}

/// Returns whether a sale succeeded but does not count yet. After `payment.succeeded`, no event about the status is
/// emitted until an answer decides.
fn is_held_after_success(payment: &Payment) -> bool {
    let status = payment.status();
    matches!(status, Status::AwaitingConfirmation | Status::Processing)
        && payment.successful_sales().next().is_some()
}

/// Checks the events of a change. Their sequence numbers have no gap, and the last event shows the changed payment. If
/// a change has no events, it must not need one.
pub fn check_change(before: &Payment, change: &Change, path: &dyn Debug) {
    let (was, is) = (before.status(), change.payment.status());
    let numbers = change.events.iter().map(|event| event.sequence);
    let expected = before.sequence() + 1..=change.payment.sequence();
    assert!(numbers.eq(expected), "{path:?}");
    let money = |payment: &Payment| {
        (
            payment.paid_amount(),
            payment.refunded_amount(),
            payment.pending_refund_amount(),
            payment.quarantine(),
        )
    };
    if let Some(last) = change.events.last() {
        let emitted = data(last);
        let state = json!(PaymentView::new(&change.payment, NOW));
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(emitted[name], *value, "{path:?}: {name}");
        }
    } else {
        assert!(
            was == is || !is.is_final() || is_held_after_success(before),
            "{path:?}: no event reports {is:?}"
        );
        let has_changed = money(before) != money(&change.payment);
        // Events about a refund wait until the sale counts.
        let has_money = change.payment.has_money() && !is_held_after_success(before);
        // Events do not show the money of a payment that another system made.
        let has_money = has_money && !change.payment.is_foreign();
        assert!(
            !has_changed || !has_money,
            "{path:?}: no event reports the money"
        );
    }
}

/// The number of emitted events for each result of [`outcome_of`].
type Emitted = BTreeMap<String, u32>;

/// Checks a change by a callback or Gate's answer. No result is emitted twice, unless the payment was quarantined.
fn check_events(before: &Payment, change: &Change, emitted: &mut Emitted, path: &dyn Debug) {
    check_change(before, change, path);
    let (was, is) = (before.status(), change.payment.status());
    for event in &change.events {
        let name = outcome_of(event);
        let times = emitted.entry(name.clone()).or_default();
        *times += 1;
        let ends = ["succeeded", "declined", "failed"];
        let is_once = ends.iter().any(|end| name.ends_with(end));
        let left_quarantine = was == Status::Quarantined;
        assert!(
            *times == 1 || !is_once || left_quarantine,
            "{path:?}: {name} is emitted again"
        );
    }
    let change = format!("{path:?}: {was:?} became {is:?}");
    assert!(!was.is_final() || is.is_final(), "{change}");
    assert!(
        !was.is_paid() || is.is_paid() || is == Status::Quarantined,
        "{change}"
    );
}

/// Returns the type of an event, with the operation id of its refund.
fn outcome_of(event: &Event) -> String {
    let refund = &data(event)["refund"]["operation_id"];
    format!("{} {}", refund, event.kind.as_str())
}

#[test]
fn a_payment_ends_the_same_after_repeated_callbacks_in_any_order() {
    let most = if is_long() { 6 } else { 3 };
    let mut ends: HashMap<u32, String> = HashMap::new();
    let mut seen = HashSet::new();
    let first = TestPayment::created();
    let mut open = vec![(0u32, Vec::new(), (*first).clone(), Emitted::new())];
    let mut steps = 0u64;
    while let Some((delivered, path, payment, emitted)) = open.pop() {
        for (index, kind) in KINDS.iter().enumerate() {
            steps += 1;
            let change = change_by(&payment, kind);
            if delivered & (1 << index) != 0 {
                assert_eq!(change, None, "{path:?}, then {kind} again");
                continue;
            }
            if delivered.count_ones() == most {
                continue;
            }
            let delivered = delivered | (1 << index);
            let path: Vec<&str> = path.iter().copied().chain([*kind]).collect();
            let mut emitted = emitted.clone();
            let after = match change {
                None => payment.clone(),
                Some(change) => {
                    check_events(&payment, &change, &mut emitted, &path);
                    change.payment
                }
            };
            let end = content(&after);
            let known = ends.entry(delivered).or_insert_with(|| end.clone());
            assert_eq!(*known, end, "{path:?}");
            // Later changes depend only on these values.
            let state = (
                delivered,
                serde_json::to_string(&after).unwrap(),
                emitted.clone(),
            );
            if seen.insert(state) {
                open.push((delivered, path, after, emitted));
            }
        }
    }
    println!("{} sets, {} states, {steps} steps", ends.len(), seen.len());
}

/// A step of a run: a callback or Gate's answer, or a signed status answer with the content of a callback.
#[derive(Debug, Clone, Copy)]
struct Step {
    kind: &'static str,
    is_answer: bool,
    /// Whether the dates of the report are in the future.
    is_of_future: bool,
}

impl Step {
    fn callback(kind: &'static str) -> Self {
        Self {
            kind,
            is_answer: false,
            is_of_future: false,
        }
    }

    fn report(&self) -> &'static Verified {
        match self.is_of_future {
            true => of_future(self.kind),
            false => corpus(self.kind),
        }
    }

    fn change(&self, payment: &Payment) -> Option<Change> {
        match self {
            step if step.kind == GATE_ANSWER => change_by(payment, GATE_ANSWER),
            step if step.is_answer => polled(payment, step.report(), reported_at()),
            step => decide(Some(payment), step.report().fact(), reported_at()),
        }
    }
}

/// Returns a body of the corpus with dates in the future.
fn of_future(kind: &'static str) -> &'static Verified {
    static REPORTS: LazyLock<HashMap<&'static str, Verified>> = LazyLock::new(|| {
        let reports = KINDS.into_iter().filter(|kind| *kind != GATE_ANSWER);
        let report = |(kind, year): (&'static str, u32)| {
            let date = json!(format!("{year}-01-01T00:00:00+0000"));
            let report = edited(kind, |body| {
                for part in ["payment", "operation"] {
                    if body[part]["date"].is_string() {
                        body[part]["date"] = date.clone();
                    }
                }
            });
            (kind, report)
        };
        reports.zip(2090..).map(report).collect()
    });
    &REPORTS[kind]
}

fn any_step() -> impl Strategy<Value = Step> {
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (0..KINDS.len(), flags).prop_map(|(kind, (is_answer, is_of_future))| Step {
        kind: KINDS[kind],
        is_answer: is_answer && KINDS[kind] != GATE_ANSWER,
        is_of_future,
    })
}

fn payment_after(steps: &[Step]) -> Payment {
    let mut payment = (*TestPayment::created()).clone();
    let mut emitted = Emitted::new();
    for step in steps {
        if let Some(change) = step.change(&payment) {
            // A signed answer can withdraw a result that callbacks reported. Then the result can be emitted again.
            if step.is_answer {
                check_change(&payment, &change, &steps);
                emitted.clear();
            } else {
                check_events(&payment, &change, &mut emitted, &steps);
            }
            payment = change.payment;
        }
    }
    payment
}

/// These histories are longer than the histories of the default search. Some have callbacks that [`KINDS`] lacks.
#[test]
fn a_longer_history_ends_the_same_in_any_order_and_after_a_repeat() {
    for history in [
        "GATE_ANSWER processing redirect_get redirect_second_url sale_success",
        "sale_success refund_partial_1 refund_partial_2_rest redirect_get",
        "sale_decline_customer success_after_decline redirect_get refund_partial_1",
        "clarification_last_name redirect_get sale_decline_timeout late_redirect_after_success",
        "GATE_ANSWER awaiting_customer redirect_second_url success_after_decline",
        "GATE_ANSWER sale_decline_customer redirect_second_url redirect_get",
        "GATE_ANSWER error_validation redirect_get",
        "sale_success refund_success refund_decline_amount amount_differs",
    ] {
        let kinds = Vec::from_iter(history.split(' '));
        let ends = permutations(&kinds).into_iter().map(|order| {
            let mut steps = Vec::from_iter(order.into_iter().map(Step::callback));
            let once = content(&payment_after(&steps));
            steps.extend_from_within(..);
            assert_eq!(content(&payment_after(&steps)), once, "{steps:?}");
            once
        });
        assert_eq!(HashSet::<String>::from_iter(ends).len(), 1, "{history}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if is_long() { 100_000 } else { 300 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn long_runs_with_status_answers_end_the_same_in_any_order(
        steps in prop::collection::vec(any_step(), 1..30), seed in any::<u64>(),
    ) {
        let end = content(&payment_after(&steps));
        let mut shuffled = steps.clone();
        // The shuffled run has all steps in another order, and every second step twice.
        shuffled.extend(steps.iter().step_by(2));
        let mut seed = seed;
        for index in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(index, usize::try_from(seed >> 33).unwrap() % (index + 1));
        }
        let payment = payment_after(&shuffled);
        prop_assert_eq!(content(&payment), end, "{:?}", shuffled);
        // A callback that is repeated later adds nothing.
        let callbacks = steps.iter().filter(|step| !step.is_answer && step.kind != GATE_ANSWER);
        for step in callbacks {
            let change = decide(Some(&payment), step.report().fact(), reported_at().after(DAY));
            let repeated = change.as_ref().map_or(&payment, |change| &change.payment);
            prop_assert_eq!(repeated.reported(), payment.reported(), "{:?}", step);
        }
    }
}
