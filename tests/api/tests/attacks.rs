//! What a careless or hostile caller may try: each is refused by its name, nothing is written and
//! nothing reaches the platform.
#![allow(clippy::indexing_slicing)]

use anyhow::ensure;
use api::{Answer, Api, Call, OTHER_PROJECT, OTHER_SHOP, PAYMENT, READER, SHOP, order};
use serde_json::{Value, json};

/// Every text of a `POST /checkouts` body.
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

/// Puts a value where a pointer leads, as the last step of a path that is there.
fn put(body: &mut Value, pointer: &str, value: Value) {
    match pointer.strip_prefix("/customer/") {
        Some(field) => body["customer"][field] = value,
        None => body[pointer.trim_start_matches('/')] = value,
    }
}

/// An order or a refund with one value of the attacker's.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    put(&mut body, pointer, value);
    body
}

fn refund() -> Value {
    json!({
        "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned",
        "customer": { "ip_address": "192.0.2.10" },
    })
}

/// A shop with one paid payment; what happened so far is forgotten.
async fn paid() -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    Ok(api)
}

/// What one attack leads to.
async fn refused(
    api: &Api,
    what: &str,
    attack: impl Future<Output = anyhow::Result<Answer>>,
) -> anyhow::Result<Answer> {
    let sent = api.gate.requests().len();
    api.wire.forget();
    let answer = attack.await?;
    ensure!((400..500).contains(&answer.status), "{what}: {answer:?}");
    ensure!(api.gate.requests().len() == sent, "{what} reached Gate");
    ensure!(!api.has_written(), "{what}: {:?}", api.wire.calls());
    Ok(answer)
}

