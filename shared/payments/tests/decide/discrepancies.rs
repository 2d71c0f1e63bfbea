//! Where the platform's records (Data API) and ours differ.

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use ecommpay::report::Sum;
use payments::decide::{Change, Command, Fact, decide};
use payments::events::view::PaymentView;
use payments::model::{OperationType, Payment, PlatformRecord, Status};
use serde_json::{Value, json};

use super::story::*;

/// The sale of the corpus.
pub const SALE: &str = "37493000003351";

fn euros(amount: u64) -> Sum {
    Sum {
        amount,
        currency: "EUR".into(),
    }
}

/// The corpus' sale as the platform's records list it.
pub fn listed() -> ListedOperation {
    ListedOperation {
        project_id: Some(211),
        operation_id: SALE.into(),
        payment_id: PAYMENT.into(),
        kind: OperationType::Sale,
        status: "success".into(),
        sum_initial: Some(euros(1000)),
    }
}

pub fn fact(record: PlatformRecord<'_>) -> Fact<'_> {
    Fact::PlatformRecord {
        project_id: ProjectId::new(211).unwrap(),
        record,
    }
}

pub fn compared(payment: Option<&Payment>, record: PlatformRecord<'_>) -> Option<Change> {
    let change = decide(payment, fact(record), NOW)?;
    change.events.iter().for_each(hold_against_schema);
    Some(change)
}

/// The discrepancies that a change emits.
pub fn emitted(change: &Change) -> Vec<Value> {
    let bodies = change.events.iter().map(|event| &event.body);
    let events = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
    let discrepancies = events.filter(|event| event["type"] == "reconciliation.difference");
    discrepancies
        .map(|event| event["data"]["difference"].clone())
        .collect()
}

fn first_operation(payment: &Payment) -> String {
    payment.operations().next().unwrap().0.to_owned()
}

#[test]
fn records_that_agree_change_nothing() {
    let mut paid = Story::created();
    paid.callback("sale_success").callback("refund_success");
    let payment = Some(&paid.payment);
    assert_eq!(compared(payment, PlatformRecord::Listed(&listed())), None);
    let processing = ListedOperation {
        status: "processing".into(),
        operation_id: "new".into(),
        ..listed()
    };
    let record = PlatformRecord::Listed(&processing);
    assert_eq!(compared(payment, record), None, "not final");
    assert_eq!(compared(payment, PlatformRecord::Missing("unknown")), None);
    let without_sum = ListedOperation {
        sum_initial: None,
        ..listed()
    };
    let record = PlatformRecord::Listed(&without_sum);
    assert_eq!(compared(payment, record), None);

    // The amount of a declined operation does not matter.
    let mut declined = Story::created();
    declined.callback("sale_decline_customer");
    let listed = ListedOperation {
        operation_id: first_operation(&declined.payment),
        status: "decline".into(),
        sum_initial: None,
        ..listed()
    };
    let record = PlatformRecord::Listed(&listed);
    assert_eq!(compared(Some(&declined.payment), record), None);
}

#[test]
fn each_kind_of_discrepancy_is_emitted_and_polled() {
    let mut waiting = Story::created();
    waiting.callback("redirect_get");
    let mut paid = Story::created();
    paid.callback("sale_success");
    let of_sale = |status: &str, amount, currency: &str| ListedOperation {
        status: status.into(),
        sum_initial: Some(Sum {
            amount,
            currency: currency.into(),
        }),
        ..listed()
    };
    let unknown = ListedOperation {
        operation_id: "9".repeat(255),
        ..listed()
    };
    let expect = |kind, local: Value, platform: Value| json!([{ "kind": kind, "local": local, "platform": platform }]);
    let cases = [
        (
            PlatformRecord::Listed(&unknown),
            expect("missing_locally", json!(null), json!("9".repeat(255))),
        ),
        (
            PlatformRecord::Missing(SALE),
            expect("missing_at_platform", json!(SALE), json!(null)),
        ),
        (
            PlatformRecord::Listed(&of_sale("decline", 1000, "EUR")),
            expect("status", json!("success"), json!("decline")),
        ),
        (
            PlatformRecord::Listed(&of_sale("success", 900, "EUR")),
            expect("amount", json!(1000), json!(900)),
        ),
        (
            PlatformRecord::Listed(&of_sale("success", 1000, "USD")),
            expect("amount", json!("1000 EUR"), json!("1000 USD")),
        ),
    ];
    for (record, expected) in cases {
        let change = compared(Some(&paid.payment), record).unwrap();
        assert_eq!(json!(emitted(&change)), expected);
        assert_eq!(poll_at(&change.payment), Some(NOW), "{expected}");
        assert_eq!(change.payment.reported(), paid.payment.reported());
        assert_eq!(change.payment.status(), paid.payment.status());
        let event: Value = serde_json::from_str(&change.events[0].body).unwrap();
        assert_eq!(event["data"]["status"], json!(paid.payment.status()));
        let state = json!(PaymentView::new(&change.payment, NOW));
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(event["data"][name], *value, "{name}");
        }
        let is_known = expected[0]["kind"] != "missing_locally";
        assert_eq!(event["data"]["operation"].is_object(), is_known);
    }
    // A sale that is final here, and not at the platform.
    for word in ["processing", "refunded", "an unknown status"] {
        let open = of_sale(word, 1000, "EUR");
        let change = compared(Some(&paid.payment), PlatformRecord::Listed(&open)).unwrap();
        let expected = expect("status", json!("success"), json!(word));
        assert_eq!(json!(emitted(&change)), expected);
    }
    let endless = of_sale(&"x".repeat(256), 1000, "EUR");
    let change = compared(Some(&paid.payment), PlatformRecord::Listed(&endless)).unwrap();
    assert_eq!(emitted(&change)[0]["platform"], json!("x".repeat(255)));
    let wordless = of_sale("", 1000, "EUR");
    let record = PlatformRecord::Listed(&wordless);
    assert_eq!(compared(Some(&paid.payment), record), None);

    // A sale that is still open here: its status differs, whatever its amount.
    let ended = ListedOperation {
        operation_id: first_operation(&waiting.payment),
        ..listed()
    };
    let change = compared(Some(&waiting.payment), PlatformRecord::Listed(&ended)).unwrap();
    let expected = json!("awaiting redirect result");
    assert_eq!(emitted(&change)[0]["local"], expected);
    let ended = ListedOperation {
        operation_id: ended.operation_id,
        ..of_sale("success", 900, "USD")
    };
    let change = compared(Some(&waiting.payment), PlatformRecord::Listed(&ended)).unwrap();
    let emitted: Vec<Value> = emitted(&change);
    assert_eq!((emitted.len(), &emitted[0]["kind"]), (1, &json!("status")));
}

