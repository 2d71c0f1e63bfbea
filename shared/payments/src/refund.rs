//! Giving money back: reserve it, send the refund, take in the answer.

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::fields::{Currency, MinorUnits, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::Value;

use crate::apply::{Applied, ApplyError, Payments};
use crate::ask::AskError;
use crate::decide::{self, Command, Fact, Rejection};
use crate::event::{Event, EventKind};
use crate::ids::{MerchantId, PaymentKey};
use crate::input::{self, Fields};
use crate::model::{GateRequest, Payment, Private, Refund, RefundOrder};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore, StoreError, Stored};
use crate::problem::Problem;
use crate::sha256;
use crate::storefront::{Scope, Storefront};

impl RefundOrder {
    /// Reads a `POST /payments/{payment_id}/refunds` body, checking every field.
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
            refund_id,
            amount: amount.map(MinorUnits::get),
            description,
            ip_address: ip_address.map(Private),
            content: sha256::start_of_hex(whole.to_string().as_bytes(), 32),
        })
    }
}

/// Why there is no refund.
#[derive(Debug)]
pub enum RefundError {
    /// No such payment, or not this storefront's.
    NotFound,
    /// The rules do not allow it.
    Rejected(Rejection),
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
fn may_see(storefront: &Storefront, payment: &Payment) -> bool {
    match payment.order() {
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
        order: &RefundOrder,
    ) -> Result<Payment, RefundError> {
        let key = PaymentKey::of_caller(storefront.project_id, payment_id)
            .ok_or(RefundError::NotFound)?;
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
    /// Sends a refund that was claimed with some events, and takes in the answer.
    pub(crate) async fn send_refund<G: Gate>(
        &self,
        gate: &G,
        keyring: &Keyring,
        claimed: Stored,
        fresh: Vec<Event>,
        refund_id: &MerchantId,
    ) -> Result<Applied, ApplyError> {
        let answer = match signed_refund(&claimed.payment, refund_id, keyring) {
            Some(body) => gate.post(gate::Refund::PATH, body).await,
            None => Answer::Unclear,
        };
        let fact = Fact::RefundAnswer {
            refund_id,
            answer: &answer,
        };
        self.apply_to_claim(claimed, fresh, fact).await
    }

    /// Sends again what never arrived, as far as the platform's last answer shows that, and ends what
    /// it refused again. Adds the events that were sent.
    pub(crate) async fn repeat_refunds<G: Gate>(
        &self,
        gate: &G,
        keyring: &Keyring,
        payment: &Payment,
        events: &mut Vec<EventKind>,
    ) -> Result<(), AskError> {
        let key = payment.key();
        let ids = payment.refunds().iter();
        for refund_id in ids.filter_map(Refund::refund_id) {
            let repeat = |payment: Option<&Payment>, at| {
                let command = Command::RepeatRefund(refund_id);
                decide::execute(payment, command, at).unwrap_or_default()
            };
            if repeat(Some(payment), self.clock.now()).is_none() {
                continue;
            }
            let claimed = self.update(&key, |payment, at| Ok::<_, ApplyError>(repeat(payment, at)));
            let Some((stored, Some(change))) = claimed.await? else {
                continue;
            };
            let refund = stored.payment.refund(refund_id);
            let is_to_be_sent =
                refund.is_some_and(|one| matches!(one.request(), GateRequest::Sending { .. }));
            let applied = if is_to_be_sent {
                self.send_refund(gate, keyring, stored, change.events, refund_id)
                    .await?
            } else {
                self.applied(stored, Some(change)).await
            };
            events.extend(applied.published?);
        }
        Ok(())
    }
}

fn signed_refund(payment: &Payment, refund_id: &MerchantId, keyring: &Keyring) -> Option<Vec<u8>> {
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
            ip_address: payment.refund_address(refund_id)?,
        },
    };
    body.sign(keyring.current()).ok()
}

impl<S: PaymentStore, Q, C> Payments<S, Q, C> {
    /// A payment that a storefront names and may see.
    pub async fn visible_to(
        &self,
        storefront: &Storefront,
        payment_id: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let Some(key) = PaymentKey::of_caller(storefront.project_id, payment_id) else {
            return Ok(None);
        };
        let stored = self.store.load(&key).await?;
        Ok(stored
            .map(|stored| stored.payment)
            .filter(|payment| may_see(storefront, payment)))
    }
}

/// The refund of a payment that a storefront asks about.
pub fn find<'a>(payment: &'a Payment, refund_id: &str) -> Option<&'a Refund> {
    payment.refund(&MerchantId::new(refund_id)?)
}
