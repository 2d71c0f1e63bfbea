//! Creating a checkout: store the payment, send its sale, and let the shopper wait for the bank.

use std::time::Duration;

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::customer::{CustomerDetail, CustomerDetails};
use ecommpay::fields::{Currency, LastName, MinorUnits, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::Value;

use crate::apply::{Applied, ApplyError, Payments};
use crate::backoff;
use crate::decide::{self, Change, Command, Fact};
use crate::event::Event;
use crate::ids::{MerchantId, PaymentKey};
use crate::input::{self, Fields};
use crate::model::{Channel, Customer, GateRequest, Order, Payment, Status};
use crate::payment_page::return_address;
use crate::ports::{Clock, EventQueue, Gate, PaymentStore, StoreError, Stored};
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
pub const READ_EVERY: Duration = Duration::from_millis(300);

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
            origins: storefront.return_origins.clone(),
            language,
            description,
            customer: Some(customer),
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
    let mut details = CustomerDetails::default();
    for detail in CustomerDetail::ALL {
        fields.optional(detail.name(), |value| {
            let set = details.set(detail, input::text(value)?);
            set.map_err(|error| error.to_string())
        });
    }
    Some(Customer {
        id: id?,
        ip_address: ip_address?,
        last_name,
        details,
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
        "payment_page" => Ok(Channel::PaymentPage),
        _ => Err("must be gate or payment_page".to_owned()),
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

/// What makes two requests the same: every field but the moment they came, and what the storefront's
/// own configuration says.
fn content(order: &Order, expires_in: u64) -> String {
    let mut whole = serde_json::json!([order, expires_in]);
    if let Some(order) = whole.get_mut(0).and_then(|order| order.as_object_mut()) {
        order.remove("expires_at");
        order.remove("origins");
        // Compared in lower case, as all ids.
        let order_id = order.get("order_id").and_then(|id| id.as_str());
        let order_id = order_id.map(str::to_ascii_lowercase);
        order.insert("order_id".into(), order_id.into());
    }
    sha256::start_of_hex(whole.to_string().as_bytes(), 32)
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
    /// Creates the payment and sends its sale, or finds the one that was created before. A payment
    /// that has failed is begun again.
    pub async fn create(
        &self,
        storefront: &Storefront,
        request: CheckoutRequest,
    ) -> Result<Checkout, CheckoutError> {
        let CheckoutRequest { payment_id, order } = request;
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
        for attempt in 0..backoff::ATTEMPTS {
            if let Some(stored) = self.commit(&change, None).await? {
                return self.start(stored, change).await;
            }
            if let Some(found) = self.find(&key, storefront, &order).await? {
                return Ok(found);
            }
            // Whoever was faster may not be seen yet; it may also fail.
            backoff::pause(&self.payments.clock, attempt).await;
        }
        Err(ApplyError::Contention.into())
    }

    /// Writes the beginning of an attempt, with its token. `None`: others were faster.
    async fn commit(
        &self,
        change: &Change,
        over: Option<&Stored>,
    ) -> Result<Option<Stored>, ApplyError> {
        let payment = &change.payment;
        let token = token::hash(
            &self
                .tokens
                .token(&payment.key(), payment.attempt().number()),
        );
        self.payments.commit(change, over, Some(&token)).await
    }

    /// The payment that was created before, if it is this one. A sale whose outcome is not known is
    /// sent again; a payment that has failed is begun again. `None`: look once more.
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
        if let Ok(Some(change)) = decide::execute(Some(payment), Command::Retry { order }, now) {
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
                let sent = self.send(claimed, change.events).await?;
                Ok(Some(self.checkout(sent.into_payment(), false)))
            }
            None => Ok(None),
        }
    }

    fn checkout(&self, payment: Payment, created: bool) -> Checkout {
        Checkout {
            token: self
                .tokens
                .token(&payment.key(), payment.attempt().number()),
            payment,
            created,
        }
    }

    /// Brings a new attempt on its way.
    async fn start(&self, stored: Stored, change: Change) -> Result<Checkout, CheckoutError> {
        let applied = match stored.payment.attempt().request() {
            GateRequest::Sending { .. } => self.send(stored, change.events).await?,
            _ => self.payments.applied(stored, Some(change)).await,
        };
        let payment = applied.into_payment();
        match payment.refusal_code() {
            Some(code) if payment.status() == Status::Failed => {
                Err(CheckoutError::Refused(code.to_owned()))
            }
            _ => Ok(self.checkout(payment, true)),
        }
    }

    /// Sends the sale that was claimed with some events, and takes in the answer.
    pub(crate) async fn send(
        &self,
        claimed: Stored,
        fresh: Vec<Event>,
    ) -> Result<Applied, ApplyError> {
        let answer = match self.signed_sale(&claimed.payment) {
            Some(body) => self.gate.post(gate::Sale::PATH, body).await,
            None => Answer::Unclear,
        };
        let fact = Fact::SaleAnswer {
            attempt: claimed.payment.attempt().number(),
            answer: &answer,
        };
        self.payments.apply_to_claim(claimed, fresh, fact).await
    }

    fn signed_sale(&self, payment: &Payment) -> Option<Vec<u8>> {
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
            return_url: gate::ReturnUrl::new(return_address(self.tokens, payment, self.base_url)?),
        };
        sale.sign(self.keyring.current()).ok()
    }
}

impl<S: PaymentStore, Q, C: Clock> Payments<S, Q, C> {
    /// Reads a payment until `enough` says so, or for at most `wait`; gives the last reading.
    pub async fn wait_until(
        &self,
        key: &PaymentKey,
        wait: Duration,
        enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<Payment>, StoreError> {
        let end = self.clock.now().after(wait);
        loop {
            let stored = self.store.load(key).await?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let over = self.clock.now().after(READ_EVERY) > end;
            if over || enough(&stored.payment) {
                return Ok(Some(stored.payment));
            }
            self.clock.sleep(READ_EVERY).await;
        }
    }
}

/// Whether a shopper who waits for the bank has nothing more to wait for.
pub fn hand_off_ready(payment: &Payment) -> bool {
    !matches!(payment.status(), Status::Created | Status::Processing)
}
