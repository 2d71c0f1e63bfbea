//! What cannot be counted in a sandbox: how long calls take on AWS, and how shoppers behave.

use clap::Args;

use crate::counted::Step;

/// The assumptions. Each is an option of the program, so that others can be tried.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Assumptions {
    /// ms that a function works itself in a call
    #[arg(long, default_value_t = Self::default().own_ms)]
    pub own_ms: f64,
    /// ms that a call of DynamoDB takes
    #[arg(long, default_value_t = Self::default().table_ms)]
    pub table_ms: f64,
    /// ms that a call of SQS takes
    #[arg(long, default_value_t = Self::default().queue_ms)]
    pub queue_ms: f64,
    /// ms that Gate takes to answer; 300 to 1,000 are usual
    #[arg(long, default_value_t = Self::default().gate_ms)]
    pub gate_ms: f64,
    /// ms that a shopper's request waits for the bank's address
    #[arg(long, default_value_t = Self::default().shopper_waits_ms)]
    pub shopper_waits_ms: f64,
    /// Questions to the platform by payment: shoppers who take longer than the first pause
    #[arg(long, default_value_t = Self::default().questions)]
    pub questions: f64,
    /// Messages that a consumer receives and deletes in one call each, at a high rate; else it is one
    #[arg(long, default_value_t = Self::default().batch)]
    pub batch: f64,
    /// Share of calls that X-Ray records behind the first of each second
    #[arg(long, default_value_t = Self::default().traced)]
    pub traced: f64,
}

/// Bytes that Lambda logs of each call: START, END and REPORT, with CloudWatch's 26 for each line.
pub const PLATFORM_LOG_BYTES: f64 = 400.0;

impl Assumptions {
    /// How long a function is busy with a step, one call after another.
    pub fn busy_ms(&self, step: &Step) -> f64 {
        let waits = match step.route.as_str() {
            "POST /checkouts" => self.gate_ms,
            "GET /checkouts/{token}" => self.shopper_waits_ms,
            _ => 0.0,
        };
        let calls = step.used.table_calls() as f64 * self.table_ms;
        self.own_ms + calls + step.used.sends() as f64 * self.queue_ms + waits
    }
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            own_ms: 1.3,
            table_ms: 3.0,
            queue_ms: 5.0,
            gate_ms: 500.0,
            shopper_waits_ms: 1_000.0,
            questions: 0.2,
            batch: 10.0,
            traced: 0.05,
        }
    }
}
