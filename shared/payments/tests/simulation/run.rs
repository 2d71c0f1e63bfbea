//! One run: tasks that are polled, crashed and repeated in an order that the seed gives.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::report::Sum;
use ecommpay::{Keyring, ProjectKey};
use payments::ask::Asker;
use payments::callback::ProjectKeys;
use payments::checkout::{Cashier, CheckoutError, CheckoutRequest};
use payments::decide::{Fact, RefundOrder};
use payments::event::{Event, EventKind};
use payments::payment::Books;
use payments::ports::{Clock, Stored};
use payments::refund::{RefundDesk, RefundError};
use payments::schedule::{Next, Schedule};
use payments::storefront::{Scope, Storefront};
use payments::token::TokenSecret;
use payments::{MerchantId, PaymentKey, Payments};

use crate::books;
use crate::memory::Memory;
use crate::platform::{Account, Message, Oddity, Platform};
use crate::promises::Promises;
use crate::world::{QUEUES, Queue, Store, World};

/// What happened in all runs together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub steps: u64,
    pub crashes: u64,
    pub failures: u64,
    pub paid: u64,
    pub refunded: u64,
    pub events: u64,
    pub sends: u64,
    pub questions: u64,
    pub differences: u64,
    pub paid_twice: u64,
    pub odd: u64,
    pub refund_attempts: u64,
}

impl Totals {
    pub fn add(&mut self, other: Totals) {
        self.steps += other.steps;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.paid += other.paid;
        self.refunded += other.refunded;
        self.events += other.events;
        self.sends += other.sends;
        self.questions += other.questions;
        self.differences += other.differences;
        self.paid_twice += other.paid_twice;
        self.odd += other.odd;
        self.refund_attempts += other.refund_attempts;
    }
}

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
        let cashier = Cashier {
            payments: &self.payments,
            gate: &self.platform,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: BASE_URL,
        };
        match cashier.create(&self.storefront, request).await {
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
        let desk = RefundDesk {
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

    fn asker(&self) -> Asker<'_, Store, Queue, World, Platform> {
        Asker {
            payments: &self.payments,
            gate: &self.platform,
            keys: &self.keys,
            tokens: &self.tokens,
            base_url: BASE_URL,
            pace: Duration::ZERO,
        }
    }

    async fn ask(&self, payment_id: String) -> bool {
        let before = self.world.now().after(Duration::from_millis(1));
        self.asker().ask(&key(&payment_id), before).await.is_ok()
    }

    async fn ask_all(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.asker().ask_all(deadline).await.failed == 0
    }

    async fn erase_all(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.payments.erase_all(deadline).await.failed == 0
    }

    /// The platform's books list an operation, or seem to lack it.
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
        let books = match lack {
            true => Books::Lack(&listed.operation_id),
            false => Books::List(&listed),
        };
        let project_id = self.storefront.project_id;
        let fact = Fact::Difference { project_id, books };
        match self.payments.apply(&key(payment_id), fact).await {
            Ok(applied) => applied.is_none_or(|applied| applied.published.is_ok()),
            Err(_) => false,
        }
    }

    async fn relay(&self) -> bool {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        self.payments.relay(Duration::ZERO, deadline).await.failed == 0
    }
}

fn key(payment_id: &str) -> PaymentKey {
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
    Compare(u64, bool),
    Relay,
}

type Running<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

struct Task<'a> {
    job: Job,
    running: Running<'a>,
}

fn begin<'a>(system: &'a System, job: &Job) -> Task<'a> {
    let running: Running<'a> = match job.clone() {
        Job::Create(number) => Box::pin(system.create(number, "gate")),
        Job::CreateLink(number) => Box::pin(system.create(number, "payment_page")),
        Job::Refund(number, refund, amount) => Box::pin(system.refund(number, refund, amount)),
        Job::Hear(message) => Box::pin(async move { system.hear(&message).await }),
        Job::Ask(payment_id) => Box::pin(system.ask(payment_id)),
        Job::AskAll => Box::pin(system.ask_all()),
        Job::EraseAll => Box::pin(system.erase_all()),
        Job::Compare(number, lack) => Box::pin(system.compare(number, lack)),
        Job::Relay => Box::pin(system.relay()),
    };
    Task {
        job: job.clone(),
        running,
    }
}

fn poll(task: &mut Task<'_>) -> Option<bool> {
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

const PAYMENTS: u64 = 3;

/// What storefronts do most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// A bit of everything.
    Usual,
    /// Refunds, again and again, of the same few ids.
    Refunds,
}

