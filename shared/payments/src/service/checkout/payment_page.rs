//! Makes the signed link to the platform's Payment Page. The link is not stored, because it can be computed again.

use std::collections::BTreeSet;

use ecommpay::ProjectKey;
use ecommpay::fields::Text;
use ecommpay::payment_page::{PaymentPage, TextParameter};

use super::token::TokenSecret;
use crate::model::Payment;

/// The settings of Payment Page that this service must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPageSettings {
    /// The languages of the project, as two-letter codes. A link names no other language, because Payment Page would
    /// use English instead. Without a language in the link, the page uses the language of the browser.
    pub languages: BTreeSet<String>,
    /// Whether the page returns the shopper automatically after a decline. If not, the page has a button for the
    /// return, and can offer another try.
    pub automatic_return: bool,
}

/// Creates links to Payment Page.
#[derive(Debug, Clone, Copy)]
pub struct PaymentPageLinks<'a> {
    /// The URL of Payment Page.
    pub page_url: &'a str,
    /// The settings at the platform.
    pub settings: &'a PaymentPageSettings,
    /// The public address of this service, without a trailing slash.
    pub base_url: &'a str,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
}

impl PaymentPageLinks<'_> {
    /// Returns the signed link of a payment, which is the same in each call. Returns `None` if the payment has no
    /// link, or if the link can no longer be used.
    pub fn link(&self, payment: &Payment, key: &ProjectKey) -> Option<String> {
        let order = payment.order()?;
        if !payment.has_unused_link() || payment.status().is_final() {
            return None;
        }
        let payment_id = Text::new(payment.payment_id()).ok()?;
        let customer = order.customer.as_ref()?;
        let mut page = PaymentPage::new(
            payment.project_id(),
            payment_id,
            order.amount,
            order.currency,
            customer.id.clone(),
        )
        .with_customer(&customer.details);
        if let Some(last_name) = &customer.last_name {
            page = page.with_last_name(last_name.clone());
        }
        let return_url = self.tokens.return_url(payment, self.base_url)?;
        let best_before = Text::new(order.expires_at.to_seconds_with_offset()).ok();
        let languages = &self.settings.languages;
        let language = order.language.as_deref();
        let language = language.filter(|code| languages.contains(*code));
        let after_decline = match self.settings.automatic_return {
            true => TextParameter::RedirectFailUrl,
            false => TextParameter::MerchantFailUrl,
        };
        for (parameter, value) in [
            (TextParameter::PaymentDescription, order.description.clone()),
            (
                TextParameter::LanguageCode,
                language.and_then(|code| Text::new(code).ok()),
            ),
            (TextParameter::BestBefore, best_before),
            (TextParameter::RedirectSuccessUrl, Some(return_url.clone())),
            (after_decline, Some(return_url.clone())),
            (TextParameter::MerchantReturnUrl, Some(return_url)),
        ] {
            if let Some(value) = value {
                page = page.with(parameter, value).ok()?;
            }
        }
        page.link(self.page_url, key).ok()
    }
}
