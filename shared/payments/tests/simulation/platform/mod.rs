//! The platform: its own records, and the messages that it makes of them.

pub mod account;
mod steps;

use std::collections::BTreeMap;
use std::sync::Mutex;

use ecommpay::ProjectKey;
use ecommpay::answer::{Answer, Refusal};
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use ecommpay::signature::canonical;
use payments::decide::{Fact, SignedReport};
use payments::ports::{Clock, Gate, NoAnswer};

pub use self::account::{Account, Operation, Story};
use crate::world::World;

/// What the platform sends, read once.
#[derive(Debug)]
pub struct Message {
    pub payment_id: String,
    pub report: Report,
    pub canonical: String,
    /// It could stand for another one with the same signature.
    pub is_hint: bool,
}

impl Message {
    fn new(payment_id: &str, body: &str) -> Self {
        let message = parse(body.as_bytes(), Limits::CALLBACK).unwrap();
        Self {
            payment_id: payment_id.into(),
            report: Report::read(&message),
            canonical: String::from_utf8(canonical(&message)).unwrap(),
            is_hint: false,
        }
    }

    pub fn fact(&self) -> Fact<'_> {
        match self.is_hint {
            true => Fact::Hint(&self.report),
            false => Fact::Callback(SignedReport {
                report: &self.report,
                canonical: &self.canonical,
            }),
        }
    }
}

#[derive(Default)]
struct Records {
    /// Whether the platform tells refunds apart by `merchant_refund_id`.
    ignores_refund_ids: bool,
    accounts: BTreeMap<String, Account>,
    messages: Vec<Message>,
    next: u64,
    /// Nothing happens in the Dashboard, and every payment is usual.
    is_plain: bool,
    /// Which payments were polled about, and when.
    polls: Vec<(String, i64)>,
}

impl Records {
    /// A new operation, in `processing`.
    fn operation(&mut self, kind: &'static str, amount: u64, request: &str) -> Operation {
        self.next += 1;
        Operation {
            id: 1_000 + self.next,
            kind,
            status: "processing",
            amount,
            moves: amount,
            merchant_refund_id: None,
            intent: None,
            request_id: format!("{request}-{}", self.next),
            date: self.date(),
            takes_back: None,
        }
    }

    /// Whole seconds: some things happen in the same one.
    fn date(&self) -> u64 {
        10 + self.next / 3
    }
}

pub struct Platform {
    world: World,
    records: Mutex<Records>,
}

impl Platform {
    pub fn new(world: World) -> Self {
        let records = Records {
            ignores_refund_ids: world.below(3) == 0,
            ..Records::default()
        };
        Self {
            world,
            records: Mutex::new(records),
        }
    }

    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.records.lock().unwrap().accounts.clone()
    }

    /// Which payments were polled about, and when.
    pub fn polls(&self) -> Vec<(String, i64)> {
        self.records.lock().unwrap().polls.clone()
    }

    /// From now on nothing happens in the Dashboard, every payment is usual and no refund is named: of
    /// that only callbacks report, and the platform's records.
    pub fn be_plain(&self) {
        let mut records = self.records.lock().unwrap();
        (records.is_plain, records.ignores_refund_ids) = (true, true);
    }

    /// The messages that were made since they were last taken.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.records.lock().unwrap().messages)
    }

    pub fn is_done(&self) -> bool {
        let records = self.records.lock().unwrap();
        !records.accounts.values().any(Account::is_open)
    }

    /// The answer to a status request: signed, unless it is "not found" without a payment object.
    fn status(&self, payment_id: &str) -> String {
        let records = self.records.lock().unwrap();
        let not_found = |code: &str| match self.world.below(3) {
            0 => format!(
                r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"error"}},"errors":[{{"code":"{code}","message":"no"}}]}}"#
            ),
            _ => format!(r#"{{"status":"error","code":"{code}","message":"no"}}"#),
        };
        let body = match records.accounts.get(payment_id) {
            Some(_) if self.world.fails(20) => not_found("3062"),
            Some(account) => {
                let operations: Vec<String> =
                    account.operations.iter().map(operation_json).collect();
                format!(
                    r#"{{"project_id":211,"payment":{},"operations":[{}]}}"#,
                    payment_json(payment_id, account),
                    operations.join(",")
                )
            }
            None => not_found("3061"),
        };
        let has_payment = body.contains(r#""payment""#);
        if !has_payment && self.world.below(2) == 0 {
            return body;
        }
        let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
        let signature = ProjectKey::new("key").unwrap().sign(&canonical(&message));
        let body = body.strip_suffix('}').unwrap();
        format!(r#"{body},"signature":"{}"}}"#, signature.to_base64())
    }

    fn take_sale(&self, payment_id: String, amount: u64) -> Answer {
        let mut records = self.records.lock().unwrap();
        if records.accounts.contains_key(&payment_id) {
            return refused("3041");
        }
        if self.world.fails(25) {
            return refused("2004");
        }
        let sale = records.operation("sale", amount, "sale");
        let request_id = sale.request_id.clone();
        let is_odd = self.world.fails(2) && !records.is_plain;
        let account = Account {
            story: if is_odd {
                self.any_story()
            } else {
                Story::Usual
            },
            amount,
            status: "processing",
            operations: vec![sale],
            was_credited: false,
        };
        records.accounts.insert(payment_id, account);
        Answer::Accepted {
            request_id: Some(request_id),
        }
    }

    fn any_story(&self) -> Story {
        match self.world.below(12) {
            0 => Story::OtherAmount {
                in_payment_sum: true,
                in_sum_initial: false,
            },
            1 => Story::OtherAmount {
                in_payment_sum: false,
                in_sum_initial: true,
            },
            2 => Story::OtherAmount {
                in_payment_sum: true,
                in_sum_initial: true,
            },
            3 | 4 => Story::Contradicted,
            5 => Story::Held,
            6 => Story::SecondCharge,
            7 => Story::UnknownOperation,
            number => Story::Confirmed {
                first_status: match number {
                    8 => "processing",
                    9 => "external processing",
                    _ => "awaiting confirmation",
                },
            },
        }
    }

    fn take_refund(&self, payment_id: &str, refund_id: String, amount: u64) -> Answer {
        let mut records = self.records.lock().unwrap();
        let records = &mut *records;
        let mut refund = records.operation("refund", amount, "refund");
        let Some(account) = records.accounts.get_mut(payment_id) else {
            return refused("3024");
        };
        let same = |one: &Operation| one.merchant_refund_id.as_ref() == Some(&refund_id);
        if !records.ignores_refund_ids && account.operations.iter().any(same) {
            return refused("3230");
        }
        if amount > account.left() {
            return refused("3283");
        }
        let request_id = refund.request_id.clone();
        refund.merchant_refund_id = (!records.ignores_refund_ids).then(|| refund_id.clone());
        refund.intent = Some(refund_id);
        account.operations.push(refund);
        Answer::Accepted {
            request_id: Some(request_id),
        }
    }

    /// The answer to what a refund asks for.
    fn take_clarification(&self, payment_id: &str) -> Answer {
        let mut records = self.records.lock().unwrap();
        let account = records.accounts.get_mut(payment_id);
        let mut operations = account
            .map(|one| one.operations.iter_mut())
            .into_iter()
            .flatten();
        match operations.find(|one| one.status == "awaiting clarification") {
            Some(operation) => {
                operation.status = "processing";
                Answer::Accepted { request_id: None }
            }
            None => refused("3060"),
        }
    }
}

