//! What the functions call: DynamoDB, SQS, Secrets Manager and the platform's Gate, as small as they can be.
//!
//! Not emulators: nothing is checked but that a call could be meant. They are fast, and they count. So a timing shows the
//! function, not them.

mod aws;
mod gate;
mod server;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Value;
use tokio::sync::oneshot;

pub use self::gate::REQUEST_ID;
pub use self::tls::{ROOT, roots};

/// The keys of an item: `pk` and `sk`.
type Key = (String, String);

/// How the stubs serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where AWS listens, with TLS; port 0 for a free one.
    pub aws: SocketAddr,
    /// Where Gate listens.
    pub gate: SocketAddr,
    /// Whether Gate has TLS.
    pub gate_tls: bool,
    /// How long each answer takes.
    pub delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            aws: ([127, 0, 0, 1], 0).into(),
            gate: ([127, 0, 0, 1], 0).into(),
            gate_tls: false,
            delay: Duration::ZERO,
        }
    }
}

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections by the host that was asked first on them.
    pub connections: BTreeMap<String, u64>,
    /// Calls by their operation.
    pub calls: BTreeMap<String, u64>,
}

/// Running stubs; they end when this is dropped.
#[derive(Debug)]
pub struct Stubs {
    /// Where AWS listens.
    pub aws: SocketAddr,
    /// Where Gate listens.
    pub gate: SocketAddr,
    state: Arc<Mutex<State>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    items: BTreeMap<Key, Value>,
    secrets: BTreeMap<String, String>,
    delay: Duration,
}

impl Stubs {
    /// Starts them in a thread of their own, as they are not to wait for who measures.
    ///
    /// # Errors
    ///
    /// When a port is taken.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            delay: options.delay,
            ..State::default()
        }));
        let (end, ended) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let (shared, options) = (Arc::clone(&state), options.clone());
        let thread = std::thread::Builder::new().name("stubs".into());
        let thread = thread.spawn(move || server::run(&options, &shared, ended, &tell))?;
        let started = told.recv().context("The stubs ended at once")?;
        let (aws, gate) =
            started.map_err(|error| anyhow!("The stubs cannot be started: {error}"))?;
        Ok(Self {
            aws,
            gate,
            state,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Stores an item of the table.
    ///
    /// # Errors
    ///
    /// When it has no keys.
    pub fn put(&self, item: Value) -> anyhow::Result<()> {
        let key = aws::key(&item).context("An item without its keys")?;
        self.state().items.insert(key, item);
        Ok(())
    }

    /// Keeps a secret under a name.
    pub fn keep_secret(&self, name: &str, value: &str) {
        let secrets = &mut self.state().secrets;
        secrets.insert(name.to_owned(), value.to_owned());
    }

    /// Forgets all items.
    pub fn clear(&self) {
        self.state().items.clear();
    }

    /// What was asked since this was called the last time.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.state().counts)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
