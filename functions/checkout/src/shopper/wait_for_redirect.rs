//! Lets a shopper's request wait for the redirect URL. If no callback arrives in time, the request polls the platform,
//! because the callback is possibly lost.

use std::time::Duration;

use payments::PaymentKey;
use payments::events::metrics;
use payments::log::Line;
use payments::model::Payment;
use payments::ports::{Clock, StoreError};
use payments::service::checkout::{hand_off_ready, token};
use payments::service::status_poll::StatusPoller;
use tokio::time::timeout;

use super::lookup::{MAX_WAIT, ShopperCheckout};
use crate::checkouts::Checkouts;

/// The minimum time that a status request needs before the deadline. An answer after the deadline could not be used.
const MIN_POLL_TIME: Duration = Duration::from_secs(2);

impl Checkouts {
    /// Returns the checkout of a token when the shopper need not wait any more, but after at most [`MAX_WAIT`]. Returns
    /// `None` if the token is unknown.
    pub(super) async fn find_ready(
        &self,
        token: &str,
    ) -> Result<Option<ShopperCheckout>, StoreError> {
        let (clock, schedule) = (&self.payments.clock, &self.payments.schedule);
        let deadline = clock.now().after(MAX_WAIT);
        let is_ready = |payment: &Payment| hand_off_ready(payment) || !self.is_open(payment);
        let is_overdue =
            |payment: &Payment| schedule.is_poll_due_without_report(payment, clock.now());
        let is_ready_or_overdue = |payment: &Payment| {
            is_ready(payment) || is_overdue(payment) || payment.is_redirect_missing()
        };
        let found = self.find_when(token, MAX_WAIT, is_ready_or_overdue).await?;
        let to_poll = found
            .as_ref()
            .filter(|checkout| checkout.is_open(clock.now()))
            .map(|checkout| &checkout.payment)
            .filter(|payment| !is_ready(payment) && is_overdue(payment));
        let left = deadline.since(clock.now());
        match to_poll {
            // Boxed, because the state of the poll would enlarge the future of every route.
            Some(payment) if left >= MIN_POLL_TIME => {
                // A poll needs a slot, because a poll occupies an instance of the function, as a wait does.
                let Some(slot) = self.claim_wait(&token::hash(token), left).await else {
                    return Ok(found.map(ShopperCheckout::without_wait));
                };
                Box::pin(self.poll(&payment.key(), left)).await;
                self.end_wait(slot).await;
            }
            _ => return Ok(found),
        }
        // If the answer shows that the redirect URL is missing, the wait ends, and the page says that Bancontact has
        // not answered.
        let is_ready_or_missing =
            |payment: &Payment| is_ready(payment) || payment.is_redirect_missing();
        let left = deadline.since(clock.now());
        self.find_when(token, left, is_ready_or_missing).await
    }

    /// Polls the platform about a payment, if a poll is due. The poll is claimed, so that the worker does not send the
    /// same status request. After a failure, the page shows the stored state.
    async fn poll(&self, key: &PaymentKey, limit: Duration) {
        let polled = async {
            let secrets = tokio::try_join!(self.keys.get(), self.tokens.get());
            let (keys, tokens) = secrets.map_err(|error| error.to_string())?;
            let poller = StatusPoller {
                payments: &self.payments,
                gate: &self.gate.with_keys(&self.keys),
                keys: &keys,
                tokens,
                base_url: &self.base_url,
            };
            let polled = poller.poll(key, self.payments.clock.now()).await;
            polled.map_err(|error| error.to_string())
        };
        let error = match timeout(limit, polled).await {
            Ok(Ok(events)) => return metrics::count(key, &events),
            Ok(Err(error)) => error,
            Err(_) => "no answer before the shopper's page is due".to_owned(),
        };
        Line::warn("the poll for a redirect URL failed")
            .with("payment", key.to_string())
            .with("error", error)
            .write();
    }
}
