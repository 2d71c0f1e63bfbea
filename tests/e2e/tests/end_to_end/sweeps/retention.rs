//! Tests the erasure of customer data. The retention time of this test is ten seconds.

use anyhow::ensure;
use e2e::aws_call::call;
use e2e::system::{System, with_parameters};
use e2e::{ensure_contains, eventually};
use serde_json::json;

#[tokio::test]
async fn customer_data_is_erased_after_the_retention_time_and_the_payment_remains()
-> anyhow::Result<()> {
    let retention = with_parameters([("CustomerRetentionSeconds", "10")]);
    let system = System::start(retention).await?;
    let payments = ["open", "paid"];
    for payment_id in payments {
        system.simulator.drop_callbacks(payment_id).await?;
        system.storefront.create(payment_id).await?;
        let has_customer = has_customer(&system, payment_id).await?;
        ensure!(has_customer, "{payment_id} has no customer");
    }
    system.simulator.set_faults("paid", json!({})).await?;
    let bank_page = system.simulator.bank_page("paid").await?;
    system.shopper.press(&bank_page, "pay").await?;
    system.storefront.until("paid", "succeeded").await?;

    let mut erased = 0;
    for payment_id in payments {
        eventually("the erasure of the customer", async || {
            let swept = system.sweep().await?;
            ensure!(swept["erased"]["failed"] == 0, "{swept}");
            erased += swept["erased"]["done"].as_u64().unwrap_or(0);
            let has_customer = has_customer(&system, payment_id).await?;
            Ok((!has_customer).then_some(()))
        })
        .await?;
    }
    ensure!(erased > 0, "no sweep counted an erasure");
    let paid = system.storefront.payment("paid").await?;
    let expected = json!({ "status": "succeeded", "paid_amount": 1000 });
    ensure_contains(&paid, expected)?;
    system.stop().await;
    Ok(())
}

/// Whether the stored payment has its customer's last name or IP address.
async fn has_customer(system: &System, payment_id: &str) -> anyhow::Result<bool> {
    let ready = system.ready();
    let pk = format!("payment#{}/{payment_id}", ready.project_id);
    let key = json!({ "pk": { "S": pk }, "sk": { "S": "payment" } });
    let parameters = json!({ "TableName": ready.table, "Key": key });
    let answer = call(&system.sandbox, "dynamodb", "get_item", &parameters).await?;
    ensure!(answer["Item"].is_object(), "{payment_id} is not stored");
    let item = answer["Item"].to_string();
    Ok(item.contains("Janssens") || item.contains("192.0.2.10"))
}
