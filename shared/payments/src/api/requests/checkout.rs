//! Reads the body of `POST /checkouts`.

use std::time::Duration;

use ecommpay::customer::{CustomerDetail, CustomerDetails};
use ecommpay::fields::{Currency, LastName, MinorUnits, Text};
use ecommpay::json::Value;

use crate::api::body::{self, Fields};
use crate::api::problem::Problem;
use crate::model::ids::MerchantId;
use crate::model::order::{Channel, Customer, Order};
use crate::model::storefront::Storefront;
use crate::model::timestamp::Timestamp;
use crate::service::checkout::CheckoutRequest;
use crate::sha256;

/// The lifetime of a checkout without `expires_in`, in seconds.
const DEFAULT_EXPIRY: u64 = 1_800;
/// The maximum of `expires_in`, in seconds. Bancontact ends a payment after 30 days.
const MAX_EXPIRY: u64 = 30 * 24 * 3_600;

impl CheckoutRequest {
    /// Reads the body. The checkout expires `expires_in` seconds after `now`, by default after 30 minutes.
    pub fn read(body: &[u8], storefront: &Storefront, now: Timestamp) -> Result<Self, Problem> {
        let json = body::read(body)?;
        let mut fields = Fields::of(&json);
        let payment_id = fields.required("payment_id", |value| payment_id(value, storefront));
        let order_id = fields.optional("order_id", body::merchant_id);
        let amount = fields.required("amount", |value| {
            MinorUnits::for_sale(body::integer(value)?).map_err(|error| error.to_string())
        });
        let currency = fields.required("currency", body::parsed(Currency::parse));
        let customer = match json.get("customer") {
            Some(Value::Object(_)) => fields.object("customer", customer),
            _ => fields.required("customer", |_| Err("must be an object".to_owned())),
        };
        let return_url = fields.required("return_url", |value| return_url(value, storefront));
        let channel = fields.optional("channel", channel);
        let language = fields.optional("language", language);
        let description = fields.optional("description", body::parsed(|text| Text::new(text)));
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
    let id = fields.required("id", body::parsed(|text| Text::new(text)));
    let ip_address = fields.required("ip_address", body::ip_address);
    let last_name = fields.optional("last_name", body::parsed(|text| LastName::new(text)));
    let mut details = CustomerDetails::default();
    for detail in CustomerDetail::ALL {
        fields.optional(detail.name(), |value| {
            let set = details.set(detail, body::text(value)?);
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

fn payment_id(value: &Value<'_>, storefront: &Storefront) -> Result<MerchantId, String> {
    let payment_id = body::merchant_id(value)?;
    match (
        &storefront.payment_id_prefix,
        storefront.allows_payment_id(&payment_id),
    ) {
        (Some(prefix), false) => Err(format!("must begin with {}", prefix.as_str())),
        _ => Ok(payment_id),
    }
}

fn return_url(value: &Value<'_>, storefront: &Storefront) -> Result<Text, String> {
    let address = Text::new(body::text(value)?).map_err(|error| error.to_string())?;
    match storefront.allows_return_url(address.as_str()) {
        true => Ok(address),
        false => Err("must be on one of the storefront's return origins".to_owned()),
    }
}

fn channel(value: &Value<'_>) -> Result<Channel, String> {
    match body::text(value)? {
        "gate" => Ok(Channel::Gate),
        "payment_page" => Ok(Channel::PaymentPage),
        _ => Err("must be gate or payment_page".to_owned()),
    }
}

fn language(value: &Value<'_>) -> Result<String, String> {
    match body::text(value)? {
        code @ ("nl" | "fr" | "de" | "en") => Ok(code.to_owned()),
        _ => Err("must be nl, fr, de or en".to_owned()),
    }
}

fn expires_in(value: &Value<'_>) -> Result<u64, String> {
    match body::integer(value)? {
        seconds @ 1..=MAX_EXPIRY => Ok(seconds),
        _ => Err(format!("must be 1 to {MAX_EXPIRY} seconds")),
    }
}

/// Returns a digest of the request. Requests with the same `payment_id` and digest are repeats of each other. The
/// digest leaves out `expires_at` and `origins`, because these fields can differ between repeats.
fn content(order: &Order, expires_in: u64) -> String {
    let mut request = serde_json::json!([order, expires_in]);
    if let Some(order) = request.get_mut(0).and_then(|order| order.as_object_mut()) {
        order.remove("expires_at");
        order.remove("origins");
        // Ids are compared in lower case.
        let order_id = order.get("order_id").and_then(|id| id.as_str());
        let order_id = order_id.map(str::to_ascii_lowercase);
        order.insert("order_id".into(), order_id.into());
    }
    sha256::start_of_hex(request.to_string().as_bytes(), 32)
}
