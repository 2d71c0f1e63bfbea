//! Where the platform's books and ours differ.

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use ecommpay::report::Sum;
use payments::Timestamp;
use payments::decide::{Change, Fact, decide, tell};
use payments::model::{Books, Payment, Status};
use payments::view::PaymentView;
use serde_json::{Value, json};

use super::story::*;

/// The sale of the corpus.
const SALE: &str = "37493000003351";

/// The corpus' sale as the platform's books list it.
pub fn listed() -> ListedOperation {
    ListedOperation {
        project_id: Some(211),
        operation_id: SALE.into(),
        payment_id: PAYMENT.into(),
        kind: "sale".into(),
        status: "success".into(),
        sum_initial: Some(Sum {
            amount: 1000,
            currency: "EUR".into(),
        }),
    }
}

pub fn fact(books: Books<'_>) -> Fact<'_> {
    Fact::Difference {
        project_id: ProjectId::new(211).unwrap(),
        books,
    }
}

fn heard(payment: Option<&Payment>, books: Books<'_>) -> Option<Change> {
    let change = decide(payment, fact(books), NOW)?;
    change.events.iter().for_each(hold_against_schema);
    Some(change)
}

/// What a change tells of differences.
fn told(change: &Change) -> Vec<Value> {
    let bodies = change.events.iter().map(|event| &event.body);
    let events = bodies.map(|body| serde_json::from_str::<Value>(body).unwrap());
    let differences = events.filter(|event| event["type"] == "reconciliation.difference");
    differences
        .map(|event| event["data"]["difference"].clone())
        .collect()
}

#[test]
fn what_agrees_changes_nothing() {
    let mut paid = Story::begin();
    paid.hear("sale_success").hear("refund_success");
    let payment = Some(&paid.payment);
    assert_eq!(heard(payment, Books::List(&listed())), None);
    let processing = ListedOperation {
        status: "processing".into(),
        operation_id: "new".into(),
        ..listed()
    };
    assert_eq!(heard(payment, Books::List(&processing)), None, "no end");
    assert_eq!(heard(payment, Books::Lack("never heard of")), None);
    let without_sum = ListedOperation {
        sum_initial: None,
        ..listed()
    };
    assert_eq!(heard(payment, Books::List(&without_sum)), None);

    // Of what was declined the amount does not matter.
    let mut declined = Story::begin();
    declined.hear("sale_decline_customer");
    let id = declined.payment.operations.keys().next().unwrap();
    let listed = ListedOperation {
        operation_id: id.clone(),
        status: "decline".into(),
        sum_initial: None,
        ..listed()
    };
    assert_eq!(heard(Some(&declined.payment), Books::List(&listed)), None);
}

#[test]
fn each_kind_of_difference_is_told_and_asked_about() {
    let mut waiting = Story::begin();
    waiting.hear("redirect_get");
    let mut paid = Story::begin();
    paid.hear("sale_success");
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
    let expect = |about, here: Value, platform: Value| json!([{ "about": about, "here": here, "platform": platform }]);
    let cases = [
        (
            &paid,
            Books::List(&unknown),
            expect("missing_here", json!(null), json!("9".repeat(255))),
        ),
        (
            &paid,
            Books::Lack(SALE),
            expect("missing_there", json!(SALE), json!(null)),
        ),
        (
            &paid,
            Books::List(&of_sale("decline", 1000, "EUR")),
            expect("status", json!("success"), json!("decline")),
        ),
        (
            &paid,
            Books::List(&of_sale("success", 900, "EUR")),
            expect("amount", json!(1000), json!(900)),
        ),
        (
            &paid,
            Books::List(&of_sale("success", 1000, "USD")),
            expect("amount", json!("1000 EUR"), json!("1000 USD")),
        ),
    ];
    for (story, books, expected) in cases {
        let change = heard(Some(&story.payment), books).unwrap();
        assert_eq!(json!(told(&change)), expected);
        assert_eq!(ask_at(&change.payment), Some(NOW), "{expected}");
        assert_eq!(change.payment.operations, story.payment.operations);
        assert_eq!(change.payment.status(), story.payment.status());
        let event: Value = serde_json::from_str(&change.events[0].body).unwrap();
        assert_eq!(event["data"]["status"], json!(story.payment.status()));
        let state = json!(PaymentView::new(&change.payment));
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(event["data"][name], *value, "{name}");
        }
        let is_known = expected[0]["about"] != "missing_here";
        assert_eq!(event["data"]["operation"].is_object(), is_known);
    }
    // A sale that has ended here, and not there.
    for word in ["processing", "refunded", "never heard of"] {
        let open = of_sale(word, 1000, "EUR");
        let change = heard(Some(&paid.payment), Books::List(&open)).unwrap();
        let expected = expect("status", json!("success"), json!(word));
        assert_eq!(json!(told(&change)), expected);
    }
    let endless = of_sale(&"x".repeat(256), 1000, "EUR");
    let change = heard(Some(&paid.payment), Books::List(&endless)).unwrap();
    assert_eq!(told(&change)[0]["platform"], json!("x".repeat(255)));
    let wordless = of_sale("", 1000, "EUR");
    assert_eq!(heard(Some(&paid.payment), Books::List(&wordless)), None);

    // A sale that is still open here: its status differs, whatever its amount.
    let open = waiting.payment.operations.keys().next().unwrap().clone();
    let ended = ListedOperation {
        operation_id: open,
        ..listed()
    };
    let change = heard(Some(&waiting.payment), Books::List(&ended)).unwrap();
    let expected = json!("awaiting redirect result");
    assert_eq!(told(&change)[0]["here"], expected);
    let ended = ListedOperation {
        operation_id: ended.operation_id,
        ..of_sale("success", 900, "USD")
    };
    let change = heard(Some(&waiting.payment), Books::List(&ended)).unwrap();
    let told: Vec<Value> = told(&change);
    assert_eq!((told.len(), &told[0]["about"]), (1, &json!("status")));
}

