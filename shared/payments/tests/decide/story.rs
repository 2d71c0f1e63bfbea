//! A payment under test, with every event that was emitted about it. Tests reach a state through facts
//! and commands only.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use ecommpay::answer::{Answer, Refusal, StatusAnswer};
use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::json::{self, Limits};
use ecommpay::{Keyring, ProjectKey, signature};
use payments::decide::{Change, Command, Fact, Rejection, SignedReport, decide, execute};
use payments::events::Event;
use payments::events::view::PaymentView;
use payments::model::schedule::Schedule;
use payments::model::{Channel, Customer, Order, Payment, QuarantineItem, RefundOrder, Verdict};
use payments::service::callback::{Verified, verify};
use payments::service::project_keys::ProjectKeys;
use payments::{MerchantId, Timestamp};
use serde_json::Value;

pub const PAYMENT: &str = "ECT_TEST_1562051806691899";
pub const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_000);
/// Longer than a request is ever on its way.
pub const ABANDONED: Duration = Duration::from_secs(30);

/// Just after a moment.
pub fn after(moment: Timestamp) -> Timestamp {
    moment.after(Duration::from_millis(1))
}

pub fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

pub fn id(id: &str) -> MerchantId {
    MerchantId::new(id).unwrap()
}

fn keys() -> ProjectKeys {
    let key = ProjectKey::new("test-secret-key").unwrap();
    [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into()
}

/// A callback of the corpus with something changed, signed again.
pub fn edited(file: &str, edit: impl FnOnce(&mut Value)) -> Verified {
    let mut body: Value = serde_json::from_slice(&body_of(file)).unwrap();
    edit(&mut body);
    body.as_object_mut().unwrap().remove("signature");
    let unsigned = body.to_string();
    let message = json::parse(unsigned.as_bytes(), Limits::CALLBACK).unwrap();
    let key = ProjectKey::new("test-secret-key").unwrap();
    let signature = key.sign(&signature::canonical(&message)).to_base64();
    body["signature"] = signature.into();
    verify(body.to_string().as_bytes(), &keys()).unwrap()
}

/// An operation of a refund, with some fields of its own.
pub fn refund_operation(id: &str, status: &str, more: Value) -> Verified {
    edited("refund_partial_1", |body| {
        body["operation"]["id"] = id.into();
        body["operation"]["status"] = status.into();
        for (name, value) in more.as_object().unwrap() {
            match name.as_str() {
                "merchant_refund_id" => body["payment"][name] = value.clone(),
                _ => body["operation"][name] = value.clone(),
            }
        }
    })
}

fn body_of(file: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let folders = ["callbacks", "callbacks-2"].map(|folder| data.join(folder));
    let mut files = folders
        .map(|folder| folder.join(format!("{file}.json")))
        .into_iter();
    let file = files.find(|file| file.exists()).unwrap();
    std::fs::read(file).unwrap()
}

/// Whether a body of the corpus answers a status request; the others are callbacks.
pub fn is_answer(file: &str) -> bool {
    file.starts_with("status_")
}

/// What a status request brings that is answered with a body of the corpus.
pub fn answer_with(verified: &Verified, poll: u32) -> Option<Fact<'_>> {
    let read = StatusAnswer::Report(verified.report.clone());
    let code = verified
        .report
        .errors
        .first()
        .map(|error| error.code.as_str());
    match (read, code) {
        (_, Some("3062")) => None,
        (_, Some("3061")) => Some(Fact::NotFound { poll, signed: true }),
        _ => Some(Fact::StatusAnswer {
            report: verified.signed_report(),
            poll,
        }),
    }
}

/// What the platform answers of a payment that it does not know, or has refused.
pub fn unknown_to_the_platform(code: &str) -> Verified {
    edited("error_validation", |body| {
        body.as_object_mut().unwrap().remove("operation");
        body["errors"][0]["code"] = code.into();
    })
}

/// A verified callback of the corpus.
pub fn corpus(file: &str) -> &'static Verified {
    static READ: LazyLock<Mutex<HashMap<String, &'static Verified>>> =
        LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap();
    read.entry(file.to_owned())
        .or_insert_with(|| Box::leak(Box::new(verify(&body_of(file), &keys()).unwrap())))
}

pub fn order() -> Order {
    Order {
        storefront: "shop".into(),
        order_id: Some(id("order-1")),
        amount: MinorUnits::for_sale(1000).unwrap(),
        currency: Currency::Eur,
        channel: Channel::Gate,
        return_url: text("https://shop.example/thanks"),
        origins: ["https://shop.example".into()].into(),
        language: None,
        description: None,
        customer: Some(Customer {
            id: text("canary-customer"),
            ip_address: text("192.0.2.77"),
            last_name: Some(LastName::new("Canaryname").unwrap()),
            details: CustomerDetails::default(),
        }),
        expires_at: NOW.after(Duration::from_secs(1800)),
        content: "content".into(),
    }
}

