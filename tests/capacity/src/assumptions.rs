//! Defines the assumptions about values that the sandbox cannot measure: durations on AWS and the behaviour of
//! shoppers.

use clap::Args;

use crate::counted::Step;

/// The assumptions. Each assumption is a command line option of the same name.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Assumptions {
    /// Duration of a function's own work per call, in ms
    #[arg(long, default_value_t = Self::default().own_ms)]
    pub own_ms: f64,
    /// Duration of a DynamoDB call, in ms
    #[arg(long, default_value_t = Self::default().table_ms)]
    pub table_ms: f64,
    /// Duration of an SQS call, in ms
    #[arg(long, default_value_t = Self::default().queue_ms)]
    pub queue_ms: f64,
    /// Response time of Gate, in ms; 300 to 1,000 are usual
    #[arg(long, default_value_t = Self::default().gate_ms)]
    pub gate_ms: f64,
    /// Time that a shopper's request waits for the redirect URL, in ms
    #[arg(long, default_value_t = Self::default().shopper_wait_ms)]
    pub shopper_wait_ms: f64,
    /// Status requests per payment
    #[arg(long, default_value_t = Self::default().status_polls)]
    pub status_polls: f64,
    /// Messages that a consumer receives or deletes per call, at more than 1 payment per second
    #[arg(long, default_value_t = Self::default().batch)]
    pub batch: f64,
    /// Share of API calls that X-Ray records in addition to the first call of each second
    #[arg(long, default_value_t = Self::default().traced)]
    pub traced: f64,
}

/// What Lambda itself logs per call: the lines START, END and REPORT, each with 26 bytes that CloudWatch adds.
pub const PLATFORM_LOG_BYTES: f64 = 400.0;

impl Assumptions {
    /// Returns the duration of a step in ms. The durations of all calls are added, although the function makes two
    /// sends in parallel.
    pub fn busy_ms(&self, step: &Step) -> f64 {
        self.working_ms(step) + self.wait_ms(step)
    }

    /// Returns the duration of a step in ms, without the shopper's wait.
    pub fn working_ms(&self, step: &Step) -> f64 {
        let gate = match step.route.as_str() {
            "POST /checkouts" => self.gate_ms,
            _ => 0.0,
        };
        let calls = step.used.table_calls() - step.used.wait_calls;
        let calls = calls as f64 * self.table_ms;
        self.own_ms + calls + step.used.sends() as f64 * self.queue_ms + gate
    }

    /// Returns the duration of the shopper's wait in ms, including the DynamoDB calls during the wait.
    pub fn wait_ms(&self, step: &Step) -> f64 {
        let calls = step.used.wait_calls as f64 * self.table_ms;
        match step.route.as_str() {
            "GET /checkouts/{token}" => self.shopper_wait_ms + calls,
            _ => 0.0,
        }
    }
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            own_ms: 1.3,
            table_ms: 3.0,
            queue_ms: 5.0,
            gate_ms: 500.0,
            shopper_wait_ms: 1_000.0,
            status_polls: 0.2,
            batch: 10.0,
            traced: 0.05,
        }
    }
}
