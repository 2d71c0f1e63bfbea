//! Computes the rates of payments at which limits are reached.

use payments::ports::SHARDS;

use crate::load::{Load, largest_share_in_burst};
use crate::markdown::number;
use crate::tables::Model;

/// The sweeper stops this many seconds before its time-out.
const SWEEPER_MARGIN_S: f64 = 5.0;
/// The number of seconds at the end of its working time in which the sweeper starts no status request. The work for a
/// status request can take as long.
const POLL_MARGIN_S: f64 = 18.0;
/// The maximum number of concurrent status requests of the sweeper.
const CONCURRENT_POLLS: f64 = 4.0;
/// The maximum number of concurrent expiries of the sweeper, and the maximum number of concurrent erasures.
const CONCURRENT_RETENTION: f64 = 24.0;
/// The maximum number of operations of one day. The reconciliation does not compare a day with more operations.
const OPERATIONS_PER_DAY: f64 = 4e6;

/// One row of the table `limits`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The limited quantity.
    pub what: String,
    /// The payments per second at which the limit is reached.
    pub at: f64,
    /// What happens above the limit.
    pub effect: &'static str,
    /// How to raise the limit.
    pub remedy: &'static str,
}

/// Returns all limits, the lowest first.
///
/// # Errors
///
/// If a setting or a quota is missing.
pub fn limits(model: &Model) -> anyhow::Result<Vec<Limit>> {
    let one = model.load(1.0);
    let mut limits = of_settings(&one, model)?;
    limits.extend(of_account(&one, model)?);
    limits.extend(of_table(&one, model)?);
    limits.extend(of_schedules(model)?);
    limits.sort_by(|left, right| left.at.total_cmp(&right.at));
    Ok(limits)
}

fn limit(what: impl Into<String>, at: f64, effect: &'static str, remedy: &'static str) -> Limit {
    Limit {
        what: what.into(),
        at,
        effect,
        remedy,
    }
}

fn of_settings(one: &Load<'_>, model: &Model) -> anyhow::Result<Vec<Limit>> {
    let shoppers = model.template.number("ShopperConcurrency")?;
    let route = model.template.number("RouteRate")?;
    let callbacks = model.template.number("CallbackRate")?;
    let waits = model.template.number("ShopperWaits")?;
    Ok(vec![
        limit(
            format!(
                "`ShopperConcurrency` {shoppers}, of which at most {waits} wait (`ShopperWaits`)"
            ),
            one.rate_with_executions(Some("shopper"), shoppers),
            "Shoppers see an error page of API Gateway.",
            "`ShopperConcurrency`",
        ),
        limit(
            format!("`RouteRate` {route}"),
            route / one.calls_of_busiest_route(),
            "API Gateway answers 429.",
            "`RouteRate`",
        ),
        limit(
            format!("`CallbackRate` {callbacks}"),
            callbacks / one.callbacks(),
            "API Gateway answers 429. The platform repeats the callback.",
            "`CallbackRate`",
        ),
    ])
}

fn of_account(one: &Load<'_>, model: &Model) -> anyhow::Result<Vec<Limit>> {
    let running = model.quotas.of("concurrency")?;
    Ok(vec![
        limit(
            format!("{} concurrent executions in the account", number(running)),
            one.rate_with_executions(None, running),
            "API Gateway answers 429 and 503.",
            "Lambda quota *Concurrent executions*, then `CheckoutConcurrency` and `CallbackConcurrency`",
        ),
        limit(
            "API Gateway requests",
            model.quotas.of("api_requests")? / one.api_calls(),
            "API Gateway answers 429.",
            "API Gateway quota *Throttle rate*",
        ),
        limit(
            "sends to one FIFO queue",
            model.quotas.of("queue_sends")? / one.messages(),
            "Callbacks get 500, and storefronts get 503. The sweeper publishes the events later.",
            "Batch sends (a code change)",
        ),
    ])
}

fn of_table(one: &Load<'_>, model: &Model) -> anyhow::Result<Vec<Limit>> {
    let partition = model.quotas.of("partition_writes")?;
    let of_indexes: f64 = one.index_writes().values().sum();
    let mut limits = vec![
        limit(
            "writes to a new table",
            model.quotas.of("new_table_writes")? / one.table_writes(),
            "Callbacks get 500 and storefronts get 503 for some minutes, until the table has scaled up.",
            "Raise the table's warm throughput beforehand, or at most double the rate every 30 minutes.",
        ),
        limit(
            "writes to the table and its indexes",
            model.quotas.of("table_writes")? / (one.table_writes() + of_indexes),
            "Callbacks get 500, and storefronts get 503.",
            "DynamoDB quota *Table-level write throughput limit*",
        ),
        limit(
            "reads of one storefront key",
            model.quotas.of("partition_reads")? / one.key_reads(),
            "The storefront with this key gets 503.",
            "Several keys for the storefront (`operator storefront add`), one for each group of its servers",
        ),
    ];
    let shards = f64::from(SHARDS);
    for (entry, units) in one.index_writes() {
        let even = shards * partition / units;
        limits.push(limit(
            format!("index `{entry}`, {SHARDS} shards"),
            even / largest_share_in_burst(even, shards),
            "DynamoDB throttles writes to the table: callbacks get 500, and storefronts get 503.",
            "More shards (`SHARDS`, a code change)",
        ));
    }
    Ok(limits)
}

fn of_schedules(model: &Model) -> anyhow::Result<Vec<Limit>> {
    let assumptions = &model.assumptions;
    let working_s = model.template.timeout_s("SweeperFunction")? - SWEEPER_MARGIN_S;
    let per_second = 1.0 / model.template.number("StatusPollMinInterval")?;
    let per_second = per_second.min(CONCURRENT_POLLS / (assumptions.gate_ms / 1_000.0));
    let polls = per_second * (working_s - POLL_MARGIN_S) / 60.0;
    // An erasure and an expiry read and write the payment. An expiry also sends an event and marks the event as
    // published.
    let erasure_ms = assumptions.own_ms + 2.0 * assumptions.table_ms;
    let expiry_ms = erasure_ms + assumptions.queue_ms + assumptions.table_ms;
    let retention = |ms: f64| CONCURRENT_RETENTION * 1_000.0 / ms * working_s / 60.0;
    Ok(vec![
        limit(
            "status requests of the sweeper",
            polls / assumptions.status_polls,
            "Payments whose callbacks are lost are polled late (`poll_lag_s`). Payments with callbacks are not affected.",
            "A longer first delay in `StatusPollDelays`, or more concurrent status requests (a code change).",
        ),
        limit(
            "checkout expiries, if every shopper abandons the checkout",
            retention(expiry_ms),
            "`checkout.expired` is emitted late. Payments are not affected.",
            "More concurrency in the sweeper (a code change)",
        ),
        limit(
            "erasures of customer data",
            retention(erasure_ms),
            "Customer data is erased late.",
            "More concurrency in the sweeper (a code change)",
        ),
        limit(
            "reconciliation of a day: 4 million operations (mean rate of the day, one operation per payment)",
            OPERATIONS_PER_DAY / 86_400.0,
            "The day is not compared (`reconciliation_failed`).",
            "A higher limit in the reconciliation (a code change) and more `MemorySize`",
        ),
    ])
}
