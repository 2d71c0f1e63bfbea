//! Defines the parameters of a Bancontact payment on Payment Page.
//!
//! Sources ([list](crate::sources)): Bancontact; Payment Page.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::link::{LinkError, link};
use super::parameters::{NumberParameter, TextParameter};
use crate::customer::CustomerDetails;
use crate::fields::{Currency, FieldError, LastName, MinorUnits, ProjectId, Text};
use crate::json::{self, Limits};
use crate::signature::SignError;
use crate::signature::keyring::ProjectKey;

/// The parameters of a Bancontact payment, with the names and limits of the platform. `Debug` hides the customer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PaymentPage {
    project_id: ProjectId,
    payment_id: Text,
    payment_amount: MinorUnits,
    payment_currency: Currency,
    customer_id: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_last_name: Option<LastName>,
    force_payment_method: &'static str,
    #[serde(flatten)]
    customer: BTreeMap<String, Text>,
    #[serde(flatten)]
    texts: BTreeMap<TextParameter, Text>,
    #[serde(flatten)]
    numbers: BTreeMap<NumberParameter, u8>,
}

impl fmt::Debug for PaymentPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PaymentPage")
            .field("project_id", &self.project_id)
            .field("payment_id", &self.payment_id)
            .field("payment_amount", &self.payment_amount)
            .finish_non_exhaustive()
    }
}

impl PaymentPage {
    /// Sets the mandatory parameters, with Bancontact as the only method.
    pub fn new(
        project_id: ProjectId,
        payment_id: Text,
        payment_amount: MinorUnits,
        payment_currency: Currency,
        customer_id: Text,
    ) -> Self {
        Self {
            project_id,
            payment_id,
            payment_amount,
            payment_currency,
            customer_id,
            customer_last_name: None,
            force_payment_method: "bancontact",
            customer: BTreeMap::new(),
            texts: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// Adds the customer's last name. Without this parameter, the form asks the customer for the last name.
    #[must_use]
    pub fn with_last_name(mut self, name: LastName) -> Self {
        self.customer_last_name = Some(name);
        self
    }

    /// Adds the details of the customer for which the page has a parameter.
    #[must_use]
    pub fn with_customer(mut self, details: &CustomerDetails) -> Self {
        let parameters = details
            .iter()
            .filter_map(|(detail, text)| Some((detail.parameter()?, text.clone())));
        self.customer.extend(parameters);
        self
    }

    /// Adds an optional text, or fails if the text does not have the form of the parameter.
    pub fn with(mut self, parameter: TextParameter, value: Text) -> Result<Self, FieldError> {
        self.texts.insert(parameter, parameter.check(value)?);
        Ok(self)
    }

    /// Adds an optional number, or fails if the parameter does not allow this number.
    pub fn with_number(
        mut self,
        parameter: NumberParameter,
        value: u8,
    ) -> Result<Self, FieldError> {
        self.numbers.insert(parameter, parameter.check(value)?);
        Ok(self)
    }

    /// Returns the signed link to the page at `base`.
    pub fn link(&self, base: &str, key: &ProjectKey) -> Result<String, LinkError> {
        let text = serde_json::to_vec(self).map_err(SignError::from)?;
        let parameters = json::parse(&text, Limits::CALLBACK).map_err(SignError::from)?;
        link(base, &parameters, key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::PAYMENT_PAGE;
    use super::*;
    use crate::customer::CustomerDetail;

    #[test]
    fn a_link_has_the_mandatory_and_the_optional_parameters_and_the_signature() {
        let key = ProjectKey::new("test-secret-key").unwrap();
        let text = |text: &str| Text::new(text).unwrap();
        let page = PaymentPage::new(
            ProjectId::new(211).unwrap(),
            text("X03936"),
            MinorUnits::for_sale(1000).unwrap(),
            Currency::Eur,
            text("123"),
        );
        let mut details = CustomerDetails::default();
        details.set(CustomerDetail::City, "Brugge").unwrap();
        details.set(CustomerDetail::Street, "Markt").unwrap();
        let page = page
            .with_last_name(LastName::new("Johnson").unwrap())
            .with_customer(&details)
            .with(TextParameter::LanguageCode, text("nl"))
            .and_then(|page| page.with(TextParameter::FrameMode, text("iframe")))
            .and_then(|page| page.with_number(NumberParameter::RedirectSuccessEnabled, 2))
            .unwrap();
        assert!(!format!("{page:?}").contains("Johnson"));
        let link = page.link(PAYMENT_PAGE, &key).unwrap();
        assert!(link.contains("&force_payment_method=bancontact&"), "{link}");
        let (base, query) = link.split_once('?').unwrap();
        assert_eq!(base, PAYMENT_PAGE);
        let names: Vec<&str> = query
            .split('&')
            .filter_map(|pair| Some(pair.split_once('=')?.0))
            .collect();
        assert_eq!(
            names,
            [
                "project_id",
                "payment_id",
                "payment_amount",
                "payment_currency",
                "customer_id",
                "customer_last_name",
                "force_payment_method",
                "customer_city",
                "language_code",
                "frame_mode",
                "redirect_success_enabled",
                "signature"
            ]
        );
    }
}
