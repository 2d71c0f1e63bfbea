//! Tests requests with an invalid value in one field.

use anyhow::ensure;
use api::{Answer, Api, Call, PAYMENT, PREFIXED, order};
use serde_json::{Value, json};

use super::{paid, refund, refused};

/// The text fields of a `POST /checkouts` body.
const TEXTS: [&str; 22] = [
    "/payment_id",
    "/order_id",
    "/currency",
    "/channel",
    "/language",
    "/description",
    "/return_url",
    "/customer/id",
    "/customer/ip_address",
    "/customer/last_name",
    "/customer/first_name",
    "/customer/middle_name",
    "/customer/email",
    "/customer/phone",
    "/customer/country",
    "/customer/state",
    "/customer/city",
    "/customer/zip",
    "/customer/address",
    "/customer/street",
    "/customer/language",
    "/customer/day_of_birth",
];

/// Returns a copy of an order or a refund with another value of one field.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    match pointer.strip_prefix("/customer/") {
        Some(field) => body["customer"][field] = value,
        None => body[pointer.trim_start_matches('/')] = value,
    }
    body
}

/// Checks that a request is refused with a problem that names one field.
async fn ensure_problem_names(
    api: &Api,
    pointer: &str,
    value: &Value,
    attack: impl Future<Output = anyhow::Result<Answer>>,
) -> anyhow::Result<()> {
    let what = format!("{pointer} {value}");
    let answer = refused(api, &what, attack).await?;
    ensure!(answer.status == 400, "{what}: {answer:?}");
    ensure!(answer.pointers() == [pointer], "{what}: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn an_amount_is_refused_when_it_is_not_a_whole_number_of_cents_within_the_limits()
-> anyhow::Result<()> {
    let api = paid().await?;
    let invalid = [
        json!(1000.0),
        json!(1000.5),
        json!(1e3),
        json!("1000"),
        json!(-1000),
        json!(0),
        json!(10_000_000_000_001_u64),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!([1000]),
        json!({ "value": 1000 }),
    ];
    let too_little = [json!(99), json!(1), Value::Null];
    for amount in invalid.iter().chain(&too_little) {
        let order = with(&order("new"), "/amount", amount.clone());
        ensure_problem_names(&api, "/amount", amount, api.checkout(&order)).await?;
    }
    for amount in &invalid {
        let refund = with(&refund(), "/amount", amount.clone());
        ensure_problem_names(&api, "/amount", amount, api.refund(PAYMENT, &refund)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_text_is_refused_when_it_could_end_a_line_of_a_signature_or_of_a_header()
-> anyhow::Result<()> {
    let api = paid().await?;
    let texts = [
        "a;payment:amount:1",
        "abc;",
        ";",
        "a\r\nLocation: https://evil.example/",
        "abc\n",
        "a\tb",
        "a\u{0}bc",
        "a\u{85}bc",
        "a\u{7f}bc",
    ];
    for text in texts {
        for pointer in TEXTS {
            let value = match pointer {
                "/return_url" => format!("https://shop.example/{text}"),
                _ => text.to_owned(),
            };
            let value = json!(value);
            let order = with(&order("new"), pointer, value.clone());
            ensure_problem_names(&api, pointer, &value, api.checkout(&order)).await?;
        }
        for pointer in [
            "/refund_id",
            "/currency",
            "/description",
            "/customer/ip_address",
        ] {
            let value = json!(text);
            let refund = with(&refund(), pointer, value.clone());
            ensure_problem_names(&api, pointer, &value, api.refund(PAYMENT, &refund)).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_return_url_is_refused_when_it_does_not_lead_to_the_shop() -> anyhow::Result<()> {
    let api = Api::start().await?;
    for url in [
        "",
        "thanks",
        "/thanks",
        "//evil",
        "//shop.example/thanks",
        "javascript:alert(1)",
        "JavaScript://shop.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://shop.example/1",
        "ftp://shop.example/",
        "http://shop.example/",
        "https://shop.example:8443/",
        "https://shop.example.evil/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil/",
        "https://shop.example:443@evil.example/",
        "https://user@shop.example/",
        "https://user:password@shop.example/",
        "https://:password@shop.example/",
        "https:\\\\evil.example\\shop.example",
        "https://evil.example/https://shop.example/",
        "https://evil.example#shop.example",
        "https://evil.example?shop.example",
        "https://sh\u{f6}p.example/",
        "https://shop.example\u{3002}evil/",
        "https://shop.example./",
        "https://www.shop.example/",
    ] {
        let value = json!(url);
        let order = with(&order("new"), "/return_url", value.clone());
        ensure_problem_names(&api, "/return_url", &value, api.checkout(&order)).await?;
    }
    // Browsers and the API read a backslash as a slash, so this URL leads to the shop.
    let order = with(
        &order("new"),
        "/return_url",
        json!("https://shop.example\\@evil.example/"),
    );
    let answer = api.checkout(&order).await?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_payment_id_without_the_prefix_of_the_storefront_is_refused() -> anyhow::Result<()> {
    let api = Api::start().await?;
    for (payment_id, expected) in [("order-1", 400), ("web-1", 201), ("WEB-1", 200)] {
        let call = Call {
            route: "POST /checkouts",
            key: PREFIXED,
            body: order(payment_id).to_string(),
            ..Call::default()
        };
        let answer = api.call(call).await?;
        ensure!(answer.status == expected, "{payment_id}: {answer:?}");
        if expected == 400 {
            ensure!(answer.pointers() == ["/payment_id"], "{answer:?}");
        }
    }
    Ok(())
}
