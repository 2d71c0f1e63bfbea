//! Claims a poll, sends its status request and applies the answer.

use super::error::PollError;
use super::poller::StatusPoller;
use super::request::StatusReply;
use crate::decide::{Command, Fact};
use crate::events::{EventKind, metrics};
use crate::log::{Line, Metric, over_limit};
use crate::model::ids::PaymentKey;
use crate::model::{Payment, is_storable};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::service::apply::warn_not_published;
use crate::service::error::{ApplyError, left_to_sweep};
use crate::service::outbox::PublishLimit;

/// A claimed poll. Only the call with the claim sends the status request.
pub(super) struct Claim {
    pub(super) payment: Payment,
    /// The kinds of the events that the claim published.
    events: Vec<EventKind>,
}

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G>
where
    S: PaymentStore + Sync,
    Q: EventQueue + Sync,
    C: Clock + Sync,
    G: Gate + Sync,
{
    /// Claims a poll with `command`, and publishes the payment's outbox. Returns `None` if no poll is due or the
    /// payment is unknown.
    pub(super) async fn claim(
        &self,
        key: &PaymentKey,
        command: Command<'_>,
    ) -> Result<Option<Claim>, ApplyError> {
        let claimed = self.payments.execute(key, command).await?;
        let Some((mut stored, Some(change))) = claimed else {
            return Ok(None);
        };
        let published = self
            .payments
            .publish(&mut stored, change.events, PublishLimit::REQUEST);
        let published = published.await;
        // A failed queue must not stop the status request.
        let events = published.unwrap_or_else(|error| {
            warn_not_published(key, &error);
            Vec::new()
        });
        let payment = stored.payment;
        Ok(Some(Claim { payment, events }))
    }

    /// Sends the status request of a claim and applies the answer. Then repeats the sale or the refunds, if the answer
    /// shows that this is necessary. Returns the kinds of all events that were published since the claim.
    pub(super) async fn poll_claimed(&self, claim: Claim) -> Result<Vec<EventKind>, PollError> {
        let Claim {
            payment,
            mut events,
        } = claim;
        let polled = self.request_and_apply(&payment, &mut events).await;
        if let Err(error) = polled {
            if matches!(error, PollError::TooLarge) {
                over_limit("status_answer", Some(&payment.key()));
            }
            // The caller receives only the error, so the events are counted here.
            metrics::count(&payment.key(), &events);
            return Err(error);
        }
        Ok(events)
    }

    /// Does the work of [`Self::poll_claimed`]. Adds the published events to `events`, even before an error.
    async fn request_and_apply(
        &self,
        payment: &Payment,
        events: &mut Vec<EventKind>,
    ) -> Result<(), PollError> {
        let keyring = self.keyring(payment.project_id())?;
        let reply = self.request_status(payment.project_id(), payment.payment_id());
        let reply = reply.await?;
        let poll = payment.polling().polls_sent();
        let fact = match &reply {
            StatusReply::Report(signed) if !is_storable(&signed.report) => {
                return Err(PollError::TooLarge);
            }
            StatusReply::Report(signed) => Fact::StatusAnswer {
                report: signed.report(),
                poll,
            },
            StatusReply::NotFound { signed } => Fact::NotFound {
                poll,
                signed: *signed,
            },
            StatusReply::Unrelated => return Ok(()),
        };
        let Some(applied) = self.payments.apply(&payment.key(), fact).await? else {
            return Ok(());
        };
        // A failed queue must not stop the requests that follow.
        let mut published =
            left_to_sweep(applied.published).map(|published| events.extend(published));
        let after = applied.payment;
        warn_if_redirect_is_lost(payment, &after);
        // An answer that was not applied, for example because it names another payment, proves nothing about our
        // requests.
        if after.polling().last_answered() == poll {
            match self.repeat_refunds(&after, keyring, events).await {
                Err(PollError::NotPublished(error)) => published = Err(error),
                repeated => repeated?,
            }
        }
        if after.polling().last_not_found() == poll {
            self.conclude_sale(&after, keyring, events).await?;
        }
        Ok(published?)
    }
}

/// Warns if this answer shows that the callback with the redirect URL is lost, so that the shopper cannot pay.
fn warn_if_redirect_is_lost(before: &Payment, after: &Payment) {
    if after.is_redirect_missing() && !before.is_redirect_missing() {
        Line::warn("redirect_lost")
            .with("payment", after.key().to_string())
            .with_metrics(&[], &[Metric::once("redirect_lost")])
            .write();
    }
}
