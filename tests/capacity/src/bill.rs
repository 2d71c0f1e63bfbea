//! What things cost by the list.

use crate::assumptions::{Assumptions, PLATFORM_LOG_BYTES};
use crate::counted::{Counted, Step, Used};
use crate::figures::Prices;
use crate::template::Template;

const MILLION: f64 = 1e6;
const GB: f64 = 1e9;
const MINUTES_A_MONTH: f64 = 43_800.0;
/// A secret is read again after this time.
const SECRET_KEPT_MINUTES: f64 = 5.0;

/// Everything that a bill is made of.
#[derive(Debug)]
pub struct Bill<'a> {
    /// What was counted.
    pub counted: &'a Counted,
    /// The prices.
    pub prices: &'a Prices,
    /// The template.
    pub template: &'a Template,
    /// The assumptions.
    pub assumptions: &'a Assumptions,
}

/// What a million payments cost, by what it is paid for.
pub type Lines = Vec<(&'static str, f64)>;

impl Bill<'_> {
    /// What a step of a million payments costs, its share of traces and consumers apart.
    ///
    /// # Errors
    ///
    /// When a price is missing.
    pub fn step(&self, step: &Step) -> anyhow::Result<f64> {
        let lines = [self.call(step)?, self.used(&step.used)?].concat();
        Ok(lines.iter().map(|(_, usd)| usd).sum())
    }

    /// A million payments, service by service; consumers take `batch` messages at once.
    ///
    /// # Errors
    ///
    /// When a price is missing.
    pub fn payments(&self, batch: f64, traced: f64) -> anyhow::Result<Lines> {
        let mut lines = Lines::new();
        for step in &self.counted.steps {
            lines.extend(self.call(step)?);
            lines.extend(self.used(&step.used)?);
        }
        let messages = self.counted.payment().sends() as f64;
        let consumed = self
            .prices
            .of("queue_request", 2.0 * messages / batch * MILLION)?;
        lines.push(("queues", consumed));
        let traces = self.counted.api_calls() as f64 * traced * MILLION;
        lines.push(("traces", self.prices.of("trace", traces)?));
        lines.push(("stored for a month", self.stored()?));
        Ok(by_service(lines))
    }

    /// What is paid each month without a single payment.
    ///
    /// # Errors
    ///
    /// When a price is missing.
    pub fn fixed(&self) -> anyhow::Result<Vec<(String, f64)>> {
        let Self {
            counted,
            prices,
            template,
            ..
        } = self;
        let count = |kind: &str| template.count(kind) as f64;
        let alarms = count("AWS::CloudWatch::Alarm");
        let secrets = count("AWS::SecretsManager::Secret");
        let (of_ticks, of_payments) = (counted.tick_metrics as f64, counted.payment_metrics as f64);
        let reads = MINUTES_A_MONTH / SECRET_KEPT_MINUTES;
        Ok(vec![
            (format!("{alarms} alarms"), prices.of("alarm", alarms)?),
            ("a dashboard".to_owned(), prices.of("dashboard", 1.0)?),
            (
                format!("{of_ticks} metrics of the sweeper's ticks"),
                prices.of("metric", of_ticks)?,
            ),
            (
                format!("{of_payments} metrics of payments, for the hours that have one: at most"),
                prices.of("metric", of_payments)?,
            ),
            (format!("{secrets} secrets"), prices.of("secret", secrets)?),
            (
                "a tick of the sweeper each minute".to_owned(),
                self.ticks()?,
            ),
            (
                "their traces".to_owned(),
                prices.of("trace", MINUTES_A_MONTH)?,
            ),
            (
                "their reads of a secret".to_owned(),
                prices.of("secret_read", reads)?,
            ),
        ])
    }

    fn ticks(&self) -> anyhow::Result<f64> {
        let tick = Step {
            name: String::new(),
            function: "sweeper".to_owned(),
            route: String::new(),
            used: self.counted.tick.clone(),
        };
        let lines = [self.invocation(&tick)?, self.used(&tick.used)?].concat();
        let usd: f64 = lines.iter().map(|(_, usd)| usd).sum();
        Ok(usd * MINUTES_A_MONTH / MILLION)
    }

    /// A million calls of the API, and what they invoke.
    fn call(&self, step: &Step) -> anyhow::Result<Lines> {
        if step.route.is_empty() {
            return Ok(Lines::new());
        }
        let logged = self.template.access_log_bytes()? * MILLION / GB;
        let mut lines = vec![
            ("API", self.prices.of("api_request", MILLION)?),
            ("logs", self.prices.of("log_gb", logged)?),
        ];
        lines.extend(self.invocation(step)?);
        Ok(lines)
    }

    fn invocation(&self, step: &Step) -> anyhow::Result<Lines> {
        let memory = self.template.memory_gb()?;
        let gb_seconds = self.assumptions.busy_ms(step) / 1_000.0 * memory * MILLION;
        let logged = PLATFORM_LOG_BYTES * MILLION / GB;
        Ok(vec![
            ("functions", self.prices.of("invocation", MILLION)?),
            ("functions", self.prices.of("gb_second", gb_seconds)?),
            ("logs", self.prices.of("log_gb", logged)?),
        ])
    }

    /// What a million times the same calls cost.
    fn used(&self, used: &Used) -> anyhow::Result<Lines> {
        let writes = (used.write_units + used.all_index_write_units()) as f64;
        let logged = used.log_bytes as f64 * MILLION / GB;
        Ok(vec![
            ("table", self.prices.of("write_unit", writes * MILLION)?),
            (
                "table",
                self.prices.of("read_unit", used.read_units * MILLION)?,
            ),
            (
                "queues",
                self.prices
                    .of("queue_request", used.sends() as f64 * MILLION)?,
            ),
            ("logs", self.prices.of("log_gb", logged)?),
        ])
    }

    fn stored(&self) -> anyhow::Result<f64> {
        let gigabytes = self.counted.stored_kb as f64 * 1_024.0 * MILLION / GB;
        Ok(self.prices.of("stored_gb", gigabytes)? + self.prices.of("recovery_gb", gigabytes)?)
    }
}

/// One line for each service, in the order of their first.
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
