//! Every order and multiplicity of callbacks, and long random runs with status answers in them.
//!
//! By default every set of up to three kinds and some hundred runs; `LONG=1` takes up to six kinds
//! and 100,000 runs (`LONG=1 cargo test --release -p payments --test decide orders`).

use std::collections::{BTreeMap, HashMap, HashSet};

use payments::decide::{Change, Fact, decide};
use payments::events::Event;
use payments::events::view::PaymentView;
use payments::model::{Payment, Status};
use proptest::prelude::*;

use super::story::*;

/// One callback of each kind that the corpus has for one payment, and Gate's answer.
const KINDS: [&str; 17] = [
    ANSWER,
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
const ANSWER: &str = "Gate's answer";

pub fn long() -> bool {
    std::env::var_os("LONG").is_some_and(|long| long == "1")
}

fn take(payment: &Payment, kind: &str) -> Option<Change> {
    let answer = accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c");
    let fact = match kind {
        ANSWER => Fact::SaleAnswer {
            attempt: 0,
            answer: &answer,
        },
        file => corpus(file).fact(),
    };
    decide(Some(payment), fact, NOW)
}

/// What must be the same whatever the order: all but what was emitted, and the polling state.
fn content(payment: &Payment) -> String {
    let mut value = serde_json::to_value(payment).unwrap();
    let fields = value.as_object_mut().unwrap();
    for by_order in ["emitted", "sequence", "polling"] {
        fields.remove(by_order);
    }
    let attempt = fields["attempt"].as_object_mut().unwrap();
    attempt.remove("polled_for_redirect");
    let request = attempt["request"].as_object_mut().unwrap();
    request.remove("polls_before");
    // Its sender gives up after a while, whatever is reported.
    if request["state"] == "sending" {
        *request = serde_json::Map::from_iter([("state".into(), "unknown".into())]);
    }
    let refunds = fields["refunds"].as_array_mut().unwrap();
    for refund in refunds.iter_mut() {
        refund.as_object_mut().unwrap().remove("emitted");
    }
    refunds.sort_by_key(|refund| refund["operation_id"].to_string());
    value.to_string()
}

/// How often each outcome was emitted so far.
type Emitted = BTreeMap<String, u32>;

/// Whether the money of a payment that was emitted as paid is held until an answer comes. It is not
/// emitted: consumers act on the answer.
pub fn is_held_after_success(payment: &Payment) -> bool {
    let status = payment.status();
    matches!(status, Status::AwaitingConfirmation | Status::Processing)
        && payment.successful_sales().next().is_some()
}

/// What holds for the events of any change: no gap, and the last one agrees with the state.
pub fn check_change(before: &Payment, change: &Change, way: &dyn std::fmt::Debug) {
    let (was, is) = (before.status(), change.payment.status());
    let numbers: Vec<u64> = change.events.iter().map(|event| event.sequence).collect();
    let expected: Vec<u64> = (before.sequence() + 1..=change.payment.sequence()).collect();
    assert_eq!(numbers, expected, "{way:?}");
    let money = |payment: &Payment| {
        let (paid, back) = (payment.paid_amount(), payment.refunded_amount());
        (
            paid,
            back,
            payment.pending_refund_amount(),
            payment.quarantine(),
        )
    };
    if let Some(last) = change.events.last() {
        let emitted = data(last);
        let state = serde_json::to_value(PaymentView::new(&change.payment, NOW)).unwrap();
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(emitted[name], *value, "{way:?}: {name}");
        }
    } else {
        assert!(
            was == is || !is.is_final() || is_held_after_success(before),
            "{way:?}: {is:?} not emitted"
        );
        let has_changed = money(before) != money(&change.payment);
        // A refund is emitted after its sale.
        let has_money = change.payment.has_money() && !is_held_after_success(before);
        assert!(!has_changed || !has_money, "{way:?}: money not emitted");
    }
}

