//! The requests that we send to Gate, typed and signed.
//!
//! Every request is a `POST` of JSON; the signature stands in `general.signature` and covers all
//! the rest. There is no other authentication.
//!
//! Left out, as Bancontact has no use for them or the project's settings say the same:
//! `terminal_callback_url` and `referrer_url` (Payment Page's own), `callback` (a delay, or none at
//! all), `interface_type` (by agreement), `additional_data` of a sale (the customer's details say
//! it), `receipt_data`, `recurring` and `recurring_register`, identity documents and the billing
//! object of `customer`, `destination` of a status request. The status of a single request
//! (`/v2/payment/status/request`) is left out too: the status of its payment says enough.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::customer::CustomerDetails;
use crate::fields::{Currency, FieldError, FieldName, LastName, MinorUnits, ProjectId, Text};
use crate::keyring::ProjectKey;
use crate::signature::{self, SignError};

/// A request: its path, and its body as it is signed and sent.
///
/// Source: Gate, organisation; Signature.
pub trait Request: Serialize {
    /// The path below the Gate host.
    const PATH: &'static str;

    /// Where the signature goes.
    fn general_mut(&mut self) -> &mut General;

    /// The signed body.
    fn sign(self, key: &ProjectKey) -> Result<Vec<u8>, SignError>
    where
        Self: Sized,
    {
        signature::signed(self, key, |request, signature| {
            request.general_mut().signature = Some(signature);
        })
    }
}

/// The part that every request has: whose payment, which payment, the signature.
///
/// Source: Gate API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct General {
    /// The project that takes the payment.
    pub project_id: ProjectId,
    /// The payment's id, unique in the project without regard to case.
    pub payment_id: Text,
    /// Where the callbacks of this payment go instead of the project's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_callback_url: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl General {
    /// Names a payment.
    pub fn new(project_id: ProjectId, payment_id: Text) -> Self {
        Self {
            project_id,
            payment_id,
            merchant_callback_url: None,
            signature: None,
        }
    }
}

/// `POST /v2/payment/bancontact/sale`: starts a payment.
///
/// The answer only says that the request was taken; the bank's address comes in a callback.
///
/// Source: Bancontact, payments through Gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sale {
    /// Whose payment, which payment.
    pub general: General,
    /// What is to be paid.
    pub payment: SalePayment,
    /// Who pays.
    pub customer: Customer,
    /// Where the browser goes afterwards.
    pub return_url: ReturnUrl,
}

impl Request for Sale {
    const PATH: &'static str = "/v2/payment/bancontact/sale";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

/// The money of a sale.
///
/// Source: Bancontact, payments through Gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalePayment {
    /// Minor units; Bancontact takes 100 and more.
    pub amount: MinorUnits,
    /// Bancontact knows EUR only.
    pub currency: Currency,
    /// Shown to the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
}

/// The customer of a sale. Id and address are mandatory; without a last name the platform asks
/// for it (clarification). Debug shows none of it.
///
/// Source: Bancontact, payments through Gate; Gate API.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The merchant's id of the customer.
    pub id: Text,
    /// The customer's IP address.
    pub ip_address: Text,
    /// 3 to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<LastName>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub details: CustomerDetails,
}

impl fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Customer(hidden)")
    }
}

/// Where the browser returns to.
///
/// Source: Bancontact, payments through Gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReturnUrl {
    /// Used by the return button, on interruption, and for every result that has no address below.
    #[serde(rename = "return")]
    pub back: Text,
    /// After a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Text>,
    /// After a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Text>,
}

impl ReturnUrl {
    /// One address for every way back.
    pub fn new(back: Text) -> Self {
        Self {
            back,
            success: None,
            decline: None,
        }
    }
}

/// `POST /v2/payment/bancontact/refund`: gives money back, in whole or in part.
///
/// Source: Bancontact, refunds through Gate; Gate, refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// Whose payment, which payment.
    pub general: General,
    /// What goes back.
    pub payment: RefundPayment,
    /// The customer's address, which Bancontact demands.
    pub customer: RefundCustomer,
}

