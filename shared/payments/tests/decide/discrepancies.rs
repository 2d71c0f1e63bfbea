//! Tests discrepancies: differences between the platform records (Data API) and our records.

use ecommpay::data_api::ListedOperation;
use ecommpay::report::Sum;
use payments::decide::{Change, Command, Fact, decide};
use payments::events::view::PaymentView;
use payments::model::{OperationType, Payment, PlatformRecord, Status};
use serde_json::{Value, json};

use crate::fixtures::*;

/// The operation id of the sale in the corpus.
const SALE: &str = "37493000003351";

/// Returns the sale of the corpus, as the platform records list it.
pub fn listed() -> ListedOperation {
    ListedOperation {
        project_id: Some(211),
        operation_id: SALE.into(),
        payment_id: PAYMENT.into(),
        kind: OperationType::Sale,
        status: "success".into(),
        sum_initial: sum(1000, "EUR"),
    }
}

fn sum(amount: u64, currency: &str) -> Option<Sum> {
    let currency = currency.into();
    Some(Sum { amount, currency })
}

fn listed_as(operation_id: &str, status: &str) -> ListedOperation {
    ListedOperation {
        operation_id: operation_id.into(),
        status: status.into(),
        ..listed()
    }
}

pub fn compared(payment: Option<&Payment>, record: PlatformRecord<'_>) -> Option<Change> {
    let project_id = project();
    let change = decide(payment, Fact::PlatformRecord { project_id, record }, NOW)?;
    change.events.iter().for_each(check_event);
    Some(change)
}

/// Compares a payment with a listed operation. Returns the emitted discrepancies.
fn compare_listed(payment: &Payment, listed: &ListedOperation) -> Vec<Value> {
    let change = compared(Some(payment), PlatformRecord::Listed(listed));
    change.as_ref().map(emitted).unwrap_or_default()
}

fn emitted(change: &Change) -> Vec<Value> {
    let events = change.events.iter();
    let events = events.filter(|event| event.kind.as_str() == "reconciliation.difference");
    let differences = events.map(|event| data(event)["difference"].take());
    differences.collect()
}

impl TestPayment {
    fn compare(&mut self, record: PlatformRecord<'_>) -> &mut Self {
        self.apply(compared(Some(self), record))
    }

    fn first_operation(&self) -> String {
        self.operations().next().unwrap().0.to_owned()
    }
}

#[test]
fn records_without_a_difference_change_nothing() {
    let paid = TestPayment::with_callbacks(&["sale_success", "refund_success"]);
    let without_sum = ListedOperation {
        sum_initial: None,
        ..listed()
    };
    for listed in [listed(), listed_as("new", "processing"), without_sum] {
        let record = PlatformRecord::Listed(&listed);
        assert_eq!(compared(Some(&paid), record), None, "{listed:?}");
    }
    let missing = PlatformRecord::Missing("unknown");
    assert_eq!(compared(Some(&paid), missing), None);

    // The amount of a declined operation does not matter.
    let declined = TestPayment::with_callbacks(&["sale_decline_customer"]);
    let listed = ListedOperation {
        sum_initial: None,
        ..listed_as(&declined.first_operation(), "decline")
    };
    let record = PlatformRecord::Listed(&listed);
    assert_eq!(compared(Some(&declined), record), None);
}

fn difference(kind: &str, local: Value, platform: Value) -> Value {
    json!({ "kind": kind, "local": local, "platform": platform })
}

