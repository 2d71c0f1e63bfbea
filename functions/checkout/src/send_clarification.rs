//! Sends the data that the platform requests for a sale, from a storefront or from a shopper.

use payments::model::Payment;
use payments::ports::StoreError;
use payments::service::clarification::{self, Answers, ClarificationError};
use payments::service::error::ApplyError;

use crate::checkouts::Checkouts;

impl Checkouts {
    /// Sends the data to Gate, unless it was sent `max_tries` times already. Returns the resulting payment.
    pub(crate) async fn send_clarification(
        &self,
        payment: &Payment,
        answers: &Answers,
        max_tries: u32,
    ) -> Result<Payment, ClarificationError> {
        let keyring = self.keys.of(payment.project_id()).await;
        let keyring = keyring.map_err(|error| StoreError::Failed(error.to_string()));
        let keyring = keyring.map_err(ApplyError::from)?;
        let requested = payment.clarification_request();
        let (payments, gate) = (&self.payments, &self.gate.with_keys(&self.keys));
        clarification::clarify(
            payments, gate, &keyring, payment, requested, answers, max_tries,
        )
        .await
    }
}
