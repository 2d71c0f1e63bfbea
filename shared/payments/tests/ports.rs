//! The use cases over ports in memory: races, crashes, and who sends what.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecommpay::answer::{Answer, Refusal};
use ecommpay::fields::{ProjectId, Text};
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use ecommpay::{Keyring, ProjectKey, signature};
use futures_util::future::join_all;
use memory::Memory;
use payments::ask::AskError;
use payments::checkout::{Cashier, Checkout, CheckoutError, CheckoutRequest, hand_off_ready};
use payments::clarification::{ClarificationError, clarify};
use payments::decide::{Fact, News, RefundOrder, RefundRejection, claim_check, claim_repeat};
use payments::event::{Event, EventKind};
use payments::payment::{Payment, RefundStatus, Status};
use payments::payment_page::PaymentPageLinks;
use payments::ports::{Clock, EventQueue, Gate, PaymentStore, SendError, SystemClock, Unanswered};
use payments::refund::{RefundDesk, RefundError};
use payments::storefront::{Scope, Storefront};
use payments::token::{self, TokenSecret};
use payments::{MerchantId, PaymentKey, Payments, Timestamp};

#[derive(Clone, Default)]
struct Queue {
    sent: Arc<Mutex<Vec<String>>>,
    /// So many sends fail.
    failures: Arc<AtomicUsize>,
}

impl EventQueue for Queue {
    fn wants(&self, _: EventKind) -> bool {
        true
    }

    async fn send(&self, event: &Event) -> Result<(), SendError> {
        tokio::task::yield_now().await;
        if self
            .failures
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err(SendError("down".into()));
        }
        schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
        self.sent
            .lock()
            .unwrap()
            .push(format!("{} {}", event.sequence, event.kind.as_str()));
        Ok(())
    }
}

/// Time passes only for those who sleep.
#[derive(Clone, Default)]
struct SleepersClock(Arc<AtomicU64>);

impl Clock for SleepersClock {
    fn now(&self) -> Timestamp {
        let slept = Duration::from_millis(self.0.load(SeqCst));
        Timestamp::from_millis(1_800_000_000_000).after(slept)
    }

    async fn sleep(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, SeqCst);
        // Shorter, but in the same order.
        tokio::time::sleep(duration / 10).await;
    }

    fn random(&self, end: u64) -> u64 {
        SystemClock.random(end)
    }
}

/// Gate with its answers, and the paths and ids of what it got.
struct ScriptedGate {
    answers: Mutex<Vec<Answer>>,
    got: Mutex<Vec<String>>,
    /// The answer to the next question.
    status: Mutex<Option<Vec<u8>>>,
}

impl ScriptedGate {
    fn answering(answers: &[Answer]) -> Self {
        let answers = Mutex::new(answers.iter().rev().cloned().collect());
        Self {
            answers,
            got: Mutex::default(),
            status: Mutex::default(),
        }
    }
}

impl Gate for ScriptedGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        tokio::task::yield_now().await;
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let text = |path: &[&str]| {
            message
                .at(path)
                .and_then(Value::as_text)
                .unwrap_or("-")
                .to_owned()
        };
        let id = text(&["general", "payment_id"]);
        let refund = text(&["payment", "merchant_refund_id"]);
        self.got.lock().unwrap().push(format!(
            "{path} {id} {refund} {}",
            text(&["payment", "amount"])
        ));
        let mut answers = self.answers.lock().unwrap();
        answers
            .pop()
            .unwrap_or(Answer::Accepted { request_id: None })
    }

    async fn ask(&self, path: &'static str, _: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        self.got.lock().unwrap().push(path.to_owned());
        let answer = self.status.lock().unwrap().take();
        answer.ok_or_else(|| Unanswered("silence".into()))
    }
}

struct World {
    payments: Payments<Memory, Queue, SleepersClock>,
    queue: Queue,
    gate: ScriptedGate,
    keyring: Keyring,
    tokens: TokenSecret,
}

