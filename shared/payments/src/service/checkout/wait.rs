//! Waits for a change of a payment, for example until a callback has reported the redirect URL.

use std::time::Duration;

use crate::model::ids::PaymentKey;
use crate::model::{Payment, Status};
use crate::ports::{Clock, PaymentStore, StoreError};
use crate::service::commit::Payments;

/// The interval between two reads.
pub const READ_INTERVAL: Duration = Duration::from_millis(300);

impl<S: PaymentStore, Q, C: Clock> Payments<S, Q, C> {
    /// Reads a payment repeatedly until `is_enough` returns true, for at most `wait`. Returns the payment of the last
    /// read; `None` if the payment does not exist.
    pub async fn wait_until(
        &self,
        key: &PaymentKey,
        wait: Duration,
        is_enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<Payment>, StoreError> {
        let end = self.clock.now().after(wait);
        loop {
            let stored = self.store.load(key).await?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let is_over = self.clock.now().after(READ_INTERVAL) > end;
            if is_over || is_enough(&stored.payment) {
                return Ok(Some(stored.payment));
            }
            self.clock.sleep(READ_INTERVAL).await;
        }
    }
}

/// Whether a shopper can stop waiting for the redirect URL, because the URL or an outcome is known.
pub fn hand_off_ready(payment: &Payment) -> bool {
    !matches!(payment.status(), Status::Created | Status::Processing)
}
