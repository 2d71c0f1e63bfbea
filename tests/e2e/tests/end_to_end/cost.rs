//! What one paid payment takes of AWS, counted: `tests/capacity/counted.json` has what is expected,
//! and from it, and from prices, come the tables of the README and of `infra/capacity.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use capacity::counted::{Counted, Step, Used};
use capacity::template::Template;
use capacity::units;
use e2e::eventually;
use e2e::meter::Meter;
use e2e::operator::{call, invoke, invoke_with};
use e2e::stage::Stage;
use payments::Timestamp;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

/// Longer than a payment here and the pause before the first question; then the sweeper forgets
/// the customer, as it does after 31 days otherwise.
const CUSTOMER_KEPT: Duration = Duration::from_secs(120);
/// CloudWatch counts so many bytes more for each line.
const LINE_OVERHEAD: usize = 26;
/// DynamoDB counts so many bytes more for each item.
const ITEM_OVERHEAD: u64 = 100;
/// So many payments are made.
const PAYMENTS: u64 = 2;
/// The functions whose logs are looked at.
const FUNCTIONS: [&str; 5] = ["checkout", "shopper", "callback", "sweeper", "reconcile"];

#[tokio::test]
async fn a_payment_takes_what_is_kept() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let began = Timestamp::now();
    // Once before: whatever a function does at its start is not counted.
    test.payment("order-1000-1").await?;
    test.sweep().await?;
    test.compare(began).await?;
    let of_one = test.compare(began).await?;
    let tick = test.sweep().await?;
    test.never_forget("order-1000-1").await?;

    let forgotten_at = Instant::now() + CUSTOMER_KEPT;
    let mut steps = test.payment("order-1001-1").await?;
    let of_two = test.compare(began).await?;
    steps.push(step(
        "compared with the platform's books",
        "reconcile",
        of_two - &of_one,
    ));
    sleep_until(forgotten_at).await;
    let forgetting = test.sweep().await?;
    steps.push(step(
        "customer forgotten after 31 days",
        "sweeper",
        forgetting - &tick,
    ));

    let counted = test.with_logs(steps, tick).await?;
    let seen = serde_json::to_string_pretty(&counted)? + "\n";
    snapshots::check(&Counted::path(), &seen)?;
    capacity::documents::check()?;
    test.stage.sandbox.stop().await;
    Ok(())
}

/// A step that no call of the API begins.
fn step(name: &str, function: &str, used: Used) -> Step {
    Step {
        name: name.to_owned(),
        function: function.to_owned(),
        route: String::new(),
        used,
    }
}