/// The platform's error statuses are final in callbacks, answers and records alike.
#[test]
fn a_record_has_the_outcome_that_a_callback_of_the_same_status_has() {
    for status in [
        "error",
        "expired",
        "external error",
        "internal error",
        "canceled",
        "cancelled",
        "decline",
    ] {
        let declined = edited("sale_decline_customer", |body| {
            body["operation"]["status"] = status.into();
        });
        let mut story = Story::created();
        story.deliver(&declined);
        let listed = ListedOperation {
            status: status.into(),
            ..listed()
        };
        let record = PlatformRecord::Listed(&listed);
        assert_eq!(compared(Some(&story.payment), record), None, "{status}");
        // Another final status of the same outcome is no discrepancy either.
        let listed = ListedOperation {
            status: "decline".into(),
            ..listed
        };
        let record = PlatformRecord::Listed(&listed);
        assert_eq!(compared(Some(&story.payment), record), None, "{status}");
    }
    let mut open = Story::created();
    open.callback("external_processing");
    let listed = ListedOperation {
        operation_id: first_operation(&open.payment),
        status: "external error".into(),
        ..listed()
    };
    let record = PlatformRecord::Listed(&listed);
    let change = compared(Some(&open.payment), record).unwrap();
    assert_eq!(emitted(&change)[0]["kind"], "status");
}

#[test]
fn a_discrepancy_is_emitted_once_and_settled_by_an_answer() {
    let mut story = Story::created();
    let listed = listed();
    let record = PlatformRecord::Listed(&listed);
    let first = compared(Some(&story.payment), record).unwrap();
    story.take(Some(first));
    assert_eq!(compared(Some(&story.payment), record), None);

    story.poll("sale_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(poll_at(&story.payment), None, "nothing is open any more");
    assert_eq!(compared(Some(&story.payment), record), None);
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "reconciliation.difference",
            "payment.succeeded"
        ]
    );
    // Another discrepancy of the same operation is emitted too.
    let missing = compared(Some(&story.payment), PlatformRecord::Missing(SALE)).unwrap();
    assert_eq!(emitted(&missing).len(), 1);
    story.take(Some(missing));
    assert_eq!(
        compared(Some(&story.payment), PlatformRecord::Missing(SALE)),
        None
    );
}

