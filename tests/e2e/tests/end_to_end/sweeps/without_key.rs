//! Tests the sweep of a project whose key is missing.

use e2e::aws_call::call;
use e2e::lambda::restart;
use e2e::system::{System, accelerated};
use serde_json::json;

#[tokio::test]
async fn a_project_without_a_key_is_named_and_its_checkouts_expire() -> anyhow::Result<()> {
    let system = System::start(accelerated()).await?;
    // This run adds the project to the list.
    system.sweep().await?;
    let secret = &system.ready().project_keys_secret;
    let other = json!({ "212": { "current": "other" } });
    let parameters = json!({ "SecretId": secret, "SecretString": other.to_string() });
    system.simulator.drop_callbacks("keyless").await?;
    let short = json!({ "expires_in": 20 });
    system.storefront.create_with("keyless", short).await?;
    let put = "put_secret_value";
    call(&system.sandbox, "secretsmanager", put, &parameters).await?;
    restart(&system.sandbox, "sweeper").await?;
    restart(&system.sandbox, "worker").await?;

    let failure = "project 211 has due polls, but no key";
    let swept = system.sweep_until("the name of the project", |swept| {
        swept["polled"]["failure"] == failure
    });
    swept.await?;
    let expired = system.sweep_until_payment("keyless", |payment| payment["checkout"] == "expired");
    expired.await?;
    system.stop().await;
    Ok(())
}
