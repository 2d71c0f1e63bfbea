//! Runs the instances of a function, and calls them as API Gateway does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::host::{Gauge, Instance, Program, Usage};

#[derive(Debug)]
pub struct Pool {
    idle: Mutex<Vec<Instance>>,
    gauges: Vec<Gauge>,
    permits: Semaphore,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub status_code: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
}

impl Pool {
    /// Starts `size` instances of a program.
    pub async fn start(program: &Program, size: u32) -> anyhow::Result<Self> {
        let mut idle = Vec::new();
        for _ in 0..size {
            idle.push(Instance::start(program).await?);
        }
        Ok(Self {
            gauges: idle.iter().map(Instance::gauge).collect(),
            idle: Mutex::new(idle),
            permits: Semaphore::new(size as usize),
        })
    }

    /// Sends an event to the idle instance that was used last. Waits if no instance is idle.
    pub async fn invoke(&self, event: String) -> anyhow::Result<Reply> {
        let _permit = self.permits.acquire().await?;
        self.invoke_idle(event).await
    }

    /// Sends an event to an idle instance. Returns `None` if no instance is idle. In the same way, Lambda refuses a
    /// call when the reserved concurrency is used up.
    pub async fn try_invoke(&self, event: String) -> anyhow::Result<Option<Reply>> {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Ok(None);
        };
        self.invoke_idle(event).await.map(Some)
    }

    async fn invoke_idle(&self, event: String) -> anyhow::Result<Reply> {
        let instance = self.idle().pop();
        let mut instance = instance.context("there are fewer instances than permits")?;
        let invocation = instance.invoke(event).await?;
        self.idle().push(instance);
        Ok(serde_json::from_slice(&invocation.reply)?)
    }

    /// Returns the usage of each instance.
    pub fn usage(&self) -> anyhow::Result<Vec<Usage>> {
        self.gauges.iter().map(Gauge::usage).collect()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
