//! The use cases on the world's side, one step of one job at a time.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::report::Sum;
use ecommpay::{Keyring, ProjectKey};
use payments::decide::Fact;
use payments::model::schedule::Schedule;
use payments::model::storefront::{Scope, Storefront};
use payments::model::{PlatformRecord, RefundOrder};
use payments::ports::{Clock, PaymentStore};
use payments::service::checkout::token::TokenSecret;
use payments::service::checkout::{CheckoutError, CheckoutRequest, CheckoutService};
use payments::service::clarification::{ClarificationError, clarify};
use payments::service::project_keys::ProjectKeys;
use payments::service::refund::{RefundError, RefundService};
use payments::service::review::ReviewError;
use payments::service::status_poll::StatusPoller;
use payments::{MerchantId, PaymentKey, Payments};

use crate::memory::Memory;
use crate::platform::{Message, Platform};
use crate::promises::Promises;
use crate::world::{QUEUES, Queue, Store, World};

const BASE_URL: &str = "https://pay.example";

/// The system under test, and what surrounds it.
pub struct System {
    pub payments: Payments<Store, Queue, World>,
    pub platform: Platform,
    pub world: World,
    keyring: Keyring,
    keys: ProjectKeys,
    tokens: TokenSecret,
    storefront: Storefront,
}

impl System {
    pub fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let keyring = Keyring::new(ProjectKey::new("key").unwrap(), None);
        let queue = |index| Queue {
            index,
            world: world.clone(),
        };
        Self {
            payments: Payments {
                store: Store {
                    memory: Memory::default(),
                    world: world.clone(),
                },
                queues: (0..QUEUES).map(queue).collect(),
                clock: world.clone(),
                schedule: Schedule::default(),
            },
            platform: Platform::new(world.clone()),
            world,
            keys: [(ProjectId::new(211).unwrap(), keyring.clone())].into(),
            keyring,
            tokens: TokenSecret::new(&"s".repeat(32)).unwrap(),
            storefront: Storefront {
                key_id: "shop".into(),
                key_hash: String::new(),
                name: "shop".into(),
                project_id: ProjectId::new(211).unwrap(),
                scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
                return_origins: ["https://shop.example".into()].into(),
            },
        }
    }

    /// A storefront's request. Whether it needs no repeat.
    async fn create(&self, number: u64, channel: &str) -> bool {
        // Each order has two payments.
        let order = number / 2;
        let body = format!(
            r#"{{"payment_id":"Order-{number}","order_id":"{order}","channel":"{channel}","amount":1000,"currency":"EUR","return_url":"https://shop.example/",
                "customer":{{"id":"c","ip_address":"192.0.2.1","last_name":"Janssens"}}}}"#
        );
        let now = self.world.now();
        let request = CheckoutRequest::read(body.as_bytes(), &self.storefront, now).unwrap();
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.platform,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: BASE_URL,
        };
        match checkouts.create(&self.storefront, request).await {
            Ok(_) | Err(CheckoutError::Refused(_)) => true,
            Err(CheckoutError::Conflict) => panic!("the same order is no conflict"),
            Err(CheckoutError::Unavailable(_)) => false,
        }
    }

    async fn refund(&self, number: u64, refund: u64, amount: Option<u64>) -> bool {
        let order = RefundOrder {
            refund_id: MerchantId::new(format!("r-{refund}")).unwrap(),
            amount,
            description: Text::new("returned").unwrap(),
            ip_address: None,
            content: format!("{amount:?}"),
        };
        let desk = RefundService {
            payments: &self.payments,
            gate: &self.platform,
            keyring: &self.keyring,
        };
        let refunded = desk
            .refund(&self.storefront, &format!("order-{number}"), &order)
            .await;
        !matches!(refunded, Err(RefundError::Unavailable(_)))
    }

    /// A callback. Whether it was answered with 200.
    async fn hear(&self, message: &Message) -> bool {
        let key = key(&message.payment_id);
        match self.payments.apply(&key, message.fact()).await {
            Ok(applied) => applied.is_none_or(|applied| applied.published.is_ok()),
            Err(_) => false,
        }
    }

    fn poller(&self) -> StatusPoller<'_, Store, Queue, World, Platform> {
        StatusPoller {
            payments: &self.payments,
            gate: &self.platform,
            keys: &self.keys,
            tokens: &self.tokens,
            base_url: BASE_URL,
            min_interval: Duration::ZERO,
        }
    }

    async fn ask(&self, payment_id: String) -> bool {
        let due_by = self.world.now();
        self.poller().poll(&key(&payment_id), due_by).await.is_ok()
    }

    async fn poll_all(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.poller().poll_all(deadline).await.failed == 0
    }

    async fn erase_all(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.payments.erase_all(deadline).await.failed == 0
    }

    async fn expire_all(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.payments.expire_all(deadline).await.failed == 0
    }

    /// An operator decides about what is in quarantine.
    async fn review(&self, number: u64, is_release: bool) -> bool {
        let key = key(&format!("order-{number}"));
        let items = match self.payments.store.load(&key).await {
            Ok(Some(stored)) => stored.payment.quarantine(),
            Ok(None) => return true,
            Err(_) => return false,
        };
        let reviewed = match is_release {
            true => self.payments.release(&key, "anna", &items).await,
            false => {
                let desk = RefundService {
                    payments: &self.payments,
                    gate: &self.platform,
                    keyring: &self.keyring,
                };
                desk.reject(&key, "anna", &items).await
            }
        };
        !matches!(reviewed, Err(ReviewError::Unavailable(_)))
    }

    /// The merchant answers what the platform asks for a refund.
    async fn clarify_refund(&self, number: u64) -> bool {
        let key = key(&format!("order-{number}"));
        let payment = match self.payments.store.load(&key).await {
            Ok(Some(stored)) => stored.payment,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let mut refunds = payment.refunds().iter();
        let Some(asked) = refunds.find_map(|one| payment.clarification_request_of(one)) else {
            return true;
        };
        let answers = [("account.number".to_owned(), Text::new("1").unwrap())];
        let (gate, keyring) = (&self.platform, &self.keyring);
        let sent = clarify(
            &self.payments,
            gate,
            keyring,
            &payment,
            Some(asked),
            &answers,
        );
        !matches!(sent.await, Err(ClarificationError::Unavailable(_)))
    }

    /// The platform's records list an operation, or seem to lack it.
    async fn compare(&self, number: u64, lack: bool) -> bool {
        let accounts = self.platform.accounts();
        let mut operations = Vec::new();
        for (payment_id, account) in &accounts {
            let of_it = account.operations.iter();
            operations.extend(of_it.map(|operation| (payment_id, operation)));
        }
        if operations.is_empty() {
            return true;
        }
        let at = usize::try_from(number).unwrap() % operations.len();
        let (payment_id, operation) = operations[at];
        let listed = ListedOperation {
            project_id: Some(211),
            operation_id: operation.id.to_string(),
            payment_id: payment_id.clone(),
            kind: operation.kind.into(),
            status: operation.status.into(),
            sum_initial: Some(Sum {
                amount: operation.amount,
                currency: "EUR".into(),
            }),
        };
        let record = match lack {
            true => PlatformRecord::Missing(&listed.operation_id),
            false => PlatformRecord::Listed(&listed),
        };
        let project_id = self.storefront.project_id;
        let fact = Fact::PlatformRecord { project_id, record };
        match self.payments.apply(&key(payment_id), fact).await {
            Ok(applied) => applied.is_none_or(|applied| applied.published.is_ok()),
            Err(_) => false,
        }
    }

    async fn sweep_outbox(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.payments
            .sweep_outbox(Duration::ZERO, deadline)
            .await
            .failed
            == 0
    }
}