#[test]
fn each_kind_of_discrepancy_causes_an_event_and_a_poll_and_changes_nothing_else() {
    let paid = TestPayment::paid();
    let unknown = listed_as(&"9".repeat(255), "success");
    let declined = listed_as(SALE, "decline");
    let with_sum = |amount, currency| ListedOperation {
        sum_initial: sum(amount, currency),
        ..listed()
    };
    let (less, dollars) = (with_sum(900, "EUR"), with_sum(1000, "USD"));
    for (record, expected) in [
        (
            PlatformRecord::Listed(&unknown),
            difference("missing_locally", json!(null), json!("9".repeat(255))),
        ),
        (
            PlatformRecord::Missing(SALE),
            difference("missing_at_platform", json!(SALE), json!(null)),
        ),
        (
            PlatformRecord::Listed(&declined),
            difference("status", json!("success"), json!("decline")),
        ),
        (
            PlatformRecord::Listed(&less),
            difference("amount", json!(1000), json!(900)),
        ),
        (
            PlatformRecord::Listed(&dollars),
            difference("amount", json!("1000 EUR"), json!("1000 USD")),
        ),
    ] {
        let change = compared(Some(&paid), record).unwrap();
        assert_eq!(emitted(&change), std::slice::from_ref(&expected));
        assert_eq!(poll_at(&change.payment), Some(NOW), "{expected}");
        assert_eq!(change.payment.reported(), paid.reported());
        assert_eq!(change.payment.status(), paid.status());
        let event = data(&change.events[0]);
        let state = json!(PaymentView::new(&change.payment, NOW));
        for (name, value) in state.as_object().unwrap() {
            assert_eq!(event[name], *value, "{name}");
        }
        let is_known = expected["kind"] != "missing_locally";
        assert_eq!(event["operation"].is_object(), is_known);
    }
}

#[test]
fn a_final_sale_that_the_platform_lists_with_another_status_is_a_discrepancy() {
    let paid = TestPayment::paid();
    for status in ["processing", "refunded", "undocumented"] {
        let differences = compare_listed(&paid, &listed_as(SALE, status));
        let expected = difference("status", json!("success"), json!(status));
        assert_eq!(differences, [expected]);
    }
    let long = compare_listed(&paid, &listed_as(SALE, &"x".repeat(256)));
    assert_eq!(long[0]["platform"], json!("x".repeat(255)));
    assert!(compare_listed(&paid, &listed_as(SALE, "")).is_empty());
}

#[test]
fn an_open_sale_that_the_platform_lists_as_final_causes_only_a_status_discrepancy() {
    let payment = TestPayment::with_callbacks(&["redirect_get"]);
    let id = payment.first_operation();
    let other_sum = ListedOperation {
        sum_initial: sum(900, "USD"),
        ..listed_as(&id, "success")
    };
    for listed in [listed_as(&id, "success"), other_sum] {
        let differences = compare_listed(&payment, &listed);
        let local = json!("awaiting redirect result");
        let expected = difference("status", local, json!("success"));
        assert_eq!(differences, [expected]);
    }
}

#[test]
fn two_statuses_with_the_same_outcome_are_not_a_discrepancy() {
    for status in DECLINED {
        let declined = edited("sale_decline_customer", |body| {
            body["operation"]["status"] = status.into();
        });
        let mut payment = TestPayment::created();
        payment.deliver(&declined);
        for listed_status in [status, "decline"] {
            let differences = compare_listed(&payment, &listed_as(SALE, listed_status));
            assert!(differences.is_empty(), "{status} {listed_status}");
        }
    }
    let open = TestPayment::with_callbacks(&["external_processing"]);
    let listed = listed_as(&open.first_operation(), "external error");
    assert_eq!(compare_listed(&open, &listed)[0]["kind"], "status");
}

#[test]
fn a_discrepancy_is_emitted_once_and_an_answer_settles_it() {
    let mut payment = TestPayment::created();
    let (listed, missing) = (listed(), PlatformRecord::Missing(SALE));
    let record = PlatformRecord::Listed(&listed);
    payment.compare(record);
    assert_eq!(compared(Some(&payment), record), None);

    payment.poll("sale_success");
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(poll_at(&payment), None);
    assert_eq!(compared(Some(&payment), record), None);
    let kinds = ["reconciliation.difference", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    // Another discrepancy of the same operation is also emitted.
    payment.compare(missing);
    assert_eq!(payment.kinds()[3..], ["reconciliation.difference"]);
    assert_eq!(compared(Some(&payment), missing), None);
}

#[test]
fn a_status_discrepancy_is_emitted_once_for_each_status_at_the_platform() {
    let mut payment = TestPayment::with_callbacks(&["redirect_get"]);
    let listed = listed_as(&payment.first_operation(), "success");
    let record = PlatformRecord::Listed(&listed);
    payment.compare(record);
    let local = payment.last_data()["difference"]["local"].take();
    assert_eq!(local, "awaiting redirect result");

    let later = edited("processing", |body| {
        body["operation"]["date"] = json!("2019-07-02T10:00:00+0000");
    });
    payment.deliver(&later);
    let operation = payment.operation(&listed.operation_id).unwrap();
    assert_eq!(operation.platform_status(), "processing");
    assert_eq!(compared(Some(&payment), record), None);
    let declined = listed_as(&listed.operation_id, "decline");
    let differences = compare_listed(&payment, &declined);
    assert_eq!(differences[0]["platform"], "decline");
}

#[test]
fn a_payment_that_only_the_platform_records_have_is_unmatched_and_polled() {
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
        // A payment with `;` in its id cannot be polled.
        let poll = (!id.contains(';')).then_some(NOW);
        assert_eq!(poll_at(&change.payment), poll);
        assert_eq!(change.events.len(), 1);
        assert_eq!(compared(Some(&change.payment), record), None);
    }
}

