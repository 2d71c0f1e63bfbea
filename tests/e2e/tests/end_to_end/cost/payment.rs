//! Counts the AWS calls of a paid payment, and compares the counts with `tests/capacity/counted.json`. The tables of
//! `infra/capacity.md` are calculated from this file.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use capacity::counted::{Counted, Step, Used};
use capacity::template::Template;
use capacity::units;
use e2e::aws_call::call;
use e2e::lambda::configuration;
use e2e::storefront::checkout_url;
use e2e::system::System;
use payments::Timestamp;
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::cost::log_lines::{metrics, size};
use crate::cost::meter::Meter;

/// The sweeper erases customer data after this time instead of 31 days. This time must be longer than a payment of this
/// test takes, and longer than the delay of the first status poll.
const CUSTOMER_RETENTION: Duration = Duration::from_secs(120);
/// DynamoDB charges these bytes for each stored item in addition to its content.
const ITEM_OVERHEAD: u64 = 100;
/// The number of payments that this test makes.
const PAYMENTS: u64 = 2;
/// The functions whose logs count.
const FUNCTIONS: [&str; 5] = ["checkout", "shopper", "callback", "sweeper", "reconcile"];

#[tokio::test]
async fn a_paid_payment_makes_exactly_the_calls_in_counted_json() -> anyhow::Result<()> {
    let test = Test::start().await?;
    wait_for_a_constant_number_of_slices().await;
    let start = Timestamp::now();
    // The first payment, sweep and comparison start the functions. Their calls do not count.
    test.payment("order-1000-1").await?;
    test.sweep().await?;
    test.compare(start).await?;
    let of_one = test.compare(start).await?;
    let tick = test.sweep().await?;
    test.never_erase("order-1000-1").await?;

    let erasure_at = Instant::now() + CUSTOMER_RETENTION;
    // A comparison stores the digests of the compared operations. One item has the digests of thousands of operations
    // of a shard. Both payments have the same shard, so the second payment adds no item.
    let mut steps = test.payment("order-1006-1").await?;
    let of_two = test.compare(start).await?;
    steps.push(step(
        "compared with platform records",
        "reconcile",
        of_two - &of_one,
    ));
    sleep_until(erasure_at).await;
    let erasure = test.sweep().await?;
    steps.push(step(
        "customer data erased after 31 days",
        "sweeper",
        erasure - &tick,
    ));

    let counted = test.with_logs(steps, tick).await?;
    let seen = serde_json::to_string_pretty(&counted)? + "\n";
    snapshots::check(&Counted::path(), &seen)?;
    capacity::tables::check()?;
    test.system.stop().await;
    Ok(())
}

/// A comparison lists the operations hour by hour, until ten minutes after the present time. If this end could reach
/// the next hour during the test, waits until it has reached that hour.
async fn wait_for_a_constant_number_of_slices() {
    const HOUR: u64 = 3_600;
    const LONGEST_TEST: u64 = 180;
    let end = Timestamp::now().after(Duration::from_secs(600));
    let rest = HOUR - end.unix_seconds().unsigned_abs() % HOUR;
    if rest < LONGEST_TEST {
        sleep(Duration::from_secs(rest)).await;
    }
}

/// Returns a step without an API route.
fn step(name: &str, function: &str, used: Used) -> Step {
    Step {
        name: name.to_owned(),
        function: function.to_owned(),
        route: String::new(),
        used,
    }
}