impl World {
    fn with_answers(answers: &[Answer]) -> Self {
        let queue = Queue::default();
        Self {
            payments: Payments {
                store: Memory::default(),
                queues: vec![queue.clone()],
                clock: SleepersClock::default(),
            },
            queue,
            gate: ScriptedGate::answering(answers),
            keyring: Keyring::new(ProjectKey::new("key").unwrap(), None),
            tokens: TokenSecret::new(&"s".repeat(32)).unwrap(),
        }
    }

    fn new() -> Self {
        Self::with_answers(&[])
    }

    async fn create(
        &self,
        storefront: &Storefront,
        amount: u64,
    ) -> Result<Checkout, CheckoutError> {
        self.create_of(storefront, amount, "").await
    }

    async fn create_with(
        &self,
        storefront: &Storefront,
        fields: &str,
    ) -> Result<Checkout, CheckoutError> {
        self.create_of(storefront, 1000, fields).await
    }

    async fn create_of(
        &self,
        storefront: &Storefront,
        amount: u64,
        fields: &str,
    ) -> Result<Checkout, CheckoutError> {
        let body = format!(
            r#"{{"payment_id":"Order-1","amount":{amount},"currency":"EUR","return_url":"https://shop.example/",
                {fields}
                "customer":{{"id":"c","ip_address":"192.0.2.1","last_name":"Janssens"}}}}"#
        );
        let request =
            CheckoutRequest::read(body.as_bytes(), storefront, self.payments.clock.now()).unwrap();
        let cashier = Cashier {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: "https://pay.example",
        };
        cashier.create(storefront, request).await
    }

    async fn hear(&self, status: &str, operation: &str) -> bool {
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"order-1","status":"{status}","sum":{{"amount":1000,"currency":"EUR"}}}},
                "operation":{{"id":7,"type":"sale","status":"{operation}","sum_initial":{{"amount":1000,"currency":"EUR"}}}}}}"#
        );
        self.hear_this(&body).await
    }

    async fn hear_this(&self, body: &str) -> bool {
        let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
        let fact = Fact::Callback(News {
            report: &report,
            canonical: body,
        });
        self.payments
            .apply(&key(), fact)
            .await
            .unwrap()
            .unwrap()
            .published
            .is_ok()
    }

    async fn refund(&self, refund_id: &str, amount: u64) -> Result<Payment, RefundError> {
        let order = RefundOrder {
            refund_id: MerchantId::new(refund_id).unwrap(),
            amount: Some(amount),
            description: Text::new("returned").unwrap(),
            ip_address: None,
            content: amount.to_string(),
        };
        let desk = RefundDesk {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &self.keyring,
        };
        desk.refund(&shop("shop"), "ORDER-1", &order).await
    }

    async fn payment(&self) -> Payment {
        let stored = self.payments.store.load(&key()).await;
        stored.unwrap().unwrap().payment
    }

    async fn status(&self) -> Status {
        self.payment().await.status()
    }

    fn sent(&self) -> Vec<String> {
        self.queue.sent.lock().unwrap().clone()
    }

    fn sales(&self) -> usize {
        self.gate
            .got
            .lock()
            .unwrap()
            .iter()
            .filter(|got| got.contains("/sale "))
            .count()
    }
}

fn key() -> PaymentKey {
    PaymentKey::new(ProjectId::new(211).unwrap(), "order-1")
}

fn shop(name: &str) -> Storefront {
    Storefront {
        key_id: name.into(),
        key_hash: String::new(),
        name: name.into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
        return_origins: ["https://shop.example".into()].into(),
    }
}

fn accepted(request_id: &str) -> Answer {
    Answer::Accepted {
        request_id: Some(request_id.into()),
    }
}

fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
        request_id: None,
    })
}

#[tokio::test]
async fn fifty_at_once_send_one_sale() {
    let world = World::new();
    let storefront = shop("shop");
    let all = join_all((0..50).map(|_| world.create(&storefront, 1000))).await;
    let all: Vec<Checkout> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all.iter().filter(|checkout| checkout.created).count(), 1);
    assert_eq!(
        all.iter()
            .map(|checkout| &checkout.token)
            .collect::<BTreeSet<_>>()
            .len(),
        1
    );
    assert_eq!(world.sales(), 1);
    assert_eq!(world.sent(), ["1 payment.created"]);
}

