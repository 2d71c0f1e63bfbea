//! Computes the AWS bill at list prices. No test checks the sums, because AWS changes its prices.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

use crate::assumptions::PLATFORM_LOG_BYTES;
use crate::counted::{Step, Used};
use crate::markdown::{number, table};
use crate::tables::{Model, RATES, by_rate};

const MILLION: f64 = 1e6;
const GB: f64 = 1e9;
const SECONDS_PER_MONTH: f64 = 2_628_000.0;
const MINUTES_PER_MONTH: f64 = SECONDS_PER_MONTH / 60.0;
/// The number of receives per minute that return no message. Lambda polls a standard queue over five connections, and
/// each receive waits 20 s.
const EMPTY_RECEIVES_PER_MINUTE: f64 = 5.0 * 60.0 / 20.0;
/// The number of metrics of the worker: only `poll_lag_s`.
const WORKER_METRICS: f64 = 1.0;
const SECRET_CACHE_MINUTES: f64 = 5.0;

/// AWS's list prices in dollars.
#[derive(Debug, Clone)]
pub struct Prices(BTreeMap<String, Price>);

#[derive(Debug, Clone, Deserialize)]
struct Price {
    name: String,
    usd: f64,
    per: f64,
}

impl Prices {
    /// Reads `prices.csv`.
    pub fn read() -> anyhow::Result<Self> {
        let mut reader = csv::Reader::from_reader(include_str!("../prices.csv").as_bytes());
        let prices: Vec<Price> = reader.deserialize().collect::<Result<_, _>>()?;
        let named = prices.into_iter().map(|price| (price.name.clone(), price));
        Ok(Self(named.collect()))
    }

    fn of(&self, name: &str, count: f64) -> anyhow::Result<f64> {
        let price = self.0.get(name);
        let price = price.with_context(|| format!("prices.csv has no {name}"))?;
        Ok(count * price.usd / price.per)
    }
}

/// The lines of a bill: a service or an item, and its dollars.
type Lines = Vec<(String, f64)>;

/// The inputs of a bill.
#[derive(Debug)]
pub struct Bill<'a> {
    /// The counts, the template and the assumptions.
    pub model: &'a Model,
    /// The prices.
    pub prices: &'a Prices,
}