impl Request for Refund {
    const PATH: &'static str = "/v2/payment/bancontact/refund";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

/// The money of a refund. Amount and currency are always sent, so that "the rest" cannot change
/// between our decision and the platform's.
///
/// Source: Bancontact, refunds through Gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundPayment {
    /// Minor units.
    pub amount: MinorUnits,
    /// The payment's currency.
    pub currency: Currency,
    /// Mandatory.
    pub description: Text,
    /// Makes the refund unique: a repeat is answered 3230.
    pub merchant_refund_id: Text,
}

/// The customer of a refund. Debug does not show it.
///
/// Source: Bancontact, refunds through Gate.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RefundCustomer {
    /// The customer's IP address.
    pub ip_address: Text,
}

impl fmt::Debug for RefundCustomer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RefundCustomer(hidden)")
    }
}

/// `POST /v2/payment/clarification`: the data that the platform asked for (`clarification_fields`).
///
/// May be partial; what is still missing is asked for again. 30 minutes from each asking. Debug does
/// not show the data.
///
/// Source: Gate, clarification.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Clarification {
    /// Whose payment, which payment.
    pub general: General,
    additional_data: Data,
}

type Data = BTreeMap<FieldName, Entry>;

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Entry {
    Text(Text),
    Object(Data),
}

impl Clarification {
    /// Sends texts by the platform's names of them: `customer.last_name` becomes
    /// `{"customer": {"last_name": "Janssens"}}`, and so on for objects in objects.
    ///
    /// There must be a text, none may have a `:`, and no name may be another one's beginning. An
    /// empty object gives no line, and `a:b` in one field the same line as `b` in an object's field
    /// `a`, so that the request would share its signature with another.
    pub fn new<'a>(
        general: General,
        answers: impl IntoIterator<Item = (&'a str, Text)>,
    ) -> Result<Self, FieldError> {
        let mut additional_data = Data::new();
        for (name, text) in answers {
            if text.as_str().contains(':') {
                return Err(FieldError::Form("a text without :"));
            }
            put(&mut additional_data, name, text)?;
        }
        match additional_data.is_empty() {
            true => Err(FieldError::Empty),
            false => Ok(Self {
                general,
                additional_data,
            }),
        }
    }
}

fn put(data: &mut Data, name: &str, text: Text) -> Result<(), FieldError> {
    const TAKEN: FieldError = FieldError::Form("a name that no other one begins with");
    match name.split_once('.') {
        None => match data.insert(FieldName::new(name)?, Entry::Text(text)) {
            None => Ok(()),
            Some(_) => Err(TAKEN),
        },
        Some((object, rest)) => {
            let object = data.entry(FieldName::new(object)?);
            match object.or_insert_with(|| Entry::Object(Data::new())) {
                Entry::Object(data) => put(data, rest, text),
                Entry::Text(_) => Err(TAKEN),
            }
        }
    }
}

impl fmt::Debug for Clarification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Clarification")
            .field("general", &self.general)
            .finish_non_exhaustive()
    }
}

impl Request for Clarification {
    const PATH: &'static str = "/v2/payment/clarification";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

/// `POST /v2/payment/status`: what the platform knows of a payment.
///
/// Source: Gate, status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whose payment, which payment.
    pub general: General,
}