#[tokio::test]
async fn a_writer_that_cannot_be_seen_yet_is_waited_for() {
    let world = World::new();
    world.payments.store.invisible_conflicts.store(2, SeqCst);
    assert!(world.create(&shop("shop"), 1000).await.unwrap().created);
    assert_eq!(world.sales(), 1);
}

#[tokio::test]
async fn an_id_is_used_for_one_order_of_one_storefront() {
    let world = World::new();
    let first = world.create(&shop("shop"), 1000).await.unwrap();
    let same = world.create(&shop("shop"), 1000).await.unwrap();
    assert_eq!(
        (first.created, same.created, &first.token),
        (true, false, &same.token)
    );
    for (storefront, amount) in [(shop("shop"), 1001), (shop("other"), 1000)] {
        let other = world.create(&storefront, amount).await;
        assert!(matches!(other, Err(CheckoutError::Conflict)), "{other:?}");
    }
    assert_eq!(world.sales(), 1);
}

#[tokio::test]
async fn an_unclear_sale_is_sent_again_and_a_refusal_then_means_nothing() {
    let world = World::with_answers(&[Answer::Unclear, refused("303")]);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.status().await, Status::Processing);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(
        (world.sales(), world.status().await),
        (2, Status::Processing)
    );
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.sales(), 3);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.sales(), 3, "accepted, so not again");
}

#[tokio::test]
async fn after_a_failure_the_next_attempt_is_another_checkout() {
    let world = World::with_answers(&[refused("2004"), accepted("request-2")]);
    let refused = world.create(&shop("shop"), 1000).await;
    assert!(
        matches!(&refused, Err(CheckoutError::Refused(code)) if code == "2004"),
        "{refused:?}"
    );
    assert_eq!(world.status().await, Status::Failed);
    for (storefront, amount) in [(shop("shop"), 1001), (shop("other"), 1000)] {
        let other = world.create(&storefront, amount).await;
        assert!(matches!(other, Err(CheckoutError::Conflict)), "{other:?}");
    }
    let next = world.create(&shop("shop"), 1000).await.unwrap();
    assert!(next.created);
    let first = world.tokens.token(&key(), 0);
    assert_ne!(next.token, first);
    for token in [&first, &next.token] {
        let store = &world.payments.store;
        let found = store.payment_of_token(&token::hash(token)).await.unwrap();
        assert_eq!(found, Some(key()), "both lead on");
    }
    let again = world.create(&shop("shop"), 1000).await.unwrap();
    assert_eq!((again.created, again.token), (false, next.token));
    assert_eq!(
        (world.sales(), world.status().await),
        (2, Status::Processing)
    );
    assert_eq!(
        world.sent(),
        ["1 payment.created", "2 payment.failed", "3 payment.created"]
    );
    // Late news of what failed leave the second attempt alone, and are asked about.
    let error = r#"{"project_id":211,"payment":{"id":"order-1","status":"error"},
        "errors":[{"code":"2004","message":"late"}],
        "operation":{"type":"sale","status":"error","request_id":"request-1"}}"#;
    world.hear_this(error).await;
    assert_eq!(world.status().await, Status::Processing);
    assert!(world.payment().await.doubted_after.is_some());
    world
        .hear_this(&error.replace("request-1", "request-2"))
        .await;
    assert_eq!(world.status().await, Status::Failed);
}

