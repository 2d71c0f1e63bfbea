//! Delivers callbacks: signed once, sent until the merchant answers 200 or the schedule ends.
//!
//! Each callback has its own task, so one payment's callbacks can overtake each other, as they can
//! on the real platform. Switches are read before every attempt: a switch that is off again no longer affects the
//! repeats.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use serde::Serialize;

use super::operation::Status;
use super::records::{self, Change};
use super::{Shared, bank, messages, schedule};

/// How long a callback that is to be overtaken waits for the next one, in real time.
const HELD_BACK: Duration = Duration::from_secs(3);

/// All callbacks, by payment.
#[derive(Debug, Default)]
pub struct CallbackLog(HashMap<String, Vec<CallbackEntry>>);

/// One callback (or a copy of one) and its delivery.
#[derive(Debug, Clone, Serialize)]
pub struct CallbackEntry {
    payment_status: &'static str,
    operation_id: u64,
    operation_type: String,
    operation_status: &'static str,
    /// 0 for the first of several equal ones.
    copy: u8,
    attempts: u32,
    last_answer: Option<String>,
    delivered: bool,
}

impl CallbackLog {
    /// The callbacks of a payment in the order of the changes.
    pub fn of(&self, payment_id: &str) -> &[CallbackEntry] {
        let entries = self.0.get(&records::key(payment_id));
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, payment_id: &str, entry: CallbackEntry) -> usize {
        let entries = self.0.entry(records::key(payment_id)).or_default();
        entries.push(entry);
        entries.len() - 1
    }

    fn entry_mut(&mut self, payment_id: &str, number: usize) -> Option<&mut CallbackEntry> {
        self.0.get_mut(&records::key(payment_id))?.get_mut(number)
    }

    fn is_overtaken(&self, payment_id: &str, number: usize) -> bool {
        let later = self.of(payment_id).iter().skip(number + 1);
        later.into_iter().any(|entry| entry.attempts > 0)
    }
}

/// Sends the callback about a change, in the background.
pub fn send(shared: &Arc<Shared>, change: Change) {
    let order = &change.payment.order;
    if order.callbacks.disabled {
        return;
    }
    let payment_id = order.payment_id.clone();
    let mut state = shared.state();
    let faults = state.faults.of(&payment_id).clone();
    let redirect = (change.operation.status == Status::AwaitingRedirect)
        .then(|| bank::redirect_data(shared, &change.payment, faults.redirect_method));
    // What we build always serialises; a body that did not would be missed by every test.
    let Ok(body) = messages::callback(&shared.project, &change, redirect) else {
        return;
    };
    for copy in 0..=faults.duplicate {
        let entry = CallbackEntry {
            payment_status: change.payment.status().as_str(),
            operation_id: change.operation.id,
            operation_type: change.operation.kind.as_str().to_owned(),
            operation_status: change.operation.status.as_str(),
            copy,
            attempts: 0,
            last_answer: None,
            delivered: false,
        };
        let delivery = Delivery {
            number: state.callbacks.add(&payment_id, entry),
            payment_id: payment_id.clone(),
            url: order.callbacks.url.clone(),
            wait: Duration::from_secs(order.callbacks.delay),
            is_intermediate: change.is_intermediate(),
            body: body.clone(),
        };
        let on = shared.clone();
        shared.spawn(async move { delivery.run(&on).await });
    }
}

struct Delivery {
    payment_id: String,
    number: usize,
    url: Option<String>,
    wait: Duration,
    is_intermediate: bool,
    body: Vec<u8>,
}

impl Delivery {
    async fn run(self, shared: &Shared) {
        shared.pause(self.wait).await;
        let faults = shared.state().faults.of(&self.payment_id).clone();
        tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
        // Holding back every one would change no order.
        if faults.reorder && self.number.is_multiple_of(2) {
            let overtaken = self.overtaken(shared);
            let _ = tokio::time::timeout(HELD_BACK, overtaken).await;
        }
        for attempt in 1..=schedule::ATTEMPTS {
            self.let_go(shared).await;
            let answer = self.attempt(shared).await;
            let delivered = answer == "200";
            self.note(shared, attempt, answer, delivered);
            let faults = shared.state().faults.of(&self.payment_id).clone();
            let is_last = delivered || self.is_intermediate && faults.intermediate_once;
            match schedule::pause_after(attempt) {
                Some(pause) if !is_last => shared.pause(pause).await,
                _ => return,
            }
        }
    }

    fn note(&self, shared: &Shared, attempt: u32, answer: String, delivered: bool) {
        let mut state = shared.state();
        if let Some(entry) = state.callbacks.entry_mut(&self.payment_id, self.number) {
            entry.attempts = attempt;
            entry.last_answer = Some(answer);
            entry.delivered = delivered;
        }
    }

    async fn let_go(&self, shared: &Shared) {
        while shared.state().faults.of(&self.payment_id).hold {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn overtaken(&self, shared: &Shared) {
        loop {
            let overtaken = shared
                .state()
                .callbacks
                .is_overtaken(&self.payment_id, self.number);
            if overtaken {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The HTTP status of the answer, or why there is none.
    async fn attempt(&self, shared: &Shared) -> String {
        let (faults, project_url) = {
            let state = shared.state();
            let faults = state.faults.of(&self.payment_id).clone();
            (faults, state.callback_url.clone())
        };
        if faults.drop {
            return "dropped".into();
        }
        let Some(url) = self.url.as_ref().or(project_url.as_ref()) else {
            return "no callback address".into();
        };
        let body = if faults.tamper {
            messages::tampered(&self.body)
        } else {
            self.body.clone()
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