pub fn key(payment_id: &str) -> PaymentKey {
    PaymentKey::new(ProjectId::new(211).unwrap(), payment_id)
}

/// What somebody does, so that it can be begun again after a crash.
#[derive(Clone)]
pub enum Job {
    Create(u64),
    CreateLink(u64),
    Refund(u64, u64, Option<u64>),
    Hear(Rc<Message>),
    Ask(String),
    AskAll,
    EraseAll,
    ExpireAll,
    Review(u64, bool),
    ClarifyRefund(u64),
    Compare(u64, bool),
    SweepOutbox,
}

type Running<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

pub struct Task<'a> {
    pub job: Job,
    pub running: Running<'a>,
}

pub fn begin<'a>(system: &'a System, job: &Job) -> Task<'a> {
    let running: Running<'a> = match job.clone() {
        Job::Create(number) => Box::pin(system.create(number, "gate")),
        Job::CreateLink(number) => Box::pin(system.create(number, "payment_page")),
        Job::Refund(number, refund, amount) => Box::pin(system.refund(number, refund, amount)),
        Job::Hear(message) => Box::pin(async move { system.hear(&message).await }),
        Job::Ask(payment_id) => Box::pin(system.ask(payment_id)),
        Job::AskAll => Box::pin(system.poll_all()),
        Job::EraseAll => Box::pin(system.erase_all()),
        Job::ExpireAll => Box::pin(system.expire_all()),
        Job::Review(number, is_release) => Box::pin(system.review(number, is_release)),
        Job::ClarifyRefund(number) => Box::pin(system.clarify_refund(number)),
        Job::Compare(number, lack) => Box::pin(system.compare(number, lack)),
        Job::SweepOutbox => Box::pin(system.sweep_outbox()),
    };
    Task {
        job: job.clone(),
        running,
    }
}

pub fn poll(task: &mut Task<'_>) -> Option<bool> {
    match task
        .running
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// A runtime whose timers the relay may ask for; none of them ever fires.
pub fn timers() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

/// Polls a job to its end, with a look around after each poll. Gives whether it needs no repeat.
pub fn drive(system: &System, job: &Job, mut look: impl FnMut()) -> bool {
    let mut task = begin(system, job);
    loop {
        let done = poll(&mut task);
        look();
        if let Some(done) = done {
            return done;
        }
    }
}

/// Polls to the end.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(done) = polled {
            return done;
        }
    }
}

pub fn finish(system: &System, job: &Job, promises: &mut Promises) {
    let done = drive(system, job, || promises.check(&system.payments.store));
    assert!(done, "failed though nothing goes wrong");
}
