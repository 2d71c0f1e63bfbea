//! Polls the platform about what is open or unsettled, and does what its answer calls for.

mod now;

use std::time::Duration;

use ecommpay::answer::StatusAnswer;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::{self, JsonError, Limits, Value};
use ecommpay::report::{self, Report};
use ecommpay::{Keyring, signature};
use futures_util::future::join_all;
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until};

pub use self::now::{Asked, Found};
use crate::apply::{self, ApplyError, Payments};
use crate::callback::ProjectKeys;
use crate::checkout::Cashier;
use crate::decide::{self, Command, Fact, SignedReport};
use crate::event::{self, EventKind};
use crate::ids::PaymentKey;
use crate::log::{Line, Metric};
use crate::model::{Channel, GateRequest, Payment};
use crate::ports::{Clock, EventQueue, Gate, Index, PaymentStore, Unanswered};
use crate::publish::PublishError;
use crate::round::{Bounds, Round, TICK, Unfinished};
use crate::timestamp::Timestamp;
use crate::token::TokenSecret;

/// How many questions are open at once: the platform is not to be flooded.
const AT_ONCE: usize = 4;
/// How long a turn may take: the platform's answer, and a request that follows from it, 8 s each. What is
/// claimed and cut off is lost until the next question.
const TURN_TAKES: Duration = Duration::from_secs(18);

/// A question brought nothing; the next one is planned.
#[derive(Debug, Error)]
pub enum AskError {
    /// We have no key of the payment's project.
    #[error("there is no key of its project")]
    NoKey,
    /// Its id has characters that cannot be signed without doubt.
    #[error("its id cannot be signed")]
    NotSignable,
    /// No answer came.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The answer is not sound JSON.
    #[error("the answer is not sound: {0}")]
    NotSound(#[from] JsonError),
    /// The answer is not signed by a key of the project.
    #[error("the answer is not signed")]
    NotSigned,
    /// The platform has taken the payment and cannot show it just now.
    #[error("the platform cannot show the payment just now (3062)")]
    NotReadable,
    /// The question could not be claimed, or the answer not stored.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// What the answer changed is stored and not announced.
    #[error(transparent)]
    NotAnnounced(#[from] PublishError),
}

/// What it takes to ask, and to send again what never arrived.
#[derive(Debug)]
pub struct Asker<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The way to the platform.
    pub gate: &'a G,
    /// The keys of every project.
    pub keys: &'a ProjectKeys,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
    /// The public address of this service, without a slash at its end.
    pub base_url: &'a str,
    /// The least time from one question to the next: the platform names no limit, so we keep one.
    pub pace: Duration,
}

impl<S, Q, C, G> Asker<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Asks about every payment whose time has come. Each project has its turn, however much there
    /// is to ask about another one.
    pub async fn ask_all(&self, deadline: Instant) -> Round {
        let before = self.payments.clock.now().after(TICK);
        let left = deadline.saturating_duration_since(Instant::now());
        let begin_until = deadline - TURN_TAKES.min(left / 2);
        // Whoever waits longest comes first, and of each project only so many wait.
        let (places, pace) = (Semaphore::new(AT_ONCE), Mutex::new(Instant::now()));
        let rounds = self.keys.keys().map(|project_id| {
            let (places, pace) = (&places, &pace);
            let turn = move |key: PaymentKey| async move {
                let _place = places.acquire().await;
                self.keep_pace(pace).await;
                match Instant::now() < begin_until {
                    true => Ok(self.ask(&key, before).await?),
                    false => Err(Unfinished::Late),
                }
            };
            let bounds = Bounds {
                at_once: AT_ONCE,
                most: usize::MAX,
                begin_until,
                deadline,
            };
            let index = Index::Poll(*project_id);
            self.payments.round(index, before, bounds, turn)
        });
        join_all(rounds).await.into_iter().collect()
    }

    async fn keep_pace(&self, next: &Mutex<Instant>) {
        if self.pace.is_zero() {
            return;
        }
        let mut next = next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + self.pace;
    }