#[tokio::test]
async fn a_link_to_payment_page_needs_no_sale() {
    let world = World::new();
    let on_page = r#""channel":"payment_page","language":"nl","#;
    let checkout = world.create_with(&shop("shop"), on_page).await.unwrap();
    assert_eq!(world.sales(), 0);
    assert_eq!(world.status().await, Status::AwaitingCustomer);
    assert_eq!(
        world.sent(),
        ["1 payment.created", "2 payment.awaiting_customer"]
    );
    let links = PaymentPageLinks {
        page_url: "https://page.example/payment",
        base_url: "https://pay.example",
        tokens: &world.tokens,
    };
    let link = links
        .link(&checkout.payment, world.keyring.current())
        .unwrap();
    let link = url::Url::parse(&link).unwrap();
    let parameters: BTreeMap<String, String> = link.query_pairs().into_owned().collect();
    for (name, value) in [
        ("force_payment_method", "bancontact"),
        ("payment_amount", "1000"),
        ("language_code", "nl"),
        ("best_before", "2027-01-15T08:30:00+00:00"),
        ("customer_last_name", "Janssens"),
    ] {
        assert_eq!(
            parameters.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    let back = format!("https://pay.example/checkouts/{}/return", checkout.token);
    assert_eq!(parameters["redirect_success_url"], back);
    let again = world.create_with(&shop("shop"), on_page).await.unwrap();
    assert!(!again.created);
    // From the first use on the platform leads, and the link is no longer offered.
    world.hear("success", "success").await;
    let paid = world.payment().await;
    assert_eq!(paid.status(), Status::Succeeded);
    assert_eq!(links.link(&paid, world.keyring.current()), None);
}

#[tokio::test]
async fn answers_go_to_the_platform_once_each_time_it_asks() {
    let asks = r#"{"project_id":211,"payment":{"id":"order-1","status":"awaiting clarification",
        "date":"2026-11-21T10:00:00+0000"},"clarification_fields":{"customer":["last_name"]},
        "operation":{"id":7,"type":"sale","status":"awaiting clarification"}}"#;
    let world = World::with_answers(&[
        accepted("r"),
        Answer::Unclear,
        refused("2004"),
        accepted("r"),
    ]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear_this(asks).await;
    let answer = |name: &'static str| {
        let world = &world;
        async move {
            let answers = [(name.to_owned(), Text::new("Janssens").unwrap())];
            let payment = world.payment().await;
            clarify(
                &world.payments,
                &world.gate,
                &world.keyring,
                &payment,
                &answers,
            )
            .await
        }
    };
    use ClarificationError::{NotAsked, Refused, Unanswered};
    assert!(matches!(answer("customer.email").await, Err(NotAsked)));
    assert_eq!(world.gate.got.lock().unwrap().len(), 1, "only the sale");
    assert!(matches!(
        answer("customer.last_name").await,
        Err(Unanswered)
    ));
    assert!(matches!(answer("customer.last_name").await, Err(Refused(code)) if code == "2004"));
    assert_eq!(world.status().await, Status::AwaitingClarification);
    answer("customer.last_name").await.unwrap();
    assert_eq!(world.status().await, Status::Processing, "not asked twice");
    assert!(matches!(answer("customer.last_name").await, Err(NotAsked)));
    // The same news again asks nothing; newer news do.
    world.hear_this(asks).await;
    assert_eq!(world.status().await, Status::Processing);
    world.hear_this(&asks.replace("10:00:00", "10:00:05")).await;
    assert_eq!(world.status().await, Status::AwaitingClarification);
    let told = world.sent();
    let told = told
        .iter()
        .filter(|event| event.contains("awaiting_clarification"));
    assert_eq!(told.count(), 2, "each question is told");
}

#[tokio::test]
async fn who_waits_for_the_bank_reads_three_times_a_second() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let before = world.payments.store.reads.load(SeqCst);
    let wait = Duration::from_secs(5);
    let waited = world
        .payments
        .wait_until(&key(), wait, hand_off_ready)
        .await;
    assert!(!hand_off_ready(&waited.unwrap().unwrap()));
    let reads = world.payments.store.reads.load(SeqCst) - before;
    assert!((13..=20).contains(&reads), "{reads} reads in 5 s");
}

#[tokio::test]
async fn what_could_not_be_sent_is_sent_first_by_the_next_who_publishes() {
    let world = World::new();
    world.queue.failures.store(1, SeqCst);
    assert!(
        world.create(&shop("shop"), 1000).await.is_ok(),
        "a queue that is down stops no shopper"
    );
    assert!(world.sent().is_empty());

    world.queue.failures.store(1, SeqCst);
    assert!(
        !world.hear("success", "success").await,
        "not announced, so not acknowledged"
    );
    assert_eq!(world.status().await, Status::Succeeded, "but kept");
    assert!(
        world.hear("success", "success").await,
        "the platform's repeat"
    );
    assert_eq!(world.sent(), ["1 payment.created", "2 payment.succeeded"]);
    assert!(world.hear("success", "success").await);
    assert_eq!(world.sent().len(), 2, "a duplicate is not sent again");
}