/// The change of a command that is allowed and does something.
pub fn run(payment: Option<&Payment>, command: Command<'_>, at: Timestamp) -> Option<Change> {
    execute(payment, command, at).unwrap()
}

pub fn create(order: &Order, at: Timestamp) -> Change {
    let command = Command::Create {
        project_id: ProjectId::new(211).unwrap(),
        payment_id: &id(PAYMENT),
        order,
    };
    run(None, command, at).unwrap()
}

/// Every event of every story is as its schema says, and is read back as it was kept.
pub fn hold_against_schema(event: &Event) {
    schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
    let (key, kept) = (event.key.clone(), &event.stored);
    let again = Event::from_stored(key, event.sequence, event.kind, kept);
    assert_eq!(again.unwrap(), *event);
}

/// The data of an event.
pub fn data(event: &Event) -> Value {
    let mut body: Value = serde_json::from_str(&event.body).unwrap();
    body["data"].take()
}

/// A payment with every event that was emitted about it.
pub struct Story {
    pub payment: Payment,
    pub events: Vec<Event>,
}

impl Story {
    pub fn created() -> Self {
        Self::created_with(&order())
    }

    pub fn created_at(at: Timestamp) -> Self {
        Self::of(create(&order(), at))
    }

    fn of(change: Change) -> Self {
        let Change { payment, events } = change;
        events.iter().for_each(hold_against_schema);
        Self { payment, events }
    }

    pub fn take(&mut self, change: Option<Change>) -> &mut Self {
        if let Some(change) = change {
            change.events.iter().for_each(hold_against_schema);
            self.payment = change.payment;
            self.events.extend(change.events);
        }
        self
    }

    /// A payment with another order.
    pub fn created_with(order: &Order) -> Self {
        Self::of(create(order, NOW))
    }

    /// The same payment in a story of its own, so that two continuations can be tried.
    pub fn branch(&self) -> Self {
        Self {
            payment: self.payment.clone(),
            events: Vec::new(),
        }
    }

    /// Takes a fact in.
    pub fn fact(&mut self, fact: Fact<'_>, at: Timestamp) -> &mut Self {
        self.take(decide(Some(&self.payment), fact, at))
    }

    /// A callback of the corpus comes.
    pub fn callback(&mut self, file: &str) -> &mut Self {
        self.deliver(corpus(file))
    }

    /// Any callback comes.
    pub fn deliver(&mut self, verified: &Verified) -> &mut Self {
        self.fact(verified.fact(), NOW)
    }

    /// A body of the corpus comes: a callback, or the answer to the last status request.
    pub fn report(&mut self, file: &str) -> &mut Self {
        match is_answer(file) {
            true => self.status_answer(corpus(file)),
            false => self.callback(file),
        }
    }

    /// The last status request is answered like this.
    pub fn status_answer(&mut self, verified: &Verified) -> &mut Self {
        self.status_answer_at(verified, NOW)
    }

    /// The same at a moment.
    pub fn status_answer_at(&mut self, verified: &Verified, at: Timestamp) -> &mut Self {
        let poll = self.payment.polling().polls_sent();
        match answer_with(verified, poll) {
            Some(fact) => self.fact(fact, at),
            None => self,
        }
    }

    /// A status request is sent when it is due, and not answered.
    pub fn poll_unanswered(&mut self) -> Timestamp {
        let due = poll_at(&self.payment).unwrap();
        self.take(claim_poll(&self.payment, after(due), due));
        due
    }

    /// A status request is sent by hand at a moment, and answered like this.
    pub fn poll_now(&mut self, at: Timestamp, answer: &Verified) -> &mut Self {
        self.run(Command::PollNow, at).status_answer_at(answer, at)
    }

    /// A status request of the schedule is sent at a moment or, where none is due by then, one by
    /// hand. It is answered like this.
    pub fn poll_by(&mut self, at: Timestamp, answer: &Verified) -> &mut Self {
        let claimed = claim_poll(&self.payment, after(at), at);
        match claimed {
            Some(_) => self.take(claimed),
            None => self.run(Command::PollNow, at),
        };
        self.status_answer_at(answer, at)
    }

    pub fn run(&mut self, command: Command<'_>, at: Timestamp) -> &mut Self {
        self.take(run(Some(&self.payment), command, at))
    }

    /// An operator decides about all that is in quarantine.
    pub fn review(&mut self, verdict: Verdict) -> Result<bool, Rejection> {
        let items = self.payment.quarantine();
        self.review_these(verdict, &items)
    }