/// What holds for a change that a callback or Gate's answer makes.
fn check_events(
    before: &Payment,
    change: &Change,
    emitted: &mut Emitted,
    way: &dyn std::fmt::Debug,
) {
    let after = &change.payment;
    check_change(before, change, way);
    for event in &change.events {
        let name = outcome_of(event);
        let times = emitted.entry(name.clone()).or_default();
        *times += 1;
        // Of quarantined money, and of what is still open, more than one event is emitted.
        let once =
            name.ends_with("succeeded") || name.ends_with("declined") || name.ends_with("failed");
        let left_quarantine = before.status() == Status::Quarantined;
        assert!(
            *times == 1 || !once || left_quarantine,
            "{way:?}: {name} again"
        );
    }
    let (was, is) = (before.status(), after.status());
    assert!(
        !was.is_final() || is.is_final(),
        "{way:?}: {was:?} became {is:?}"
    );
    assert!(
        !was.is_paid() || is.is_paid() || is == Status::Quarantined,
        "{way:?}: {was:?} became {is:?}"
    );
}

/// The event's type, with the refund it is about.
fn outcome_of(event: &Event) -> String {
    let refund = &data(event)["refund"]["operation_id"];
    format!("{} {}", refund, event.kind.as_str())
}

#[test]
fn any_order_and_number_of_callbacks_ends_the_same() {
    let most = if long() { 6 } else { 3 };
    let mut ends: HashMap<u32, String> = HashMap::new();
    let mut seen = HashSet::new();
    let mut open = vec![(0u32, Vec::new(), Story::created().payment, Emitted::new())];
    let mut steps = 0u64;
    while let Some((taken, way, payment, emitted)) = open.pop() {
        for (index, kind) in KINDS.iter().enumerate() {
            steps += 1;
            let change = take(&payment, kind);
            if taken & (1 << index) != 0 {
                assert_eq!(change, None, "{way:?}, then {kind} again");
                continue;
            }
            if taken.count_ones() == most {
                continue;
            }
            let taken = taken | (1 << index);
            let way: Vec<&str> = way.iter().copied().chain([*kind]).collect();
            let mut emitted = emitted.clone();
            let after = match change {
                None => payment.clone(),
                Some(change) => {
                    check_events(&payment, &change, &mut emitted, &way);
                    change.payment
                }
            };
            let end = content(&after);
            let known = ends.entry(taken).or_insert_with(|| end.clone());
            assert_eq!(*known, end, "{way:?}");
            // What can still happen depends on these, not on the way here.
            let state = (
                taken,
                serde_json::to_string(&after).unwrap(),
                emitted.clone(),
            );
            if seen.insert(state) {
                open.push((taken, way, after, emitted));
            }
        }
    }
    println!("{} sets, {} states, {steps} steps", ends.len(), seen.len());
}

/// A fact of a run: a callback, or the same as a signed status answer.
#[derive(Debug, Clone, Copy)]
struct Reported {
    kind: usize,
    is_answer: bool,
}

fn reported() -> impl Strategy<Value = Reported> {
    (0..KINDS.len(), prop::bool::weighted(0.2)).prop_map(|(kind, is_answer)| Reported {
        kind,
        is_answer: is_answer && KINDS[kind] != ANSWER,
    })
}

fn payment_after(facts: &[Reported]) -> Payment {
    let mut payment = Story::created().payment;
    let mut emitted = Emitted::new();
    for fact in facts {
        let kind = KINDS[fact.kind];
        let change = match fact.is_answer {
            false => take(&payment, kind),
            true => polled(&payment, kind),
        };
        if let Some(change) = change {
            // A signed answer may withdraw what callbacks said, which is emitted again.
            if fact.is_answer {
                check_change(&payment, &change, &facts);
                emitted.clear();
            } else {
                check_events(&payment, &change, &mut emitted, &facts);
            }
            payment = change.payment;
        }
    }
    payment
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if long() { 100_000 } else { 300 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn long_runs_with_status_answers_end_the_same_in_any_order(
        facts in prop::collection::vec(reported(), 1..30), seed in any::<u64>(),
    ) {
        let end = content(&payment_after(&facts));
        let mut shuffled = facts.clone();
        // Half of them twice, all in another order.
        shuffled.extend(facts.iter().step_by(2));
        let mut seed = seed;
        for index in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(index, usize::try_from(seed >> 33).unwrap() % (index + 1));
        }
        prop_assert_eq!(content(&payment_after(&shuffled)), end, "{:?}", shuffled);
    }
}
