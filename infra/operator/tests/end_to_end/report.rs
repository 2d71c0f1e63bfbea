//! Tests `operator report` on a stack with paid, declined, refunded and open payments.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::queue::Queue;
use e2e::system::callback_message;
use payments::Timestamp;
use payments::escape::is_visible;
use payments::model::day::Day;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::operator::Operator;

const PAYMENTS: [&str; 5] = ["paid", "paid-again", "declined", "refunded", "open"];

/// The number of operations or payments and their total amount, by type and status.
type Sums = BTreeMap<(String, String), (u64, u64)>;

#[tokio::test]
async fn the_totals_equal_the_platforms_records() -> anyhow::Result<()> {
    let operator = Operator::start().await?;
    let empty = report(&operator, "payments", &[]).await?;
    ensure!(empty.starts_with("day,project_id,payment_id") && empty.lines().count() == 1);
    make_payments(&operator).await?;
    make_refunds(&operator).await?;
    the_second_payment_of_the_order_is_published(&operator).await?;
    let rows = totals_are_right(&operator).await?;
    rows_are_written_as_csv_and_json(&operator, rows).await?;
    wrong_arguments_are_refused(&operator).await?;
    the_id_of_an_external_payment_controls_neither_terminal_nor_spreadsheet(&operator).await?;
    operator.stop().await
}

/// Makes payments of 10.00 EUR. Two of them pay the same order.
async fn make_payments(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    for (id, order_id, button) in [
        ("paid", "order-1", Some("pay")),
        ("paid-again", "ORDER-1", Some("pay")),
        ("declined", "order-2", Some("decline")),
        ("refunded", "order-3", Some("pay")),
        ("open", "order-4", None),
    ] {
        let bank = system.bank_page_for_order(id, order_id).await?;
        if let Some(button) = button {
            system.shopper.press(&bank, button).await?;
        }
        let status = match button {
            Some("pay") => "succeeded",
            Some(_) => "declined",
            None => "awaiting_customer",
        };
        system.storefront.until(id, status).await?;
    }
    Ok(())
}

/// Refunds 3.00 EUR with the API and 1.00 EUR in the platform's Dashboard.
async fn make_refunds(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    let refund =
        json!({ "refund_id": "r-1", "amount": 300, "currency": "EUR", "description": "returned" });
    system
        .storefront
        .post_refund("refunded", &refund, 202)
        .await?;
    let refund = json!({ "amount": 100 });
    system.simulator.refund("refunded", refund).await?;
    eventually("both refunds", || async {
        let payment = system.storefront.payment("refunded").await?;
        Ok((payment["refunded_amount"] == 400).then_some(()))
    })
    .await
}

async fn the_second_payment_of_the_order_is_published(operator: &Operator) -> anyhow::Result<()> {
    let fulfilment = Queue::new(operator.ready(), "fulfilment")?;
    let kind = "order.paid_twice";
    let events = fulfilment.until("paid-again", kind).await?;
    let event = events.iter().find(|event| event["type"] == kind);
    let others = event.map(|event| &event["data"]["other_payment_ids"]);
    ensure!(others == Some(&json!(["paid"])), "{events:?}");
    Ok(())
}

/// Checks the report of totals against the platform's records. Returns the number of rows in the report.
async fn totals_are_right(operator: &Operator) -> anyhow::Result<usize> {
    let totals = report(operator, "totals", &["--json"]).await?;
    let rows = json_lines(&totals)?;
    let (mut payments, mut operations) = (Sums::new(), Sums::new());
    for row in &rows {
        let count = row["count"].as_u64().context("no count")?;
        let amount = row["amount"].as_u64().context("no amount")?;
        let status = row["status"].as_str().context("no status")?;
        let sums = match row["of"] == "payment" {
            true => &mut payments,
            false => &mut operations,
        };
        add(sums, &row["of"], status, count, amount);
    }
    ensure!(operations == platform_records(operator).await?, "{totals}");
    for (status, count) in [
        ("succeeded", 2),
        ("declined", 1),
        ("partially_refunded", 1),
        ("awaiting_customer", 1),
    ] {
        let sum = payments.get(&("payment".to_owned(), status.to_owned()));
        ensure!(sum == Some(&(count, count * 1000)), "{status}: {totals}");
    }
    Ok(rows.len())
}

async fn rows_are_written_as_csv_and_json(
    operator: &Operator,
    total_rows: usize,
) -> anyhow::Result<()> {
    let csv = report(operator, "totals", &[]).await?;
    ensure!(csv.lines().count() == total_rows + 1, "{csv}");
    let header = "day,of,status,code,currency,count,amount\n";
    ensure!(csv.starts_with(header), "{csv}");
    let csv = report(operator, "payments", &[]).await?;
    let declined = csv.lines().find(|line| line.contains(",declined,order-2,"));
    let declined = declined.context("no row of the declined payment")?;
    ensure!(declined.contains(",gate,EUR,1000,0,0,0,"), "{declined}");
    let rows = json_lines(&report(operator, "operations", &["--json"]).await?)?;
    let refunds = rows.iter().filter(|row| row["type"] == "refund");
    let ids: Vec<&Value> = refunds.map(|row| &row["refund_id"]).collect();
    ensure!(ids.len() == 2 && ids.contains(&&json!("r-1")), "{rows:?}");
    Ok(())
}

