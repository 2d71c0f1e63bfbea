//! Delivers callbacks: signed once, sent until the merchant answers 200 or the schedule ends.
//!
//! Each callback has its own task, so one payment's callbacks can overtake each other, as they can
//! on the real platform. Switches are looked at before every attempt: what is switched off again
//! no longer spoils the repeats.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use serde::Serialize;

use super::books::{self, News};
use super::payment::Status;
use super::{Shared, bank, messages, schedule};

/// How long a callback that is to be overtaken waits for the next one, in real time.
const HELD_BACK: Duration = Duration::from_secs(3);

/// All callbacks, by payment.
#[derive(Debug, Default)]
pub struct Mail(HashMap<String, Vec<Letter>>);

/// One callback (or a copy of one) and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Letter {
    payment_status: &'static str,
    operation_id: u64,
    operation_type: &'static str,
    operation_status: &'static str,
    /// 0 for the first of several equal ones.
    copy: u8,
    attempts: u32,
    last_answer: Option<String>,
    delivered: bool,
}

impl Mail {
    /// The callbacks of a payment in the order of what they tell.
    pub fn of(&self, payment_id: &str) -> &[Letter] {
        let letters = self.0.get(&books::key(payment_id));
        letters.map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, payment_id: &str, letter: Letter) -> usize {
        let letters = self.0.entry(books::key(payment_id)).or_default();
        letters.push(letter);
        letters.len() - 1
    }

    fn letter_mut(&mut self, payment_id: &str, number: usize) -> Option<&mut Letter> {
        self.0.get_mut(&books::key(payment_id))?.get_mut(number)
    }

    fn is_overtaken(&self, payment_id: &str, number: usize) -> bool {
        let later = self.of(payment_id).iter().skip(number + 1);
        later.into_iter().any(|letter| letter.attempts > 0)
    }
}

/// Tells the merchant what changed, in the background.
pub fn announce(shared: &Arc<Shared>, news: News) {
    if news.payment.order.callbacks.disabled {
        return;
    }
    let payment_id = news.payment.order.payment_id.clone();
    let mut state = shared.state();
    let faults = state.faults.of(&payment_id).clone();
    let redirect = (news.payment.status == Status::AwaitingRedirect)
        .then(|| bank::redirect_data(shared, &news.payment, faults.redirect_method));
    // What we build always serialises; a body that did not would be missed by every test.
    let Ok(body) = messages::callback(&shared.project, &news, redirect) else {
        return;
    };
    for copy in 0..=faults.duplicate {
        let letter = Letter {
            payment_status: news.payment.status.as_str(),
            operation_id: news.operation.id,
            operation_type: news.operation.kind.as_str(),
            operation_status: news.operation.status.as_str(),
            copy,
            attempts: 0,
            last_answer: None,
            delivered: false,
        };
        let delivery = Delivery {
            number: state.mail.add(&payment_id, letter),
            payment_id: payment_id.clone(),
            url: news.payment.order.callbacks.url.clone(),
            wait: Duration::from_secs(news.payment.order.callbacks.delay),
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
            match schedule::pause_after(attempt) {
                Some(pause) if !delivered => shared.pause(pause).await,
                _ => return,
            }
        }
    }

    fn note(&self, shared: &Shared, attempt: u32, answer: String, delivered: bool) {
        let mut state = shared.state();
        if let Some(letter) = state.mail.letter_mut(&self.payment_id, self.number) {
            letter.attempts = attempt;
            letter.last_answer = Some(answer);
            letter.delivered = delivered;
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
                .mail
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
