//! Tests events with texts that no URL, header or key of the store can have. Each event gets an answer.

use anyhow::ensure;
use api::{Answer, Api, Call, PAYMENT, SHOP, event, order, routes};
use serde_json::{Value, json};

const ROUTES: [&str; 12] = [
    routes::CHECKOUTS,
    routes::PAGE,
    routes::FORM,
    routes::RETURN,
    routes::RETURN_BY_POST,
    routes::STATUS,
    routes::PAYMENT,
    routes::CLARIFICATION,
    routes::REFUNDS,
    routes::REFUND,
    routes::REFUND_CLARIFICATION,
    routes::CALLBACKS,
];

/// The parts of an event that a stranger chooses.
const PARTS: [&str; 22] = [
    "/rawPath",
    "/rawQueryString",
    "/cookies/0",
    "/headers/host",
    "/headers/x-forwarded-proto",
    "/headers/x-forwarded-host",
    "/headers/x-forwarded-port",
    "/headers/x-forwarded-for",
    "/headers/accept-language",
    "/headers/authorization",
    "/headers/content-type",
    "/headers/origin",
    "/headers/prefer",
    "/headers/a b:",
    "/pathParameters/token",
    "/pathParameters/payment_id",
    "/pathParameters/refund_id",
    "/requestContext/stage",
    "/requestContext/domainName",
    "/requestContext/http/method",
    "/requestContext/http/path",
    "/body",
];

fn texts() -> Vec<String> {
    let texts = [
        "",
        " ",
        "a b",
        "/",
        "//",
        "..",
        "%",
        "%00",
        "%zz",
        "[",
        "[::1",
        ":",
        ":99999",
        "a:b@c:d",
        "?",
        "#",
        ";q=x",
        "xn--",
        "\u{0}",
        "\n",
        "\r\nx: y",
        "\u{7f}",
        "\u{e9}",
        "\u{202e}",
        "\u{1f980}",
        "*",
        "~",
        "~!",
        "Bearer ",
        "Bearer \u{e9}",
        "wait=1e9",
    ];
    let texts = texts.into_iter().map(str::to_owned);
    texts
        .chain([3_000, 70_000].map(|length| "x".repeat(length)))
        .collect()
}

/// Replaces a part of an event, which need not exist.
fn put(event: &mut Value, part: &str, value: Value) {
    let mut at = event;
    for name in part.split('/').skip(1) {
        if at.is_null() {
            *at = json!({});
        }
        at = match (at, name.parse::<usize>()) {
            (Value::Array(items), _) => {
                items.clear();
                items.push(Value::Null);
                &mut items[0]
            }
            (at, _) => &mut at[name],
        };
    }
    *at = value;
}

async fn call(
    api: &Api,
    token: &str,
    route: &str,
    change: impl FnOnce(&mut Value),
) -> anyhow::Result<Answer> {
    let parameter = if route.contains("{token}") {
        token
    } else {
        PAYMENT
    };
    let mut event = event(&Call {
        route,
        parameters: &[parameter, "r-1"],
        key: SHOP,
        body: "{}".into(),
        ..Call::default()
    });
    change(&mut event);
    let answer = api.call_with(route, &event).await?;
    ensure!(
        (200..500).contains(&answer.status),
        "{route} {event}: {answer:?}"
    );
    Ok(answer)
}

#[tokio::test]
async fn every_event_gets_an_answer_whatever_texts_it_has() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let checkout = api.checkout(&order(PAYMENT)).await?;
    // The pages of a paid payment do not wait.
    api.report("sale_success.json").await?;
    let token = checkout.token()?.to_owned();
    let is_parameter = |part: &str| part.starts_with("/pathParameters");
    for route in ROUTES {
        for text in texts() {
            for in_key in [false, true] {
                call(&api, &token, route, |event| {
                    let parts = PARTS.into_iter().filter(|part| !is_parameter(part));
                    for part in parts.filter(|part| in_key || *part != "/headers/authorization") {
                        put(event, part, json!(text));
                    }
                })
                .await?;
            }
            for part in PARTS.into_iter().filter(|part| is_parameter(part)) {
                call(&api, &token, route, |event| put(event, part, json!(text))).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_event_without_the_expected_parts_gets_an_answer() -> anyhow::Result<()> {
    let api = Api::start().await?;
    for route in ROUTES {
        for part in PARTS.into_iter().chain([
            "/headers",
            "/pathParameters",
            "/routeKey",
            "/isBase64Encoded",
        ]) {
            for value in [
                json!(null),
                json!(7),
                json!([[]]),
                json!({ "a": 1 }),
                json!(true),
            ] {
                call(&api, "unknown", route, |event| put(event, part, value)).await?;
            }
        }
        let answer = call(&api, "unknown", route, |event| *event = json!(7)).await?;
        ensure!((400..500).contains(&answer.status), "{answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_header_that_is_no_url_scheme_changes_no_answer() -> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    for part in [
        "/headers/x-forwarded-proto",
        "/headers/host",
        "/headers/a b:",
    ] {
        let answer = call(&api, "", routes::PAYMENT, |event| {
            put(event, part, json!("a b"))
        })
        .await?;
        ensure!(answer.status == 200, "{part}: {answer:?}");
    }
    Ok(())
}
