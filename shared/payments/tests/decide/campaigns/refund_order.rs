//! Tests that the refunds of a payment end the same if the reports and Gate's answers arrive in any order. A callback
//! names the refund of its operation, another refund, or no refund.
//!
//! By default, the test makes 200 runs. With `LONG=1`, it makes 50,000 runs.
//!
//! `LONG=1 cargo test --release -p payments --test decide refund_order`

use ecommpay::answer::Answer;
use payments::decide::Command;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::is_long;
use crate::builders::reports::TestReport;
use crate::fixtures::*;

/// The requested refunds and their amounts.
const REFUNDS: [(&str, u64); 3] = [("r-1", 400), ("r-2", 300), ("r-3", 300)];

#[derive(Debug, Clone)]
enum Step {
    Callback(Value),
    SignedAnswer(Value),
    GateAnswer(&'static str, Answer),
}

/// Returns a time after 09:00. The refunds are requested at 09:28:20. The service assumes that the platform's clock
/// differs from ours by at most 60 s.
fn date((minute, second): (u32, u32)) -> String {
    format!("2019-07-02T09:{minute:02}:{second:02}+0000")
}

fn any_operation() -> impl Strategy<Value = Value> {
    let id_and_kind = select(vec![
        ("2", "refund"),
        ("2", "reversal"),
        ("3", "refund"),
        ("4", "refund"),
        ("5", "refund reverse"),
    ]);
    let status = select(vec!["success", "success", "decline", "processing"]);
    let amount = prop::option::weighted(0.9, select(vec![400, 400, 300]));
    let request_id = prop::option::weighted(0.7, select(vec!["q-x", "q-2", "q-3"]));
    let changed = select(vec![(13, 0), (28, 21), (28, 22), (28, 23), (43, 0)]);
    let created = prop::option::of(select(vec![(13, 0), (28, 20), (28, 21), (43, 0)]));
    let code = prop::option::weighted(0.2, select(vec!["3230", "2004"]));
    (
        id_and_kind,
        status,
        amount,
        request_id,
        changed,
        created,
        code,
    )
        .prop_map(
            |((id, kind), status, amount, request_id, changed, created, code)| {
                let mut operation = reports::operation(id, kind, status, amount.unwrap_or(300));
                let fields = operation.as_object_mut().unwrap();
                if amount.is_none() && kind != "refund reverse" {
                    fields.remove("sum_initial");
                }
                fields.insert("date".into(), date(changed).into());
                let created = created.map(date);
                for (name, value) in [
                    ("request_id", request_id.map(str::to_owned)),
                    ("created_date", created),
                    ("code", code.map(str::to_owned)),
                ] {
                    fields.extend(value.map(|value| (name.to_owned(), value.into())));
                }
                operation
            },
        )
}

fn any_callback() -> impl Strategy<Value = Step> {
    let refund_id = prop::option::weighted(0.4, select(vec!["r-1", "R-2", "r-3", "other"]));
    (any_operation(), refund_id).prop_map(|(operation, refund_id)| {
        let mut body = reports::callback(PAYMENT, "partially refunded", 1000, operation);
        if let Some(refund_id) = refund_id {
            body["payment"]["merchant_refund_id"] = refund_id.into();
        }
        Step::Callback(body)
    })
}

fn any_signed_answer() -> impl Strategy<Value = Step> {
    prop::collection::vec(any_operation(), 1..4).prop_map(|mut operations| {
        operations.sort_by_key(|operation| operation["id"].to_string());
        operations.dedup_by_key(|operation| operation["id"].to_string());
        operations.insert(0, sale());
        let status = "partially refunded";
        Step::SignedAnswer(reports::status_answer(PAYMENT, status, 1000, &operations))
    })
}

/// Returns Gate's answer to each refund request. Two answers can have the same `request_id`.
fn any_gate_answers() -> impl Strategy<Value = Vec<Step>> {
    let of = |refund_id, answers| {
        select(answers).prop_map(move |answer| Step::GateAnswer(refund_id, answer))
    };
    let first = vec![
        Answer::Unclear,
        accepted("q-x"),
        refused("3230"),
        refused("2004"),
    ];
    let second = vec![Answer::Unclear, accepted("q-x"), accepted("q-2")];
    let third = vec![accepted("q-3"), refused("3230")];
    let answers = (of("r-1", first), of("r-2", second), of("r-3", third));
    answers.prop_map(|(first, second, third)| vec![first, second, third])
}

fn any_two_orders() -> impl Strategy<Value = (Vec<Step>, Vec<Step>)> {
    let report = prop_oneof![3 => any_callback().boxed(), 1 => any_signed_answer().boxed()];
    let reports = prop::collection::vec(report, 2..7);
    (any_gate_answers(), reports).prop_flat_map(|(mut steps, reports)| {
        steps.extend(reports);
        (Just(steps.clone()), Just(steps).prop_shuffle())
    })
}

fn sale() -> Value {
    let mut sale = reports::operation("1", "sale", "success", 1000);
    sale["date"] = date((28, 0)).into();
    sale
}

/// Returns a paid payment with requested refunds. The refunds in `repeated` were requested from Gate twice.
fn requested(repeated: &[&str]) -> TestPayment {
    let mut payment = TestPayment::accepted();
    let body = reports::callback(PAYMENT, "success", 1000, sale());
    payment.fact(TestReport::read(&body).callback(), NOW);
    for (refund_id, amount) in REFUNDS {
        payment.reserve(refund_id, Some(amount)).unwrap();
        if repeated.contains(&refund_id) {
            payment.refund_answer(refund_id, &Answer::Unclear);
        }
    }
    payment.execute(Command::PollNow, NOW);
    let poll = payment.polling().polls_sent();
    let answer = TestReport::read(&reports::status_answer(PAYMENT, "success", 1000, &[sale()]));
    payment.fact(answer.answer_to(poll), NOW);
    for refund_id in repeated {
        payment.execute(Command::RepeatRefund(&id(refund_id)), NOW);
    }
    payment.execute(Command::PollNow, NOW);
    payment
}

/// Returns the data that must not depend on the order of the facts.
fn end(payment: &TestPayment, steps: &[Step]) -> String {
    let mut payment = payment.fork();
    let poll = payment.polling().polls_sent();
    for step in steps {
        match step {
            Step::Callback(body) => payment.fact(TestReport::read(body).callback(), NOW),
            Step::SignedAnswer(body) => payment.fact(TestReport::read(body).answer_to(poll), NOW),
            Step::GateAnswer(refund_id, answer) => payment.refund_answer(refund_id, answer),
        };
    }
    let refunds = payment.refunds().iter().map(|refund| {
        let refund_id = refund.refund_id().map(|id| id.as_str().to_owned());
        json!([
            refund_id,
            refund.operation_id(),
            refund.amount(),
            refund.status(),
            refund.returned_amount(),
            refund.code(),
        ])
    });
    let mut refunds: Vec<String> = refunds.map(|refund| refund.to_string()).collect();
    refunds.sort();
    let sums = payment.refund_sums();
    format!(
        "{:?} {sums:?} {refunds:#?} {:?}",
        payment.status(),
        payment.quarantine()
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if is_long() { 50_000 } else { 200 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_refunds_end_the_same_in_any_order_of_the_facts(
        (steps, shuffled) in any_two_orders(),
        repeated in select(vec![&[][..], &["r-1"], &["r-2", "r-3"]]),
    ) {
        let payment = requested(repeated);
        prop_assert_eq!(end(&payment, &steps), end(&payment, &shuffled));
    }
}
