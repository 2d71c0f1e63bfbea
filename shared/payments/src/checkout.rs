//! Creating a checkout: store the payment, send its sale, and let the shopper wait for the bank.

use std::time::Duration;

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::Value;

use crate::apply::{Applied, ApplyError, Payments};
use crate::backoff;
use crate::decide::{self, Fact};
use crate::ids::{MerchantId, PaymentKey};
use crate::input::{self, Fields};
use crate::payment::{Channel, Customer, Order, Payment, Status};
use crate::ports::{Clock, CommitError, EventQueue, Gate, PaymentStore, StoreError};
use crate::problem::Problem;
use crate::sha256;
use crate::storefront::Storefront;
use crate::timestamp::Timestamp;
use crate::token::{self, TokenSecret};

/// How long a checkout can be paid if the storefront does not say.
const DEFAULT_EXPIRY: u64 = 1_800;
/// The longest time a checkout can be paid: the method's own limit of 30 days.
const LONGEST_EXPIRY: u64 = 30 * 24 * 3_600;
/// The pause between two reads while a shopper waits.
const READ_EVERY: Duration = Duration::from_millis(300);

/// A checkout that a storefront asks for, every field checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The merchant's id of the payment.
    pub payment_id: MerchantId,
    /// What is ordered.
    pub order: Order,
}

impl CheckoutRequest {
    /// Reads a `POST /checkouts` body.
    pub fn read(body: &[u8], storefront: &Storefront, now: Timestamp) -> Result<Self, Problem> {
        let json = input::read(body)?;
        let mut fields = Fields::of(&json);
        let payment_id = fields.required("payment_id", input::merchant_id);
        let order_id = fields.optional("order_id", input::merchant_id);
        let amount = fields.required("amount", |value| {
            MinorUnits::for_sale(input::integer(value)?).map_err(|error| error.to_string())
        });
        let currency = fields.required("currency", input::parsed(Currency::parse));
        let customer = match json.get("customer") {
            Some(Value::Object(_)) => fields.object("customer", customer),
            _ => fields.required("customer", |_| Err("must be an object".to_owned())),
        };
        let return_url = fields.required("return_url", |value| return_url(value, storefront));
        let channel = fields.optional("channel", channel);
        let language = fields.optional("language", language);
        let description = fields.optional("description", input::parsed(|text| Text::new(text)));
        let expires_in = fields.optional("expires_in", expires_in);
        let problems = fields.finish().err();
        let (
            None,
            Some(payment_id),
            Some(amount),
            Some(currency),
            Some(customer),
            Some(return_url),
        ) = (
            &problems, payment_id, amount, currency, customer, return_url,
        )
        else {
            return Err(Problem::invalid(problems.unwrap_or_default()));
        };
        let mut order = Order {
            storefront: storefront.name.clone(),
            order_id,
            amount,
            currency,
            channel: channel.unwrap_or(Channel::Gate),
            return_url,
            language,
            description,
            customer,
            expires_at: now,
            content: String::new(),
        };
        let expires_in = expires_in.unwrap_or(DEFAULT_EXPIRY);
        order.content = content(&order, expires_in);
        order.expires_at = now.after(Duration::from_secs(expires_in));
        Ok(Self { payment_id, order })
    }
}

fn customer(fields: &mut Fields<'_>) -> Option<Customer> {
    let id = fields.required("id", input::parsed(|text| Text::new(text)));
    let ip_address = fields.required("ip_address", input::ip_address);
    let last_name = fields.optional("last_name", input::parsed(|text| LastName::new(text)));
    Some(Customer {
        id: id?,
        ip_address: ip_address?,
        last_name,
    })
}

fn return_url(value: &Value<'_>, storefront: &Storefront) -> Result<Text, String> {
    let address = Text::new(input::text(value)?).map_err(|error| error.to_string())?;
    match storefront.takes_return_url(address.as_str()) {
        true => Ok(address),
        false => Err("must be on one of the storefront's return origins".to_owned()),
    }
}

fn channel(value: &Value<'_>) -> Result<Channel, String> {
    match input::text(value)? {
        "gate" => Ok(Channel::Gate),
        _ => Err("must be gate".to_owned()),
    }
}

fn language(value: &Value<'_>) -> Result<String, String> {
    match input::text(value)? {
        code @ ("nl" | "fr" | "de" | "en") => Ok(code.to_owned()),
        _ => Err("must be nl, fr, de or en".to_owned()),
    }
}

fn expires_in(value: &Value<'_>) -> Result<u64, String> {
    match input::integer(value)? {
        seconds @ 1..=LONGEST_EXPIRY => Ok(seconds),
        _ => Err(format!("must be 1 to {LONGEST_EXPIRY} seconds")),
    }
}

/// What makes two requests the same: every field but the moment they came.
fn content(order: &Order, expires_in: u64) -> String {
    let whole = serde_json::json!([order, expires_in]);
    let whole = {
        let mut whole = whole;
        if let Some(order) = whole.get_mut(0).and_then(|order| order.as_object_mut()) {
            order.remove("expires_at");
        }
        whole
    };
    sha256::hex(whole.to_string().as_bytes())
}

/// A checkout as it stands, and the way to it.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The payment.
    pub payment: Payment,
    /// The token of the shopper's address.
    pub token: String,
    /// Whether this call created it.
    pub created: bool,
}