#[test]
fn a_status_that_differs_is_emitted_once_while_ours_moves_on() {
    let mut story = Story::created();
    story.callback("redirect_get");
    let listed = ListedOperation {
        operation_id: first_operation(&story.payment),
        ..listed()
    };
    let record = PlatformRecord::Listed(&listed);
    let first = compared(Some(&story.payment), record).unwrap();
    assert_eq!(emitted(&first)[0]["local"], "awaiting redirect result");
    story.take(Some(first));

    let later = edited("processing", |body| {
        body["operation"]["date"] = json!("2019-07-02T10:00:00+0000");
    });
    story.deliver(&later);
    let operation = story.payment.operation(&listed.operation_id).unwrap();
    assert_eq!(operation.platform_status(), "processing");
    assert_eq!(compared(Some(&story.payment), record), None);
    // Another status at the platform is another discrepancy.
    let declined = ListedOperation {
        status: "decline".into(),
        ..listed
    };
    let change = compared(Some(&story.payment), PlatformRecord::Listed(&declined)).unwrap();
    assert_eq!(emitted(&change)[0]["platform"], "decline");
}

#[test]
fn a_payment_that_only_the_records_know_starts_with_its_discrepancy() {
    for id in [
        "order-1",
        "a/b #1",
        " ",
        "\u{e9}\u{1f600};:",
        &"x".repeat(255),
    ] {
        let listed = ListedOperation {
            payment_id: id.into(),
            ..listed()
        };
        let record = PlatformRecord::Listed(&listed);
        let change = compared(None, record).unwrap();
        assert_eq!(change.payment.payment_id(), id);
        assert_eq!(change.payment.status(), Status::Unmatched);
        assert_eq!(emitted(&change)[0]["kind"], "missing_locally");
        assert_eq!(poll_at(&change.payment), Some(NOW));
        assert_eq!(change.events.len(), 1);
        assert_eq!(compared(Some(&change.payment), record), None);
    }
    for id in ["", &"x".repeat(256)] {
        let listed = ListedOperation {
            payment_id: id.into(),
            ..listed()
        };
        let record = PlatformRecord::Listed(&listed);
        assert_eq!(compared(None, record), None, "no id");
    }
    let processing = ListedOperation {
        status: "processing".into(),
        ..listed()
    };
    assert_eq!(compared(None, PlatformRecord::Listed(&processing)), None);
    assert_eq!(compared(None, PlatformRecord::Missing(SALE)), None);
}

#[test]
fn a_discrepancy_that_was_settled_meanwhile_is_not_emitted() {
    let mut story = Story::created();
    let listed = listed();
    let record = PlatformRecord::Listed(&listed);
    let seen = Payment::new_discrepancies(Some(&story.payment), record);
    assert_eq!(seen.len(), 1);
    story.callback("sale_success");
    assert_eq!(compared(Some(&story.payment), record), None);
}

#[test]
fn many_discrepancies_of_one_payment_are_emitted_up_to_a_limit() {
    let mut story = Story::created();
    story.callback("sale_success");
    let empty = serde_json::to_vec(&story.payment).unwrap().len();
    let mut payment = story.payment.clone();
    for number in 0..1_010 {
        let listed = ListedOperation {
            operation_id: number.to_string(),
            ..listed()
        };
        let change = compared(Some(&payment), PlatformRecord::Listed(&listed));
        let Some(change) = change else {
            assert!(number >= 1_000, "{number}");
            continue;
        };
        assert_eq!(emitted(&change).len(), 1, "{number}");
        payment = change.payment;
    }
    assert_eq!(payment.sequence(), story.payment.sequence() + 1_000);
    let size = serde_json::to_vec(&payment).unwrap().len() - empty;
    assert!(size < 30_000, "{size} bytes");
}

/// One write takes 8 events.
#[test]
fn events_without_room_in_one_write_are_emitted_by_the_next_ones_in_their_order() {
    let mut story = Story::created();
    // Refunds are emitted after their sale.
    for number in 10..50 {
        let sum = json!({ "sum_initial": { "amount": 10, "currency": "EUR" } });
        story.deliver(&refund_operation(&number.to_string(), "success", sum));
    }
    assert_eq!(story.kinds(), ["payment.created"]);
    story.callback("sale_success");
    assert_eq!(story.events.len(), 1 + 8);
    // Discrepancies are found while events of refunds are still pending.
    for number in 0..4 {
        let listed = ListedOperation {
            operation_id: number.to_string(),
            ..listed()
        };
        story.fact(fact(PlatformRecord::Listed(&listed)), NOW);
    }
    assert_eq!(story.events.len(), 1 + 5 * 8);
    let pending = run(Some(&story.payment), Command::EmitPending, NOW).unwrap();
    let ids: Vec<Value> = emitted(&pending)
        .iter()
        .map(|discrepancy| discrepancy["platform"].clone())
        .collect();
    assert_eq!(ids, ["0", "1", "2", "3"]);
    story.take(Some(pending));
    let kinds = story.kinds();
    assert_eq!(kinds[1], "payment.succeeded");
    assert_eq!(kinds[2..42], ["refund.succeeded"; 40]);
    assert_eq!(kinds[42..], ["reconciliation.difference"; 4]);
    let more = run(Some(&story.payment), Command::EmitPending, NOW);
    assert_eq!(more, None, "all is emitted");
}
