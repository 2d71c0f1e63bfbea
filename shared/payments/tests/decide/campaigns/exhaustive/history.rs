//! Generates consistent histories of a payment at the platform, and the reports about each step.

use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::fixtures::*;

const ORDERED: u64 = 1000;
const REFUND: u64 = 250;
const MANUAL_CHANGE: u64 = 100;

/// The sums of the sale: `payment.sum` and `sum_initial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    of_payment: u64,
    initial: u64,
}

const AS_ORDERED: Sums = sums(ORDERED, ORDERED);

/// The ordered sums, a greater `payment.sum`, a lower `payment.sum`, a lower `sum_initial`, and two lower sums.
pub const SUMS: [Sums; 5] = [
    AS_ORDERED,
    sums(1234, ORDERED),
    sums(900, ORDERED),
    sums(ORDERED, 900),
    sums(900, 900),
];

const fn sums(of_payment: u64, initial: u64) -> Sums {
    Sums {
        of_payment,
        initial,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A sale without a confirmation.
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

pub const STEPS: [&[Step]; 13] = {
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

pub struct Delivery {
    pub name: String,
    pub report: Verified,
    pub is_answer: bool,
}

pub struct History {
    pub deliveries: Vec<Delivery>,
    /// The greatest amount that the platform had received at any time.
    pub most_paid: u64,
    /// Whether the sums of the sale differ from the order.
    pub differs: bool,
    /// A bit for each delivery, set if the delivery shows the money as credited.
    pub credited: u32,
}

struct Account {
    operations: Vec<Value>,
    status: &'static str,
    sum: u64,
    /// Whether a refund lowers `payment.sum`. The platform's documentation describes both behaviours.
    is_remainder: bool,
    is_credited: bool,
}

impl Account {
    fn operation(&mut self, id: u64, kind: &str, status: &str, sums: [u64; 2], date: &str) {
        self.operations.retain(|other| other["id"] != id);
        self.operations.push(json!({
            "id": id, "type": kind, "status": status, "date": date, "created_date": date,
            "request_id": format!("request-{id}"), "code": "0",
            "sum_initial": reports::euros(sums[0]), "sum_converted": reports::euros(sums[1]),
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
                self.operation(5, "manual change", "success", [MANUAL_CHANGE; 2], date);
                self.sum += MANUAL_CHANGE;
            }
        }
    }

    fn report(&self, date: &str, is_answer: bool) -> Verified {
        edited("sale_success", |body| {
            body["payment"]["status"] = self.status.into();
            body["payment"]["sum"]["amount"] = self.sum.into();
            body["payment"]["date"] = date.into();
            body.as_object_mut().unwrap().remove("operation");
            match is_answer {
                true => body["operations"] = self.operations.clone().into(),
                false => body["operation"] = self.operations.last().unwrap().clone(),
            }
        })
    }
}

impl History {
    pub fn new(steps: &[Step], sums: Sums, is_remainder: bool) -> Self {
        let mut account = Account {
            operations: Vec::new(),
            status: "",
            sum: 0,
            is_remainder,
            is_credited: false,
        };
        let mut history = Self {
            deliveries: Vec::new(),
            most_paid: 0,
            differs: sums != AS_ORDERED,
            credited: 0,
        };
        for (number, step) in steps.iter().enumerate() {
            let date = format!("2019-07-02T09:3{number}:00+0000");
            account.step(*step, sums, &date);
            let mut operations = account.operations.iter();
            let is_refunded = operations.any(|operation| operation["type"] == "refund");
            if account.is_credited {
                let refunded = if is_remainder && is_refunded {
                    REFUND
                } else {
                    0
                };
                history.most_paid = history.most_paid.max(account.sum + refunded);
            }
            for is_answer in [false, true] {
                // A callback about a refund or a manual change does not show that the sale was credited.
                let is_about_sale = is_answer || !matches!(step, Step::Refund | Step::ManualChange);
                if account.is_credited && is_about_sale {
                    history.credited |= 1 << history.deliveries.len();
                }
                let kind = if is_answer { "answer" } else { "callback" };
                history.deliveries.push(Delivery {
                    name: format!("{step:?} {kind}"),
                    report: account.report(&date, is_answer),
                    is_answer,
                });
            }
        }
        history
    }
}
