//! Simulates the platform. After a delay, the platform answers each status request with a signed answer that lists a
//! successful sale.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecommpay::ProjectKey;
use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::signature;
use payments::ports::{Gate, NoAnswer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::SECRET;

#[derive(Debug)]
pub struct Platform {
    delay: Duration,
    start: Instant,
    key: ProjectKey,
    running: AtomicUsize,
    max_concurrent: AtomicUsize,
    /// When the requests of each project arrived, in seconds since the start.
    received: Mutex<BTreeMap<u32, Vec<f64>>>,
}

impl Platform {
    /// Creates a platform that answers after `delay_ms` milliseconds.
    pub fn new(delay_ms: u64, start: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            delay: Duration::from_millis(delay_ms),
            start,
            key: ProjectKey::new(SECRET)?,
            running: AtomicUsize::new(0),
            max_concurrent: AtomicUsize::new(0),
            received: Mutex::default(),
        })
    }

    /// Returns the number of due polls and the times of the received requests, by project.
    pub fn received(&self, projects: &[(ProjectId, u64)]) -> BTreeMap<u32, (u64, Vec<f64>)> {
        let received = self.times();
        let of = |(project, due): &(ProjectId, u64)| {
            let times = received.get(&project.get()).cloned();
            (project.get(), (*due, times.unwrap_or_default()))
        };
        projects.iter().map(of).collect()
    }

    /// Returns the largest number of requests at the same time.
    pub fn max_concurrent(&self) -> usize {
        self.max_concurrent.load(Ordering::Relaxed)
    }

    fn times(&self) -> MutexGuard<'_, BTreeMap<u32, Vec<f64>>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Value) -> Result<Vec<u8>, String> {
        let general = |name: &str| request.pointer(&format!("/general/{name}")).cloned();
        let (project, payment) = (general("project_id"), general("payment_id"));
        let project = project.unwrap_or_default();
        let sum = json!({ "amount": 1_000, "currency": "EUR" });
        let mut answer = json!({
            "project_id": project,
            "payment": { "id": payment, "status": "success", "sum": sum },
            "operations": [{ "id": 7, "type": "sale", "status": "success", "sum_initial": sum }],
        });
        let canonical = signature::canonical_of(&answer).map_err(|error| error.to_string())?;
        let signature = self.key.sign(&canonical).to_base64();
        if let Value::Object(members) = &mut answer {
            members.insert("signature".to_owned(), signature.into());
        }
        let project = project
            .as_u64()
            .and_then(|number| u32::try_from(number).ok());
        let time = self.start.elapsed().as_secs_f64();
        let mut times = self.times();
        times.entry(project.unwrap_or(0)).or_default().push(time);
        Ok(answer.to_string().into_bytes())
    }
}

impl Gate for Platform {
    async fn post(&self, _: &'static str, _: Vec<u8>) -> Answer {
        Answer::Unclear
    }

    async fn query(&self, _: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_concurrent.fetch_max(running, Ordering::Relaxed);
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = self.answer(&request).map_err(NoAnswer::Failed);
        sleep(self.delay).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        answer
    }
}
