//! Tests that the largest possible payment fits into one item of the table. Each event of this payment must fit into an
//! item and into a message.

use payments::decide::{Command, Fact, decide, execute};
use payments::model::Payment;
use serde_json::{Value, json};

use super::many_operations::{
    MAX_BYTES, MAX_EVENT_BYTES, created, date, refund, sale, size, stored,
};
use crate::builders::reports::{TestReport, callback, operation, status_answer};
use crate::builders::*;
use crate::fixtures::*;

/// Returns a text that is longer than every limit in bytes.
fn long() -> String {
    "\u{1f600}".repeat(60)
}

#[test]
fn the_largest_payment_fits_into_an_item_and_its_events_into_a_message() {
    let mut payment = created(100_000_000);
    let mut event = 0;
    let mut commit = |payment: &mut Payment, change: Option<payments::decide::Change>| {
        if let Some(change) = change {
            let lengths = change.events.iter().map(|event| event.body.len());
            event = lengths.chain([event]).max().unwrap();
            *payment = change.payment;
        }
    };
    let body = callback(PAYMENT, "success", 100_000_000, sale(100_000_000));
    let change = decide(Some(&payment), TestReport::read(&body).callback(), NOW);
    commit(&mut payment, change);
    // This service requests refunds. Most of them succeed.
    for number in 0..500 {
        let refund_id = format!("{number:0>64}");
        let order = payments::model::RefundOrder {
            description: text(&"d".repeat(if number < 499 { 255 } else { 20 })),
            content: "c".repeat(32),
            ..refund_order(&refund_id, Some(10_000))
        };
        let request_id = format!("{number:0>100}");
        let command = Command::Refund(&order);
        // The number of open refunds is limited, so a further refund can be refused.
        if let Ok(change) = execute(Some(&payment), command, NOW) {
            commit(&mut payment, change);
        }
        let answer = accepted(&request_id);
        let refund_id = id(&refund_id);
        let fact = Fact::RefundAnswer {
            refund_id: &refund_id,
            answer: &answer,
        };
        let change = decide(Some(&payment), fact, NOW);
        commit(&mut payment, change);
        if number < 440 {
            let mut body = refund(10_000 + number, "success", 10_000);
            body["request_id"] = json!(request_id);
            let mut body = callback(PAYMENT, "partially refunded", 1, body);
            body["payment"]["merchant_refund_id"] = json!(refund_id.as_str());
            let change = decide(Some(&payment), TestReport::read(&body).callback(), NOW);
            commit(&mut payment, change);
        }
    }
    println!("with our refunds: {} bytes", size(&payment));
    // Callbacks decline the open refunds, so new refunds can be requested. Then Gate refuses new refunds with a long
    // code.
    let long_code = refused(&"9".repeat(60_000));
    for number in 440..540 {
        let mut body = refund(10_000 + number, "decline", 10_000);
        body["request_id"] = json!(format!("{number:0>100}"));
        let mut body = callback(PAYMENT, "partially refunded", 1, body);
        body["payment"]["merchant_refund_id"] = json!(format!("{number:0>64}"));
        let change = decide(Some(&payment), TestReport::read(&body).callback(), NOW);
        commit(&mut payment, change);
    }
    for number in 600..1_000 {
        let refund_id = format!("{number:0>64}");
        let order = payments::model::RefundOrder {
            content: "c".repeat(32),
            ..refund_order(&refund_id, Some(10_000))
        };
        if let Ok(change) = execute(Some(&payment), Command::Refund(&order), NOW) {
            commit(&mut payment, change);
        }
        let fact = Fact::RefundAnswer {
            refund_id: &id(&refund_id),
            answer: &long_code,
        };
        let change = decide(Some(&payment), fact, NOW);
        commit(&mut payment, change);
    }
    println!(
        "{} refunds: {} bytes",
        payment.refunds().len(),
        size(&payment)
    );
    // Callbacks report external refunds, which cause events. External refunds have the greatest ids. Therefore their
    // operations are removed if other operations need room.
    for number in 0..520 {
        let mut body = refund(number, "success", 1_000_000_000_000);
        body["id"] = json!(format!("99{number:014}"));
        let body = callback(PAYMENT, "partially refunded", 1, body);
        let change = decide(Some(&payment), TestReport::read(&body).callback(), NOW);
        commit(&mut payment, change);
    }
    println!("with external refunds: {} bytes", size(&payment));
    // Two signed answers contradict each other about each operation that they list. Each listed operation except the
    // sale has a code and a request id that exceed the maximum length.
    let words = |body: &mut Value| {
        for field in ["code", "request_id"] {
            body[field] = json!(long());
        }
    };
    let mut listed = vec![sale(100_000_000)];
    for number in 0..2_100 {
        let mut body = refund(number, "success", 1_000_000_000_000);
        words(&mut body);
        body["sum_converted"] = json!({ "amount": 1, "currency": "USD" });
        if number % 3 == 0 {
            body["type"] = json!("refund reverse");
        }
        listed.push(body);
    }
    for kind in [
        "manual change",
        "sale",
        "undocumented",
        "payment confirmation",
    ] {
        for number in 0..60 {
            let mut body = operation(&format!("{kind}{number}"), kind, "success", number);
            body["date"] = json!(date(number as usize));
            words(&mut body);
            listed.push(body);
        }
    }
    let answers = [status_answer(PAYMENT, "success", 7, &listed), {
        for body in &mut listed {
            body["status"] = json!("decline");
            body["sum_initial"]["amount"] = json!(2_000_000_000_000_u64);
        }
        status_answer(PAYMENT, "success", 8, &listed)
    }];
    for answer in &answers {
        let change = decide(Some(&payment), TestReport::read(answer).answer_to(9), NOW);
        commit(&mut payment, change);
        println!("with an answer: {} bytes", size(&payment));
    }
    // A callback has a long redirect URL. Then the platform records list operations that the payment does not have. The
    // payment stores fewer discrepancies than there are such operations.
    let mut waiting = operation("zzz", "sale", "awaiting redirect result", 1);
    waiting["date"] = json!(date(80_000));
    let mut body = callback(PAYMENT, "processing", 1, waiting);
    body["redirect_data"] = json!({
        "method": "POST", "url": format!("https://bank.example/{}", "u".repeat(30_000)), "body": {},
    });
    let change = decide(Some(&payment), TestReport::read(&body).callback(), NOW);
    commit(&mut payment, change);
    for number in 0..1_100 {
        let listed = ecommpay::data_api::ListedOperation {
            operation_id: format!("missing-{number}"),
            ..crate::discrepancies::listed()
        };
        let record = payments::model::PlatformRecord::Listed(&listed);
        let fact = Fact::PlatformRecord {
            project_id: project(),
            record,
        };
        let change = decide(Some(&payment), fact, NOW);
        commit(&mut payment, change);
    }
    let bytes = size(&payment);
    println!("the largest payment has {bytes} bytes, its largest event {event} bytes");
    assert!(bytes < MAX_BYTES, "{bytes}");
    assert!(event < MAX_EVENT_BYTES, "{event}");
    assert!(payment.operations().len() <= 2_000);
    let document = serde_json::to_value(&payment).unwrap();
    assert_eq!(document["former_refunds"].as_object().unwrap().len(), 500);
    stored(&payment);
}
