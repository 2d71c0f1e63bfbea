//! The platform: its own books, and the messages that it makes of them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ecommpay::ProjectKey;
use ecommpay::answer::{Answer, Refusal};
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use ecommpay::signature::canonical;
use payments::decide::{Fact, News};
use payments::ports::{Clock, Gate, Unanswered};

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
            false => Fact::Callback(self.news()),
        }
    }

    pub fn news(&self) -> News<'_> {
        News {
            report: &self.report,
            canonical: &self.canonical,
        }
    }
}

/// One operation in the platform's books.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: u64,
    pub kind: &'static str,
    pub status: &'static str,
    pub amount: u64,
    pub merchant_refund_id: Option<String>,
    /// What the merchant meant by it, whatever the platform makes of that.
    pub intent: Option<String>,
    request_id: String,
    date: u64,
}

/// What is odd about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    None,
    /// Another amount than ordered was paid.
    OtherAmount,
    /// Of each sale that ended a callback says the contrary, too; status answers are right.
    Contradicted,
    /// Nobody ordered it here.
    MadeElsewhere,
}

/// One payment in the platform's books.
#[derive(Debug, Clone)]
pub struct Account {
    pub oddity: Oddity,
    pub amount: u64,
    pub status: &'static str,
    pub operations: Vec<Operation>,
}

impl Account {
    pub fn paid(&self) -> u64 {
        self.sum("sale", "success")
    }

    pub fn refunded(&self) -> u64 {
        self.sum("refund", "success")
    }

    fn sum(&self, kind: &str, status: &str) -> u64 {
        let counts = |one: &&Operation| one.kind == kind && one.status == status;
        self.operations
            .iter()
            .filter(counts)
            .map(|one| one.amount)
            .sum()
    }

    fn left(&self) -> u64 {
        self.paid() - self.refunded() - self.sum("refund", "processing")
    }
}

#[derive(Default)]
struct Books {
    /// Whether the platform tells refunds apart by `merchant_refund_id`.
    ignores_refund_ids: bool,
    accounts: BTreeMap<String, Account>,
    messages: Vec<Message>,
    next: u64,
    /// Nobody gives money back in the Dashboard, and nothing is odd.
    is_plain: bool,
    /// Which payments were asked about, and when.
    questions: Vec<(String, i64)>,
}

pub struct Platform {
    world: World,
    books: Mutex<Books>,
}