/// One bad field, which is named.
async fn names(
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
async fn amounts_are_whole_cents_within_bounds() -> anyhow::Result<()> {
    let api = paid().await?;
    let never = [
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
    for amount in never.iter().chain(&too_little) {
        let order = with(&order("new"), "/amount", amount.clone());
        names(&api, "/amount", amount, api.checkout(&order)).await?;
    }
    for amount in &never {
        let refund = with(&refund(), "/amount", amount.clone());
        names(&api, "/amount", amount, api.refund(PAYMENT, &refund)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn no_text_can_end_a_line_of_a_signature_or_a_header() -> anyhow::Result<()> {
    let api = paid().await?;
    let poisons = [
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
    for poison in poisons {
        for pointer in TEXTS {
            let value = match pointer {
                "/return_url" => format!("https://shop.example/{poison}"),
                _ => poison.to_owned(),
            };
            let value = json!(value);
            let order = with(&order("new"), pointer, value.clone());
            names(&api, pointer, &value, api.checkout(&order)).await?;
        }
        for pointer in [
            "/refund_id",
            "/currency",
            "/description",
            "/customer/ip_address",
        ] {
            let value = json!(poison);
            let refund = with(&refund(), pointer, value.clone());
            names(&api, pointer, &value, api.refund(PAYMENT, &refund)).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_shopper_comes_back_to_the_shop_and_nowhere_else() -> anyhow::Result<()> {
    let api = Api::start().await?;
    for address in [
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
        let value = json!(address);
        let order = with(&order("new"), "/return_url", value.clone());
        names(&api, "/return_url", &value, api.checkout(&order)).await?;
    }
    // A backslash is a slash to browsers and to us, so this leads to the shop.
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
async fn a_key_opens_nothing_of_others() -> anyhow::Result<()> {
    const CREATE: &str = "POST /checkouts";
    const SHOW: &str = "GET /payments/{payment_id}";
    const CLARIFY: &str = "POST /payments/{payment_id}/clarification";
    const REFUND: &str = "POST /payments/{payment_id}/refunds";
    const SHOW_REFUND: &str = "GET /payments/{payment_id}/refunds/{refund_id}";
    let api = paid().await?;
    api.refund(PAYMENT, &refund()).await?;
    for (key, route, status) in [
        (READER, CREATE, 403),
        (READER, CLARIFY, 403),
        (READER, REFUND, 403),
        (OTHER_SHOP, CREATE, 409),
        (OTHER_SHOP, SHOW, 404),
        (OTHER_SHOP, CLARIFY, 404),
        (OTHER_SHOP, REFUND, 404),
        (OTHER_SHOP, SHOW_REFUND, 404),
        (OTHER_PROJECT, SHOW, 404),
        (OTHER_PROJECT, CLARIFY, 404),
        (OTHER_PROJECT, REFUND, 404),
        (OTHER_PROJECT, SHOW_REFUND, 404),
        ("", CREATE, 401),
        ("", SHOW, 401),
        ("sk_shop_Secret", REFUND, 401),
        ("sk_shop_secret2", SHOW, 401),
        ("sk_shop_secret sk_shop_secret", SHOW, 401),
        ("sk_nobody_secret", SHOW, 401),
        ("sk_shop_", SHOW, 401),
        ("sk__secret", SHOW, 401),
        ("shop", SHOW, 401),
        (&"k".repeat(8_000), SHOW, 401),
    ] {
        let body = match route {
            CREATE => order(PAYMENT),
            CLARIFY => json!({ "customer": { "last_name": "Janssens" } }),
            _ => refund(),
        };
        let call = Call {
            route,
            parameters: &[PAYMENT, "r-1"],
            key,
            body: body.to_string(),
            ..Call::default()
        };
        let what = format!("{key} {route}");
        if route == CREATE && status == 409 {
            // Looked at by trying to write it.
            let sent = api.gate.requests().len();
            let answer = api.call(call).await?;
            ensure!(answer.status == 409, "{what}: {answer:?}");
            ensure!(api.gate.requests().len() == sent, "{what} reached Gate");
            continue;
        }
        let answer = refused(&api, &what, api.call(call)).await?;
        ensure!(answer.status == status, "{what}: {answer:?}");
        ensure!(!answer.text.contains(PAYMENT), "{what}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn ids_in_paths_name_nothing_they_should_not() -> anyhow::Result<()> {
    let api = paid().await?;
    let long = "x".repeat(256);
    for id in [
        "",
        " ",
        "nobody",
        "../payments",
        "a/b",
        "a;b",
        "%00",
        "\u{0}",
        "\u{1f980}",
        &long,
        "ECT_TEST_1562051806691899#event",
        "ECT_TEST_1562051806691899 ",
    ] {
        for (route, parameters) in [
            ("GET /payments/{payment_id}", [id, ""]),
            ("POST /payments/{payment_id}/clarification", [id, ""]),
            ("POST /payments/{payment_id}/refunds", [id, ""]),
            (
                "GET /payments/{payment_id}/refunds/{refund_id}",
                [id, "r-1"],
            ),
            (
                "GET /payments/{payment_id}/refunds/{refund_id}",
                [PAYMENT, id],
            ),
        ] {
            let call = Call {
                route,
                parameters: &parameters,
                key: SHOP,
                body: refund().to_string(),
                ..Call::default()
            };
            let what = format!("{route} {id:?}");
            let answer = refused(&api, &what, api.call(call)).await?;
            ensure!(answer.status == 404, "{what}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn tokens_are_known_or_not() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let created = api.checkout(&order(PAYMENT)).await?;
    let url = created.json["checkout_url"].as_str().unwrap_or_default();
    let token = url.rsplit('/').next().unwrap_or_default();
    let altered = [
        token.to_lowercase(),
        token.to_uppercase(),
        format!("{token} "),
        format!("{token}="),
        format!("{token}/"),
        token[1..].to_owned(),
        "x".repeat(10_000),
    ];
    let malformed = [
        "",
        "nobody",
        "..",
        "../payments",
        "%2e%2e",
        "\u{0}",
        "\r\n",
        "<script>",
        PAYMENT,
        "\u{1f980}",
    ];
    let altered = altered.iter().map(String::as_str);
    for token in altered.chain(malformed) {
        for (route, kind) in [
            ("GET /checkouts/{token}", "text/html"),
            ("POST /checkouts/{token}", "text/html"),
            ("GET /checkouts/{token}/return", "text/html"),
            ("GET /checkouts/{token}/status", "application/problem+json"),
        ] {
            let call = Call {
                route,
                parameters: &[token],
                body: "customer.last_name=Janssens".into(),
                ..Call::default()
            };
            let what = format!("{route} {token:?}");
            let answer = refused(&api, &what, api.call(call)).await?;
            ensure!(answer.status == 404, "{what}: {answer:?}");
            ensure!(
                answer.headers["content-type"].starts_with(kind),
                "{what}: {answer:?}"
            );
            ensure!(!answer.text.contains("<script>"), "{what}");
            ensure!(!answer.headers.contains_key("location"), "{what}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn bodies_over_a_limit_are_not_read() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let mut wide = order("new");
    (0..100).for_each(|key| wide[format!("key{key}")] = json!(1));
    let large = with(&order("new"), "/description", json!("x".repeat(64 * 1024)));
    for body in [
        "",
        " ",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{}x",
        "{\"amount\":1,\"amount\":2}",
        "{\"amount\":NaN}",
        &deep,
        &wide.to_string(),
        &large.to_string(),
    ] {
        for route in ["POST /checkouts", "POST /payments/{payment_id}/refunds"] {
            let call = Call {
                route,
                parameters: &["new"],
                key: SHOP,
                body: body.to_owned(),
                ..Call::default()
            };
            let what = format!("{route} {}", body.get(..20).unwrap_or(body));
            let answer = refused(&api, &what, api.call(call)).await?;
            ensure!(answer.status == 400, "{what}: {answer:?}");
            ensure!(!answer.pointers().is_empty(), "{what}: {answer:?}");
        }
    }
    Ok(())
}