fn callback(payment_id: &str, account: &Account, operation: &Operation, extra: &str) -> Message {
    let merchant_refund_id = operation.merchant_refund_id.as_ref();
    let merchant_refund_id = merchant_refund_id
        .map(|id| format!(r#","merchant_refund_id":"{id}""#))
        .unwrap_or_default();
    let payment = payment_json(payment_id, account);
    let payment = payment.trim_end_matches('}');
    let body = format!(
        r#"{{"project_id":211,"payment":{payment}}}{merchant_refund_id}}},"operation":{}{extra}}}"#,
        operation_json(operation)
    );
    Message::new(payment_id, &body)
}

fn payment_json(payment_id: &str, account: &Account) -> String {
    let newest = account.operations.iter().map(|one| one.date).max().unwrap();
    format!(
        r#"{{"id":"{payment_id}","status":"{}","date":"{newest:06}","sum":{{"amount":{},"currency":"EUR"}}}}"#,
        account.status,
        account.payment_sum()
    )
}

fn operation_json(one: &Operation) -> String {
    format!(
        r#"{{"id":{},"type":"{}","status":"{}","date":"{:06}","request_id":"{}","sum_initial":{{"amount":{},"currency":"EUR"}},"sum_converted":{{"amount":{},"currency":"EUR"}},"code":"0"}}"#,
        one.id, one.kind, one.status, one.date, one.request_id, one.amount, one.moves
    )
}

fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
        request_id: None,
    })
}

impl Gate for Platform {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        self.world.step().await;
        if self.world.fails(15) {
            return Answer::Unclear;
        }
        let answer = {
            let message = parse(&body, Limits::CALLBACK).unwrap();
            let text = |path: &[&str]| {
                message
                    .at(path)
                    .and_then(Value::as_text)
                    .unwrap()
                    .to_owned()
            };
            let payment_id = text(&["general", "payment_id"]).to_ascii_lowercase();
            let amount = || text(&["payment", "amount"]).parse().unwrap();
            match path.rsplit('/').next().unwrap() {
                "sale" => self.take_sale(payment_id, amount()),
                "refund" => {
                    let refund_id = text(&["payment", "merchant_refund_id"]);
                    self.take_refund(&payment_id, refund_id, amount())
                }
                _ => self.take_clarification(&payment_id),
            }
        };
        self.world.step().await;
        match self.world.fails(15) {
            true => Answer::Unclear,
            false => answer,
        }
    }

    async fn query(&self, _: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        self.world.step().await;
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let payment_id = message.at(&["general", "payment_id"]);
        let payment_id = payment_id.and_then(Value::as_text).unwrap();
        let payment_id = payment_id.to_ascii_lowercase();
        let now = self.world.now().unix_millis();
        let poll = (payment_id.clone(), now);
        self.records.lock().unwrap().polls.push(poll);
        if self.world.fails(10) {
            return Err(NoAnswer("no answer".into()));
        }
        let answer = self.status(&payment_id);
        self.world.step().await;
        Ok(answer.into_bytes())
    }
}
