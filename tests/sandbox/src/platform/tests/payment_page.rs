//! Tests Payment Page from the shopper's side.

use ecommpay::ProjectKey;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::payment_page::{NumberParameter, PaymentPage, TextParameter};
use serde_json::json;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::stage::*;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn page_of(project: u64, payment_id: &str) -> PaymentPage {
    PaymentPage::new(
        ProjectId::new(project).unwrap(),
        text(payment_id),
        MinorUnits::for_sale(1000).unwrap(),
        Currency::Eur,
        text("123"),
    )
}

fn with(page: PaymentPage, parameter: TextParameter, value: &str) -> PaymentPage {
    page.with(parameter, text(value)).unwrap()
}

fn without_name(payment_id: &str) -> PaymentPage {
    let page = page_of(211, payment_id);
    with(page, TextParameter::PaymentDescription, "Order/1 é")
}

fn page(payment_id: &str) -> PaymentPage {
    without_name(payment_id).with_last_name(LastName::new("Peeters").unwrap())
}

fn until(page: PaymentPage, from_now: Duration) -> PaymentPage {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
    let time = (OffsetDateTime::now_utc() + from_now).format(format);
    with(page, TextParameter::BestBefore, &time.unwrap())
}

impl Stage {
    fn link(&self, page: &PaymentPage, key: &str) -> String {
        let base = format!("{}/payment", self.platform.address());
        page.link(&base, &ProjectKey::new(key).unwrap()).unwrap()
    }

    async fn redirected(&self, url: &str) -> String {
        let answer = self.client.get(url).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_payment_exists_only_after_the_shopper_confirms_the_order() {
    let mut stage = Stage::new().await;
    let page = until(page("order-1"), Duration::minutes(30));
    let paid = "https://shop.example/paid";
    let page = with(page, TextParameter::RedirectSuccessUrl, paid)
        .with_number(NumberParameter::RedirectSuccessEnabled, 2);
    let link = stage.link(&page.unwrap(), KEY);
    let (status, html) = stage.open(&link).await;
    assert_eq!(status, 200);
    for part in ["10.00 EUR", "Order/1 é", "id=\"confirm\""] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("last_name"));
    let unknown = stage.status("order-1").await;
    assert_eq!(unknown["errors"][0]["code"], "3061");

    let bank = stage.post(&link, &[]).await;
    let record = stage.record("order-1").await;
    assert_eq!(record["status"], "awaiting redirect result");
    assert_eq!(record["channel"], "payment_page");
    assert_eq!(record["bank_page"], bank);
    assert_eq!(stage.post(&link, &[]).await, bank, "button pressed twice");
    assert_eq!(stage.redirected(&link).await, bank, "link opened twice");

    assert_eq!(stage.pay(&bank).await, paid);
    // No earlier callback was sent.
    let success = stage.callback().await;
    assert_eq!(success["payment"]["status"], "success");
    assert_eq!(success["customer"]["last_name"], "Peeters");
    stage.accept(REFUND, refund("order-1", 400, "r-1")).await;
}

#[tokio::test]
async fn the_page_requests_a_missing_last_name() {
    let mut stage = Stage::new().await;
    let link = stage.link(&without_name("order-1"), KEY);
    let (_, html) = stage.open(&link).await;
    assert!(html.contains("name=\"last_name\""), "{html}");
    let answer = stage.client.post(&link).form(&[("last_name", "Li")]);
    let html = answer.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("role=\"alert\""), "{html}");
    let bank = stage.post(&link, &[("last_name", " Maes ")]).await;
    stage.pay(&bank).await;
    assert_eq!(stage.callback().await["customer"]["last_name"], "Maes");
}

