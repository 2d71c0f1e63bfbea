//! The signed link to the platform's Payment Page: made anew each time from what is stored, never
//! stored itself.

use std::collections::BTreeSet;

use ecommpay::ProjectKey;
use ecommpay::fields::Text;
use ecommpay::payment_page::{PaymentPage, TextParameter};

use crate::model::Payment;
use crate::token::TokenSecret;

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecommpay::fields::ProjectId;
    use url::Url;

    use super::*;
    use crate::Timestamp;
    use crate::checkout::CheckoutRequest;
    use crate::decide::{self, Command};
    use crate::storefront::Storefront;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn payment(language: Option<&str>) -> Payment {
        let storefront = Storefront {
            key_id: "shop".into(),
            key_hash: String::new(),
            name: "shop".into(),
            project_id: ProjectId::new(211).unwrap(),
            scopes: [].into(),
            return_origins: ["https://shop.example".into()].into(),
        };
        let body = serde_json::json!({
            "payment_id": "order-1", "amount": 1000, "currency": "EUR", "channel": "payment_page",
            "return_url": "https://shop.example/", "language": language,
            "customer": { "id": "c", "ip_address": "192.0.2.1" },
        });
        let body = body.to_string();
        let request = CheckoutRequest::read(body.as_bytes(), &storefront, NOW).unwrap();
        let create = Command::Create {
            project_id: storefront.project_id,
            payment_id: &request.payment_id,
            order: &request.order,
        };
        decide::execute(None, create, NOW).unwrap().unwrap().payment
    }

    fn parameters(
        language: Option<&str>,
        languages: &[&str],
        automatic_return: bool,
    ) -> BTreeMap<String, String> {
        let settings = PaymentPageSettings {
            languages: languages.iter().map(|code| (*code).to_owned()).collect(),
            automatic_return,
        };
        let tokens = TokenSecret::new(&"s".repeat(32)).unwrap();
        let links = PaymentPageLinks {
            page_url: "https://page.example/payment",
            settings: &settings,
            base_url: "https://api.example",
            tokens: &tokens,
        };
        let key = ProjectKey::new("test-secret-key").unwrap();
        let link = links.link(&payment(language), &key).unwrap();
        let link = Url::parse(&link).unwrap();
        link.query_pairs().into_owned().collect()
    }

    #[test]
    fn a_language_is_sent_if_the_project_has_it() {
        let set = ["en", "fr"];
        for (language, sent) in [(Some("fr"), Some("fr")), (Some("nl"), None), (None, None)] {
            let parameters = parameters(language, &set, true);
            let code = parameters.get("language_code").map(String::as_str);
            assert_eq!(code, sent, "{language:?}");
        }
        let parameters = parameters(Some("nl"), &["nl"], true);
        assert_eq!(parameters["language_code"], "nl");
    }

    #[test]
    fn an_automatic_return_after_a_decline_excludes_retries() {
        let automatic = parameters(None, &[], true);
        let back = &automatic["redirect_success_url"];
        assert!(back.ends_with("/return"), "{back}");
        assert_eq!(automatic.get("redirect_fail_url"), Some(back));
        assert_eq!(automatic.get("merchant_fail_url"), None);

        let with_retries = parameters(None, &[], false);
        assert_eq!(with_retries.get("redirect_fail_url"), None);
        assert_eq!(with_retries.get("merchant_fail_url"), Some(back));
        assert_eq!(with_retries.get("redirect_success_url"), Some(back));
    }
}
