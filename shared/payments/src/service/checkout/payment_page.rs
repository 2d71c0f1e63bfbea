//! The signed link to the platform's Payment Page: made anew each time from what is stored, never
//! stored itself.

use std::collections::BTreeSet;

use ecommpay::ProjectKey;
use ecommpay::fields::Text;
use ecommpay::payment_page::{PaymentPage, TextParameter};

use crate::model::Payment;
use crate::service::checkout::token::TokenSecret;

/// Where the bank sends the shopper back to.
pub(crate) fn return_address(
    tokens: &TokenSecret,
    payment: &Payment,
    base_url: &str,
) -> Option<Text> {
    let token = tokens.token(&payment.key(), payment.attempt().number());
    Text::new(format!("{base_url}/checkouts/{token}/return")).ok()
}

/// How the platform has set up Payment Page for the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPageSettings {
    /// The languages of the project, as two letters. A code outside of this set forces English, so it
    /// is not sent; the page then follows the browser.
    pub languages: BTreeSet<String>,
    /// Whether the shopper returns by itself after a decline. Without it a button leads back, and the
    /// page can offer another try: its retries and the automatic return exclude each other.
    pub automatic_return: bool,
}

/// Where Payment Page is, and how the shopper comes back from there.
#[derive(Debug, Clone, Copy)]
pub struct PaymentPageLinks<'a> {
    /// The page itself.
    pub page_url: &'a str,
    /// How the platform has set it up.
    pub settings: &'a PaymentPageSettings,
    /// The public address of this service, without a slash at its end.
    pub base_url: &'a str,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
}

impl PaymentPageLinks<'_> {
    /// The signed link of a payment, the same each time; `None` if it has none, or cannot use it any
    /// more.
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
        let back = return_address(self.tokens, payment, self.base_url)?;
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
            (TextParameter::RedirectSuccessUrl, Some(back.clone())),
            (after_decline, Some(back.clone())),
            (TextParameter::MerchantReturnUrl, Some(back)),
        ] {
            if let Some(value) = value {
                page = page.with(parameter, value).ok()?;
            }
        }
        page.link(self.page_url, key).ok()
    }
}
