//! Whatever becomes of the request to Gate: the answer is the contract's, a repeat is safe, and
//! nobody pays twice.

use anyhow::{Context, ensure};
use e2e::stage::Stage;
use futures_util::future::try_join_all;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};

async fn post(stage: &Stage, payment_id: &str) -> anyhow::Result<(StatusCode, Value)> {
    let order = stage.storefront.order(payment_id);
    stage
        .storefront
        .call(Method::POST, "/checkouts", Some(&order))
        .await
}

/// Posts an order; the answer must have this status.
async fn posted(stage: &Stage, payment_id: &str, expected: u16) -> anyhow::Result<Value> {
    let (status, answer) = post(stage, payment_id).await?;
    ensure!(
        status == expected,
        "{payment_id} was answered {status} instead of {expected}: {answer}"
    );
    Ok(answer)
}

/// Posts the same order many times at once; gives the one checkout that comes of it.
async fn crowd(stage: &Stage, payment_id: &str, size: usize) -> anyhow::Result<Value> {
    let answers = try_join_all((0..size).map(|_| post(stage, payment_id))).await?;
    let created = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::CREATED);
    ensure!(created.count() == 1, "not created once: {answers:?}");
    let mut checkout = Value::Null;
    for (status, answer) in answers {
        // Whoever finds too many others at it is told to come again.
        let is_well = [200, 201, 503].contains(&status.as_u16());
        ensure!(is_well, "{status} {answer}");
        if status != StatusCode::SERVICE_UNAVAILABLE {
            let address = &answer["checkout_url"];
            ensure!(checkout.is_null() || checkout["checkout_url"] == *address);
            checkout = answer;
        }
    }
    Ok(checkout)
}

/// Pays behind a checkout; the money must be taken once, by the only sale in the books.
async fn pay(stage: &Stage, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
    let address = checkout["checkout_url"].as_str().context("no address")?;
    let bank = stage.shopper.bank_of(address).await?;
    stage.shopper.push(&bank, "pay").await?;
    let paid = stage.storefront.until(payment_id, "succeeded").await?;
    ensure!(paid["paid_amount"] == 1000, "{paid}");
    // Once more, now that it is paid.
    let again = posted(stage, payment_id, 200).await?;
    ensure!(again["status"] == "succeeded", "{again}");
    let books = stage.simulator.books(payment_id).await?;
    let operations = books["operations"].as_array();
    ensure!(operations.is_some_and(|all| all.len() == 1), "{books}");
    ensure!(books["paid"] == 1000, "{books}");
    Ok(())
}

/// Tells us, signed, that the request of an attempt has failed.
async fn report_error(stage: &Stage, payment_id: &str, request_id: &Value) -> anyhow::Result<()> {
    let message = json!({
        "project_id": stage.sandbox.ready().project_id,
        "payment": { "id": payment_id, "status": "error" },
        "operation": { "type": "sale", "status": "error", "request_id": request_id },
        "errors": [{ "code": "501", "message": "Internal error" }],
    });
    stage.report(&message, StatusCode::OK).await
}

/// One request goes wrong; callbacks are held back, so that nothing but the answer counts.
fn once(answer: &str) -> Value {
    json!({ "answer": answer, "answer_times": 1, "slow_ms": 20_000, "hold": true })
}

#[tokio::test]
async fn what_is_unclear_is_repeated_and_paid_once() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    for (fault, is_taken) in [
        ("cut", true),
        ("slow", true),
        ("not_json", true),
        ("error_500", false),
        ("lost", false),
        ("error_3041", false),
    ] {
        stage.simulator.fault(fault, once(fault)).await?;
        let checkout = posted(&stage, fault, 201).await?;
        ensure!(checkout["status"] == "processing", "{fault}: {checkout}");
        let status = stage.simulator.books(fault).await?["status"].clone();
        ensure!(status.is_string() == is_taken, "{fault}: {status}");

        // The repeats are the same checkout; where the sale was taken, Gate says 3041 to the first.
        for _ in 0..2 {
            let again = posted(&stage, fault, 200).await?;
            ensure!(again["status"] == "processing", "{fault}: {again}");
            ensure!(again["checkout_url"] == checkout["checkout_url"], "{again}");
        }
        stage.simulator.fault(fault, json!({})).await?;
        pay(&stage, fault, &checkout).await?;
    }
    stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_refused_payment_is_begun_again_and_paid() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    stage.simulator.fault("refused", once("error_400")).await?;
    let problem = posted(&stage, "refused", 422).await?;
    let kind = problem["type"].as_str().unwrap_or_default();
    ensure!(kind.ends_with("platform-refused"), "{problem}");
    ensure!(problem.to_string().contains("502"), "{problem}");
    let failed = stage.storefront.payment("refused").await?;
    ensure!(failed["status"] == "failed", "{failed}");
    ensure!(stage.simulator.books("refused").await?["status"].is_null());
    stage.simulator.fault("refused", json!({})).await?;
    let checkout = crowd(&stage, "refused", 10).await?;
    let requests = stage.simulator.requests("refused", "sale").await?;
    ensure!(requests == 2, "{requests} sales were sent");
    pay(&stage, "refused", &checkout).await?;
    stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn late_news_of_a_failed_attempt_leaves_the_next_one_alone() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    stage
        .simulator
        .fault("again", json!({ "sale_error": true }))
        .await?;
    let first = posted(&stage, "again", 201).await?;
    stage.storefront.until("again", "failed").await?;
    let request_id = stage.simulator.books("again").await?["operations"][0]["request_id"].clone();
    ensure!(request_id.is_string(), "{request_id}");

    stage.simulator.fault("again", json!({})).await?;
    let second = posted(&stage, "again", 201).await?;
    ensure!(first["checkout_url"] != second["checkout_url"], "{second}");
    report_error(&stage, "again", &request_id).await?;
    stage.storefront.until("again", "awaiting_customer").await?;
    report_error(&stage, "again", &request_id).await?;
    let payment = stage.storefront.payment("again").await?;
    ensure!(payment["status"] == "awaiting_customer", "{payment}");
    pay(&stage, "again", &second).await?;

    // What is paid stays paid, and the first link leads to the shop like the second.
    report_error(&stage, "again", &request_id).await?;
    let payment = stage.storefront.payment("again").await?;
    ensure!(payment["status"] == "succeeded", "{payment}");
    stage.sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn fifty_at_once_are_one_checkout() -> anyhow::Result<()> {
    let stage = Stage::start(Options::any_ports()).await?;
    let checkout = crowd(&stage, "crowd", 50).await?;
    let books = stage.simulator.books("crowd").await?;
    ensure!(books["requests"]["sale"] == 1, "{books}");
    pay(&stage, "crowd", &checkout).await?;
    stage.sandbox.stop().await;
    Ok(())
}