struct Test {
    stage: Stage,
    meter: Meter,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let meter = Meter::start(Template::read()?.indexes()?).await?;
        let kept = CUSTOMER_KEPT.as_secs().to_string();
        let stage = Stage::start(Options {
            functions_endpoint: Some(meter.address().to_owned()),
            parameters: [("CustomerRetentionSeconds".to_owned(), kept)].into(),
            // The script tries the functions at once, before the meter knows where AWS is.
            by_script: false,
            ..Options::any_ports()
        })
        .await?;
        meter.set_target(stage.sandbox.ready());
        // Ticks come when this test says so.
        let rules = call(&stage.sandbox, "events", "list_rules", &json!({})).await?;
        for rule in rules["Rules"].as_array().into_iter().flatten() {
            let name = json!({ "Name": rule["Name"] });
            call(&stage.sandbox, "events", "disable_rule", &name).await?;
        }
        Ok(Self { stage, meter })
    }

    /// One usual payment, step by step: nothing waits for another step, so the counts do not depend
    /// on how fast this machine is.
    async fn payment(&self, payment_id: &str) -> anyhow::Result<Vec<Step>> {
        let Stage {
            storefront,
            shopper,
            simulator,
            ..
        } = &self.stage;
        let mut steps = Vec::new();
        let mut done = |name: &str, function: &str, route: &str| {
            let taken = self.take()?;
            let one = step(name, function, taken);
            let route = route.to_owned();
            steps.push(Step { route, ..one });
            anyhow::Ok(())
        };
        self.take()?;
        simulator.fault(payment_id, json!({ "hold": true })).await?;
        let checkout = storefront.create(payment_id).await?;
        let address = checkout["checkout_url"].as_str().context("no address")?;
        done("checkout created", "checkout", "POST /checkouts")?;

        simulator.fault(payment_id, json!({})).await?;
        self.delivered(payment_id, 1).await?;
        done(
            "callback: the bank's address",
            "callback",
            "POST /callbacks",
        )?;

        let bank = shopper.follow(address).await?;
        done("shopper to the bank", "shopper", "GET /checkouts/{token}")?;

        let back = shopper.push(&bank, "pay").await?;
        self.delivered(payment_id, 2).await?;
        done("callback: success", "callback", "POST /callbacks")?;

        shopper.follow(&back).await?;
        done("shopper back", "shopper", "GET /checkouts/{token}/return")?;

        let path = format!(
            "{}/status",
            address.trim_start_matches(&self.stage.sandbox.ready().api)
        );
        let (status, shown) = storefront.call(Method::GET, &path, None).await?;
        ensure!(
            status == StatusCode::OK && shown["status"] == "succeeded",
            "{shown}"
        );
        done(
            "status read by the shop's page",
            "shopper",
            "GET /checkouts/{token}/status",
        )?;

        let paid = storefront.payment(payment_id).await?;
        ensure!(paid["status"] == "succeeded", "{paid}");
        done(
            "payment read by the storefront",
            "checkout",
            "GET /payments/{payment_id}",
        )?;
        Ok(steps)
    }

    /// Waits until so many callbacks of a payment were sent, each once, and answered.
    async fn delivered(&self, payment_id: &str, count: usize) -> anyhow::Result<()> {
        eventually("the callback being answered", || async {
            let books = self.stage.simulator.books(payment_id).await?;
            let sent = books["callbacks"].as_array().cloned().unwrap_or_default();
            let at_once = |one: &Value| one["delivered"] == true && one["attempts"] == 1;
            Ok((sent.len() == count && sent.iter().all(at_once)).then_some(()))
        })
        .await
    }

    /// Takes a payment off the sweeper's list, so that only the one that counts is on it.
    async fn never_forget(&self, payment_id: &str) -> anyhow::Result<()> {
        let sandbox = &self.stage.sandbox;
        let ready = sandbox.ready();
        let pk = format!("payment#{}/{payment_id}", ready.project_id);
        let update = json!({
            "TableName": ready.table,
            "Key": { "pk": { "S": pk }, "sk": { "S": "payment" } },
            "UpdateExpression": "REMOVE #next, next_at",
            "ExpressionAttributeNames": { "#next": "next" },
        });
        call(sandbox, "dynamodb", "update_item", &update).await?;
        Ok(())
    }

    async fn sweep(&self) -> anyhow::Result<Used> {
        self.take()?;
        invoke(&self.stage.sandbox, "sweeper").await?;
        self.take()
    }

    /// Compares the platform's books with ours since a moment.
    async fn compare(&self, from: Timestamp) -> anyhow::Result<Used> {
        self.take()?;
        let project_id = self.stage.sandbox.ready().project_id;
        let range = json!({ "project_id": project_id, "from": from, "to": Timestamp::now() });
        let done = invoke_with(&self.stage.sandbox, "reconcile", &range).await?;
        ensure!(done["failure"].is_null(), "{done}");
        self.take()
    }

    /// What was called. Secrets are read every five minutes, so whether one was read meanwhile is chance.
    fn take(&self) -> anyhow::Result<Used> {
        let mut used = self.meter.take()?;
        used.calls.remove("GetSecretValue");
        Ok(used)
    }

    /// What each payment has left in the table, with what DynamoDB adds to each item.
    async fn stored_kb(&self) -> anyhow::Result<u64> {
        let sandbox = &self.stage.sandbox;
        let table = json!({ "TableName": sandbox.ready().table });
        let scanned = call(sandbox, "dynamodb", "scan", &table).await?;
        let mut bytes = 0;
        for item in scanned["Items"].as_array().into_iter().flatten() {
            let pk = item["pk"]["S"].as_str().unwrap_or_default();
            if !pk.starts_with("storefront_key") {
                bytes += units::size(item)? + ITEM_OVERHEAD;
            }
        }
        Ok((bytes / PAYMENTS).div_ceil(1_024))
    }

    /// Adds what was logged: of each function, the last invocations are those of the steps.
    async fn with_logs(&self, mut steps: Vec<Step>, mut tick: Used) -> anyhow::Result<Counted> {
        let mut logs = BTreeMap::new();
        for function in FUNCTIONS {
            logs.insert(function, self.invocations(function).await?);
        }
        // Before the last tick, which had a customer to forget, came the one that had nothing to do.
        let ticks = logs["sweeper"].iter().rev().take(2).collect::<Vec<_>>();
        let quiet = ticks.get(1).context("no tick")?;
        tick.log_bytes = size(quiet)?;
        let tick_metrics = metrics(quiet.iter())?;
        let mut lines = Vec::new();
        for step in steps.iter_mut().rev() {
            let logged = logs.get_mut(step.function.as_str()).context("no logs")?;
            let logged = logged.pop().context("an invocation is missing")?;
            let more_than_usual = if step.function == "sweeper" {
                tick.log_bytes
            } else {
                0
            };
            step.used.log_bytes = match step.function.as_str() {
                // A run has one line, whatever it compares.
                "reconcile" => 0,
                _ => size(&logged)?.saturating_sub(more_than_usual),
            };
            if !step.route.is_empty() {
                lines.extend(logged);
            }
        }
        Ok(Counted {
            steps,
            tick,
            tick_metrics,
            payment_metrics: metrics(lines.iter())?,
            stored_kb: self.stored_kb().await?,
        })
    }

    /// The lines that a function has logged itself, invocation by invocation.
    async fn invocations(&self, function: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let sandbox = &self.stage.sandbox;
        let name = json!({ "FunctionName": sandbox.ready().functions[function] });
        let configuration = call(sandbox, "lambda", "get_function_configuration", &name).await?;
        let group = &configuration["LoggingConfig"]["LogGroup"];
        let group = json!({ "logGroupName": group });
        let logged = call(sandbox, "logs", "filter_log_events", &group).await?;
        let mut invocations: Vec<Vec<String>> = Vec::new();
        for event in logged["events"].as_array().into_iter().flatten() {
            let line = event["message"].as_str().unwrap_or_default();
            let platform = ["END RequestId", "REPORT RequestId"];
            if line.starts_with("START RequestId") {
                invocations.push(Vec::new());
            } else if !platform.iter().any(|start| line.starts_with(start)) {
                invocations
                    .last_mut()
                    .context("a line before all")?
                    .push(line.to_owned());
            }
        }
        Ok(invocations)
    }
}

