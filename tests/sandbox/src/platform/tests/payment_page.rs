//! Payment Page, as a shopper meets it.

use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::payment_page::{NumberParameter, PaymentPage, TextParameter};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::*;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn page(payment_id: &str) -> PaymentPage {
    PaymentPage::new(
        ProjectId::new(211).unwrap(),
        text(payment_id),
        MinorUnits::for_sale(1000).unwrap(),
        Currency::Eur,
        text("123"),
    )
    .with(TextParameter::PaymentDescription, text("Order/1 é"))
    .unwrap()
}

fn named(payment_id: &str) -> PaymentPage {
    page(payment_id).with_last_name(LastName::new("Peeters").unwrap())
}

fn until(page: PaymentPage, from_now: Duration) -> PaymentPage {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
    let time = (OffsetDateTime::now_utc() + from_now).format(format);
    let time = text(&time.unwrap());
    page.with(TextParameter::BestBefore, time).unwrap()
}

impl Stage {
    fn link(&self, page: &PaymentPage, key: &str) -> String {
        let base = format!("{}/payment", self.platform.address());
        page.link(&base, &ProjectKey::new(key).unwrap()).unwrap()
    }

    async fn open(&self, link: &str) -> (u16, String) {
        let answer = self.client.get(link).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Where a posted form leads.
    async fn post(&self, address: &str, form: &[(&str, &str)]) -> String {
        let answer = self.client.post(address).form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_payment_begins_when_the_customer_confirms() {
    let mut stage = Stage::new(0).await;
    let page = until(named("order-1"), Duration::minutes(30));
    let page = page
        .with(
            TextParameter::RedirectSuccessUrl,
            text("https://shop.example/paid"),
        )
        .and_then(|page| page.with_number(NumberParameter::RedirectSuccessEnabled, 2));
    let link = stage.link(&page.unwrap(), KEY);
    let (status, html) = stage.open(&link).await;
    assert_eq!(status, 200);
    for part in ["10.00 EUR", "Order/1 é", "id=\"confirm\""] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("last-name"));
    let unknown = json!({"general": {"project_id": 211, "payment_id": "order-1"}});
    let (_, unknown) = stage.gate("status", unknown).await;
    assert_eq!(unknown["errors"][0]["code"], "3061");

    let bank = stage.post(&link, &[]).await;
    let record = stage.record("order-1").await;
    assert_eq!(record["status"], "awaiting redirect result");
    assert_eq!(record["channel"], "payment_page");
    assert_eq!(record["bank_page"], bank);
    assert_eq!(stage.post(&link, &[]).await, bank, "pressed twice");
    let opened_again = stage.client.get(&link).send().await.unwrap();
    assert_eq!(opened_again.headers()["location"], bank);

    let back = stage.post(&format!("{bank}/pay"), &[]).await;
    assert_eq!(back, "https://shop.example/paid");
    // The first callback is the result.
    let success = stage.callback().await;
    assert_eq!(success["payment"]["status"], "success");
    assert_eq!(success["customer"]["last_name"], "Peeters");
    assert_eq!(
        stage
            .code("bancontact/refund", refund("order-1", 400, "r-1"))
            .await,
        "accepted"
    );
}

#[tokio::test]
async fn the_page_asks_for_a_missing_last_name() {
    let mut stage = Stage::new(0).await;
    let link = stage.link(&page("order-1"), KEY);
    let (_, html) = stage.open(&link).await;
    assert!(html.contains("name=\"last_name\""), "{html}");
    let answer = stage.client.post(&link).form(&[("last_name", "Li")]);
    let html = answer.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("role=\"alert\""), "{html}");
    let bank = stage.post(&link, &[("last_name", " Maes ")]).await;
    stage.post(&format!("{bank}/pay"), &[]).await;
    assert_eq!(stage.callback().await["customer"]["last_name"], "Maes");
}

#[tokio::test]
async fn the_ways_back_are_the_merchants() {
    let mut stage = Stage::new(0).await;
    let page = named("order-1")
        .with(
            TextParameter::MerchantFailUrl,
            text("https://shop.example/no"),
        )
        .and_then(|page| {
            page.with(
                TextParameter::MerchantReturnUrl,
                text("https://shop.example/back"),
            )
        })
        .and_then(|page| page.with(TextParameter::RedirectFailUrl, text("https://off.example")))
        .and_then(|page| page.with_number(NumberParameter::RedirectFailEnabled, 0));
    let link = stage.link(&page.unwrap(), KEY);
    let (_, html) = stage.open(&link).await;
    assert!(html.contains("href=\"https://shop.example/back\""));
    let bank = stage.post(&link, &[]).await;

    let own = stage.post(&format!("{bank}/walk-away"), &[]).await;
    let (_, html) = stage.open(&own).await;
    assert!(html.contains("Not paid yet"), "{html}");
    assert!(html.contains("href=\"https://shop.example/back\""));
    assert_eq!(
        stage.post(&format!("{bank}/decline"), &[]).await,
        own,
        "not where it is switched off"
    );
    let (_, html) = stage.open(&own).await;
    assert!(html.contains("href=\"https://shop.example/no\""), "{html}");
    assert_eq!(stage.callback().await["payment"]["status"], "decline");
    let over = stage.client.get(&link).send().await.unwrap();
    assert_eq!(over.headers()["location"], own.as_str());
}

#[tokio::test]
async fn a_bad_link_opens_nothing() {
    let stage = Stage::new(0).await;
    let good = stage.link(&named("order-1"), KEY);
    let other_project = PaymentPage::new(
        ProjectId::new(212).unwrap(),
        text("order-1"),
        MinorUnits::for_sale(1000).unwrap(),
        Currency::Eur,
        text("123"),
    );
    let far = until(named("order-1"), Duration::days(31));
    let over = until(named("order-1"), -Duration::minutes(1));
    for (link, reason) in [
        (stage.link(&named("order-1"), "other"), "signature"),
        (good.replace("=1000&", "=1&"), "signature"),
        (good.replace("&signature=", "&unsigned="), "signature"),
        (
            format!("{good}&payment_amount=1"),
            "payment_amount is there twice",
        ),
        (format!("{good}&note=a%3Bb"), "semicolon"),
        (stage.link(&other_project, KEY), "project_id is missing"),
        (stage.link(&far, KEY), "best_before is missing or wrong"),
        (stage.link(&over, KEY), "is over"),
        (format!("{}/payment", stage.platform.address()), "signature"),
    ] {
        let (status, html) = stage.open(&link).await;
        assert_eq!(status, 400, "{link}");
        assert!(html.contains(reason), "{reason} in {html}");
        let posted = stage.client.post(&link).form(&[("a", "b")]).send().await;
        assert_eq!(posted.unwrap().status(), 400, "{link}");
    }
    let (status, _) = stage.open(&format!("{good}&frame_mode=iframe")).await;
    assert_eq!(status, 200, "the one parameter that is not signed");
}

#[tokio::test]
async fn an_id_that_is_taken_opens_nothing() {
    let stage = Stage::new(0).await;
    assert_eq!(
        stage.code("bancontact/sale", sale("order-1")).await,
        "accepted"
    );
    let link = stage.link(&named("ORDER-1"), KEY);
    let (status, html) = stage.open(&link).await;
    assert_eq!(status, 409);
    assert!(html.contains("3041"), "{html}");
    let posted = stage.client.post(&link).form(&[("a", "b")]).send().await;
    assert_eq!(posted.unwrap().status(), 409);
}

#[tokio::test]
async fn what_goes_wrong_at_gate_goes_wrong_here_too() {
    let mut stage = Stage::new(0).await;
    stage.put("faults", json!({"sale_error": true})).await;
    let link = stage.link(&named("order-1"), KEY);
    let own = stage.post(&link, &[]).await;
    assert_eq!(stage.callback().await["payment"]["status"], "error");
    let (_, html) = stage
        .open(&format!("{}{own}", stage.platform.address()))
        .await;
    assert!(html.contains("was not started"), "{html}");
    // The id is free again.
    stage
        .put("payments/order-1/faults", json!({"wrong_amount": 900}))
        .await;
    assert_eq!(stage.open(&link).await.0, 200);
    let bank = stage.post(&link, &[]).await;
    stage.post(&format!("{bank}/pay"), &[]).await;
    assert_eq!(stage.callback().await["payment"]["sum"]["amount"], 900);
}
