//! The platform's Gate: it accepts sales, refunds and clarifications, and answers status requests.

use ecommpay::answer::Answer;
use ecommpay::json::{self, Limits};
use payments::ports::{Clock, Gate, NoAnswer};
use serde_json::json;

use super::{Account, Operation, Platform, Scenario, operation_json, payment_json};
use crate::builders::reports::sign;
use crate::builders::{SECRET, accepted, refused};

impl Platform {
    fn accept_sale(&self, payment_id: String, amount: u64) -> Answer {
        let mut records = self.records();
        if records.accounts.contains_key(&payment_id) {
            return refused("3041");
        }
        if self.faults.happens(25) {
            return refused("2004");
        }
        let sale = records.operation("sale", amount, "sale");
        let answer = accepted(&sale.request_id);
        let is_unusual = self.faults.happens(2) && !records.is_plain;
        let account = Account {
            scenario: match is_unusual {
                true => self.choose_scenario(),
                false => Scenario::Usual,
            },
            amount,
            status: "processing",
            operations: vec![sale],
            was_credited: false,
        };
        records.accounts.insert(payment_id, account);
        answer
    }

    fn choose_scenario(&self) -> Scenario {
        let other_amount = |in_payment_sum, in_sum_initial| Scenario::OtherAmount {
            in_payment_sum,
            in_sum_initial,
        };
        let confirmed = |first_status| Scenario::Confirmed { first_status };
        match self.clock.random(12) {
            0 => other_amount(true, false),
            1 => other_amount(false, true),
            2 => other_amount(true, true),
            3 | 4 => Scenario::Contradicted,
            5 => Scenario::Held,
            6 => Scenario::SecondCharge,
            7 => Scenario::UnknownOperation,
            8 => confirmed("processing"),
            9 => confirmed("external processing"),
            _ => confirmed("awaiting confirmation"),
        }
    }

    fn accept_refund(&self, payment_id: &str, refund_id: String, amount: u64) -> Answer {
        let mut records = self.records();
        let records = &mut *records;
        let mut refund = records.operation("refund", amount, "refund");
        let Some(account) = records.accounts.get_mut(payment_id) else {
            return refused("3024");
        };
        let is_same =
            |operation: &Operation| operation.merchant_refund_id.as_ref() == Some(&refund_id);
        if !records.ignores_refund_ids && account.operations.iter().any(is_same) {
            return refused("3230");
        }
        if amount > account.refundable() {
            return refused("3283");
        }
        let answer = accepted(&refund.request_id);
        refund.merchant_refund_id = (!records.ignores_refund_ids).then(|| refund_id.clone());
        refund.intent = Some(refund_id);
        account.operations.push(refund);
        answer
    }

    fn accept_clarification(&self, payment_id: &str) -> Answer {
        let mut records = self.records();
        let account = records.accounts.get_mut(payment_id);
        let mut operations = account
            .into_iter()
            .flat_map(|account| &mut account.operations);
        match operations.find(|operation| operation.status == "awaiting clarification") {
            Some(operation) => {
                operation.status = "processing";
                Answer::Accepted { request_id: None }
            }
            None => refused("3060"),
        }
    }

    /// Returns the answer to a status request. An answer with a payment object is signed. Any other answer is signed at
    /// random.
    fn status(&self, payment_id: &str) -> String {
        let records = self.records();
        let not_found = |code: &str| match self.clock.random(3) {
            0 => json!({
                "project_id": 211, "payment": { "id": payment_id, "status": "error" },
                "errors": [{ "code": code, "message": "no" }],
            }),
            _ => json!({ "status": "error", "code": code, "message": "no" }),
        };
        let body = match records.accounts.get(payment_id) {
            Some(_) if self.faults.happens(20) => not_found("3062"),
            Some(account) => {
                let operations = account.operations.iter().map(operation_json);
                json!({
                    "project_id": 211, "payment": payment_json(payment_id, account),
                    "operations": Vec::from_iter(operations),
                })
            }
            None => not_found("3061"),
        };
        let is_unsigned = body["payment"].is_null() && self.clock.random(2) == 0;
        match is_unsigned {
            true => body.to_string(),
            false => sign(&body, SECRET),
        }
    }
}

fn text(body: &[u8], path: [&str; 2]) -> String {
    let message = json::parse(body, Limits::CALLBACK).unwrap();
    let text = message.at(&path).and_then(json::Value::as_text);
    text.unwrap().to_owned()
}

fn payment_id(body: &[u8]) -> String {
    text(body, ["general", "payment_id"]).to_ascii_lowercase()
}

impl Gate for Platform {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        self.clock.step().await;
        if self.faults.happens(15) {
            return Answer::Unclear;
        }
        let payment_id = payment_id(&body);
        let amount = || text(&body, ["payment", "amount"]).parse().unwrap();
        let answer = match path.rsplit('/').next().unwrap() {
            "sale" => self.accept_sale(payment_id, amount()),
            "refund" => {
                let refund_id = text(&body, ["payment", "merchant_refund_id"]);
                self.accept_refund(&payment_id, refund_id, amount())
            }
            _ => self.accept_clarification(&payment_id),
        };
        self.clock.step().await;
        match self.faults.happens(15) {
            true => Answer::Unclear,
            false => answer,
        }
    }

    async fn query(&self, _: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        self.clock.step().await;
        let payment_id = payment_id(&body);
        let poll = (payment_id.clone(), self.clock.now().unix_millis());
        self.records().polls.push(poll);
        if self.faults.happens(10) {
            return Err(NoAnswer::Failed("no answer".into()));
        }
        let answer = self.status(&payment_id);
        self.clock.step().await;
        Ok(answer.into_bytes())
    }
}
