//! A command in, one line and an answer out. Whatever goes wrong is an answer too.

use std::time::Duration;

use aws::config;
use aws::environment::{Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use lambda_runtime::{Error, LambdaEvent};
use payments::PaymentKey;
use payments::service::callback::explain;
use payments::service::project_keys::ProjectKeys;
use payments::service::refund::RefundService;
use payments::service::status_poll::StatusPoller;
use serde_json::Value;

use crate::answer::{Answer, Problem};
use crate::answered::Answered;
use crate::request::{Decision, Request};

/// What the commands need.
pub struct Commands {
    payments: LivePayments,
    gate: HttpGate,
    keys: CachedProjectKeys,
    tokens: CachedTokenSecret,
    base_url: String,
}

impl Commands {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            payments: environment.payments()?,
            gate: environment.gate()?,
            keys: environment.project_keys()?,
        })
    }

    /// Connects and fetches secrets before the first command. Few commands publish or poll, so this connects neither to
    /// the queues nor to Gate.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                self.payments.store.prewarm(),
                self.keys.prewarm(),
                self.tokens.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
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
                        self.keys.refresh_if_stale(&keys).await
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
                let handled = payments.preview_callback(body, keys).await;
                Answered::quiet(Answer::of_callback(handled, explain(body, keys)))
            }
            Request::ApplyCallback { body, .. } => {
                let body = body.as_bytes();
                let handled = payments.apply_callback(body, keys).await;
                let verified = handled.verified.as_ref();
                let payment = verified.and_then(|verified| verified.key.as_ref());
                Answered {
                    payment: payment.map(ToString::to_string),
                    published: handled.published.clone(),
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
                let published = republished.as_ref().map(|done| done.published.clone());
                Answered {
                    published: published.unwrap_or_default(),
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
        let poller = StatusPoller {
            payments: &self.payments,
            gate: &self.gate,
            keys,
            tokens,
            base_url: &self.base_url,
            min_interval: Duration::ZERO,
        };
        let polled = poller.poll_now(key).await;
        let published = polled.as_ref().map(|polled| polled.published.clone());
        Answered {
            published: published.unwrap_or_default(),
            ..Answered::quiet(Answer::of_poll(polled))
        }
    }

    async fn reject(&self, decision: &Decision, keys: &ProjectKeys) -> Answered {
        let Some(keyring) = keys.get(&decision.project_id) else {
            let why = format!("there is no key of project {}", decision.project_id);
            return Answered::quiet(Answer::Refused(Problem::new("no_key", why)));
        };
        let refunds = RefundService {
            payments: &self.payments,
            gate: &self.gate,
            keyring,
        };
        let Decision { by, items, .. } = decision;
        let rejected = refunds.reject(&decision.key(), by.as_str(), items).await;
        Answered::of_rejection(rejected)
    }
}