pub fn run(seed: u64, mix: Mix) -> Totals {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(seed);
    let world = &system.world;
    let choose = |end: u64| world.below(end);
    let mut promises = Promises::default();
    let mut totals = Totals::default();
    let mut tasks: Vec<Task<'_>> = Vec::new();
    // The callbacks that were not answered with 200 yet, and some that will come twice.
    let mut waiting: Vec<Rc<Message>> = Vec::new();

    for _ in 0..600 {
        totals.steps += 1;
        let step = match mix {
            Mix::Refunds if choose(3) == 0 => 1,
            _ => choose(20),
        };
        match step {
            0 => tasks.push(begin(&system, &Job::Create(choose(PAYMENTS)))),
            1 => {
                let amount = [None, Some(1 + choose(600))][usize::try_from(choose(2)).unwrap()];
                let refund = choose(if mix == Mix::Refunds { 12 } else { 4 });
                totals.refund_attempts += 1;
                tasks.push(begin(
                    &system,
                    &Job::Refund(choose(PAYMENTS), refund, amount),
                ));
            }
            2 | 3 => system.platform.act(false),
            4 | 5 if !waiting.is_empty() => {
                let at = usize::try_from(choose(waiting.len() as u64)).unwrap();
                let message = match choose(3) {
                    0 => waiting[at].clone(),
                    _ => waiting.swap_remove(at),
                };
                tasks.push(begin(&system, &Job::Hear(message)));
            }
            6 if choose(4) == 0 => {
                let payment_id = format!("order-{}", choose(PAYMENTS));
                tasks.push(begin(&system, &Job::Ask(payment_id)));
            }
            6 if choose(4) == 0 => tasks.push(begin(&system, &Job::AskAll)),
            7 if choose(4) == 0 => tasks.push(begin(&system, &Job::Relay)),
            7 if choose(4) == 0 => {
                let job = Job::Compare(choose(100), choose(4) == 0);
                tasks.push(begin(&system, &job));
            }
            7 if choose(20) == 0 => system.platform.pay_elsewhere(choose(2)),
            8 if choose(8) == 0 => {
                world.toggle(usize::try_from(choose(QUEUES as u64)).unwrap());
            }
            // Forwards, and sometimes back.
            9 => world.pass(i64::try_from(choose(120_000)).unwrap() - 10_000),
            _ if !tasks.is_empty() => {
                let at = usize::try_from(choose(tasks.len() as u64)).unwrap();
                let crashed = choose(40) == 0;
                let done = if crashed {
                    Some(false)
                } else {
                    poll(&mut tasks[at])
                };
                if let Some(done) = done {
                    totals.crashes += u64::from(crashed);
                    totals.failures += u64::from(!done);
                    let task = tasks.swap_remove(at);
                    if let (Job::Hear(message), false) = (&task.job, done) {
                        waiting.push(message.clone());
                    }
                }
            }
            _ => {}
        }
        waiting.extend(system.platform.take_messages().into_iter().map(Rc::new));
        promises.check(&system.payments.store);
    }

    // Nothing goes wrong any more, and everything comes to its end.
    world.be_quiet();
    for task in tasks.drain(..) {
        if let Job::Hear(message) = task.job {
            waiting.push(message);
        }
    }
    while let Some(message) = waiting.pop() {
        finish(&system, &Job::Hear(message), &mut promises);
    }
    totals.questions = come_to_rest(&system, &mut promises);
    totals.paid_twice = books::close(&system);
    let accounts = system.platform.accounts();
    promises.check_end(&system.payments.store, &accounts);

    totals.paid = accounts.values().filter(|one| one.paid() > 0).count() as u64;
    totals.refunded = accounts.values().filter(|one| one.refunded() > 0).count() as u64;
    let is_odd = |one: &&Account| one.oddity != Oddity::None;
    totals.odd = accounts.values().filter(is_odd).count() as u64;
    totals.events = system.payments.store.memory.events.lock().unwrap().len() as u64;
    let events = system.payments.store.memory.events.lock().unwrap();
    let is_difference = |event: &&Event| event.kind == EventKind::ReconciliationDifference;
    totals.differences = events.values().filter(is_difference).count() as u64;
    totals.sends = world.sent_after(0).len() as u64;
    totals
}

