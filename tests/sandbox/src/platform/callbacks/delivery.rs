//! Delivers one callback, with its repeats.
//!
//! The switches `delay_ms` and `reorder` are read once, before the first attempt. Each attempt reads the other switches
//! again.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;

use super::schedule;
use crate::platform::faults::Faults;
use crate::platform::shared::{PlatformState, Shared};

/// With the switch `reorder`, a callback waits at most this long for a later callback, in real time.
const OVERTAKING_LIMIT: Duration = Duration::from_secs(3);
/// The pause between two checks of a condition, in real time.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// A callback that is being delivered.
pub struct Delivery {
    pub payment_id: String,
    /// The position of the callback in the payment's log.
    pub number: usize,
    /// The callback URL of the order, which replaces the project's callback URL.
    pub url: Option<String>,
    /// The delay that the merchant requested for the first attempt.
    pub delay: Duration,
    pub is_intermediate: bool,
    pub body: Vec<u8>,
}

impl Delivery {
    /// Sends the callback until the merchant answers 200 or the schedule ends. With the switch `intermediate_once`, an
    /// intermediate callback has only one attempt.
    pub async fn run(self, shared: &Shared) {
        shared.pause(self.delay).await;
        let faults = self.faults(shared);
        tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
        // Only every second callback waits. If all callbacks waited, their order would stay the same.
        if faults.reorder && self.number.is_multiple_of(2) {
            let is_overtaken = |state: &PlatformState| {
                let log = &state.callbacks;
                log.is_overtaken(&self.payment_id, self.number)
            };
            let overtaken = wait_until(shared, is_overtaken);
            let _ = tokio::time::timeout(OVERTAKING_LIMIT, overtaken).await;
        }
        for attempt in 1..=schedule::ATTEMPTS {
            wait_until(shared, |state| !state.faults.of(&self.payment_id).hold).await;
            let answer = self.send(shared).await;
            let delivered = answer == "200";
            self.log(shared, attempt, answer, delivered);
            let is_sent_once = self.is_intermediate && self.faults(shared).intermediate_once;
            match schedule::pause_after(attempt) {
                Some(pause) if !delivered && !is_sent_once => shared.pause(pause).await,
                _ => return,
            }
        }
    }

    fn faults(&self, shared: &Shared) -> Faults {
        shared.state().faults.of(&self.payment_id).clone()
    }

    fn log(&self, shared: &Shared, attempt: u32, answer: String, delivered: bool) {
        let mut state = shared.state();
        if let Some(entry) = state.callbacks.entry_mut(&self.payment_id, self.number) {
            entry.attempts = attempt;
            entry.last_answer = Some(answer);
            entry.delivered = delivered;
        }
    }

    /// Sends the callback once. Returns the HTTP status of the answer, or the reason why there is no answer.
    async fn send(&self, shared: &Shared) -> String {
        let faults = self.faults(shared);
        if faults.drop {
            return "dropped".into();
        }
        let project_url = shared.state().callback_url.clone();
        let Some(url) = self.url.as_ref().or(project_url.as_ref()) else {
            return "no callback URL".into();
        };
        let body = match faults.tamper {
            true => tampered(&self.body),
            false => self.body.clone(),
        };
        let request = shared
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match request.send().await {
            Ok(answer) => answer.status().as_str().to_owned(),
            Err(error) if error.is_timeout() => "time-out".into(),
            Err(error) if error.is_connect() => "no connection".into(),
            Err(_) => "no answer".into(),
        }
    }
}

async fn wait_until(shared: &Shared, condition: impl Fn(&PlatformState) -> bool) {
    while !condition(&shared.state()) {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Adds a digit to the first amount of a signed body, or changes the first message if there is no amount.
fn tampered(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let changed = if text.contains("\"amount\":") {
        text.replacen("\"amount\":", "\"amount\":9", 1)
    } else {
        text.replacen("\"message\":\"", "\"message\":\"Not ", 1)
    };
    changed.into_bytes()
}
