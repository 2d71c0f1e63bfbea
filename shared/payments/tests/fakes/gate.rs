//! Implements a Gate that gives scripted answers and records the requests.

use std::collections::VecDeque;
use std::sync::Mutex;

use ecommpay::answer::Answer;
use ecommpay::json::{Limits, Value, parse};
use payments::ports::{Gate, NoAnswer};

#[derive(Default)]
pub struct ScriptedGate {
    answers: Mutex<VecDeque<Answer>>,
    status_answer: Mutex<Option<String>>,
    requests: Mutex<Vec<String>>,
}

impl ScriptedGate {
    /// Answers the first sales, refunds and clarifications with `answers`, and accepts all later requests.
    pub fn new(answers: &[Answer]) -> Self {
        Self {
            answers: Mutex::new(answers.iter().cloned().collect()),
            ..Self::default()
        }
    }

    /// Sets the answer to the next status request. A status request without a set answer fails.
    pub fn answer_status(&self, answer: String) {
        *self.status_answer.lock().unwrap() = Some(answer);
    }

    /// Returns the requests of a kind, such as `sale`, `refund` or `status`. Each text has the kind and the payment.
    /// The refund id and the amount follow if the request has them.
    pub fn requests(&self, kind: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let of_kind = requests
            .iter()
            .filter(|request| request.split(' ').next() == Some(kind));
        of_kind.cloned().collect()
    }

    fn record(&self, path: &str, body: &[u8]) {
        let message = parse(body, Limits::CALLBACK).unwrap();
        let text = |path: &[&str]| message.at(path).and_then(Value::as_text);
        let kind = path.rsplit('/').next();
        let project = text(&["general", "project_id"]);
        let payment_id = text(&["general", "payment_id"]);
        let mut request = format!(
            "{} {}/{}",
            kind.unwrap(),
            project.unwrap(),
            payment_id.unwrap()
        );
        for name in ["merchant_refund_id", "amount"] {
            if let Some(value) = text(&["payment", name]) {
                request += &format!(" {value}");
            }
        }
        self.requests.lock().unwrap().push(request);
    }
}

impl Gate for ScriptedGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        tokio::task::yield_now().await;
        self.record(path, &body);
        // Other tasks can change the payment before the answer arrives.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or(Answer::Accepted { request_id: None })
    }

    async fn query(&self, path: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        self.record(path, &body);
        tokio::task::yield_now().await;
        let answer = self.status_answer.lock().unwrap().take();
        let answer = answer.ok_or_else(|| NoAnswer::Failed("no answer".into()))?;
        Ok(answer.into_bytes())
    }
}
