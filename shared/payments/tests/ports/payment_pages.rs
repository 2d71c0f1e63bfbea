//! The signed link to Payment Page.

use std::collections::BTreeMap;

use ecommpay::ProjectKey;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::decide::{self, Command};
use payments::model::Payment;
use payments::model::storefront::Storefront;
use payments::service::checkout::CheckoutRequest;
use payments::service::checkout::payment_page::{PaymentPageLinks, PaymentPageSettings};
use payments::service::checkout::token::TokenSecret;
use url::Url;

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
