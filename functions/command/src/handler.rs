//! Runs one command, logs one line, and replies. The function also replies to a failed command, so the invocation does
//! not fail.

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

use crate::command::{Command, Review};
use crate::log_line::CommandResult;
use crate::reply::{NotDone, Reply};

pub struct CommandHandler {
    payments: LivePayments,
    gate: HttpGate,
    keys: CachedProjectKeys,
    tokens: CachedTokenSecret,
    base_url: String,
}

impl CommandHandler {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            gate: environment.gate()?,
            keys: environment.project_keys()?,
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
        })
    }

    /// Connects to the table and reads secrets before the first command. Does not connect to the queues and to Gate,
    /// because no command is urgent.
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

    /// Runs one command and logs it. Does not log an invalid command, and does not log `verify_callback`, which changes
    /// nothing.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Reply, Error> {
        let command = match Command::read(&event.payload) {
            Ok(command) => command,
            Err(error) => return Ok(NotDone::refused("invalid_command", error).into()),
        };
        let result = match self.keys.get().await {
            Ok(keys) => {
                let newer = match command {
                    // The callback can be signed with a key that is newer than the cached keys.
                    Command::VerifyCallback { .. } | Command::ApplyCallback { .. } => {
                        self.keys.refresh_if_stale(&keys).await
                    }
                    _ => None,
                };
                self.run(&command, &newer.unwrap_or(keys)).await
            }
            Err(error) => NotDone::failed("no_keys", error).into(),
        };
        if !matches!(command, Command::VerifyCallback { .. }) {
            result.log_line(&command).write();
        }
        Ok(result.reply)
    }

    async fn run(&self, command: &Command, keys: &ProjectKeys) -> CommandResult {
        let payments = &self.payments;
        match command {
            Command::VerifyCallback { body } => {
                let body = body.as_bytes();
                let handled = payments.preview_callback(body, keys).await;
                Reply::of_callback(handled, explain(body, keys)).into()
            }
            Command::ApplyCallback { body, .. } => {
                let body = body.as_bytes();
                let handled = payments.apply_callback(body, keys).await;
                let verified = handled.verified.as_ref();
                let payment = verified.and_then(|verified| verified.key.as_ref());
                CommandResult {
                    payment: payment.map(ToString::to_string),
                    published: handled.published.clone(),
                    reply: Reply::of_callback(handled, explain(body, keys)),
                }
            }
            Command::Republish {
                project_id,
                payment_id,
                from,
                to,
                ..
            } => {
                let key = payment_id.key(*project_id);
                let republished = payments.republish(&key, *from, *to).await;
                let published = republished.as_ref().map(|done| done.published.clone());
                CommandResult {
                    published: published.unwrap_or_default(),
                    ..Reply::of_republish(republished).into()
                }
            }
            Command::Resync {
                project_id,
                payment_id,
            } => self.resync(&payment_id.key(*project_id), keys).await,
            Command::Release(review) => {
                let Review { by, items, .. } = review;
                let released = payments.release(&review.key(), by.as_str(), items).await;
                CommandResult::of_release(&released)
            }
            Command::Reject(review) => self.reject(review, keys).await,
        }
    }

    async fn resync(&self, key: &PaymentKey, keys: &ProjectKeys) -> CommandResult {
        let tokens = match self.tokens.get().await {
            Ok(tokens) => tokens,
            Err(error) => return NotDone::failed("no_token_secret", error).into(),
        };
        let poller = StatusPoller {
            payments: &self.payments,
            gate: &self.gate.with_keys(&self.keys),
            keys,
            tokens,
            base_url: &self.base_url,
        };
        let polled = poller.poll_now(key).await;
        let published = polled.as_ref().map(|polled| polled.published.clone());
        CommandResult {
            published: published.unwrap_or_default(),
            ..Reply::of_resync(polled).into()
        }
    }

    async fn reject(&self, review: &Review, keys: &ProjectKeys) -> CommandResult {
        let Some(keyring) = keys.get(&review.project_id) else {
            let detail = format!("there is no key of project {}", review.project_id);
            return NotDone::refused("no_key", detail).into();
        };
        let refunds = RefundService {
            payments: &self.payments,
            gate: &self.gate.with_keys(&self.keys),
            keyring,
        };
        let Review { by, items, .. } = review;
        let rejected = refunds.reject(&review.key(), by.as_str(), items).await;
        CommandResult::of_rejection(&rejected)
    }
}
