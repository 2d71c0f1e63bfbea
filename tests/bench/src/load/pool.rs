//! Runs several instances of one function and calls them as API Gateway does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::host::{Gauge, Instance, Program, Usage};

/// The instances of a function.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<Vec<Instance>>,
    gauges: Vec<Gauge>,
    permits: Semaphore,
}

/// A function's answer to API Gateway.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The HTTP status.
    pub status_code: u16,
    /// The body.
    pub body: Option<String>,
}

impl Pool {
    /// Starts `size` instances of a program.
    ///
    /// # Errors
    ///
    /// If an instance does not start.
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

    /// Sends an event to the most recently used idle instance. If no instance is idle, waits for an idle instance.
    ///
    /// # Errors
    ///
    /// If the function fails.
    pub async fn invoke(&self, event: String) -> anyhow::Result<Reply> {
        let _permit = self.permits.acquire().await?;
        let instance = self.idle().pop();
        let mut instance = instance.context("there are fewer instances than permits")?;
        let invocation = instance.invoke(event).await?;
        self.idle().push(instance);
        Ok(serde_json::from_slice(&invocation.reply)?)
    }

    /// Returns the usage of each instance.
    ///
    /// # Errors
    ///
    /// If an instance has ended.
    pub fn usage(&self) -> anyhow::Result<Vec<Usage>> {
        self.gauges.iter().map(Gauge::usage).collect()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
