//! Starts a payment.
//!
//! Sources ([list](crate::sources)): Bancontact; Gate API.

use std::fmt;

use serde::Serialize;

use super::request::{General, Request};
use crate::customer::CustomerDetails;
use crate::fields::{Currency, LastName, MinorUnits, Text};

/// `POST /v2/payment/bancontact/sale`: starts a payment.
///
/// The answer says only whether the platform accepted the request. The redirect URL arrives in a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sale {
    /// The project and the payment.
    pub general: General,
    /// The amount.
    pub payment: SalePayment,
    /// The customer.
    pub customer: Customer,
    /// The addresses to which the browser returns.
    pub return_url: ReturnUrl,
}

impl Request for Sale {
    const PATH: &'static str = "/v2/payment/bancontact/sale";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

/// The amount of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalePayment {
    /// Minor units; Bancontact requires at least 100.
    pub amount: MinorUnits,
    /// Bancontact supports EUR only.
    pub currency: Currency,
    /// The description of the sale, which the platform shows to the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
}

/// The customer of a sale. The id and the IP address are mandatory. If the last name is missing, the platform requests
/// it in a clarification. `Debug` hides all fields.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The merchant's id of the customer.
    pub id: Text,
    /// The customer's IP address.
    pub ip_address: Text,
    /// 3 to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<LastName>,
    /// The optional data.
    #[serde(flatten)]
    pub details: CustomerDetails,
}

impl fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Customer(hidden)")
    }
}

/// The addresses to which the browser returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReturnUrl {
    /// The address for the return button, for interruptions, and for a result without an address below.
    #[serde(rename = "return")]
    pub back: Text,
    /// The address after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Text>,
    /// The address after a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Text>,
}

impl ReturnUrl {
    /// Uses one address for every result.
    pub fn new(back: Text) -> Self {
        Self {
            back,
            success: None,
            decline: None,
        }
    }
}
