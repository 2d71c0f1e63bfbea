//! Tests `operator resync`.

use e2e::eventually;

use super::matches;
use crate::operator::Operator;

pub async fn a_payment_is_polled_immediately(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    let id = "without-callbacks";
    system.simulator.drop_callbacks(id).await?;
    system.storefront.create(id).await?;
    let bank = eventually("the bank's page", || async {
        let records = system.simulator.records(id).await?;
        let is_ready = records["status"] == "awaiting redirect result";
        let page = records["bank_page"].as_str().filter(|_| is_ready);
        Ok(page.map(str::to_owned))
    })
    .await?;
    system.shopper.press(&bank, "pay").await?;

    let command = ["resync", "--project", "211", id];
    operator
        .fails(&command, "no\n", "nothing was changed")
        .await?;
    eventually("the success at the platform", || async {
        let records = system.simulator.records(id).await?;
        Ok((records["status"] == "success").then_some(()))
    })
    .await?;
    let resync = [&command[..], &["--yes"]].concat();
    let json = [&resync[..], &["--json"]].concat();
    matches(operator, "resync.json", &json).await?;
    matches(operator, "resync.txt", &resync).await?;

    let unknown = ["resync", "--project", "211", "unknown", "--yes"];
    matches(operator, "resync_unknown.txt", &unknown).await?;
    let without_key = ["resync", "--project", "999", "unknown", "--yes"];
    operator
        .fails(&without_key, "", "no key of the payment's project")
        .await
}