#[test]
fn a_record_without_a_valid_id_or_a_final_status_creates_no_payment() {
    let with_id = |id: &str| ListedOperation {
        payment_id: id.into(),
        ..listed()
    };
    let open = listed_as(SALE, "processing");
    for listed in [with_id(""), with_id(&"x".repeat(256)), open] {
        let record = PlatformRecord::Listed(&listed);
        assert_eq!(compared(None, record), None, "{listed:?}");
    }
    assert_eq!(compared(None, PlatformRecord::Missing(SALE)), None);
}

#[test]
fn a_discrepancy_that_a_report_resolved_before_the_commit_is_not_emitted() {
    let mut payment = TestPayment::created();
    let listed = listed();
    let record = PlatformRecord::Listed(&listed);
    let found = Payment::new_discrepancies(Some(&payment), record);
    assert_eq!(found.len(), 1);
    payment.callback("sale_success");
    assert_eq!(compared(Some(&payment), record), None);
}

#[test]
fn at_most_a_thousand_discrepancies_of_one_payment_are_emitted() {
    let mut payment = TestPayment::paid();
    let size = |payment: &TestPayment| json!(**payment).to_string().len();
    let (sequence, before) = (payment.sequence(), size(&payment));
    for number in 0..1_010 {
        let listed = listed_as(&number.to_string(), "success");
        payment.compare(PlatformRecord::Listed(&listed));
        let emitted = (number + 1).min(1_000);
        assert_eq!(payment.sequence(), sequence + emitted, "{number}");
    }
    let added = size(&payment) - before;
    assert!(added < 30_000, "{added} bytes");
}

/// One write has at most 8 events.
#[test]
fn events_that_exceed_one_write_are_emitted_by_the_next_writes_in_order() {
    let mut payment = TestPayment::created();
    // Events about refunds wait until the sale counts.
    for number in 10..50 {
        let sum = json!({ "sum_initial": reports::euros(10) });
        payment.deliver(&refund_operation(&number.to_string(), "success", sum));
    }
    assert_eq!(payment.kinds(), ["payment.created"]);
    payment.callback("sale_success");
    assert_eq!(payment.events.len(), 1 + 8);
    // The discrepancies are found while events about refunds are pending.
    for number in 0..4 {
        let listed = listed_as(&number.to_string(), "success");
        payment.compare(PlatformRecord::Listed(&listed));
    }
    assert_eq!(payment.events.len(), 1 + 5 * 8);
    payment.execute(Command::EmitPending, NOW);
    let kinds = payment.kinds();
    assert_eq!(kinds[1], "payment.succeeded");
    assert_eq!(kinds[2..42], ["refund.succeeded"; 40]);
    assert_eq!(kinds[42..], ["reconciliation.difference"; 4]);
    let discrepancies = payment.events[42..].iter();
    let ids = discrepancies.map(|event| data(event)["difference"]["platform"].take());
    assert_eq!(Vec::from_iter(ids), ["0", "1", "2", "3"]);
    let pending = change_of(Some(&payment), Command::EmitPending, NOW);
    assert_eq!(pending, None);
}
