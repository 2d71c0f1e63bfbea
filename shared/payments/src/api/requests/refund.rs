//! Reads the body of `POST /payments/{payment_id}/refunds`.

use ecommpay::fields::{Currency, MinorUnits, Text};
use ecommpay::json::Value;

use crate::api::body::{self, Fields};
use crate::api::problem::Problem;
use crate::model::order::Private;
use crate::model::refunds::refund::RefundOrder;
use crate::sha256;

impl RefundOrder {
    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let json = body::read(body)?;
        let mut fields = Fields::of(&json);
        let refund_id = fields.required("refund_id", body::merchant_id);
        let amount = fields.optional("amount", |value| {
            MinorUnits::new(body::integer(value)?).map_err(|error| error.to_string())
        });
        let currency = fields.optional("currency", body::parsed(Currency::parse));
        let description = fields.required("description", body::parsed(|text| Text::new(text)));
        let ip_address = fields.object("customer", |customer| {
            customer.required("ip_address", body::ip_address)
        });
        let present = |name: &str| json.get(name).is_some_and(|value| *value != Value::Null);
        match (present("amount"), present("currency")) {
            (true, false) => fields.invalid("currency", "is required with amount"),
            (false, true) => fields.invalid("amount", "is required with currency"),
            _ => {}
        }
        let problems = fields.finish().err();
        let (None, Some(refund_id), Some(description)) = (&problems, refund_id, description) else {
            return Err(Problem::invalid(problems.unwrap_or_default()));
        };
        // The digest leaves out the shopper's IP address, because this personal data could be guessed from the
        // digest.
        let request = serde_json::json!([amount, currency, description]);
        Ok(Self {
            refund_id,
            amount: amount.map(MinorUnits::get),
            description,
            ip_address: ip_address.map(Private),
            content: sha256::start_of_hex(request.to_string().as_bytes(), 32),
        })
    }
}