/// The bytes of lines, with durations of two digits and moments without a fraction, so that they
/// do not depend on chance.
fn size(lines: &[String]) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for line in lines {
        let mut line: Value = serde_json::from_str(line).with_context(|| line.clone())?;
        for (name, value) in line.as_object_mut().into_iter().flatten() {
            if name.ends_with("_ms") || name.ends_with("_s") {
                *value = json!(10);
            }
        }
        bytes += snapshots::without_timestamps(&line.to_string()).len() + LINE_OVERHEAD;
    }
    Ok(u64::try_from(bytes)?)
}

/// How many metrics CloudWatch makes of lines: by name, dimensions and their values.
fn metrics<'a>(lines: impl Iterator<Item = &'a String>) -> anyhow::Result<u64> {
    let mut seen = BTreeSet::new();
    for line in lines {
        let line: Value = serde_json::from_str(line)?;
        let directives = line["_aws"]["CloudWatchMetrics"].as_array();
        for directive in directives.into_iter().flatten() {
            for by in directive["Dimensions"].as_array().into_iter().flatten() {
                let by = by.as_array().into_iter().flatten();
                let by: Vec<_> = by
                    .filter_map(|name| Some((name.clone(), line.get(name.as_str()?)?.clone())))
                    .collect();
                let names = directive["Metrics"].as_array().into_iter().flatten();
                seen.extend(names.map(|metric| format!("{} {by:?}", metric["Name"])));
            }
        }
    }
    Ok(u64::try_from(seen.len())?)
}