    /// Asks about one payment, if it was due before a moment, and takes in the answer. Gives the
    /// events that were sent.
    pub async fn ask(
        &self,
        key: &PaymentKey,
        before: Timestamp,
    ) -> Result<Vec<EventKind>, AskError> {
        let payments = self.payments;
        // Claimed before it is asked: of two rounds at once one asks, and what fails waits for its
        // next time.
        let claimed = payments.update(key, |payment, at| {
            let schedule = &payments.schedule;
            let claimed = decide::execute(payment, Command::Poll { schedule, before }, at);
            Ok::<_, ApplyError>(claimed.unwrap_or_default())
        });
        let Some((mut stored, Some(change))) = claimed.await? else {
            return Ok(Vec::new());
        };
        let told = payments.publish(&mut stored, change.events).await;
        let mut events = told.unwrap_or_else(|error| {
            apply::warn_unsent(key, &error);
            Vec::new()
        });
        if is_unheard(&stored.payment) {
            Line::warn("no callback came about a checkout")
                .with("payment", key.to_string())
                .with_metrics(&[], &[Metric::once("unheard")])
                .write();
        }
        let answered = self.question(&stored.payment, &mut events);
        if let Err(error) = answered.await {
            event::count(key, &events);
            return Err(error);
        }
        Ok(events)
    }

    /// Puts the question that was claimed, and takes in the answer. Adds the events that were sent.
    async fn question(
        &self,
        payment: &Payment,
        events: &mut Vec<EventKind>,
    ) -> Result<(), AskError> {
        let keyring = self.keyring(payment.project_id())?;
        let answer = self.put(payment.project_id(), payment.payment_id());
        let answer = answer.await?;
        let poll = payment.polling().polls_sent();
        let fact = match &answer {
            Answered::Report(signed) => Fact::StatusAnswer {
                report: signed.report(),
                poll,
            },
            Answered::NotFound { signed } => Fact::NotFound {
                poll,
                signed: *signed,
            },
            Answered::Unrelated => return Ok(()),
        };
        let Some(applied) = self.payments.apply(&payment.key(), fact).await? else {
            return Ok(());
        };
        // What follows does not wait for a queue.
        let told = applied.published.map(|sent| events.extend(sent));
        // Only an answer that was taken in shows anything.
        let known = applied.payment;
        warn_if_redirect_is_lost(payment, &known);
        if known.polling().last_answered() == poll {
            let payments = self.payments;
            payments
                .repeat_refunds(self.gate, keyring, &known, events)
                .await?;
        }
        if known.polling().last_not_found() == poll {
            self.end_sale(&known, keyring, events).await?;
        }
        Ok(told?)
    }

    fn keyring(&self, project_id: ProjectId) -> Result<&Keyring, AskError> {
        self.keys.get(&project_id).ok_or(AskError::NoKey)
    }

    /// Sends a status request; gives its answer, if that is signed. Only the codes 3061 and 3062 may come
    /// unsigned: the platform need not sign answers that carry service information only.
    async fn put(&self, project_id: ProjectId, payment_id: &str) -> Result<Answered, AskError> {
        let keyring = self.keyring(project_id)?;
        let body = signed(project_id, payment_id, keyring).ok_or(AskError::NotSignable)?;
        let answer = self.gate.ask(gate::Status::PATH, body).await?;
        let message = json::parse(&answer, Limits::ANSWER)?;
        let signature = signature::of_message(&message);
        let signed = match &signature {
            Some(signature) => signature::verify(&message, signature, keyring).is_some(),
            None if carries_signature(&message) => false,
            None => !matches!(StatusAnswer::read(&message), StatusAnswer::Report(_)),
        };
        if !signed || !report::has_sound_shape(&message) {
            return Err(AskError::NotSigned);
        }
        match StatusAnswer::read(&message) {
            StatusAnswer::NotFound if !is_about(&message, project_id, payment_id) => {
                Ok(Answered::Unrelated)
            }
            StatusAnswer::NotFound => Ok(Answered::NotFound {
                signed: signature.is_some(),
            }),
            StatusAnswer::NotReadable => Err(AskError::NotReadable),
            StatusAnswer::Report(report) => {
                let canonical = signature::canonical(&message);
                Ok(Answered::Report(Box::new(Signed {
                    report,
                    canonical: String::from_utf8_lossy(&canonical).into_owned(),
                })))
            }
        }
    }

