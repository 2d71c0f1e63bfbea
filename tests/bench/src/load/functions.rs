//! The functions under load: some sandboxes of each, fed as the gateway feeds them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::services::{KEYS, TOKENS};
use crate::host::{Gauge, Program, Sandbox, Usage};
use crate::world::COMMON;

/// Sandboxes of one function.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<Vec<Sandbox>>,
    gauges: Vec<Gauge>,
    permits: Semaphore,
}

/// What a function answered to the gateway.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The HTTP status.
    pub status_code: u16,
    /// The body.
    pub body: Option<String>,
}

impl Pool {
    /// Starts so many sandboxes of a program.
    ///
    /// # Errors
    ///
    /// When one does not start.
    pub async fn start(program: &Program, size: u32) -> anyhow::Result<Self> {
        let mut idle = Vec::new();
        for _ in 0..size {
            idle.push(Sandbox::start(program).await?);
        }
        Ok(Self {
            gauges: idle.iter().map(Sandbox::gauge).collect(),
            idle: Mutex::new(idle),
            permits: Semaphore::new(size as usize),
        })
    }

    /// Gives an event to the sandbox that was idle for the shortest time, or to the next that is idle.
    ///
    /// # Errors
    ///
    /// When the function fails.
    pub async fn invoke(&self, event: String) -> anyhow::Result<Reply> {
        let _permit = self.permits.acquire().await?;
        let sandbox = self.idle().pop();
        let mut sandbox = sandbox.context("fewer sandboxes than permits")?;
        let invoked = sandbox.invoke(Bytes::from(event)).await?;
        self.idle().push(sandbox);
        Ok(serde_json::from_slice(&invoked.reply)?)
    }

    /// What each sandbox has used so far.
    ///
    /// # Errors
    ///
    /// When one is gone.
    pub fn usage(&self) -> anyhow::Result<Vec<Usage>> {
        self.gauges.iter().map(Gauge::usage).collect()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Sandbox>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queues as the template configures them: `EVENT_QUEUES`.
///
/// # Errors
///
/// When the template does not.
pub fn queues() -> anyhow::Result<String> {
    let template = schemas::yaml("template.yaml")?;
    let queues = template.pointer("/Globals/Function/Environment/Variables/EVENT_QUEUES");
    let queues = queues.and_then(Value::as_str);
    let queues = queues.context("the template has no queues")?;
    Ok(queues
        .replace(
            "${FulfilmentQueue}",
            "https://queues.example/fulfilment.fifo",
        )
        .replace("${AuditQueue}", "https://queues.example/audit.fifo"))
}

/// A function as the template configures it, with all it calls at one address.
pub fn program(name: &str, path: &Path, address: &str, queues: &str, log: &Path) -> Program {
    let own = [
        ("AWS_ENDPOINT_URL", address),
        ("EVENT_QUEUES", queues),
        ("PROJECT_KEYS_SECRET", KEYS),
        ("TOKEN_SECRET", TOKENS),
        ("GATE_URL", address),
        ("PUBLIC_BASE_URL", "https://api.example"),
        ("PAYMENT_PAGE_URL", "https://page.example/payment"),
        ("PAYMENT_PAGE_LANGUAGES", "en,fr,de"),
        ("PAYMENT_PAGE_RETRIES", "false"),
    ];
    let variables = COMMON.into_iter().chain(own);
    let program = Program {
        log: Some(log.to_owned()),
        ..Program::new(name, path)
    };
    variables.fold(program, |program, (name, value)| program.with(name, value))
}