struct Test {
    system: System,
    meter: Meter,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let meter = Meter::start(Template::read()?.indexes()?).await?;
        let retention = CUSTOMER_RETENTION.as_secs().to_string();
        let system = System::start(Options {
            functions_endpoint: Some(meter.address().to_owned()),
            parameters: [("CustomerRetentionSeconds".to_owned(), retention)].into(),
            // The deployment script would call the functions before the meter has its target.
            by_script: false,
            ..Options::any_ports()
        })
        .await?;
        meter.set_target(system.ready());
        // Without the schedules, only this test invokes the sweeper.
        let rules = call(&system.sandbox, "events", "list_rules", &json!({})).await?;
        for rule in rules["Rules"].as_array().into_iter().flatten() {
            let name = json!({ "Name": rule["Name"] });
            call(&system.sandbox, "events", "disable_rule", &name).await?;
        }
        Ok(Self { system, meter })
    }

    /// Makes a payment, and counts each step. A step ends before the next one starts, so the counts do not depend on
    /// the machine.
    async fn payment(&self, payment_id: &str) -> anyhow::Result<Vec<Step>> {
        let System {
            storefront,
            shopper,
            simulator,
            ..
        } = &self.system;
        let mut steps = Vec::new();
        let mut done = |name: &str, function: &str, route: &str| {
            let one = step(name, function, self.take()?);
            let route = route.to_owned();
            steps.push(Step { route, ..one });
            anyhow::Ok(())
        };
        self.take()?;
        let hold = json!({ "hold": true });
        simulator.set_faults(payment_id, hold).await?;
        let checkout = storefront.create(payment_id).await?;
        let url = checkout_url(&checkout)?;
        done("checkout created", "checkout", "POST /checkouts")?;

        simulator.set_faults(payment_id, json!({})).await?;
        self.until_delivered(payment_id, 1).await?;
        done("callback: redirect URL", "callback", "POST /callbacks")?;

        let bank_page = shopper.follow(url).await?;
        done(
            "shopper redirected to the bank",
            "shopper",
            "GET /checkouts/{token}",
        )?;

        let return_url = shopper.press(&bank_page, "pay").await?;
        self.until_delivered(payment_id, 2).await?;
        done("callback: success", "callback", "POST /callbacks")?;

        shopper.follow(&return_url).await?;
        done(
            "shopper returns",
            "shopper",
            "GET /checkouts/{token}/return",
        )?;

        let status = shopper.checkout_status(&checkout).await?;
        ensure!(status["status"] == "succeeded", "{status}");
        done(
            "status read by the storefront's page",
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

    /// Waits until the platform has delivered `count` callbacks, each at the first try.
    async fn until_delivered(&self, payment_id: &str, count: usize) -> anyhow::Result<()> {
        let is_delivered =
            |callback: &Value| callback["delivered"] == true && callback["attempts"] == 1;
        let are_delivered = |records: &Value| {
            let callbacks = records["callbacks"].as_array();
            callbacks.is_some_and(|sent| sent.len() == count && sent.iter().all(is_delivered))
        };
        let simulator = &self.system.simulator;
        simulator.until_records(payment_id, are_delivered).await?;
        Ok(())
    }

    /// Removes a payment from the sweeper's index, because the counted sweep must erase only the counted payment.
    async fn never_erase(&self, payment_id: &str) -> anyhow::Result<()> {
        let sandbox = &self.system.sandbox;
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

    /// Counts the calls of a sweep.
    async fn sweep(&self) -> anyhow::Result<Used> {
        self.take()?;
        self.system.sweep().await?;
        self.take()
    }

    /// Counts the calls of a comparison of the time since `from`.
    async fn compare(&self, from: Timestamp) -> anyhow::Result<Used> {
        self.take()?;
        let done = self.system.reconcile(from).await?;
        ensure!(done["failure"].is_null(), "{done}");
        self.take()
    }

    /// Returns the counts since the last `take`, without reads of secrets. A function repeats these reads after five
    /// minutes, in any step.
    fn take(&self) -> anyhow::Result<Used> {
        let mut used = self.meter.take()?;
        used.calls.remove("GetSecretValue");
        Ok(used)
    }

    /// Returns the size of the table of payments in KB per payment, rounded up. The items of comparisons do not count,
    /// because they expire after some days.
    async fn stored_kb(&self) -> anyhow::Result<u64> {
        let sandbox = &self.system.sandbox;
        let table = json!({ "TableName": sandbox.ready().table });
        let scanned = call(sandbox, "dynamodb", "scan", &table).await?;
        let mut bytes = 0;
        let is_part = |item: &&Value| {
            item["pk"]["S"]
                .as_str()
                .is_some_and(|pk| pk.starts_with("run#"))
        };
        let items = scanned["Items"].as_array().into_iter().flatten();
        for item in items.filter(|item| !is_part(item)) {
            bytes += units::size(item)? + ITEM_OVERHEAD;
        }
        Ok((bytes / PAYMENTS).div_ceil(1_024))
    }

    /// Adds the log bytes to the steps. The last invocations of each function are its steps, in the same order.
    async fn with_logs(&self, mut steps: Vec<Step>, mut tick: Used) -> anyhow::Result<Counted> {
        let mut logs = BTreeMap::new();
        for function in FUNCTIONS {
            logs.insert(function, self.invocations(function).await?);
        }
        // The last sweep erased customer data. The sweep before the last found no work.
        let idle = logs["sweeper"].iter().rev().nth(1);
        let idle = idle.context("the sweeper ran less than twice")?;
        tick.log_bytes = size(idle)?;
        let tick_metrics = metrics(idle.iter())?;
        let mut lines = Vec::new();
        for step in steps.iter_mut().rev() {
            let logged = logs
                .get_mut(step.function.as_str())
                .context("the function has no logs")?;
            let logged = logged.pop().context("an invocation is missing")?;
            step.used.log_bytes = match step.function.as_str() {
                // A comparison writes one line for any number of payments.
                "reconcile" => 0,
                "sweeper" => size(&logged)?.saturating_sub(tick.log_bytes),
                _ => size(&logged)?,
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

    /// Returns the function's own log lines, one list per invocation.
    async fn invocations(&self, function: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let sandbox = &self.system.sandbox;
        let configuration = configuration(sandbox, function).await?;
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
                    .context("a line precedes the first invocation")?
                    .push(line.to_owned());
            }
        }
        Ok(invocations)
    }
}
