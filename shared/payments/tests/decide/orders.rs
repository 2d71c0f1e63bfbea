//! Every order and multiplicity of callbacks, and long random runs with status answers in them.
//!
//! By default every set of up to three kinds and some hundred runs; `LONG=1` takes up to six kinds
//! and 100,000 runs (`LONG=1 cargo test --release -p payments --test decide orders`).

use std::collections::{BTreeMap, HashMap, HashSet};

use payments::decide::{Change, Fact, decide};
use payments::event::Event;
use payments::model::{Payment, Status};
use payments::view::PaymentView;
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

fn long() -> bool {
    std::env::var_os("LONG").is_some_and(|long| long == "1")
}

fn hear(payment: &Payment, kind: &str) -> Option<Change> {
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

/// What must be the same whatever the order: all but what was announced, and when to ask.
fn content(payment: &Payment) -> String {
    let mut value = serde_json::to_value(payment).unwrap();
    let fields = value.as_object_mut().unwrap();
    for of_the_way in [
        "announced",
        "end_announced",
        "overrefund_announced",
        "sequence",
        "doubted",
        "questions",
        "answered",
        "asked",
        "silent_since",
        "sale_sent_after",
        "not_found",
    ] {
        fields.remove(of_the_way);
    }
    let refunds = fields["refunds"].as_array_mut().unwrap();
    for refund in refunds.iter_mut() {
        let refund = refund.as_object_mut().unwrap();
        for told in ["announced", "announced_amount", "decline_announced"] {
            refund.remove(told);
        }
    }
    refunds.sort_by_key(|refund| refund["operation_id"].to_string());
    value.to_string()
}

/// How often each outcome was announced so far.
type Told = BTreeMap<String, u32>;

/// The promises about the events of any change: no gap, and the last one agrees with the state.
fn check_telling(before: &Payment, change: &Change, way: &dyn std::fmt::Debug) {
    let (was, is) = (before.status(), change.payment.status());
    let numbers: Vec<u64> = change.events.iter().map(|event| event.sequence).collect();
    let expected: Vec<u64> = (before.sequence + 1..=change.payment.sequence).collect();
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
        let told: serde_json::Value = serde_json::from_str(&last.body).unwrap();
        let state = serde_json::to_value(PaymentView::new(&change.payment)).unwrap();
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(told["data"][name], *value, "{way:?}: {name}");
        }
    } else {
        assert!(was == is || !is.is_final(), "{way:?}: {is:?} untold");
        let untold = money(before) != money(&change.payment);
        // A refund is told after its sale.
        let too_early = !change.payment.has_taken_money();
        assert!(!untold || too_early, "{way:?}: money untold");
    }
}

/// The promises about a change that a callback or Gate's answer makes.
fn check_events(before: &Payment, change: &Change, told: &mut Told, way: &dyn std::fmt::Debug) {
    let after = &change.payment;
    check_telling(before, change, way);
    for event in &change.events {
        let name = outcome_of(event);
        let times = told.entry(name.clone()).or_default();
        *times += 1;
        // Of money that nobody ordered like this, and of what is still open, more may be told.
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
    let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
    let refund = &body["data"]["refund"]["operation_id"];
    format!("{} {}", refund, event.kind.as_str())
}

#[test]
fn any_order_and_number_of_callbacks_ends_the_same() {
    let most = if long() { 6 } else { 3 };
    let mut ends: HashMap<u32, String> = HashMap::new();
    let mut seen = HashSet::new();
    let mut open = vec![(0u32, Vec::new(), Story::begin().payment, Told::new())];
    let mut steps = 0u64;
    while let Some((heard, way, payment, told)) = open.pop() {
        for (index, kind) in KINDS.iter().enumerate() {
            steps += 1;
            let change = hear(&payment, kind);
            if heard & (1 << index) != 0 {
                assert_eq!(change, None, "{way:?}, then {kind} again");
                continue;
            }
            if heard.count_ones() == most {
                continue;
            }
            let heard = heard | (1 << index);
            let way: Vec<&str> = way.iter().copied().chain([*kind]).collect();
            let mut told = told.clone();
            let after = match change {
                None => payment.clone(),
                Some(change) => {
                    check_events(&payment, &change, &mut told, &way);
                    change.payment
                }
            };
            let end = content(&after);
            let known = ends.entry(heard).or_insert_with(|| end.clone());
            assert_eq!(*known, end, "{way:?}");
            // What can still happen depends on these, not on the way here.
            let state = (heard, serde_json::to_string(&after).unwrap(), told.clone());
            if seen.insert(state) {
                open.push((heard, way, after, told));
            }
        }
    }
    println!("{} sets, {} states, {steps} steps", ends.len(), seen.len());
}

/// What a run hears: a callback, or the same as a signed status answer.
#[derive(Debug, Clone, Copy)]
struct Heard {
    kind: usize,
    asked: bool,
}

fn heard() -> impl Strategy<Value = Heard> {
    (0..KINDS.len(), prop::bool::weighted(0.2)).prop_map(|(kind, asked)| Heard {
        kind,
        asked: asked && KINDS[kind] != ANSWER,
    })
}

fn run(facts: &[Heard]) -> Payment {
    let mut payment = Story::begin().payment;
    let mut told = Told::new();
    for fact in facts {
        let kind = KINDS[fact.kind];
        let change = match fact.asked {
            false => hear(&payment, kind),
            true => ask(&payment, kind),
        };
        if let Some(change) = change {
            // The platform's signed word may take back what callbacks said, which is told again.
            if fact.asked {
                check_telling(&payment, &change, &facts);
                told.clear();
            } else {
                check_events(&payment, &change, &mut told, &facts);
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
        facts in prop::collection::vec(heard(), 1..30), seed in any::<u64>(),
    ) {
        let end = content(&run(&facts));
        let mut shuffled = facts.clone();
        // Half of them twice, all in another order.
        shuffled.extend(facts.iter().step_by(2));
        let mut seed = seed;
        for index in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(index, usize::try_from(seed >> 33).unwrap() % (index + 1));
        }
        prop_assert_eq!(content(&run(&shuffled)), end, "{:?}", shuffled);
    }
}