#[test]
fn a_difference_is_told_once_and_healed_by_an_answer() {
    let mut story = Story::begin();
    let listed = listed();
    let first = heard(Some(&story.payment), Books::List(&listed)).unwrap();
    story.take(Some(first));
    assert_eq!(heard(Some(&story.payment), Books::List(&listed)), None);

    story.ask("sale_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(ask_at(&story.payment), None, "nothing is open any more");
    assert_eq!(heard(Some(&story.payment), Books::List(&listed)), None);
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "reconciliation.difference",
            "payment.succeeded"
        ]
    );
    // Another difference of the same operation is another one.
    let lacking = heard(Some(&story.payment), Books::Lack(SALE)).unwrap();
    assert_eq!(told(&lacking).len(), 1);
    story.take(Some(lacking));
    assert_eq!(heard(Some(&story.payment), Books::Lack(SALE)), None);
}

#[test]
fn a_status_that_differs_is_told_once_while_ours_moves_on() {
    let mut story = Story::begin();
    story.hear("redirect_get");
    let open = story.payment.operations.keys().next().unwrap().clone();
    let listed = ListedOperation {
        operation_id: open.clone(),
        ..listed()
    };
    let first = heard(Some(&story.payment), Books::List(&listed)).unwrap();
    assert_eq!(told(&first)[0]["here"], "awaiting redirect result");
    story.take(Some(first));

    let operation = story.payment.operations.get_mut(&open).unwrap();
    operation.platform_status = "processing".into();
    assert_eq!(heard(Some(&story.payment), Books::List(&listed)), None);
    // The platform's word is another one: so is the difference.
    let declined = ListedOperation {
        status: "decline".into(),
        ..listed
    };
    let change = heard(Some(&story.payment), Books::List(&declined)).unwrap();
    assert_eq!(told(&change)[0]["platform"], "decline");
}

#[test]
fn a_payment_that_nobody_knows_here_begins_with_its_difference() {
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
        let change = heard(None, Books::List(&listed)).unwrap();
        assert_eq!(change.payment.payment_id, id);
        assert_eq!(change.payment.status(), Status::Unmatched);
        assert_eq!(told(&change)[0]["about"], "missing_here");
        assert_eq!(ask_at(&change.payment), Some(NOW));
        assert_eq!(change.events.len(), 1);
        let again = heard(Some(&change.payment), Books::List(&listed));
        assert_eq!(again, None);
    }
    for id in ["", &"x".repeat(256)] {
        let listed = ListedOperation {
            payment_id: id.into(),
            ..listed()
        };
        assert_eq!(heard(None, Books::List(&listed)), None, "no id");
    }
    let processing = ListedOperation {
        status: "processing".into(),
        ..listed()
    };
    assert_eq!(heard(None, Books::List(&processing)), None);
    assert_eq!(heard(None, Books::Lack(SALE)), None);
}

#[test]
fn what_is_healed_meanwhile_is_no_difference_any_more() {
    let mut story = Story::begin();
    let seen = Payment::new_differences(Some(&story.payment), Books::List(&listed()));
    assert_eq!(seen.len(), 1);
    story.hear("sale_success");
    assert_eq!(heard(Some(&story.payment), Books::List(&listed())), None);
}

/// More differences than one write takes, and more than one payment keeps.
#[test]
fn many_differences_of_one_payment_are_told_in_their_order_up_to_a_limit() {
    let mut story = Story::begin();
    story.hear("sale_success");
    let mut payment = story.payment.clone();
    payment.untold_differences.clear();
    for number in 0..1_010 {
        let listed = ListedOperation {
            operation_id: number.to_string(),
            ..listed()
        };
        let Some(change) = heard(Some(&payment), Books::List(&listed)) else {
            assert!(number >= 1_000, "{number}");
            continue;
        };
        assert_eq!(told(&change).len(), 1, "{number}");
        payment = change.payment;
    }
    assert_eq!(payment.differences.len(), 1_000);
    let size = serde_json::to_vec(&payment).unwrap().len();
    assert!(size < 30_000, "{size} bytes");

    // What had no room in one write is told by the next ones.
    let mut left = story.payment.clone();
    for number in 0..20 {
        let listed = ListedOperation {
            operation_id: number.to_string(),
            ..listed()
        };
        let found = Payment::new_differences(Some(&left), Books::List(&listed));
        left.untold_differences.extend(found);
    }
    let mut told_of = Vec::new();
    while let Some(change) = tell(&left, Timestamp::now()) {
        assert!(change.events.len() <= 8);
        told_of.extend(told(&change));
        left = change.payment;
    }
    let ids: Vec<&Value> = told_of.iter().map(|one| &one["platform"]).collect();
    let expected: Vec<Value> = (0..20).map(|number| json!(number.to_string())).collect();
    assert_eq!(ids, expected.iter().collect::<Vec<_>>());
}
