//! The state machine, step by step.
#![allow(clippy::unwrap_used, clippy::panic)]

mod confirmation;
mod links;
mod money;
mod refunds;
mod sales;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    CURRENCY, Change, Choice, Records, RefundOrder, Requirement, SaleOrder, SalePlan, Stamp,
};
use crate::platform::faults::Faults;
use crate::platform::messages::codes::Code;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn plan() -> SalePlan {
    SalePlan {
        redirect: true,
        error: false,
        requirement: Faults::default().sale_requirement(),
    }
}

fn pay(amount: u64) -> Choice {
    Choice::Pay(Faults::default().charge(amount))
}

fn stamp(operation_id: u64) -> Stamp {
    Stamp {
        operation_id,
        request_id: format!("request-{operation_id}"),
        now: NOW,
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn order(payment_id: &str, amount: u64) -> SaleOrder {
    SaleOrder {
        payment_id: payment_id.into(),
        amount,
        customer: object(json!({"last_name": "Peeters"})),
        ..SaleOrder::default()
    }
}

fn sold(amount: u64) -> Records {
    let mut records = Records::default();
    let order = order("p-1", amount);
    records.sale(order, "token".into(), stamp(1)).unwrap();
    records
}

/// A payment that waits at the bank.
fn at_bank(amount: u64) -> Records {
    let mut records = sold(amount);
    records.proceed("p-1", &plan(), NOW).unwrap();
    records
}

fn paid(amount: u64) -> Records {
    let mut records = at_bank(amount);
    records.choose("token", pay(amount), NOW).unwrap();
    records
}

/// A payment of 1000 that was paid with these switches.
fn paid_with(faults: Value) -> Records {
    let faults: Faults = serde_json::from_value(faults).unwrap();
    let mut records = at_bank(1000);
    let choice = Choice::Pay(faults.charge(1000));
    records.choose("token", choice, NOW).unwrap();
    records
}

fn refund(
    records: &mut Records,
    operation_id: u64,
    amount: u64,
    refund_id: Option<&str>,
) -> Result<(), Code> {
    let order = RefundOrder {
        payment_id: "P-1".into(),
        sum: Some((amount, CURRENCY.into())),
        merchant_refund_id: refund_id.map(str::to_owned),
    };
    records.refund(order, stamp(operation_id))
}

/// Settles a refund that needs no data.
fn settle(records: &mut Records, refund: u64) -> Result<Change, Code> {
    records.settle_refund("p-1", refund, &Requirement::default(), NOW)
}

fn status(records: &Records) -> &'static str {
    records.payment("p-1").unwrap().status().as_str()
}

fn sum(records: &Records) -> u64 {
    records.payment("p-1").unwrap().sum().amount
}

fn remaining(records: &Records) -> u64 {
    let payment = records.payment("p-1").unwrap();
    let operations = payment.operations.iter();
    let effects: i64 = operations.map(|one| payment.effect(one)).sum();
    let remaining = payment.remaining();
    assert_eq!(effects.max(0), i64::try_from(remaining).unwrap());
    remaining
}
