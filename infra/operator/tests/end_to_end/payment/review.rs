//! Tests `operator release` and `operator reject`.

use anyhow::ensure;
use e2e::lambda::invoke_with;
use serde_json::json;

use super::matches;
use crate::operator::Operator;

pub async fn quarantined_money_is_released_or_rejected(operator: &Operator) -> anyhow::Result<()> {
    for id in ["to-release", "to-reject"] {
        quarantined(operator, id).await?;
    }
    money_is_released(operator).await?;
    money_is_rejected(operator).await?;
    for verdict in ["release", "reject"] {
        let args = |id| [verdict, "--project", "211", id, "--by", "anna", "--yes"];
        let not_quarantined = "is not in quarantine";
        operator.fails(&args("paid"), "", not_quarantined).await?;
        let no_payment = "has no such payment";
        operator.fails(&args("unknown"), "", no_payment).await?;
    }
    Ok(())
}

async fn money_is_released(operator: &Operator) -> anyhow::Result<()> {
    let show = ["show", "--project", "211", "to-release"];
    matches(operator, "show_quarantined.txt", &show).await?;
    let command = ["release", "--project", "211", "to-release", "--by", "anna"];
    let refused = operator.run(&command, "n\n").await?;
    ensure!(refused.code == Some(1), "{}", refused.stdout);
    operator.check("release_prompt.txt", &super::stable(&refused.stderr)?)?;

    let other_items = json!({
        "command": "release", "project_id": 211, "payment_id": "to-release", "by": "anna",
        "items": [{
            "operation_id": "7", "reason": "paid_twice",
            "reported": { "amount": 999, "currency": "EUR" },
        }],
    });
    let refused = invoke_with(&operator.system.sandbox, "command", &other_items).await?;
    ensure!(refused["refused"]["reason"] == "other_items", "{refused}");

    let release = [&command[..], &["--yes"]].concat();
    matches(operator, "release.txt", &release).await?;
    let storefront = &operator.system.storefront;
    storefront.until("to-release", "succeeded").await?;
    let not_quarantined = "is not in quarantine";
    operator.fails(&release, "", not_quarantined).await?;
    matches(operator, "show_released.txt", &show).await
}

async fn money_is_rejected(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    let hold = json!({ "hold": true });
    system.simulator.set_faults("to-reject", hold).await?;
    let command = ["reject", "--project", "211", "to-reject", "--by", "anna"];
    let refused = operator.run(&command, "n\n").await?;
    ensure!(refused.code == Some(1), "{}", refused.stdout);
    operator.check("reject_prompt.txt", &super::stable(&refused.stderr)?)?;

    let reject = [&command[..], &["--yes", "--json"]].concat();
    matches(operator, "reject.json", &reject).await?;
    system.simulator.set_faults("to-reject", json!({})).await?;
    let refunded = system.storefront.until("to-reject", "refunded").await?;
    // The received amount is refunded, not the ordered amount.
    ensure!(refunded["refunded_amount"] == 1100, "{refunded}");
    let already = "its money was refunded";
    operator.fails(&reject, "", already).await
}

/// Creates a payment for which the platform reports more money than was ordered.
async fn quarantined(operator: &Operator, id: &str) -> anyhow::Result<()> {
    let system = &operator.system;
    let faults = json!({ "wrong_amount": 1100 });
    system.simulator.set_faults(id, faults).await?;
    let bank = system.bank_page_for_order(id, id).await?;
    system.shopper.press(&bank, "pay").await?;
    system.storefront.until(id, "quarantined").await?;
    // Poll now. Otherwise the sweeper could poll between two commands of the test and change the output.
    let resync = ["resync", "--project", "211", id, "--yes"];
    operator.succeeds(&resync, "").await?;
    Ok(())
}
