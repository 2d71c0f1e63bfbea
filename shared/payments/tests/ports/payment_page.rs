//! Tests the signed link to Payment Page.

use std::collections::BTreeMap;

use payments::model::Status;
use payments::service::checkout::payment_page::{PaymentPageLinks, PaymentPageSettings};
use url::Url;

use super::system::*;
use crate::builders::*;

type Parameters = BTreeMap<String, String>;

async fn with_link(language: Option<&str>) -> System {
    let system = System::empty();
    let mut request = checkout_request("order-1");
    request["channel"] = "payment_page".into();
    request["language"] = language.into();
    system.create(&storefront("shop"), &request).await.unwrap();
    system
}

/// Returns the parameters of the payment's link, or `None` if the payment has no link.
fn link(system: &System, languages: &[&str], automatic_return: bool) -> Option<Parameters> {
    let settings = PaymentPageSettings {
        languages: languages.iter().map(|code| (*code).to_owned()).collect(),
        automatic_return,
    };
    let links = PaymentPageLinks {
        page_url: "https://page.example/payment",
        settings: &settings,
        base_url: "https://pay.example",
        tokens: &system.tokens,
    };
    let link = links.link(&system.payment(PAYMENT), system.keyring.current())?;
    let link = Url::parse(&link).unwrap();
    Some(link.query_pairs().into_owned().collect())
}

#[tokio::test]
async fn a_payment_by_link_sends_no_sale_and_has_its_link_until_a_report_arrives() {
    let system = with_link(Some("nl")).await;
    assert_eq!(system.sales(), 0);
    assert_eq!(system.status(), Status::AwaitingCustomer);
    let sent = ["1 payment.created", "2 payment.awaiting_customer"];
    assert_eq!(system.sent(), sent);
    let parameters = link(&system, &["nl"], true).unwrap();
    let token = system.tokens.token(&key(PAYMENT), 0);
    let return_url = format!("https://pay.example/checkouts/{token}/return");
    for (name, value) in [
        ("force_payment_method", "bancontact"),
        ("payment_amount", "1000"),
        ("language_code", "nl"),
        ("best_before", "2027-01-15T08:30:00+00:00"),
        ("customer_last_name", "Janssens"),
        ("redirect_success_url", &return_url),
    ] {
        assert_eq!(parameters[name], value, "{name}");
    }
    let mut request = checkout_request("order-1");
    request["channel"] = "payment_page".into();
    request["language"] = "nl".into();
    let again = system.create(&storefront("shop"), &request).await.unwrap();
    assert!(!again.created);

    system.sale_succeeds().await;
    assert_eq!(system.status(), Status::Succeeded);
    assert_eq!(link(&system, &["nl"], true), None);
}

#[tokio::test]
async fn a_language_is_sent_only_if_it_is_configured_for_the_project() {
    for (language, languages, sent) in [
        (Some("fr"), ["en", "fr"], Some("fr")),
        (Some("nl"), ["en", "fr"], None),
        (None, ["en", "fr"], None),
    ] {
        let system = with_link(language).await;
        let parameters = link(&system, &languages, true).unwrap();
        let code = parameters.get("language_code").map(String::as_str);
        assert_eq!(code, sent, "{language:?}");
    }
}

#[tokio::test]
async fn a_link_has_either_an_automatic_return_after_a_decline_or_retries() {
    let system = with_link(None).await;
    let automatic = link(&system, &[], true).unwrap();
    let return_url = &automatic["redirect_success_url"];
    assert!(return_url.ends_with("/return"), "{return_url}");
    assert_eq!(automatic.get("redirect_fail_url"), Some(return_url));
    assert_eq!(automatic.get("merchant_fail_url"), None);

    let with_retries = link(&system, &[], false).unwrap();
    assert_eq!(with_retries.get("redirect_fail_url"), None);
    assert_eq!(with_retries.get("merchant_fail_url"), Some(return_url));
    assert_eq!(with_retries.get("redirect_success_url"), Some(return_url));
}
