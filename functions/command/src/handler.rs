//! A command in, one line and an answer out. Whatever goes wrong is an answer too.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use payments::PaymentKey;
use payments::adapters::gate_http::HttpGate;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::{KeptTokenSecret, ProjectKeySecret};
use payments::adapters::{aws, opening};
use payments::ask::Asker;
use payments::callback::{ProjectKeys, explain};
use payments::config;
use payments::refund::RefundDesk;
use serde_json::Value;

use crate::answer::{Answer, Problem};
use crate::answered::Answered;
use crate::request::{Decision, Request};

/// What the commands need.
pub struct Commands {
    payments: LivePayments,
    gate: HttpGate,
    keys: ProjectKeySecret,
    tokens: KeptTokenSecret,
    base_url: String,
}

impl Commands {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        Ok(Self {
            tokens: KeptTokenSecret::new(&aws, config::required("TOKEN_SECRET")?),
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            payments: live::payments(&aws)?,
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
        })
    }

    /// What a command needs. Only some send events or ask the platform.
    pub async fn open(&self) {
        let opened = async {
            tokio::join!(
                self.payments.store.open(),
                self.keys.open(),
                self.tokens.open(),
            )
        };
        opening::within_limit(opened).await;
    }

    /// One command.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, Error> {
        let request = match Request::read(&event.payload) {
            Ok(request) => request,
            Err(error) => return Ok(Answer::Refused(Problem::new("no_such_command", error))),
        };
        let done = match self.keys.get().await {
            Ok(keys) => {
                let newer = match request {
                    // They may be signed with a key of just now.
                    Request::VerifyCallback { .. } | Request::ApplyCallback { .. } => {
                        self.keys.instead_of(&keys).await
                    }
                    _ => None,
                };
                self.run(&request, &newer.unwrap_or(keys)).await
            }
            Err(error) => Answered::quiet(Answer::Failed(Problem::new("no_keys", error))),
        };
        if !matches!(request, Request::VerifyCallback { .. }) {
            done.line(&request).write();
        }
        Ok(done.answer)
    }

    async fn run(&self, request: &Request, keys: &ProjectKeys) -> Answered {
        let payments = &self.payments;
        match request {
            Request::VerifyCallback { body } => {
                let body = body.as_bytes();
                let handled = payments.try_callback(body, keys).await;
                Answered::quiet(Answer::of_callback(handled, explain(body, keys)))
            }
            Request::ApplyCallback { body, .. } => {
                let body = body.as_bytes();
                let handled = payments.take_callback(body, keys).await;
                let verified = handled.verified.as_ref();
                let payment = verified.and_then(|verified| verified.key.as_ref());
                Answered {
                    payment: payment.map(ToString::to_string),
                    sent: handled.sent.clone(),
                    answer: Answer::of_callback(handled, explain(body, keys)),
                }
            }
            Request::Republish {
                project_id,
                payment_id,
                from,
                to,
                ..
            } => {
                let key = payment_id.key(*project_id);
                let republished = payments.republish(&key, *from, *to).await;
                let announced = republished.as_ref().map(|done| done.announced.clone());
                Answered {
                    sent: announced.unwrap_or_default(),
                    ..Answered::quiet(Answer::of_republish(republished))
                }
            }
            Request::Resync {
                project_id,
                payment_id,
            } => self.resync(&payment_id.key(*project_id), keys).await,
            Request::Release(decision) => {
                let Decision { by, items, .. } = decision;
                let released = payments.release(&decision.key(), by.as_str(), items).await;
                Answered::of_release(released)
            }
            Request::Reject(decision) => self.reject(decision, keys).await,
        }
    }

    async fn resync(&self, key: &PaymentKey, keys: &ProjectKeys) -> Answered {
        let tokens = match self.tokens.get().await {
            Ok(tokens) => tokens,
            Err(error) => {
                let problem = Problem::new("no_token_secret", error);
                return Answered::quiet(Answer::Failed(problem));
            }
        };
        let asker = Asker {
            payments: &self.payments,
            gate: &self.gate,
            keys,
            tokens,
            base_url: &self.base_url,
            pace: Duration::ZERO,
        };
        let asked = asker.ask_now(key).await;
        let sent = asked.as_ref().map(|asked| asked.sent.clone());
        Answered {
            sent: sent.unwrap_or_default(),
            ..Answered::quiet(Answer::of_question(asked))
        }
    }

    async fn reject(&self, decision: &Decision, keys: &ProjectKeys) -> Answered {
        let Some(keyring) = keys.get(&decision.project_id) else {
            let why = format!("there is no key of project {}", decision.project_id);
            return Answered::quiet(Answer::Refused(Problem::new("no_key", why)));
        };
        let desk = RefundDesk {
            payments: &self.payments,
            gate: &self.gate,
            keyring,
        };
        let Decision { by, items, .. } = decision;
        let rejected = desk.reject(&decision.key(), by.as_str(), items).await;
        Answered::of_rejection(rejected)
    }
}
