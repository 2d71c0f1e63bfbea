//! Tests the commands that concern one payment.

mod callback;
mod log;
mod republish;
mod resync;
mod review;
mod show;

use serde_json::{Value, json};

use crate::operator::Operator;

#[tokio::test]
async fn an_operator_shows_and_repairs_payments() -> anyhow::Result<()> {
    let operator = Operator::start().await?;
    let platform = operator.ready().platform.clone();
    for secret in [
        callback::EMAIL,
        callback::DESCRIPTION,
        &platform,
        "/checkouts/",
    ] {
        operator.add_secret(secret);
    }
    show::a_payment_is_shown_with_its_history(&operator).await?;
    callback::a_saved_callback_is_verified_and_applied(&operator).await?;
    republish::published_events_are_published_again(&operator).await?;
    resync::a_payment_is_polled_immediately(&operator).await?;
    review::quarantined_money_is_released_or_rejected(&operator).await?;
    log::each_command_is_logged_without_personal_data(&operator).await?;
    operator.stop().await
}

/// Runs a command that must succeed, and compares its output with a snapshot.
async fn matches(operator: &Operator, snapshot: &str, args: &[&str]) -> anyhow::Result<()> {
    let out = operator.succeeds(args, "").await?;
    operator.check(snapshot, &stable(&out)?)
}

/// Replaces operation ids and the refund id of a rejection, because they differ in each test run. Also replaces the state of the polling: in JSON the
/// whole object `polling`, and in a text the whole line about status requests. Formats JSON with line breaks, so that
/// reviewers can read the snapshots.
fn stable(out: &str) -> anyhow::Result<String> {
    let text = match serde_json::from_str::<Value>(out) {
        Ok(mut value) => {
            if value.get("polling").is_some() {
                value["polling"] = json!({
                    "last_answered": 1, "last_not_found": 0, "needs_recheck": false, "polls_sent": 1,
                });
            }
            if let Some(refund_id) = value.pointer_mut("/refund/refund_id") {
                *refund_id = json!("rejected-1");
            }
            format!("{value:#}\n")
        }
        Err(_) => out.to_owned(),
    };
    let label = "status requests: ";
    let lines = text.lines().map(|line| match line.starts_with(label) {
        true => format!("{label}1 sent\n"),
        false => format!("{}\n", without_operation_ids(line)),
    });
    Ok(lines.collect())
}

/// Replaces operation ids. The operation ids of the simulated platform are numbers with fourteen digits.
fn without_operation_ids(line: &str) -> String {
    let mut stable = String::new();
    let mut digits = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        match digits.len() {
            14 => stable.push_str("37493000000000"),
            _ => stable.push_str(&digits),
        }
        digits.clear();
        stable.push(character);
    }
    stable.trim_end_matches('\n').to_owned()
}