#[tokio::test]
async fn redirects_and_buttons_lead_to_the_urls_of_the_merchant() {
    let mut stage = Stage::new().await;
    let (fail, back) = ("https://shop.example/no", "https://shop.example/back");
    let page = with(page("order-1"), TextParameter::MerchantFailUrl, fail);
    let page = with(page, TextParameter::MerchantReturnUrl, back);
    let disabled = "https://disabled.example";
    let page = with(page, TextParameter::RedirectFailUrl, disabled)
        .with_number(NumberParameter::RedirectFailEnabled, 0);
    let link = stage.link(&page.unwrap(), KEY);
    let button = |url: &str| format!("href=\"{url}\"");
    let (_, html) = stage.open(&link).await;
    assert!(html.contains(&button(back)), "{html}");
    let bank = stage.post(&link, &[]).await;

    let own = stage.post(&format!("{bank}/walk-away"), &[]).await;
    let (_, html) = stage.open(&own).await;
    assert!(html.contains("Not paid yet"), "{html}");
    assert!(html.contains(&button(back)), "{html}");
    let declined = stage.post(&format!("{bank}/decline"), &[]).await;
    assert_eq!(declined, own, "the disabled URL must not be used");
    let (_, html) = stage.open(&own).await;
    assert!(html.contains(&button(fail)), "{html}");
    assert_eq!(stage.callback().await["payment"]["status"], "decline");
    assert_eq!(stage.redirected(&link).await, own);
}

#[tokio::test]
async fn an_invalid_link_cannot_be_paid() {
    let stage = Stage::new().await;
    let valid = stage.link(&page("order-1"), KEY);
    let too_late = until(page("order-1"), Duration::days(31));
    let expired = until(page("order-1"), -Duration::minutes(1));
    for (link, reason) in [
        (stage.link(&page("order-1"), "other"), "signature"),
        (valid.replace("=1000&", "=1&"), "signature"),
        (valid.replace("&signature=", "&unsigned="), "signature"),
        (
            format!("{valid}&payment_amount=1"),
            "payment_amount is repeated",
        ),
        (format!("{valid}&note=a%3Bb"), "semicolon"),
        (
            stage.link(&page_of(212, "order-1"), KEY),
            "project_id is missing",
        ),
        (
            stage.link(&too_late, KEY),
            "best_before is missing or invalid",
        ),
        (stage.link(&expired, KEY), "has expired"),
        (format!("{}/payment", stage.platform.address()), "signature"),
    ] {
        let (status, html) = stage.open(&link).await;
        assert_eq!(status, 400, "{link}");
        assert!(html.contains(reason), "{reason} in {html}");
        assert_eq!(stage.post_status(&link).await, 400, "{link}");
    }
    let (status, _) = stage.open(&format!("{valid}&frame_mode=iframe")).await;
    assert_eq!(status, 200, "frame_mode is not signed");
}

#[tokio::test]
async fn a_link_with_a_used_payment_id_cannot_be_paid() {
    let stage = Stage::new().await;
    stage.sell().await;
    let link = stage.link(&page("ORDER-1"), KEY);
    let (status, html) = stage.open(&link).await;
    assert_eq!(status, 409);
    assert!(html.contains("3041"), "{html}");
    assert_eq!(stage.post_status(&link).await, 409);
}

#[tokio::test]
async fn the_switches_of_sales_apply_and_a_link_can_be_used_again_after_an_error() {
    let mut stage = Stage::new().await;
    stage.set(json!({"sale_error": true})).await;
    let link = stage.link(&page("order-1"), KEY);
    let own = stage.post(&link, &[]).await;
    assert_eq!(stage.callback().await["payment"]["status"], "error");
    let own = format!("{}{own}", stage.platform.address());
    let (_, html) = stage.open(&own).await;
    assert!(html.contains("was not started"), "{html}");

    stage.set(json!({"wrong_amount": 900})).await;
    assert_eq!(stage.open(&link).await.0, 200);
    let bank = stage.post(&link, &[]).await;
    stage.pay(&bank).await;
    assert_eq!(stage.callback().await["payment"]["sum"]["amount"], 900);
}
