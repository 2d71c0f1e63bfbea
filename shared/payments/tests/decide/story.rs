//! A payment under test, with everything that was announced about it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use ecommpay::answer::{Answer, Refusal};
use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::json::{self, Limits};
use ecommpay::{Keyring, ProjectKey, signature};
use payments::callback::{ProjectKeys, Verified, verify};
use payments::decide::{
    self, Change, Fact, RefundOrder, RefundRejection, create, decide, reserve_refund,
};
use payments::event::Event;
use payments::payment::{Channel, Customer, Order, Payment};
use payments::schedule::Schedule;
use payments::{MerchantId, Timestamp};

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
pub fn edited(file: &str, edit: impl FnOnce(&mut serde_json::Value)) -> Verified {
    let mut body: serde_json::Value = serde_json::from_slice(&body_of(file)).unwrap();
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
pub fn refund_operation(id: &str, status: &str, more: serde_json::Value) -> Verified {
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
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/callbacks");
    std::fs::read(folder.join(format!("{file}.json"))).unwrap()
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

pub fn created() -> Change {
    let order = Order {
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
    };
    create(ProjectId::new(211).unwrap(), &id(PAYMENT), order, NOW)
}

/// Every event of every story is as its schema says, and is read back as it was kept.
pub fn hold_against_schema(event: &Event) {
    schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
    let (key, kept) = (event.key.clone(), &event.kept);
    let again = Event::of_kept(key, event.sequence, event.kind, kept);
    assert_eq!(again.unwrap(), *event);
}

/// A payment with everything that was announced about it.
pub struct Story {
    pub payment: Payment,
    pub events: Vec<Event>,
}

impl Story {
    pub fn begin() -> Self {
        let Change { payment, events } = created();
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

    pub fn hear(&mut self, file: &str) -> &mut Self {
        self.hear_this(corpus(file))
    }

    pub fn hear_this(&mut self, verified: &Verified) -> &mut Self {
        self.take(decide(Some(&self.payment), verified.fact(), NOW))
    }

    pub fn answered(&mut self, answer: &Answer) -> &mut Self {
        let attempt = self.payment.attempt;
        let fact = Fact::SaleAnswer { attempt, answer };
        self.take(decide(Some(&self.payment), fact, NOW))
    }

    /// The platform is asked, and answers like this.
    pub fn ask(&mut self, file: &str) -> &mut Self {
        let change = ask(&self.payment, file);
        self.take(change)
    }

    pub fn refund(&mut self, refund: &RefundOrder) -> Result<bool, RefundRejection> {
        let change = reserve_refund(&self.payment, refund, NOW)?;
        let reserved = change.is_some();
        self.take(change);
        Ok(reserved)
    }

    pub fn refund_answered(&mut self, refund_id: &str, answer: &Answer) -> &mut Self {
        let fact = Fact::RefundAnswer {
            refund_id: &id(refund_id),
            answer,
        };
        self.take(decide(Some(&self.payment), fact, NOW))
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }

    pub fn is_doubtful(&self) -> bool {
        self.payment.doubted.is_some()
    }

    /// What must be the same in whatever order the facts came.
    pub fn outcome(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let payment = &self.payment;
        let mut refunds: Vec<_> = payment
            .refunds
            .iter()
            .map(|refund| (refund.operation_id.clone(), refund.amount, refund.status))
            .collect();
        refunds.sort_by(|left, right| left.0.cmp(&right.0));
        (
            payment.status(),
            refunds,
            payment.quarantine(),
            payment.operations.clone(),
            payment.platform_status.clone(),
            payment.waiting().cloned(),
            payment.sale.clone(),
        )
    }
}

/// When the platform is to be asked.
pub fn ask_at(payment: &Payment) -> Option<Timestamp> {
    Schedule::default().ask_at(payment)
}

/// Claims a question by the schedule of production.
pub fn claim_check(payment: &Payment, before: Timestamp, at: Timestamp) -> Option<Change> {
    decide::claim_check(payment, &Schedule::default(), before, at)
}

/// The change after a question, when it is due, and an answer with what a callback says.
pub fn ask(payment: &Payment, file: &str) -> Option<Change> {
    let due = ask_at(payment).unwrap_or(NOW);
    let claimed = claim_check(payment, after(due), due).map(|change| change.payment);
    let asked = claimed.as_ref().unwrap_or(payment);
    let fact = Fact::StatusAnswer {
        news: corpus(file).news(),
        question: asked.questions,
    };
    let answered = decide(Some(asked), fact, NOW);
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