    /// Sends a sale again that never arrived, or ends a checkout that nobody used. Adds the events
    /// that were sent.
    async fn end_sale(
        &self,
        payment: &Payment,
        keyring: &Keyring,
        events: &mut Vec<EventKind>,
    ) -> Result<(), AskError> {
        let payments = self.payments;
        let follows = |payment: &Payment, at| {
            let command = Command::Conclude(&payments.schedule);
            decide::execute(Some(payment), command, at).unwrap_or_default()
        };
        if follows(payment, payments.clock.now()).is_none() {
            return Ok(());
        }
        let key = payment.key();
        let claimed = payments.update(&key, |payment, at| {
            let claimed = payment.and_then(|payment| follows(payment, at));
            Ok::<_, ApplyError>(claimed)
        });
        let Some((stored, Some(change))) = claimed.await? else {
            return Ok(());
        };
        let applied = match stored.payment.attempt().request() {
            GateRequest::Sending { .. } => {
                let cashier = Cashier {
                    payments,
                    gate: self.gate,
                    keyring,
                    tokens: self.tokens,
                    base_url: self.base_url,
                };
                cashier.send(stored, change.events).await?
            }
            _ => payments.applied(stored, Some(change)).await,
        };
        events.extend(applied.published?);
        Ok(())
    }
}

/// Whether this is the first status request about a sale that no callback came about: that for the
/// redirect URL, or the first step of the schedule where that comes sooner.
fn is_unheard(payment: &Payment) -> bool {
    let order = payment.order();
    let is_gate = order.is_some_and(|order| order.channel == Channel::Gate);
    let is_taken = matches!(payment.attempt().request(), GateRequest::Accepted { .. });
    let is_silent = payment.platform_status().is_none() && payment.operations().len() == 0;
    let is_first = match payment.is_polled_for_redirect() {
        true => payment.polling().polls_since_activity() == 0,
        false => payment.polling().polls_since_activity() == 1,
    };
    is_gate && is_taken && is_silent && is_first
}

/// The answer awaits the shopper at the bank and does not say where that is: the callback with the
/// redirect URL is lost, and the shopper cannot pay.
fn warn_if_redirect_is_lost(before: &Payment, after: &Payment) {
    if after.is_redirect_missing() && !before.is_redirect_missing() {
        Line::warn("redirect_lost")
            .with("payment", after.key().to_string())
            .with_metrics(&[], &[Metric::once("redirect_lost")])
            .write();
    }
}

/// Whether a message has anything in the place of its signature.
fn carries_signature(message: &Value<'_>) -> bool {
    message.get("signature").is_some() || message.at(&["general", "signature"]).is_some()
}

/// Whether an answer names no other payment than this one.
fn is_about(message: &Value<'_>, project_id: ProjectId, payment_id: &str) -> bool {
    let report = Report::read(message);
    let project_id = u64::from(project_id.get());
    let named = report.payment_id.as_deref();
    named.is_none_or(|named| named.eq_ignore_ascii_case(payment_id))
        && report.project_id.is_none_or(|named| named == project_id)
}

/// What the platform answered.
enum Answered {
    /// "Not found" of another payment: it says nothing of this one.
    Unrelated,
    /// What it knows of the payment, signed.
    Report(Box<Signed>),
    /// Nothing.
    NotFound {
        /// Whether that is signed.
        signed: bool,
    },
}

/// The platform's signed answer.
struct Signed {
    report: Report,
    canonical: String,
}

impl Signed {
    fn report(&self) -> SignedReport<'_> {
        SignedReport {
            report: &self.report,
            canonical: &self.canonical,
        }
    }
}

fn signed(project_id: ProjectId, payment_id: &str, keyring: &Keyring) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment_id).ok()?;
    let general = gate::General::new(project_id, payment_id);
    gate::Status { general }.sign(keyring.current()).ok()
}