#[tokio::test]
async fn of_twenty_refunds_at_once_ten_go_out() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    let ids: Vec<String> = (0..20).map(|number| format!("r-{number}")).collect();
    let all = join_all(ids.iter().map(|id| world.refund(id, 100))).await;
    let out = all.iter().filter(|refund| refund.is_ok()).count();
    let refused = all
        .iter()
        .filter(|refund| {
            matches!(
                refund,
                Err(RefundError::Rejected(RefundRejection::MoreThanLeft(0)))
            )
        })
        .count();
    assert_eq!((out, refused), (10, 10));
    let got = world.gate.got.lock().unwrap().clone();
    let refunds: BTreeSet<&String> = got.iter().filter(|got| got.contains("/refund ")).collect();
    assert_eq!(refunds.len(), 10, "{got:?}");
}

#[tokio::test]
async fn the_same_refund_again_is_found_and_not_sent() {
    let world = World::with_answers(&[Answer::Accepted { request_id: None }, Answer::Unclear]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    for _ in 0..2 {
        let payment = world.refund("r-1", 400).await.unwrap();
        let refund = payment
            .refund(&MerchantId::new("r-1").unwrap())
            .unwrap()
            .clone();
        assert_eq!((refund.amount, refund.status), (400, RefundStatus::Unknown));
    }
    let other = world.refund("r-1", 500).await;
    assert!(matches!(
        other,
        Err(RefundError::Rejected(RefundRejection::OtherContent))
    ));
    let got = world.gate.got.lock().unwrap().clone();
    assert_eq!(got[1..], ["/v2/payment/bancontact/refund Order-1 r-1 400"]);
}

const ORDER: &str = r#"{"project_id":211,"payment":{"id":"ORDER-1","status":"STATUS","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}MORE]}"#;

/// The platform's signed answer: a paid sale, and what else there is.
fn status_answer(more: &str) -> String {
    let status = if more.is_empty() {
        "success"
    } else {
        "partially refunded"
    };
    let body = ORDER.replace("STATUS", status);
    signed(&body.replace("MORE", more), "key")
}

fn signed(body: &str, key: &str) -> String {
    let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
    let signature = ProjectKey::new(key)
        .unwrap()
        .sign(&signature::canonical(&message));
    let body = body.trim_end().strip_suffix('}').unwrap();
    format!(r#"{body},"signature":"{}"}}"#, signature.to_base64())
}

/// After everything.
fn far() -> Timestamp {
    Timestamp::from_millis(4_000_000_000_000)
}

impl World {
    /// Waits until a question is due, and puts it.
    async fn ask(&self, answer: Option<String>) -> Result<Vec<EventKind>, AskError> {
        let clock = &self.payments.clock;
        let due = self.payment().await.check_at.unwrap();
        clock
            .0
            .fetch_add(due.since(clock.now()).as_millis() as u64, SeqCst);
        *self.gate.status.lock().unwrap() = answer.map(String::into_bytes);
        self.payments
            .ask(&key(), far(), &self.gate, Some(&self.keyring))
            .await
    }

    /// The refund requests that Gate got.
    fn refunds_sent(&self) -> usize {
        let got = self.gate.got.lock().unwrap();
        got.iter().filter(|path| path.contains("/refund")).count()
    }
}

#[tokio::test]
async fn a_lost_refund_is_sent_again_only_after_an_answer_without_it() {
    let lost = [
        accepted("sale"),
        Answer::Unclear,
        Answer::Unclear,
        accepted("refund"),
    ];
    let world = World::with_answers(&lost);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    let refunded = world.refund("r-1", 400).await.unwrap();
    assert_eq!(refunded.refunds[0].status, RefundStatus::Unknown);
    assert!(world.ask(None).await.is_err());
    assert_eq!(world.refunds_sent(), 1, "no answer shows nothing");
    // An operation that could be it: nobody knows, so it is not sent again.
    let other = r#",{"id":8,"type":"refund","status":"processing","request_id":"q","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    let ambiguous = World::with_answers(&lost[..2]);
    ambiguous.create(&shop("shop"), 1000).await.unwrap();
    ambiguous.hear("success", "success").await;
    ambiguous.refund("r-1", 400).await.unwrap();
    ambiguous.ask(Some(status_answer(other))).await.unwrap();
    assert_eq!(ambiguous.refunds_sent(), 1);
    assert_eq!(
        ambiguous.payment().await.pending_refund_amount(),
        800,
        "both are held"
    );
    // Nothing there: sent again, lost again, asked again, sent again.
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 2);
    assert_eq!(
        world.payment().await.refunds[0].status,
        RefundStatus::Unknown
    );
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 3);
    let got = world.gate.got.lock().unwrap().clone();
    let refunds: BTreeSet<&String> = got.iter().filter(|path| path.contains("/refund")).collect();
    assert_eq!(refunds.len(), 1, "the same each time: {refunds:?}");
    let payment = world.payment().await;
    assert_eq!(payment.refunds[0].status, RefundStatus::Pending);
    assert_eq!(payment.refundable_amount(), 600);
}

