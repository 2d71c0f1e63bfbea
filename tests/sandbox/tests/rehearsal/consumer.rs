//! Runs a consumer with an endpoint on loopback. It has the rules of the sample consumer, or one fault.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use fulfilment::decide::{Decision, decide};
use fulfilment::event::Event;
use fulfilment::goods::{Action, Goods};
use fulfilment::memory::Memory;
use payments::events::EventKind;
use payments::model::webhook::{SignedEvent, WebhookSecret};
use payments::{PaymentKey, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The number of payments that a consumer with [`Fault::ForgetsSoon`] remembers.
const MEMORY: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    ActsOnRepeats,
    ForgetsSoon,
    ForgetsWhenKilled,
    WaitsForNumbers,
    ShipsQuarantined,
    ShipsUnconfirmed,
    ShipsOnEverySuccess,
    IgnoresLateSuccess,
    IgnoresDeclines,
    IgnoresRefunds,
    IgnoresReturns,
    IgnoresPaidTwice,
    StopsAtUnknownType,
    StopsAtPoison,
}

pub struct Consumer {
    fault: Fault,
    secret: Option<WebhookSecret>,
    memories: HashMap<PaymentKey, Memory>,
    /// The payments in the order of their first events.
    order: Vec<PaymentKey>,
    log: File,
    has_stopped: bool,
}

impl Consumer {
    /// Continues after the events in the log, which has one line for each event with its action.
    pub fn new(fault: Fault, log: &Path) -> Self {
        let lines = std::fs::read_to_string(log).unwrap_or_default();
        let mut consumer = Self {
            fault,
            secret: None,
            memories: HashMap::new(),
            order: Vec::new(),
            log: File::options().create(true).append(true).open(log).unwrap(),
            has_stopped: false,
        };
        if fault != Fault::ForgetsWhenKilled {
            for line in lines.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                let event = Event::parse(line["body"].as_str().unwrap()).unwrap();
                consumer.act(&event, false);
            }
        }
        consumer
    }

    pub fn with_secret(self, secret: &str) -> Self {
        let secret = WebhookSecret::from_text(secret);
        Self { secret, ..self }
    }

    pub async fn serve(self, listener: TcpListener) {
        let consumer = Arc::new(Mutex::new(self));
        let routes = Router::new().route("/events", post(receive));
        axum::serve(listener, routes.with_state(consumer))
            .await
            .unwrap();
    }

    fn receive(&mut self, headers: &HeaderMap, body: &str) -> StatusCode {
        if self.has_stopped {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let Ok(event) = Event::parse(body) else {
            self.has_stopped = self.fault == Fault::StopsAtPoison;
            return StatusCode::BAD_REQUEST;
        };
        if event.kind.is_none() && self.fault == Fault::StopsAtUnknownType {
            self.has_stopped = true;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let content: Value = serde_json::from_str(body).unwrap();
        if !self.is_signed(headers, body, &content) {
            return StatusCode::UNAUTHORIZED;
        }
        let is_late = content["data"]["late"] == true;
        let action = self.act(&event, is_late);
        let payment = event.key.to_string();
        let line = json!({ "action": action.as_str(), "body": body, "payment": payment });
        // One write stores the event and its action, so a kill cannot separate them.
        self.log.write_all(format!("{line}\n").as_bytes()).unwrap();
        StatusCode::NO_CONTENT
    }

    fn is_signed(&self, headers: &HeaderMap, body: &str, content: &Value) -> bool {
        let Some(secret) = &self.secret else {
            return true;
        };
        let timestamp: i64 = headers["webhook-timestamp"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let at = Timestamp::from_millis(timestamp * 1_000);
        let id = content["id"].as_str().unwrap();
        let signed = SignedEvent::new(id, body.to_owned(), at, secret, None);
        let mut expected = signed.headers().into_iter();
        expected.all(|(name, value)| headers[name] == value)
    }

    fn act(&mut self, event: &Event, is_late: bool) -> Action {
        if !self.memories.contains_key(&event.key) {
            self.order.push(event.key.clone());
        }
        let memory = self.memories.get(&event.key);
        let next = memory.map_or(1, |memory| memory.newest.sequence + 1);
        let is_skipped = match self.fault {
            Fault::WaitsForNumbers => event.sequence > next,
            Fault::IgnoresLateSuccess => is_late,
            Fault::IgnoresDeclines => event.kind == Some(EventKind::PaymentDeclined),
            Fault::IgnoresRefunds => event.kind == Some(EventKind::RefundSucceeded),
            Fault::IgnoresReturns => event.kind == Some(EventKind::RefundReturned),
            Fault::IgnoresPaidTwice => event.kind == Some(EventKind::OrderPaidTwice),
            _ => false,
        };
        if is_skipped {
            return Action::Nothing;
        }
        let (action, mut memory) = match decide(memory.cloned(), event) {
            Decision::Duplicate(action) if self.fault == Fault::ActsOnRepeats => return action,
            Decision::Duplicate(_) => return Action::Nothing,
            Decision::New(action, memory) => (action, memory),
        };
        let ships = match self.fault {
            Fault::ShipsQuarantined => event.kind == Some(EventKind::PaymentQuarantined),
            Fault::ShipsUnconfirmed => event.kind == Some(EventKind::PaymentAwaitingConfirmation),
            Fault::ShipsOnEverySuccess => event.kind == Some(EventKind::PaymentSucceeded),
            _ => false,
        };
        let action = match ships {
            true => Action::Ship,
            false => action,
        };
        if ships {
            memory.goods = Goods::Shipped;
        }
        self.memories.insert(event.key.clone(), memory);
        if self.fault == Fault::ForgetsSoon && self.order.len() > MEMORY {
            self.memories.remove(&self.order.remove(0));
        }
        action
    }
}

async fn receive(
    State(consumer): State<Arc<Mutex<Consumer>>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    consumer.lock().unwrap().receive(&headers, &body)
}

/// Returns the shell command that prints the actions in a log.
pub fn state_command(log: &Path) -> String {
    format!("sed '/^{{\"action\":\"nothing\"/d' '{}'", log.display())
}

/// A consumer in this process.
pub struct Local {
    pub endpoint: String,
    pub log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Local {
    pub async fn start(make: impl FnOnce(&Path) -> Consumer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/events", listener.local_addr().unwrap());
        tokio::spawn(make(&log).serve(listener));
        Self {
            endpoint,
            log,
            _folder: folder,
        }
    }
}