/// The platform ends what it has begun, its messages come in any order, what is unsent is sent, and
/// what is open or doubtful is asked about when it is due, a few times. Gives how often.
fn come_to_rest(system: &System, promises: &mut Promises) -> u64 {
    let world = &system.world;
    let questions = || {
        let rows = system.payments.store.memory.rows.lock().unwrap();
        let asked = rows.values().map(|row| u64::from(row.payment.questions));
        asked.sum::<u64>()
    };
    let before = questions();
    for _ in 0..6 {
        while !system.platform.is_done() {
            system.platform.act(true);
        }
        let mut waiting = system.platform.take_messages();
        while !waiting.is_empty() {
            let at = usize::try_from(world.below(waiting.len() as u64)).unwrap();
            let message = Rc::new(waiting.swap_remove(at));
            finish(system, &Job::Hear(message), promises);
        }
        // The clock may have gone back since something was left behind.
        world.pass(3_600_000);
        finish(system, &Job::Relay, promises);
        let due = {
            let plans = system.payments.store.memory.plans.lock().unwrap();
            let questions = plans.values().filter_map(|next| match next {
                Next::Ask(at) => Some(*at),
                Next::Erase(_) | Next::Overdue(_) => None,
            });
            questions.max()
        };
        let Some(due) = due else { break };
        let wait = due.unix_millis() - world.now().unix_millis();
        world.pass(wait.max(0));
        finish(system, &Job::AskAll, promises);
    }
    questions() - before
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

/// A payment from its creation to a refund, without faults but for one crash, after so many polls;
/// whoever crashed is begun again. Gives the number of polls.
pub fn usual(crash_at: Option<u64>) -> u64 {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(11);
    system.world.be_quiet();
    let mut promises = Promises::default();
    let mut polls = 0;
    let mut to_the_end = |job: Job| {
        let mut task = begin(&system, &job);
        loop {
            if Some(polls) == crash_at {
                polls += 1;
                // Long enough for a sale that was being sent to count as abandoned.
                system.world.pass(60_000);
                task = begin(&system, &job);
            }
            polls += 1;
            let done = poll(&mut task);
            promises.check(&system.payments.store);
            match done {
                Some(true) => return,
                Some(false) => panic!("failed though nothing goes wrong"),
                None => {}
            }
        }
    };
    to_the_end(Job::Create(1));
    while system.platform.accounts()["order-1"].status == "processing" {
        system.platform.act(true);
    }
    for message in system.platform.take_messages() {
        to_the_end(Job::Hear(Rc::new(message)));
    }
    to_the_end(Job::Refund(1, 1, Some(400)));
    while !system.platform.is_done() {
        system.platform.act(true);
    }
    for message in system.platform.take_messages() {
        to_the_end(Job::Hear(Rc::new(message)));
    }
    come_to_rest(&system, &mut promises);
    promises.check_end(&system.payments.store, &system.platform.accounts());
    polls
}

/// The queues are down for an hour, while so many payments go on. The callbacks are answered with
/// a failure and repeated, or never come again; then the relay finds what is unsent.
pub fn outage(payments: u64) -> (u64, u64) {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::new(5);
    let world = &system.world;
    world.be_quiet();
    let mut promises = Promises::default();
    for number in 0..payments {
        drive(&system, &Job::Create(number), || {});
    }
    promises.check(&system.payments.store);
    for queue in 0..QUEUES {
        world.toggle(queue);
    }
    let mut callbacks = 0;
    let usual = payments * 4;
    let mut acts = 0;
    while acts < usual || !system.platform.is_done() {
        acts += 1;
        system.platform.act(acts > usual);
        world.pass(3_600_000 / i64::try_from(payments * 8).unwrap());
        for message in system.platform.take_messages() {
            let message = Rc::new(message);
            for _ in 0..1 + world.below(3) {
                callbacks += 1;
                let heard = drive(&system, &Job::Hear(message.clone()), || {});
                let rows = system.payments.store.memory.rows.lock().unwrap();
                let row = &rows[&key(&message.payment_id)];
                let all_sent = row.published == row.payment.sequence;
                assert!(
                    !heard || all_sent,
                    "answered as announced, with the queues down"
                );
            }
        }
    }
    promises.check(&system.payments.store);
    let unsent_of = |row: &Stored| row.payment.sequence - row.published;
    let unsent: u64 = {
        let rows = system.payments.store.memory.rows.lock().unwrap();
        rows.values().map(unsent_of).sum()
    };
    for queue in 0..QUEUES {
        world.toggle(queue);
    }
    world.pass(1);
    assert!(drive(&system, &Job::Relay, || {}));
    promises.check_end(&system.payments.store, &system.platform.accounts());
    (callbacks, unsent)
}