async fn wrong_arguments_are_refused(operator: &Operator) -> anyhow::Result<()> {
    let command = ["report", "totals", "--project", "211"];
    for (from, to, why) in [
        ("2026-02-02", "2026-02-01", "is after the last"),
        ("2026-02-30", "2026-03-01", "not a day like"),
        ("2026-01-01", "9999-01-01", "is in the future"),
    ] {
        let args = [&command[..], &["--from", from, "--to", to]].concat();
        operator.fails(&args, "", why).await?;
    }
    let days = ["--from", "2026-01-01", "--to", "2026-01-02"];
    let mut without_stack = Command::new(env!("CARGO_BIN_EXE_operator"));
    let output = without_stack.args(command).args(days).output().await?;
    let stderr = String::from_utf8(output.stderr)?;
    let is_refused = !output.status.success() && stderr.contains("--stack");
    ensure!(is_refused, "{stderr}");
    Ok(())
}

/// The platform accepts any id. Therefore an attacker can choose an id that controls an operator's terminal or
/// spreadsheet.
async fn the_id_of_an_external_payment_controls_neither_terminal_nor_spreadsheet(
    operator: &Operator,
) -> anyhow::Result<()> {
    let id = "=HYPERLINK(\"https://attacker.example\");=1\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{ffff}\n211/paid";
    let message = callback_message(id, 1, "sale", "success", 1000);
    operator.system.post_signed(&message, 200).await?;
    let csv = report(operator, "payments", &[]).await?;
    let cell = r#"'=HYPERLINK(""https://attacker.example"");'=1\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{ffff}\n211/paid"#;
    ensure!(csv.contains(&format!(",\"{cell}\",")), "{csv:?}");
    let rows = json_lines(&report(operator, "payments", &["--json"]).await?)?;
    ensure!(rows.iter().any(|row| row["payment_id"] == id), "{rows:?}");

    let show = ["show", "--project", "211", id];
    let shown = operator.succeeds(&show, "").await?;
    let first = r#"211/=HYPERLINK("https://attacker.example");=1\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{ffff}\n211/paid: "#;
    ensure!(shown.starts_with(first), "{shown:?}");
    let json = operator
        .succeeds(&[&show[..], &["--json"]].concat(), "")
        .await?;
    let history: Value = serde_json::from_str(&json)?;
    ensure!(history["payment_id"] == id, "{json:?}");
    for output in [csv, shown, json] {
        let mut characters = output.chars();
        let is_safe = |character| character == '\n' || is_visible(character);
        ensure!(characters.all(is_safe), "{output:?}");
    }
    // Questions and errors are escaped too.
    let resync = ["resync", "--project", "211", id];
    let run = operator.run(&resync, "n\n").await?;
    ensure!(run.code == Some(1), "{:?}", run.code);
    let question = run.stderr.lines().next().unwrap_or_default();
    ensure!(
        question.chars().all(is_visible) && question.contains(r"\n211/paid"),
        "{question:?}"
    );
    Ok(())
}

/// Writes a report of today. In the first hour of a day, the report also covers yesterday, because the test may have
/// started before midnight.
async fn report(operator: &Operator, kind: &str, more: &[&str]) -> anyhow::Result<String> {
    let now = Timestamp::now();
    let from = Day::of(now.before(Duration::from_secs(3_600))).to_string();
    let to = Day::of(now).to_string();
    let args = [
        "report",
        kind,
        "--project",
        "211",
        "--from",
        &from,
        "--to",
        &to,
    ];
    operator.succeeds(&[&args[..], more].concat(), "").await
}

/// Returns the sums of the operations in the platform's records.
async fn platform_records(operator: &Operator) -> anyhow::Result<Sums> {
    let mut sums = Sums::new();
    for payment in PAYMENTS {
        let records = operator.system.simulator.records(payment).await?;
        for operation in records["operations"].as_array().context("no operations")? {
            let status = match operation["status"].as_str() {
                Some("success") => "succeeded",
                Some("decline") => "declined",
                _ => "pending",
            };
            let amount = operation["amount"].as_u64().context("no amount")?;
            add(&mut sums, &operation["type"], status, 1, amount);
        }
    }
    Ok(sums)
}

fn add(sums: &mut Sums, kind: &Value, status: &str, count: u64, amount: u64) {
    let kind = kind.as_str().unwrap_or_default().to_owned();
    let sum = sums.entry((kind, status.to_owned())).or_default();
    *sum = (sum.0 + count, sum.1 + amount);
}

fn json_lines(text: &str) -> anyhow::Result<Vec<Value>> {
    let lines = text.lines().map(serde_json::from_str);
    Ok(lines.collect::<Result<_, _>>()?)
}