    pub fn review_these(
        &mut self,
        verdict: Verdict,
        items: &BTreeSet<QuarantineItem>,
    ) -> Result<bool, Rejection> {
        let by = "anna";
        let command = Command::Review { verdict, by, items };
        let change = execute(Some(&self.payment), command, NOW)?;
        let reviewed = change.is_some();
        self.take(change);
        Ok(reviewed)
    }

    /// Gate answers the sale of the open attempt.
    pub fn sale_answer(&mut self, answer: &Answer) -> &mut Self {
        let attempt = self.payment.attempt().number();
        self.fact(Fact::SaleAnswer { attempt, answer }, NOW)
    }

    /// A status request is sent, and answered with what a body of the corpus says.
    pub fn poll(&mut self, file: &str) -> &mut Self {
        let change = polled(&self.payment, file);
        self.take(change)
    }

    pub fn refund(&mut self, refund: &RefundOrder) -> Result<bool, Rejection> {
        let change = execute(Some(&self.payment), Command::Refund(refund), NOW)?;
        let reserved = change.is_some();
        self.take(change);
        Ok(reserved)
    }

    pub fn refund_answer(&mut self, refund_id: &str, answer: &Answer) -> &mut Self {
        let fact = Fact::RefundAnswer {
            refund_id: &id(refund_id),
            answer,
        };
        self.fact(fact, NOW)
    }

    /// The refund amounts: what went back, what is pending, what can still go back.
    pub fn refund_sums(&self) -> (u64, u64, u64) {
        let payment = &self.payment;
        (
            payment.refunded_amount(),
            payment.pending_refund_amount(),
            payment.refundable_amount(),
        )
    }

    /// The data of the last event.
    pub fn last_data(&self) -> Value {
        data(self.events.last().unwrap())
    }

    /// The payment as `GET /payments/{payment_id}` shows it.
    pub fn view(&self) -> Value {
        serde_json::to_value(PaymentView::new(&self.payment, NOW)).unwrap()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }

    pub fn needs_recheck(&self) -> bool {
        self.payment.polling().needs_recheck()
    }

    /// What must be the same in whatever order the facts came.
    pub fn outcome(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let payment = &self.payment;
        let mut refunds: Vec<_> = payment
            .refunds()
            .iter()
            .map(|refund| {
                let operation_id = refund.operation_id().map(str::to_owned);
                (operation_id, refund.amount(), refund.status())
            })
            .collect();
        refunds.sort_by(|left, right| left.0.cmp(&right.0));
        (
            payment.status(),
            refunds,
            payment.quarantine(),
            payment.reported().clone(),
            payment.redirect().cloned(),
            payment.clarification_fields().to_vec(),
            payment.attempt().request().clone(),
        )
    }
}

/// When the platform is to be polled.
pub fn poll_at(payment: &Payment) -> Option<Timestamp> {
    Schedule::default().poll_at(payment)
}

/// Claims a status request by the schedule of production.
pub fn claim_poll(payment: &Payment, due_by: Timestamp, at: Timestamp) -> Option<Change> {
    let schedule = &Schedule::default();
    run(Some(payment), Command::Poll { schedule, due_by }, at)
}

/// The change of a status request, sent when it is due, and an answer that says what a callback says.
pub fn polled(payment: &Payment, file: &str) -> Option<Change> {
    polled_with(payment, corpus(file).signed_report())
}

/// The same with any report.
pub fn polled_with(payment: &Payment, report: SignedReport<'_>) -> Option<Change> {
    let due = poll_at(payment).unwrap_or(NOW);
    let claimed = claim_poll(payment, after(due), due).map(|change| change.payment);
    let polled = claimed.as_ref().unwrap_or(payment);
    let poll = polled.polling().polls_sent();
    let answered = decide(Some(polled), Fact::StatusAnswer { report, poll }, NOW);
    answered.or_else(|| {
        claimed.map(|payment| Change {
            payment,
            events: Vec::new(),
        })
    })
}

pub fn accepted(request_id: &str) -> Answer {
    Answer::Accepted {
        request_id: Some(request_id.into()),
    }
}

pub fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
        request_id: None,
    })
}

pub fn refund(refund_id: &str, amount: Option<u64>) -> RefundOrder {
    RefundOrder {
        refund_id: id(refund_id),
        amount,
        description: text("returned"),
        ip_address: None,
        content: format!("{amount:?}"),
    }
}

pub fn permutations<T: Copy>(all_of: &[T]) -> Vec<Vec<T>> {
    if all_of.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for index in 0..all_of.len() {
        let mut others = all_of.to_vec();
        let first = others.remove(index);
        for mut rest in permutations(&others) {
            rest.insert(0, first);
            all.push(rest);
        }
    }
    all
}
