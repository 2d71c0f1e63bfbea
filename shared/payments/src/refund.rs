//! Giving money back: reserve it, send the refund, take in the answer.

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::fields::{Currency, MinorUnits, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::Value;

use crate::apply::{Applied, ApplyError, Payments};
use crate::decide::{self, Fact, RefundOrder, RefundRejection};
use crate::ids::{MerchantId, PaymentKey};
use crate::input::{self, Fields};
use crate::payment::{Payment, Refund};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::problem::Problem;
use crate::sha256;
use crate::storefront::{Scope, Storefront};

/// A refund that a storefront asks for, every field checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// What goes back.
    pub order: RefundOrder,
    /// The shopper's address, if it is not the checkout's.
    pub ip_address: Option<Text>,
}

impl RefundRequest {
    /// Reads a `POST /payments/{payment_id}/refunds` body.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let json = input::read(body)?;
        let mut fields = Fields::of(&json);
        let refund_id = fields.required("refund_id", input::merchant_id);
        let amount = fields.optional("amount", |value| {
            MinorUnits::new(input::integer(value)?).map_err(|error| error.to_string())
        });
        let currency = fields.optional("currency", input::parsed(Currency::parse));
        let description = fields.required("description", input::parsed(|text| Text::new(text)));
        let ip_address = fields.object("customer", |customer| {
            customer.required("ip_address", input::ip_address)
        });
        let present = |name: &str| json.get(name).is_some_and(|value| *value != Value::Null);
        match (present("amount"), present("currency")) {
            (true, false) => fields.bad("currency", "must come with amount"),
            (false, true) => fields.bad("amount", "must come with currency"),
            _ => {}
        }
        let problems = fields.finish().err();
        let (None, Some(refund_id), Some(description)) = (&problems, refund_id, description) else {
            return Err(Problem::invalid(problems.unwrap_or_default()));
        };
        let whole = serde_json::json!([amount, currency, description, ip_address]);
        Ok(Self {
            order: RefundOrder {
                refund_id,
                amount: amount.map(MinorUnits::get),
                description,
                content: sha256::hex(whole.to_string().as_bytes()),
            },
            ip_address,
        })
    }
}

/// Why there is no refund.
#[derive(Debug)]
pub enum RefundError {
    /// No such payment, or not this storefront's.
    NotFound,
    /// The rules do not allow it.
    Rejected(RefundRejection),
    /// The shopper's address is neither given nor known.
    NoAddress,
    /// A failure of ours; the request may be repeated.
    Unavailable(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for RefundError {
    fn from(error: E) -> Self {
        RefundError::Unavailable(error.into())
    }
}

/// Whether a storefront may see a payment: its own, and with the scope `project` also those that
/// nobody created here.
pub fn may_see(storefront: &Storefront, payment: &Payment) -> bool {
    match &payment.order {
        Some(order) => order.storefront == storefront.name,
        None => storefront.may(Scope::Project),
    }
}

/// What it takes to give money back.
#[derive(Debug)]
pub struct RefundDesk<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The way to the platform.
    pub gate: &'a G,
    /// The keys of the storefront's project.
    pub keyring: &'a Keyring,
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> RefundDesk<'_, S, Q, C, G> {
    /// Reserves a refund and sends it, or finds the one that was asked for before.
    pub async fn refund(
        &self,
        storefront: &Storefront,
        payment_id: &str,
        request: &RefundRequest,
    ) -> Result<Payment, RefundError> {
        let key = PaymentKey::new(storefront.project_id, payment_id);
        let reserved = self
            .payments
            .update(&key, |payment, at| {
                let payment = payment.filter(|payment| may_see(storefront, payment));
                let payment = payment.ok_or(RefundError::NotFound)?;
                if address(payment, request).is_none() {
                    return Err(RefundError::NoAddress);
                }
                decide::reserve_refund(payment, &request.order, at).map_err(RefundError::Rejected)
            })
            .await?;
        let (stored, change) = reserved.ok_or(RefundError::NotFound)?;
        if change.is_none() {
            return Ok(stored.payment);
        }
        let refund_id = &request.order.refund_id;
        let answer = match self.signed_refund(&stored.payment, request) {
            Some(body) => self.gate.post(gate::Refund::PATH, body).await,
            None => Answer::Unclear,
        };
        let fact = Fact::RefundAnswer {
            refund_id,
            answer: &answer,
        };
        let applied = self.payments.apply(&key, fact).await?;
        Ok(applied.map_or(stored.payment, Applied::into_payment))
    }

    fn signed_refund(&self, payment: &Payment, request: &RefundRequest) -> Option<Vec<u8>> {
        let refund = payment.refund(&request.order.refund_id)?;
        let body = gate::Refund {
            general: gate::General::new(
                payment.project_id,
                Text::new(payment.payment_id.clone()).ok()?,
            ),
            payment: gate::RefundPayment {
                amount: MinorUnits::new(refund.amount).ok()?,
                currency: Currency::Eur,
                description: request.order.description.clone(),
                merchant_refund_id: request.order.refund_id.to_text()?,
            },
            customer: gate::RefundCustomer {
                ip_address: address(payment, request)?,
            },
        };
        body.sign(self.keyring.current()).ok()
    }
}

fn address(payment: &Payment, request: &RefundRequest) -> Option<Text> {
    let of_checkout = || {
        payment
            .order
            .as_ref()
            .map(|order| order.customer.ip_address.clone())
    };
    request.ip_address.clone().or_else(of_checkout)
}

/// The refund of a payment that a storefront asks about.
pub fn find<'a>(payment: &'a Payment, refund_id: &str) -> Option<&'a Refund> {
    payment.refund(&MerchantId::new(refund_id)?)
}