impl Bill<'_> {
    /// Returns the tables of the bill by their titles.
    pub fn tables(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let batch = self.model.assumptions.batch;
        // At a few payments per hour, X-Ray records nearly all API calls. Therefore the column with traces counts all
        // API calls.
        let million = [(1.0, 0.0), (batch, 0.0), (1.0, 1.0)]
            .into_iter()
            .map(|(batch, traced)| Ok(with_total(self.payments(batch, traced)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let fixed = with_total(self.fixed()?);
        let months: Vec<Lines> = RATES
            .into_iter()
            .map(|rate| self.month(rate))
            .collect::<Result<_, _>>()?;
        Ok(vec![
            (
                "$ per million payments",
                columns(
                    &[
                        "service",
                        "a few per hour",
                        "more than 1 per second",
                        "a few per hour, `Tracing=Active`",
                    ],
                    &million,
                ),
            ),
            ("$ per million payments, by step", self.steps()?),
            (
                "$ per month without payments",
                columns(&["item", "$"], &[fixed]),
            ),
            (
                "$ per month, by payments per second",
                columns(&by_rate("service"), &months),
            ),
        ])
    }

    /// Returns the bill of a month with `rate` payments per second.
    fn month(&self, rate: u64) -> anyhow::Result<Lines> {
        let assumptions = &self.model.assumptions;
        let batch = if rate > 1 { assumptions.batch } else { 1.0 };
        let millions = rate as f64 * SECONDS_PER_MONTH / MILLION;
        let mut lines = self.payments(batch, 0.0)?;
        lines.iter_mut().for_each(|(_, usd)| *usd *= millions);
        lines.push(("fixed".to_owned(), total(&self.fixed()?)));
        let mut lines = with_total(lines);
        // X-Ray records each run of the sweeper. In each second, X-Ray records the first API call and a share of the
        // other API calls.
        let calls = self.model.load(rate as f64).api_calls();
        let traced = assumptions.traced + (1.0 - assumptions.traced) / calls;
        let traces = calls * SECONDS_PER_MONTH * traced + MINUTES_PER_MONTH;
        lines.push(self.line("traces, with `Tracing=Active`", "trace", traces)?);
        Ok(lines)
    }

    /// Returns the cost of a million payments by service. Consumers receive and delete `batch` messages per call. X-Ray
    /// records the share `traced` of the API calls.
    fn payments(&self, batch: f64, traced: f64) -> anyhow::Result<Lines> {
        let counted = &self.model.counted;
        let mut lines = Lines::new();
        for step in &counted.steps {
            lines.extend(self.call(step)?);
            lines.extend(self.used(&step.used)?);
        }
        // Each message is received and deleted.
        let requests = 2.0 * counted.payment().sends() as f64 / batch * MILLION;
        lines.push(self.line("queues", "queue_request", requests)?);
        let traces = counted.api_calls() as f64 * traced * MILLION;
        lines.push(self.line("traces", "trace", traces)?);
        let gigabytes = counted.stored_kb as f64 * 1_024.0 * MILLION / GB;
        lines.push(self.line("storage for a month", "stored_gb", gigabytes)?);
        lines.push(self.line("storage for a month", "recovery_gb", gigabytes)?);
        Ok(by_service(lines))
    }

    /// Returns the cost of a month without payments.
    fn fixed(&self) -> anyhow::Result<Lines> {
        let Model {
            counted, template, ..
        } = self.model;
        let count = |kind: &str| template.count(kind) as f64;
        let alarms = count("AWS::CloudWatch::Alarm");
        let secrets = count("AWS::SecretsManager::Secret");
        let (of_ticks, of_payments) = (counted.tick_metrics as f64, counted.payment_metrics as f64);
        let reads = MINUTES_PER_MONTH / SECRET_CACHE_MINUTES;
        let receives = 2.0 * MINUTES_PER_MONTH * EMPTY_RECEIVES_PER_MINUTE;
        Ok(vec![
            self.line(&format!("{alarms} alarms"), "alarm", alarms)?,
            self.line("a dashboard", "dashboard", 1.0)?,
            self.line(
                &format!("{of_ticks} metrics of the sweeper"),
                "metric",
                of_ticks,
            )?,
            self.line(
                &format!("{of_payments} metrics of payments, if each hour has a payment"),
                "metric",
                of_payments,
            )?,
            self.line(&format!("{secrets} secrets"), "secret", secrets)?,
            ("a run of the sweeper each minute".to_owned(), self.ticks()?),
            self.line("reads of a secret by these runs", "secret_read", reads)?,
            self.line(
                "empty receives of the work queue and of the queue of daily runs",
                "standard_queue_request",
                receives,
            )?,
            self.line("a metric of the worker", "metric", WORKER_METRICS)?,
        ])
    }

    /// Returns the cost of a million payments by step and service, with one message per receive and delete.
    fn steps(&self) -> anyhow::Result<String> {
        let services = [
            "API",
            "functions",
            "logs",
            "writes",
            "index writes",
            "reads",
            "sends",
        ];
        let mut rows = Vec::new();
        for step in &self.model.counted.steps {
            let used = &step.used;
            let call = by_service(self.call(step)?);
            let of_call = |service: &str| {
                let line = call.iter().find(|(name, _)| name == service);
                line.map_or(0.0, |(_, usd)| *usd)
            };
            let price = |name: &str, count: f64| self.prices.of(name, count * MILLION);
            let logs = price("log_gb", used.log_bytes as f64 / GB)?;
            let items = [
                of_call("API"),
                of_call("functions"),
                of_call("logs") + logs,
                price("write_unit", used.write_units as f64)?,
                price("write_unit", used.all_index_write_units() as f64)?,
                price("read_unit", used.read_units)?,
                price("queue_request", used.sends() as f64)?,
            ];
            let sum = items.iter().sum();
            let figures = items.into_iter().chain([sum]).map(dollars);
            rows.push([vec![step.name.clone()], figures.collect()].concat());
        }
        let header: Vec<&str> = ["step"]
            .into_iter()
            .chain(services)
            .chain(["sum"])
            .collect();
        Ok(table(&header, &rows))
    }

    fn ticks(&self) -> anyhow::Result<f64> {
        let tick = Step {
            name: String::new(),
            function: "sweeper".to_owned(),
            route: String::new(),
            used: self.model.counted.tick.clone(),
        };
        let lines = [self.invocation(&tick)?, self.used(&tick.used)?].concat();
        Ok(total(&lines) * MINUTES_PER_MONTH / MILLION)
    }

    /// Returns the cost of a million API calls of a step, including the runs of the function.
    fn call(&self, step: &Step) -> anyhow::Result<Lines> {
        if step.route.is_empty() {
            return Ok(Lines::new());
        }
        let logged = self.model.template.access_log_bytes()? * MILLION / GB;
        let mut lines = vec![
            self.line("API", "api_request", MILLION)?,
            self.line("logs", "log_gb", logged)?,
        ];
        lines.extend(self.invocation(step)?);
        Ok(lines)
    }

    fn invocation(&self, step: &Step) -> anyhow::Result<Lines> {
        let memory = self.model.template.memory_gb(&step.function)?;
        let seconds = self.model.assumptions.busy_ms(step) / 1_000.0;
        Ok(vec![
            self.line("functions", "invocation", MILLION)?,
            self.line("functions", "gb_second", seconds * memory * MILLION)?,
            self.line("logs", "log_gb", PLATFORM_LOG_BYTES * MILLION / GB)?,
        ])
    }

    fn used(&self, used: &Used) -> anyhow::Result<Lines> {
        let writes = (used.write_units + used.all_index_write_units()) as f64;
        Ok(vec![
            self.line("table", "write_unit", writes * MILLION)?,
            self.line("table", "read_unit", used.read_units * MILLION)?,
            self.line("queues", "queue_request", used.sends() as f64 * MILLION)?,
            self.line("logs", "log_gb", used.log_bytes as f64 * MILLION / GB)?,
        ])
    }

    fn line(&self, service: &str, price: &str, count: f64) -> anyhow::Result<(String, f64)> {
        Ok((service.to_owned(), self.prices.of(price, count)?))
    }
}

/// Adds up the lines of each service. The services keep the order of their first lines.
fn by_service(lines: Lines) -> Lines {
    let mut sums = Lines::new();
    for (service, usd) in lines {
        match sums.iter_mut().find(|(known, _)| *known == service) {
            Some((_, sum)) => *sum += usd,
            None => sums.push((service, usd)),
        }
    }
    sums
}

fn total(lines: &Lines) -> f64 {
    lines.iter().map(|(_, usd)| usd).sum()
}

fn with_total(mut lines: Lines) -> Lines {
    let sum = total(&lines);
    lines.push(("**total**".to_owned(), sum));
    lines
}

/// Makes a table with one column of dollars for each list. All lists must have the same names.
fn columns(header: &[&str], lists: &[Lines]) -> String {
    let names = lists.first().into_iter().flatten().map(|(name, _)| name);
    let rows: Vec<Vec<String>> = names
        .enumerate()
        .map(|(row, name)| {
            let of = |list: &Lines| list.get(row).map_or(0.0, |(_, usd)| *usd);
            let dollars = lists.iter().map(|list| dollars(of(list)));
            [vec![name.clone()], dollars.collect()].concat()
        })
        .collect();
    table(header, &rows)
}

fn dollars(usd: f64) -> String {
    if usd >= 1_000.0 {
        number(usd.round())
    } else {
        format!("{usd:.2}")
    }
}