#[tokio::test]
async fn a_refund_that_the_platform_says_it_has_is_the_only_one_that_it_can_be() {
    let world = World::with_answers(&[accepted("sale"), Answer::Unclear, refused("3230")]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    world.refund("r-1", 400).await.unwrap();
    world.ask(Some(status_answer(""))).await.unwrap();
    let refund = world.payment().await.refunds[0].clone();
    assert!(refund.exists.is_some() && refund.status == RefundStatus::Unknown);
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 2, "it is there, so not again");
    let done = r#",{"id":8,"type":"refund","status":"success","request_id":"q","created_date":"2027-01-15T08:00:01+0000","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    let old = r#",{"id":6,"type":"refund","status":"success","created_date":"2020-01-01T00:00:00+0000","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    world
        .ask(Some(status_answer(&format!("{old}{done}"))))
        .await
        .unwrap();
    let payment = world.payment().await;
    let refund = payment.refund(&MerchantId::new("r-1").unwrap()).unwrap();
    assert_eq!(refund.status, RefundStatus::Succeeded);
    assert_eq!(refund.operation_id.as_deref(), Some("8"));
    assert_eq!(payment.refunded_amount(), 800, "and one from elsewhere");
    assert_eq!(payment.check_at, None);
}

/// A question that was put before the refund was given up shows nothing of it.
#[tokio::test]
async fn an_answer_to_an_earlier_question_lets_nothing_be_sent_again() {
    let world = World::with_answers(&[accepted("sale"), Answer::Unclear]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    // The question is claimed; the refund is sent and cut while it is on its way.
    let store = &world.payments.store;
    let hint = r#"{"project_id":211,"payment":{"id":"order-1"}}"#;
    let report = Report::read(&parse(hint.as_bytes(), Limits::CALLBACK).unwrap());
    world
        .payments
        .apply(&key(), Fact::Hint(&report))
        .await
        .unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    let claimed = claim_check(&stored.payment, far(), world.payments.clock.now()).unwrap();
    store.commit(&claimed, Some(&stored), None).await.unwrap();
    world.refund("r-1", 400).await.unwrap();
    let body = status_answer("");
    let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
    let report = Report::read(&message);
    let news = News {
        report: &report,
        canonical: "answer",
    };
    let question = claimed.payment.questions;
    let fact = Fact::StatusAnswer { news, question };
    let payment = world
        .payments
        .apply(&key(), fact)
        .await
        .unwrap()
        .unwrap()
        .payment;
    let r1 = MerchantId::new("r-1").unwrap();
    assert_eq!(payment.answered, question);
    assert_eq!(
        claim_repeat(&payment, &r1, world.payments.clock.now()),
        None
    );
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 2, "a later one does");
}

#[tokio::test]
async fn a_repeat_that_is_refused_ends_only_after_another_answer_without_it() {
    let world = World::with_answers(&[accepted("sale"), Answer::Unclear, refused("3285")]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear("success", "success").await;
    world.refund("r-1", 400).await.unwrap();
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 2);
    let payment = world.payment().await;
    assert_eq!(
        payment.refunds[0].status,
        RefundStatus::Unknown,
        "still held"
    );
    world.ask(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds_sent(), 2, "not sent a third time");
    let payment = world.payment().await;
    assert_eq!(payment.refunds[0].status, RefundStatus::Declined);
    assert_eq!(payment.refunds[0].code.as_deref(), Some("3285"));
    assert_eq!(payment.refundable_amount(), 1000);
    assert!(world.sent().last().unwrap().contains("refund.declined"));
}