/// Why there is no checkout.
#[derive(Debug)]
pub enum CheckoutError {
    /// The id names a payment of another content or of another storefront.
    Conflict,
    /// The platform refused the sale with this code.
    Refused(String),
    /// A failure of ours; the request may be repeated.
    Unavailable(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for CheckoutError {
    fn from(error: E) -> Self {
        CheckoutError::Unavailable(error.into())
    }
}

/// What it takes to start payments.
#[derive(Debug)]
pub struct Cashier<'a, S, Q, C, G> {
    /// The payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The way to the platform.
    pub gate: &'a G,
    /// The keys of the storefront's project.
    pub keyring: &'a Keyring,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
    /// The public address of this service, without a slash at its end.
    pub base_url: &'a str,
}

impl<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate> Cashier<'_, S, Q, C, G> {
    /// Creates the payment and sends its sale, or finds the one that was created before.
    pub async fn create(
        &self,
        storefront: &Storefront,
        request: CheckoutRequest,
    ) -> Result<Checkout, CheckoutError> {
        let key = PaymentKey::new(storefront.project_id, request.payment_id.as_str());
        let token = self.tokens.token(&key);
        let content = request.order.content.clone();
        let now = self.payments.clock.now();
        let change = decide::create(
            storefront.project_id,
            &request.payment_id,
            request.order,
            now,
        );
        let checkout = |payment: Payment, created| match payment.refusal_code() {
            Some(code) if payment.status() == Status::Failed => {
                Err(CheckoutError::Refused(code.to_owned()))
            }
            _ => Ok(Checkout {
                payment,
                token: token.clone(),
                created,
            }),
        };
        for attempt in 0..backoff::ATTEMPTS {
            match self
                .payments
                .store
                .commit(&change, None, Some(&token::hash(&token)))
                .await
            {
                Ok(()) => return checkout(self.send(&key, &change.payment, &token).await?, true),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
            if let Some(payment) = self.find(&key, storefront, &content, &token).await? {
                return checkout(payment, false);
            }
            // Whoever was faster has not finished; it may also fail.
            backoff::pause(&self.payments.clock, attempt).await;
        }
        Err(ApplyError::Contention.into())
    }

    /// The payment that was created before, if it is this one; its sale is sent again if its
    /// outcome is not known.
    async fn find(
        &self,
        key: &PaymentKey,
        storefront: &Storefront,
        content: &str,
        token: &str,
    ) -> Result<Option<Payment>, CheckoutError> {
        let claimed = self
            .payments
            .update(key, |payment, at| {
                let Some(payment) = payment else {
                    return Ok(None);
                };
                let order = payment
                    .order
                    .as_ref()
                    .filter(|order| order.storefront == storefront.name);
                if order.is_none_or(|order| order.content != content) {
                    return Err(CheckoutError::Conflict);
                }
                Ok(decide::claim_resend(payment, at))
            })
            .await?;
        Ok(match claimed {
            Some((stored, Some(_))) => Some(self.send(key, &stored.payment, token).await?),
            Some((stored, None)) => Some(stored.payment),
            None => None,
        })
    }

    /// Sends the sale and takes in the answer.
    async fn send(
        &self,
        key: &PaymentKey,
        payment: &Payment,
        token: &str,
    ) -> Result<Payment, ApplyError> {
        let answer = match self.signed_sale(payment, token) {
            Some(body) => self.gate.post(gate::Sale::PATH, body).await,
            None => Answer::Unclear,
        };
        let applied = self.payments.apply(key, Fact::SaleAnswer(&answer)).await?;
        Ok(applied.map_or_else(|| payment.clone(), Applied::into_payment))
    }

    fn signed_sale(&self, payment: &Payment, token: &str) -> Option<Vec<u8>> {
        let order = payment.order.as_ref()?;
        let sale = gate::Sale {
            general: gate::General::new(
                payment.project_id,
                Text::new(payment.payment_id.clone()).ok()?,
            ),
            payment: gate::SalePayment {
                amount: order.amount,
                currency: order.currency,
                description: order.description.clone(),
            },
            customer: gate::Customer {
                id: order.customer.id.clone(),
                ip_address: order.customer.ip_address.clone(),
                last_name: order.customer.last_name.clone(),
                details: CustomerDetails::default(),
            },
            return_url: gate::ReturnUrl::new(
                Text::new(format!("{}/checkouts/{token}/return", self.base_url)).ok()?,
            ),
        };
        sale.sign(self.keyring.current()).ok()
    }
}

impl<S: PaymentStore, Q, C> Payments<S, Q, C> {
    /// Reads a payment until `enough` says so, or for at most `wait`; gives the last reading.
    pub async fn wait_until(
        &self,
        key: &PaymentKey,
        wait: Duration,
        enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<Payment>, StoreError> {
        let end = tokio::time::Instant::now() + wait;
        loop {
            let stored = self.store.load(key).await?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let over = tokio::time::Instant::now() + READ_EVERY > end;
            if over || enough(&stored.payment) {
                return Ok(Some(stored.payment));
            }
            tokio::time::sleep(READ_EVERY).await;
        }
    }
}

/// Whether a shopper who waits for the bank has nothing more to wait for.
pub fn hand_off_ready(payment: &Payment) -> bool {
    payment.redirect().is_some()
        || !payment.clarification_fields().is_empty()
        || payment.status().is_final()
}
