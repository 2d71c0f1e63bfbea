//! Makes checkouts: stores the payment, sends its sale to Gate, and returns the checkout token.

pub mod payment_page;
pub mod token;
mod wait;

use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use ecommpay::gate::{self, Request};
use ecommpay::{Keyring, ProjectKey};

use self::token::TokenSecret;
pub use self::wait::{READ_INTERVAL, hand_off_ready};
use super::apply::Applied;
use super::backoff;
use super::commit::Payments;
use super::error::ApplyError;
use super::signed_call;
use crate::decide::{self, Change, Command, Fact, Rejection};
use crate::events::{Event, metrics};
use crate::log::Line;
use crate::model::attempt::MAX_REPEATS;
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::storefront::Storefront;
use crate::model::{GateRequest, Order, Payment, Status};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore, Stored};

/// A checkout that a storefront requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The merchant's payment id.
    pub payment_id: MerchantId,
    /// The order.
    pub order: Order,
}

/// A checkout.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The payment.
    pub payment: Payment,
    /// The token in the secret URL of the checkout.
    pub token: String,
    /// Whether this call started an attempt.
    pub created: bool,
}

/// Why no checkout is returned.
#[derive(Debug)]
pub enum CheckoutError {
    /// The `payment_id` belongs to a payment with other content, or to a payment of another storefront.
    Conflict,
    /// The rules do not allow another attempt.
    Rejected(Rejection),
    /// The platform refused the sale with this code.
    Refused(String),
    /// This service failed. The caller can repeat the request.
    Unavailable(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for CheckoutError {
    fn from(error: E) -> Self {
        CheckoutError::Unavailable(error.into())
    }
}

/// Creates checkouts.
#[derive(Debug)]
pub struct CheckoutService<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The platform's Gate.
    pub gate: &'a G,
    /// The keys of the storefront's project.
    pub keyring: &'a Keyring,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
    /// The public address of this service, without a trailing slash.
    pub base_url: &'a str,
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> CheckoutService<'_, S, Q, C, G> {
    /// Creates the payment, sends its sale and returns the checkout. If the payment exists already, returns the
    /// checkout of this payment. Before that, a failed payment starts its next attempt, and a sale with unknown outcome
    /// is sent again, a limited number of times.
    pub async fn create(
        &self,
        storefront: &Storefront,
        request: CheckoutRequest,
    ) -> Result<Checkout, CheckoutError> {
        let CheckoutRequest {
            payment_id,
            mut order,
        } = request;
        order.content = self.tokens.digest_of_content(&order.content);
        let project_id = storefront.project_id;
        let key = PaymentKey::new(project_id, payment_id.as_str());
        let now = self.payments.clock.now();
        let create = Command::Create {
            project_id,
            payment_id: &payment_id,
            order: &order,
        };
        let Ok(Some(change)) = decide::execute(None, create, now) else {
            return Err(CheckoutError::Conflict);
        };
        for number in 0..backoff::TRIES {
            if let Some(stored) = self.commit(&change, None).await? {
                return self.start(stored, change).await;
            }
            if let Some(existing) = self.find(&key, storefront, &order).await? {
                return Ok(existing);
            }
            // Another call is writing the payment. Its write is possibly not complete, or has failed.
            backoff::pause(&self.payments.clock, number).await;
        }
        Err(ApplyError::Contention.into())
    }

    /// Writes the start of an attempt, with the hash of its token. Returns `None` after a conflict with another
    /// writer.
    async fn commit(
        &self,
        change: &Change,
        over: Option<&Stored>,
    ) -> Result<Option<Stored>, ApplyError> {
        let token_hash = token::hash(&self.token(&change.payment));
        self.payments.commit(change, over, Some(&token_hash)).await
    }

    /// Returns the checkout of an existing payment. First starts the next attempt or repeats the sale, if this is
    /// allowed. Returns `None` if the payment does not exist, or if another writer changed the payment. The caller must
    /// then try again.
    async fn find(
        &self,
        key: &PaymentKey,
        storefront: &Storefront,
        order: &Order,
    ) -> Result<Option<Checkout>, CheckoutError> {
        let Some(stored) = self.payments.store.load(key).await? else {
            return Ok(None);
        };
        let payment = &stored.payment;
        let known = payment.order();
        let known = known.filter(|known| known.storefront == storefront.name);
        let known = known.ok_or(CheckoutError::Conflict)?;
        let now = self.payments.clock.now();
        let retry = decide::execute(Some(payment), Command::Retry { order }, now);
        if let Some(change) = retry.map_err(CheckoutError::Rejected)? {
            return match self.commit(&change, Some(&stored)).await? {
                Some(stored) => self.start(stored, change).await.map(Some),
                None => Ok(None),
            };
        }
        if known.content != order.content {
            return Err(CheckoutError::Conflict);
        }
        let Ok(Some(change)) = decide::execute(Some(payment), Command::Resend, now) else {
            return Ok(Some(self.checkout(stored.payment, false)));
        };
        match self.payments.commit(&change, Some(&stored), None).await? {
            Some(claimed) => {
                let repeats = claimed.payment.attempt().repeats();
                if repeats == MAX_REPEATS {
                    Line::warn("a storefront's request repeats the sale for the last time")
                        .with("payment", key.to_string())
                        .with("repeats", u64::from(repeats))
                        .write();
                }
                let sent = self.send(claimed, change.events).await?;
                self.sent_checkout(sent.into_payment(), false).map(Some)
            }
            None => Ok(None),
        }
    }

    fn checkout(&self, payment: Payment, created: bool) -> Checkout {
        Checkout {
            token: self.token(&payment),
            payment,
            created,
        }
    }

    fn token(&self, payment: &Payment) -> String {
        let attempt = payment.attempt().number();
        self.tokens.token(&payment.key(), attempt)
    }

    /// Sends the sale of a Gate attempt that was committed. A payment link needs no request.
    async fn start(&self, stored: Stored, change: Change) -> Result<Checkout, CheckoutError> {
        let applied = match stored.payment.attempt().request() {
            GateRequest::Sending { .. } => self.send(stored, change.events).await?,
            _ => self.payments.publish_change(stored, Some(change)).await,
        };
        self.sent_checkout(applied.into_payment(), true)
    }

    /// Returns the checkout after the sale was sent. Returns an error if the platform refused the sale.
    fn sent_checkout(&self, payment: Payment, created: bool) -> Result<Checkout, CheckoutError> {
        match payment.refusal_code() {
            Some(code) if payment.status() == Status::Failed => {
                Err(CheckoutError::Refused(code.to_owned()))
            }
            _ => Ok(self.checkout(payment, created)),
        }
    }

    /// Sends a claimed sale and applies Gate's answer. `fresh` has the events of the claim.
    pub(crate) async fn send(
        &self,
        claimed: Stored,
        fresh: Vec<Event>,
    ) -> Result<Applied, ApplyError> {
        let (gate, project_id) = (self.gate, claimed.payment.project_id());
        let sign = |key: &ProjectKey| self.signed_sale(&claimed.payment, key);
        let answer = signed_call::post(gate, project_id, self.keyring, gate::Sale::PATH, sign);
        let answer = answer.await.unwrap_or(Answer::Unclear);
        let fact = Fact::SaleAnswer {
            attempt: claimed.payment.attempt().number(),
            answer: &answer,
        };
        let was_foreign = claimed.payment.attempt().is_foreign();
        let applied = self.payments.apply_to_claim(claimed, fresh, fact).await?;
        if !was_foreign && applied.payment.attempt().is_foreign() {
            metrics::log_foreign_payment(&applied.payment.key());
        }
        Ok(applied)
    }

    fn signed_sale(&self, payment: &Payment, key: &ProjectKey) -> Option<Vec<u8>> {
        let order = payment.order()?;
        let customer = order.customer.as_ref()?;
        let sale = gate::Sale {
            general: gate::General::new(
                payment.project_id(),
                Text::new(payment.payment_id()).ok()?,
            ),
            payment: gate::SalePayment {
                amount: order.amount,
                currency: order.currency,
                description: order.description.clone(),
            },
            customer: gate::Customer {
                id: customer.id.clone(),
                ip_address: customer.ip_address.clone(),
                last_name: customer.last_name.clone(),
                details: customer.details.clone(),
            },
            return_url: gate::ReturnUrl::new(self.tokens.return_url(payment, self.base_url)?),
        };
        sale.sign(key).ok()
    }
}
