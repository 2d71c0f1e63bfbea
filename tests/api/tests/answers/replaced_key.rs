//! Tests requests after a project key was replaced. The functions still have the old key in their caches.

use anyhow::ensure;
use api::routes::CLARIFICATION;
use api::{Api, PAYMENT, order, refund};
use serde_json::json;

/// The new project keys. The platform still signs callbacks with the previous key.
const ROTATED: &str = r#"{"211":{"current":"a-new-key","previous":"test-secret-key"}}"#;

/// Puts the old key into the caches, and then replaces the stored key.
async fn rotated() -> anyhow::Result<Api> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("sale_success.json").await?;
    api.refund(PAYMENT, &refund("r-1")).await?;
    api.wire.set_secret(ROTATED);
    api.gate.require_key("a-new-key")?;
    Ok(api)
}

#[tokio::test]
async fn a_sale_that_the_platform_refuses_for_its_key_is_sent_again_with_the_new_key()
-> anyhow::Result<()> {
    let api = rotated().await?;
    let sent = api.gate.requests().len();
    let created = api.checkout(&order("order-2")).await?;
    ensure!(created.status == 201, "{created:?}");
    ensure!(api.gate.requests().len() == sent + 2);
    // The new key is now in the cache, so the next sale is sent once.
    let next = api.checkout(&order("order-3")).await?;
    ensure!(next.status == 201, "{next:?}");
    ensure!(api.gate.requests().len() == sent + 3);
    Ok(())
}

#[tokio::test]
async fn a_refund_that_the_platform_refuses_for_its_key_is_sent_again_with_the_new_key()
-> anyhow::Result<()> {
    let api = rotated().await?;
    let sent = api.gate.requests().len();
    let created = api.refund(PAYMENT, &refund("r-2")).await?;
    ensure!(created.status == 202, "{created:?}");
    ensure!(created.json["status"] == "pending", "{created:?}");
    ensure!(api.gate.requests().len() == sent + 2);
    Ok(())
}

#[tokio::test]
async fn a_clarification_that_the_platform_refuses_for_its_key_is_sent_again_with_the_new_key()
-> anyhow::Result<()> {
    let api = Api::start().await?;
    api.checkout(&order(PAYMENT)).await?;
    api.report("clarification_last_name.json").await?;
    api.wire.set_secret(ROTATED);
    api.gate.require_key("a-new-key")?;
    let sent = api.gate.requests().len();
    let data = json!({ "customer": { "last_name": "Janssens" } });
    let answer = api.post(CLARIFICATION, &[PAYMENT], &data).await?;
    ensure!(answer.status == 202, "{answer:?}");
    ensure!(api.gate.requests().len() == sent + 2);
    Ok(())
}

/// The platform possibly refuses only the old key. The function cannot find out, because it cannot read the new key.
#[tokio::test]
async fn the_outcome_of_a_sale_is_unknown_if_its_key_is_refused_and_the_keys_cannot_be_read_again()
-> anyhow::Result<()> {
    let api = rotated().await?;
    api.wire.set_secret("no JSON");
    let created = api.checkout(&order("order-2")).await?;
    ensure!(created.status == 201, "{created:?}");
    ensure!(created.json["status"] == "processing", "{created:?}");
    Ok(())
}

#[tokio::test]
async fn a_sale_is_refused_when_the_platform_refuses_the_signature_with_the_newest_key()
-> anyhow::Result<()> {
    let api = Api::start().await?;
    api.gate.require_key("a-key-that-we-do-not-have")?;
    let refused = api.checkout(&order(PAYMENT)).await?;
    ensure!(refused.status == 422, "{refused:?}");
    ensure!(refused.json["code"] == "3261", "{refused:?}");
    ensure!(
        api.gate.requests().len() == 1,
        "the same key was used again"
    );
    Ok(())
}
