//! Computes the payments per second at which limits are reached.

use ecommpay::data_api::PAGE;
use payments::ports::SHARDS;
use payments::service::sweep::POLLS_PER_MESSAGE;

use crate::load::{Load, largest_share_in_burst};
use crate::markdown::number;
use crate::tables::Model;

/// The maximum number of due payments of one kind that the sweeper finds per minute (`MAX_FOUND` in
/// `shared/payments/src/service/sweep/sweeper.rs`).
const FOUND_BY_A_RUN: f64 = 100_000.0;
/// The additional pages of the Data API that the comparison of a day reads, as a share of the pages with the operations
/// of the day. There are two reasons for additional pages:
/// - The comparison also reads the ten minutes before the day and the ten minutes after the day.
/// - The comparison reads the platform's list in slices of time. Each slice needs two additional pages: the first shows
///   whether the slice must be split, and the last is not full. Only a slice of more than 200 pages is split, so a
///   slice has at least 100 pages.
const FURTHER_PAGES: f64 = 20.0 / 1_440.0 + 2.0 / 100.0;

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
    let requests = model.template.number("DataApiRequestsPerSecond")?;
    let per_second = model.template.number("PollsPerSecond")?;
    let workers = model.template.number("PollConcurrency")?;
    // A poll loads the payment twice, and commits the claim and the answer. If the answer changes the payment, the poll
    // also sends an event and marks the event as published.
    let poll_ms = assumptions.own_ms
        + assumptions.gate_ms
        + 5.0 * assumptions.table_ms
        + assumptions.queue_ms;
    let polls = workers * POLLS_PER_MESSAGE as f64 * 1_000.0 / poll_ms;
    let found = FOUND_BY_A_RUN / 60.0;
    let late = "Payments whose callbacks are lost are polled late (`poll_lag_s`). Payments with callbacks are not affected.";
    Ok(vec![
        limit(
            format!("`PollsPerSecond` {per_second}, for one project"),
            per_second / assumptions.status_polls,
            late,
            "`PollsPerSecond`, after an agreement with ecommpay",
        ),
        limit(
            format!("`PollConcurrency` {workers}"),
            polls / assumptions.status_polls,
            late,
            "`PollConcurrency`",
        ),
        limit(
            "checkout expiries, if every shopper abandons the checkout",
            found,
            "`checkout.expired` is emitted late. Payments are not affected.",
            "More entries for each run of the sweeper (`MAX_FOUND`, a code change)",
        ),
        limit(
            "erasures of customer data",
            found,
            "Customer data is erased late.",
            "More entries for each run of the sweeper (`MAX_FOUND`, a code change)",
        ),
        limit(
            format!(
                "`DataApiRequestsPerSecond` {requests}: the comparison of a day takes a day (mean rate of the day, one operation per payment)"
            ),
            requests * f64::from(PAGE) / (1.0 + FURTHER_PAGES),
            "The comparison is later each day (`reconciliation_lag_s`).",
            "`DataApiRequestsPerSecond` and `ReconcileConcurrency`, after an agreement with ecommpay",
        ),
    ])
}