impl Platform {
    pub fn new(world: World) -> Self {
        let books = Books {
            ignores_refund_ids: world.below(3) == 0,
            ..Books::default()
        };
        Self {
            world,
            books: Mutex::new(books),
        }
    }

    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.books.lock().unwrap().accounts.clone()
    }

    /// Which payments were asked about, and when.
    pub fn questions(&self) -> Vec<(String, i64)> {
        self.books.lock().unwrap().questions.clone()
    }

    /// From now on nobody gives money back in the Dashboard, nothing is odd and no refund is named:
    /// of that only callbacks tell, and the comparison of the books.
    pub fn be_plain(&self) {
        let mut books = self.books.lock().unwrap();
        (books.is_plain, books.ignores_refund_ids) = (true, true);
    }

    /// The messages that were made since they were last taken.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.books.lock().unwrap().messages)
    }

    /// The signed answer to a status request.
    fn status(&self, payment_id: &str) -> String {
        let books = self.books.lock().unwrap();
        let body = match books.accounts.get(payment_id) {
            Some(account) => {
                let operations: Vec<String> =
                    account.operations.iter().map(operation_json).collect();
                format!(
                    r#"{{"project_id":211,"payment":{},"operations":[{}]}}"#,
                    payment_json(payment_id, account),
                    operations.join(",")
                )
            }
            None => format!(
                r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"error"}},"errors":[{{"code":"3061","message":"no"}}]}}"#
            ),
        };
        let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
        let signature = ProjectKey::new("key").unwrap().sign(&canonical(&message));
        let body = body.strip_suffix('}').unwrap();
        format!(r#"{body},"signature":"{}"}}"#, signature.to_base64())
    }

    /// Something happens to one of the payments, and the platform tells of it.
    pub fn act(&self, finish: bool) {
        let choose = |end: u64| self.world.below(end);
        let mut books = self.books.lock().unwrap();
        let books = &mut *books;
        if books.accounts.is_empty() {
            return;
        }
        let index = usize::try_from(choose(books.accounts.len() as u64)).unwrap();
        let (payment_id, account) = books.accounts.iter_mut().nth(index).unwrap();
        books.next += 1;
        let (next, date) = (books.next, 10 + books.next / 3);
        let open = account
            .operations
            .iter()
            .position(|one| !matches!(one.status, "success" | "decline"));
        let is_first = account.operations.len() == 1 && account.status == "processing";
        if is_first && !finish && open.is_some() && self.world.fails(25) {
            // The request fails after all; its id may be used again.
            let sale = &account.operations[0];
            let body = format!(
                r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"error"}},"errors":[{{"code":"2004","message":"no"}}],
                    "operation":{{"type":"sale","status":"error","request_id":"{}"}}}}"#,
                sale.request_id
            );
            books.messages.push(Message::new(payment_id, &body));
            let payment_id = payment_id.clone();
            books.accounts.remove(&payment_id);
            return;
        }
        let mut extra = String::new();
        let told = match open {
            Some(at) if account.operations[at].kind == "sale" => {
                let sale = &mut account.operations[at];
                sale.date = date;
                let step = if finish { 6 + choose(2) } else { choose(9) };
                (account.status, sale.status) = match step {
                    0 | 1 => ("processing", "processing"),
                    2..=4 => {
                        extra = format!(
                            r#","redirect_data":{{"method":"GET","url":"https://bank.example/{next}","body":[]}}"#
                        );
                        ("awaiting redirect result", "awaiting redirect result")
                    }
                    5 => ("awaiting customer", "decline"),
                    6 | 8 => ("success", "success"),
                    _ => ("decline", "decline"),
                };
                if account.oddity == Oddity::OtherAmount && sale.status == "success" {
                    (sale.amount, account.amount) = (900, 900);
                }
                at
            }
            Some(at) => {
                account.operations[at].date = date;
                let done = choose(3) > 0;
                account.operations[at].status = if done { "success" } else { "decline" };
                account.status = status_after_refunds(account);
                at
            }
            None if account.status == "awaiting customer" => {
                // The shopper tries again, or has given up.
                account.operations.push(Operation {
                    id: 1_000 + next,
                    kind: "sale",
                    status: "processing",
                    amount: account.amount,
                    merchant_refund_id: None,
                    intent: None,
                    request_id: format!("again-{next}"),
                    date,
                });
                account.status = "processing";
                account.operations.len() - 1
            }
            None if account.left() > 0 && !finish && !books.is_plain => {
                // Somebody gives money back in the platform's own Dashboard.
                let amount = 1 + choose(account.left());
                account.operations.push(Operation {
                    id: 1_000 + next,
                    kind: "refund",
                    status: "processing",
                    amount,
                    merchant_refund_id: None,
                    intent: None,
                    request_id: format!("dashboard-{next}"),
                    date,
                });
                account.operations.len() - 1
            }
            None => return,
        };
        let told = account.operations[told].clone();
        let mut messages = vec![callback(payment_id, account, &told, &extra)];
        let is_contradicted = account.oddity == Oddity::Contradicted && told.kind == "sale";
        let contrary = match told.status {
            "success" => Some("decline"),
            "decline" => Some("success"),
            _ => None,
        };
        if let Some(status) = contrary.filter(|_| is_contradicted) {
            let mut wrong = account.clone();
            wrong.status = status;
            let sale = Operation {
                status,
                ..told.clone()
            };
            messages.push(callback(payment_id, &wrong, &sale, ""));
        }
        if told.merchant_refund_id.is_none() && self.world.fails(10) {
            for message in &mut messages {
                message.is_hint = true;
            }
        }
        books.messages.extend(messages);
    }

    /// A shopper pays by a link that the merchant made in the platform's Dashboard.
    pub fn pay_elsewhere(&self, number: u64) {
        let mut books = self.books.lock().unwrap();
        books.next += 1;
        let sale = Operation {
            id: 1_000 + books.next,
            kind: "sale",
            status: "processing",
            amount: 1_000,
            merchant_refund_id: None,
            intent: None,
            request_id: format!("link-{}", books.next),
            date: 10 + books.next / 3,
        };
        let account = Account {
            oddity: Oddity::MadeElsewhere,
            amount: 1_000,
            status: "processing",
            operations: vec![sale],
        };
        let payment_id = format!("elsewhere/{number}");
        books.accounts.entry(payment_id).or_insert(account);
    }

    pub fn is_done(&self) -> bool {
        let books = self.books.lock().unwrap();
        let mut accounts = books.accounts.values();
        accounts.all(|account| {
            let open = |one: &Operation| !matches!(one.status, "success" | "decline");
            account.status != "awaiting customer" && !account.operations.iter().any(open)
        })
    }

    fn take_sale(&self, payment_id: String, amount: u64) -> Answer {
        let mut books = self.books.lock().unwrap();
        if books.accounts.contains_key(&payment_id) {
            return refused("3041");
        }
        if self.world.fails(25) {
            return refused("2004");
        }
        books.next += 1;
        let request_id = format!("sale-{}", books.next);
        let sale = Operation {
            id: 1_000 + books.next,
            kind: "sale",
            status: "processing",
            amount,
            merchant_refund_id: None,
            intent: None,
            request_id: request_id.clone(),
            date: 10 + books.next / 3,
        };
        let is_odd = self.world.fails(4) && !books.is_plain;
        let oddity = match (is_odd, self.world.below(2)) {
            (false, _) => Oddity::None,
            (true, 0) => Oddity::OtherAmount,
            (true, _) => Oddity::Contradicted,
        };
        let account = Account {
            oddity,
            amount,
            status: "processing",
            operations: vec![sale],
        };
        books.accounts.insert(payment_id, account);
        Answer::Accepted {
            request_id: Some(request_id),
        }
    }

    fn take_refund(&self, payment_id: &str, refund_id: String, amount: u64) -> Answer {
        let mut books = self.books.lock().unwrap();
        books.next += 1;
        let next = books.next;
        let ignores_refund_ids = books.ignores_refund_ids;
        let Some(account) = books.accounts.get_mut(payment_id) else {
            return refused("3024");
        };
        let same = |one: &Operation| one.merchant_refund_id.as_ref() == Some(&refund_id);
        if !ignores_refund_ids && account.operations.iter().any(same) {
            return refused("3230");
        }
        if amount > account.left() {
            return refused("3283");
        }
        let request_id = format!("refund-{next}");
        account.operations.push(Operation {
            id: 1_000 + next,
            kind: "refund",
            status: "processing",
            amount,
            merchant_refund_id: (!ignores_refund_ids).then(|| refund_id.clone()),
            intent: Some(refund_id),
            request_id: request_id.clone(),
            date: 10 + next / 3,
        });
        Answer::Accepted {
            request_id: Some(request_id),
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

fn status_after_refunds(account: &Account) -> &'static str {
    match account.refunded() {
        0 => "success",
        all if all == account.paid() => "refunded",
        _ => "partially refunded",
    }
}

fn payment_json(payment_id: &str, account: &Account) -> String {
    let left = account.amount - account.refunded();
    let newest = account.operations.iter().map(|one| one.date).max().unwrap();
    format!(
        r#"{{"id":"{payment_id}","status":"{}","date":"{newest:06}","sum":{{"amount":{left},"currency":"EUR"}}}}"#,
        account.status
    )
}

fn operation_json(one: &Operation) -> String {
    format!(
        r#"{{"id":{},"type":"{}","status":"{}","date":"{:06}","request_id":"{}","sum_initial":{{"amount":{},"currency":"EUR"}},"code":"0"}}"#,
        one.id, one.kind, one.status, one.date, one.request_id, one.amount
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
            let amount = text(&["payment", "amount"]).parse().unwrap();
            match path.ends_with("/sale") {
                true => self.take_sale(payment_id, amount),
                false => {
                    let refund_id = text(&["payment", "merchant_refund_id"]);
                    self.take_refund(&payment_id, refund_id, amount)
                }
            }
        };
        self.world.step().await;
        match self.world.fails(15) {
            true => Answer::Unclear,
            false => answer,
        }
    }

    async fn ask(&self, _: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        self.world.step().await;
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let payment_id = message.at(&["general", "payment_id"]);
        let payment_id = payment_id.and_then(Value::as_text).unwrap();
        let payment_id = payment_id.to_ascii_lowercase();
        let now = self.world.now().unix_millis();
        let question = (payment_id.clone(), now);
        self.books.lock().unwrap().questions.push(question);
        if self.world.fails(10) {
            return Err(Unanswered("no answer".into()));
        }
        let answer = self.status(&payment_id);
        self.world.step().await;
        Ok(answer.into_bytes())
    }
}