impl Request for Status {
    const PATH: &'static str = "/v2/payment/status";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn text(text: &str) -> Text {
        Text::new(text).unwrap()
    }

    fn sale() -> Sale {
        Sale {
            general: General::new(ProjectId::new(211).unwrap(), text("order-1")),
            payment: SalePayment {
                amount: MinorUnits::for_sale(1000).unwrap(),
                currency: Currency::Eur,
                description: None,
            },
            customer: Customer {
                id: text("123"),
                ip_address: text("192.0.2.10"),
                last_name: None,
                details: CustomerDetails::default(),
            },
            return_url: ReturnUrl::new(text("https://shop.example/back")),
        }
    }

    /// The canonical string of a signed body; its signature belongs to it.
    fn signed_string(body: &[u8], key: &ProjectKey) -> String {
        let message = parse(body, Limits::CALLBACK).unwrap();
        let canonical = signature::canonical(&message);
        assert!(key.verifies(&canonical, &signature::of_message(&message).unwrap()));
        String::from_utf8(canonical).unwrap()
    }

    #[test]
    fn a_sale_is_signed_over_what_is_sent() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let body = sale().sign(&key).unwrap();
        assert_eq!(
            signed_string(&body, &key),
            "customer:id:123;customer:ip_address:192.0.2.10;general:payment_id:order-1;\
             general:project_id:211;payment:amount:1000;payment:currency:EUR;\
             return_url:return:https://shop.example/back"
        );
        assert!(!String::from_utf8(body).unwrap().contains("null"));
    }

    #[test]
    fn a_sale_may_name_addresses_of_its_own() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let mut sale = sale();
        sale.general.merchant_callback_url = Some(text("https://shop.example/hooks"));
        sale.return_url.success = Some(text("https://shop.example/thanks"));
        sale.return_url.decline = Some(text("https://shop.example/again"));
        let canonical = signed_string(&sale.sign(&key).unwrap(), &key);
        for line in [
            "general:merchant_callback_url:https://shop.example/hooks",
            "return_url:decline:https://shop.example/again",
            "return_url:return:https://shop.example/back",
            "return_url:success:https://shop.example/thanks",
        ] {
            assert!(canonical.split(';').any(|own| own == line), "{canonical}");
        }
    }

    #[test]
    fn a_clarification_is_signed_too() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let clarification = clarification(&[
            ("customer.last_name", "Janssens"),
            ("customer.billing.city", "Gent"),
            ("avs_data.avs_post_code", "9000"),
        ]);
        assert_eq!(
            signed_string(&clarification.unwrap().sign(&key).unwrap(), &key),
            "additional_data:avs_data:avs_post_code:9000;additional_data:customer:billing:city:Gent;\
             additional_data:customer:last_name:Janssens;general:payment_id:order-1;general:project_id:211"
        );
    }

    fn clarification(answers: &[(&str, &str)]) -> Result<Clarification, FieldError> {
        let general = General::new(ProjectId::new(211).unwrap(), text("order-1"));
        let answers = answers.iter().map(|(name, answer)| (*name, text(answer)));
        Clarification::new(general, answers)
    }

    #[test]
    fn a_clarification_that_could_be_read_as_another_is_none() {
        assert!(clarification(&[("customer.email", "a@b.c")]).is_ok());
        assert_eq!(clarification(&[]), Err(FieldError::Empty));
        for ambiguous in [
            vec![("customer.billing", "city:Gent")],
            vec![("customer.billing", "x"), ("customer.billing.city", "Gent")],
            vec![("customer.billing.city", "Gent"), ("customer.billing", "x")],
            vec![("customer.city", "Gent"), ("customer.city", "Brugge")],
            vec![("customer..city", "Gent")],
        ] {
            assert!(clarification(&ambiguous).is_err(), "{ambiguous:?}");
        }
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let clarification = clarification(&[("customer.last_name", "Canary")]).unwrap();
        assert!(!format!("{clarification:?}").contains("Canary"));
        let refund = Refund {
            general: sale().general,
            payment: RefundPayment {
                amount: MinorUnits::new(1).unwrap(),
                currency: Currency::Eur,
                description: text("d"),
                merchant_refund_id: text("r"),
            },
            customer: RefundCustomer {
                ip_address: text("192.0.2.10"),
            },
        };
        assert!(!format!("{refund:?}").contains("192.0.2.10"));
        assert!(!format!("{:?}", sale()).contains("192.0.2.10"));
    }
}