#[tokio::test]
async fn what_is_rejected_goes_back_and_was_never_paid() {
    let world = World::with_answers(&[accepted("sale"), accepted("back")]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear_this(
        r#"{"project_id":211,"payment":{"id":"order-1","status":"success","sum":{"amount":900,"currency":"EUR"}},
        "operation":{"id":7,"type":"sale","status":"success","sum_initial":{"amount":900,"currency":"EUR"}}}"#,
    )
    .await;
    assert_eq!(world.status().await, Status::Quarantined);
    let desk = RefundDesk {
        payments: &world.payments,
        gate: &world.gate,
        keyring: &world.keyring,
    };
    let unseen = desk.reject(&key(), "anna", &BTreeSet::new()).await;
    assert!(
        matches!(unseen, Err(RefundError::Rejected(_))),
        "{unseen:?}"
    );
    let doubts = world.payment().await.doubts();
    let rejected = desk.reject(&key(), "anna", &doubts).await.unwrap();
    assert_eq!(rejected.pending_refund_amount(), 900);
    assert_eq!(rejected.status(), Status::Quarantined, "until it is back");
    let again = desk.reject(&key(), "anna", &doubts).await.unwrap();
    assert_eq!(again.pending_refund_amount(), 900, "nothing is left");
    assert_eq!(world.refunds_sent(), 1);
    let refund_id = rejected.refunds[0].refund_id.as_ref().unwrap();
    assert!(refund_id.as_str().starts_with("rejected-"));
    let back = r#"{"project_id":211,"payment":{"id":"order-1","status":"refunded","merchant_refund_id":"REFUND","sum":{"amount":0,"currency":"EUR"}},
        "operation":{"id":8,"type":"refund","status":"success","sum_initial":{"amount":900,"currency":"EUR"}}}"#;
    world
        .hear_this(&back.replace("REFUND", refund_id.as_str()))
        .await;
    assert_eq!(world.status().await, Status::Refunded);
    let sent = world.sent();
    assert!(
        !sent.iter().any(|event| event.contains("payment.succeeded")),
        "{sent:?}"
    );
    assert!(
        sent.last().unwrap().contains("refund.succeeded"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn only_a_signed_answer_about_this_payment_answers() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let paid = r#"{"project_id":211,"payment":{"id":"ORDER-1","status":"success","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}]}"#;
    let ask = |answer| world.ask(answer);
    assert!(matches!(ask(None).await, Err(AskError::Unanswered(_))));
    let unsigned = Some(paid.to_owned());
    assert!(matches!(ask(unsigned).await, Err(AskError::NotSigned)));
    let forged = Some(signed(paid, "theirs"));
    assert!(matches!(ask(forged).await, Err(AskError::NotSigned)));
    let cut = Some(signed(paid, "key")[..90].to_owned());
    assert!(matches!(ask(cut).await, Err(AskError::NotSound(_))));
    let others = signed(&paid.replace("ORDER-1", "order-2"), "key");
    assert_eq!(ask(Some(others)).await.unwrap(), []);
    assert_eq!(world.status().await, Status::Processing);
    let events = ask(Some(signed(paid, "key"))).await.unwrap();
    assert_eq!(events, [EventKind::PaymentSucceeded]);
    let paid = world.payment().await;
    assert_eq!((paid.status(), paid.questions), (Status::Succeeded, 6));
    assert_eq!(paid.check_at, None, "nothing more to ask");
    let keyring = Some(&world.keyring);
    let again = world
        .payments
        .ask(&key(), far(), &world.gate, keyring)
        .await;
    assert_eq!(again.unwrap(), []);
    let asked = world.gate.got.lock().unwrap();
    assert_eq!(
        asked
            .iter()
            .filter(|path| path.ends_with("/status"))
            .count(),
        6
    );
}
