//! Makes refunds: reserves the money, sends the request to Gate, and applies the answer.

use ecommpay::answer::Answer;
use ecommpay::fields::{Currency, MinorUnits, Text};
use ecommpay::gate::{self, Request};
use ecommpay::{Keyring, ProjectKey};

use super::apply::Applied;
use super::commit::Payments;
use super::error::ApplyError;
use super::signed_call;
use super::visibility::may_see;
use crate::decide::{self, Command, Fact, Rejection};
use crate::events::Event;
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::storefront::Storefront;
use crate::model::{Payment, Refund, RefundOrder};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore, Stored};

/// Why a refund is not created.
#[derive(Debug)]
pub enum RefundError {
    /// The payment does not exist, or the storefront may not see it.
    NotFound,
    /// The rules do not allow the refund.
    Rejected(Rejection),
    /// This service failed. The caller can repeat the request.
    Unavailable(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for RefundError {
    fn from(error: E) -> Self {
        RefundError::Unavailable(error.into())
    }
}

/// Creates refunds.
#[derive(Debug)]
pub struct RefundService<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The platform's Gate.
    pub gate: &'a G,
    /// The keys of the storefront's project.
    pub keyring: &'a Keyring,
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> RefundService<'_, S, Q, C, G> {
    /// Reserves the amount of a refund and sends its request. Sends nothing if the same refund exists already.
    pub async fn refund(
        &self,
        storefront: &Storefront,
        payment_id: &str,
        order: &RefundOrder,
    ) -> Result<Payment, RefundError> {
        let key =
            PaymentKey::parse(storefront.project_id, payment_id).ok_or(RefundError::NotFound)?;
        let reserved = self
            .payments
            .update(&key, |payment, at| {
                let payment = payment.filter(|payment| may_see(storefront, payment));
                let payment = payment.ok_or(RefundError::NotFound)?;
                let command = Command::Refund(order);
                decide::execute(Some(payment), command, at).map_err(RefundError::Rejected)
            })
            .await?;
        let (stored, change) = reserved.ok_or(RefundError::NotFound)?;
        let Some(change) = change else {
            return Ok(stored.payment);
        };
        let sent = self
            .payments
            .send_refund(
                self.gate,
                self.keyring,
                stored,
                change.events,
                &order.refund_id,
            )
            .await?;
        Ok(sent.into_payment())
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Sends a claimed refund request and applies Gate's answer. `fresh` has the events of the claim.
    pub(crate) async fn send_refund<G: Gate>(
        &self,
        gate: &G,
        keyring: &Keyring,
        claimed: Stored,
        fresh: Vec<Event>,
        refund_id: &MerchantId,
    ) -> Result<Applied, ApplyError> {
        let project_id = claimed.payment.project_id();
        let sign = |key: &ProjectKey| signed_refund(&claimed.payment, refund_id, key);
        let answer = signed_call::post(gate, project_id, keyring, gate::Refund::PATH, sign);
        let answer = answer.await.unwrap_or(Answer::Unclear);
        let fact = Fact::RefundAnswer {
            refund_id,
            answer: &answer,
        };
        self.apply_to_claim(claimed, fresh, fact).await
    }
}

fn signed_refund(payment: &Payment, refund_id: &MerchantId, key: &ProjectKey) -> Option<Vec<u8>> {
    let refund = payment.refund(refund_id)?;
    let payment_id = Text::new(payment.payment_id()).ok()?;
    let body = gate::Refund {
        general: gate::General::new(payment.project_id(), payment_id),
        payment: gate::RefundPayment {
            amount: MinorUnits::new(refund.amount()).ok()?,
            currency: Currency::Eur,
            description: refund.description()?.clone(),
            merchant_refund_id: refund_id.to_text()?,
        },
        customer: gate::RefundCustomer {
            ip_address: payment.refund_ip_address(refund_id)?,
        },
    };
    body.sign(key).ok()
}

/// Returns the refund with this `refund_id`, if it exists.
pub fn find<'a>(payment: &'a Payment, refund_id: &str) -> Option<&'a Refund> {
    payment.refund(&MerchantId::new(refund_id)?)
}
