//! Tests `POST /payments/{payment_id}/clarification`. With this request, a storefront sends the data that the platform
//! requests.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::system::System;
use sandbox::Options;
use serde_json::{Value, json};

/// Creates a checkout without a last name, and waits until the platform requests the last name.
async fn awaiting_last_name(system: &System, payment_id: &str) -> anyhow::Result<Value> {
    let nameless = json!({ "customer": { "id": "c-42", "ip_address": "192.0.2.10" } });
    let storefront = &system.storefront;
    let checkout = storefront.create_with(payment_id, nameless).await?;
    let awaiting = storefront.until(payment_id, "awaiting_clarification");
    let required = json!({ "clarification_required": ["customer.last_name"] });
    ensure_contains(&awaiting.await?, required)?;
    Ok(checkout)
}

fn last_name() -> Value {
    json!({ "customer": { "last_name": "Janssens" } })
}

/// Sends data, and checks the status of the answer.
async fn send(
    system: &System,
    payment_id: &str,
    clarification: &Value,
    expected: u16,
) -> anyhow::Result<Value> {
    let path = format!("/payments/{payment_id}/clarification");
    system.storefront.post(&path, clarification, expected).await
}

async fn pay(system: &System, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
    system.pay(checkout).await?;
    let fulfilment = system.queue("fulfilment")?;
    fulfilment.until(payment_id, "payment.succeeded").await?;
    Ok(())
}

/// Returns the pointers and codes in the `errors` of a problem document.
fn errors(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| Some((error["pointer"].as_str()?, error["code"].as_str()?)))
        .collect()
}

#[tokio::test]
async fn a_clarification_is_accepted_once_and_refused_when_it_is_invalid_or_not_requested()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let checkout = awaiting_last_name(&system, "asked").await?;
    for (clarification, expected) in [
        (json!({}), vec![("", "missing")]),
        (json!({ "customer": {} }), vec![("", "missing")]),
        (
            json!({ "customer": { "last_name": "Li", "email": "a@b.example" }, "avs": 1 }),
            vec![
                ("/avs", "unknown"),
                ("/customer/email", "unknown"),
                ("/customer/last_name", "invalid"),
            ],
        ),
        (
            json!({ "customer": { "last_name": 7, "billing": { "city": "Gent" } } }),
            vec![
                ("/customer/billing/city", "unknown"),
                ("/customer/last_name", "invalid"),
            ],
        ),
    ] {
        let problem = send(&system, "asked", &clarification, 400).await?;
        ensure!(errors(&problem) == expected, "{clarification}: {problem}");
        ensure!(!problem.to_string().contains("Gent"), "{problem}");
    }
    let accepted = send(&system, "asked", &last_name(), 202).await?;
    ensure_contains(&accepted, json!({ "clarification_fields": [] }))?;
    send(&system, "asked", &last_name(), 409).await?;
    pay(&system, "asked", &checkout).await?;
    send(&system, "asked", &last_name(), 409).await?;
    send(&system, "unknown", &last_name(), 404).await?;
    let stranger = system.storefront.with_key("sk_unknown_x");
    let path = "/payments/asked/clarification";
    stranger.post(path, &last_name(), 401).await?;

    system.storefront.create("not-asked").await?;
    send(&system, "not-asked", &last_name(), 409).await?;
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_clarification_can_be_sent_again_when_the_platform_did_not_accept_it()
-> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    for (answer, expected, is_accepted) in [
        ("error_400", 422, false),
        ("error_500", 503, false),
        ("lost", 503, false),
        ("cut", 503, true),
    ] {
        let payment_id = answer;
        let checkout = awaiting_last_name(&system, payment_id).await?;
        let fault = json!({ "answer": answer, "answer_to": ["clarification"], "answer_times": 1 });
        system.simulator.set_faults(payment_id, fault).await?;
        let problem = send(&system, payment_id, &last_name(), expected).await?;
        ensure!(!problem.to_string().contains("Janssens"), "{problem}");
        // If the platform accepted the data, a callback follows, and the data need not be sent again.
        if !is_accepted {
            let payment = system.storefront.payment(payment_id).await?;
            ensure_contains(&payment, json!({ "status": "awaiting_clarification" }))?;
            send(&system, payment_id, &last_name(), 202).await?;
        }
        pay(&system, payment_id, &checkout).await?;
    }
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_clarification_is_accepted_without_the_optional_fields() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let schema = json!({ "clarification_form": "schema" });
    system.simulator.set_faults("schema", schema).await?;
    let checkout = awaiting_last_name(&system, "schema").await?;
    let payment = system.storefront.payment("schema").await?;
    let fields = json!({ "clarification_fields": ["customer.email", "customer.last_name"] });
    ensure_contains(&payment, fields)?;
    send(&system, "schema", &last_name(), 202).await?;
    pay(&system, "schema", &checkout).await?;
    system.stop().await;
    Ok(())
}
