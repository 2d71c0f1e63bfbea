//! Where the first limit is hit.

use payments::ports::SHARDS;

use crate::assumptions::Assumptions;
use crate::counted::Counted;
use crate::figures::Quotas;
use crate::load::{Load, largest_share_for_long};
use crate::markdown::number;
use crate::template::Template;

/// How long before its time-out the sweeper ends by itself. It sends no status request in the last
/// part of its time (`functions/sweeper/src/handler.rs`, `shared/payments/src/ask.rs`).
const TO_END_S: f64 = 5.0;
const TURN_TAKES_S: f64 = 18.0;
/// Status requests that are open at once (`shared/payments/src/ask.rs`).
const POLLS_AT_ONCE: f64 = 4.0;
/// Checkouts that are ended at once, and customers that are forgotten at once
/// (`shared/payments/src/chores.rs`).
const CHORES_AT_ONCE: f64 = 16.0;
/// Operations of a day that fit into the reconciliation (`shared/payments/src/reconcile/ours.rs`).
const OPERATIONS_A_DAY: f64 = 4e6;

/// A limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub what: String,
    /// Payments a second at which it is reached.
    pub at: f64,
    /// What happens then.
    pub then: &'static str,
    /// What moves it.
    pub moves: &'static str,
}

/// All limits, the first one first.
///
/// # Errors
///
/// When a setting or a quota is not known.
pub fn limits(
    counted: &Counted,
    assumptions: &Assumptions,
    template: &Template,
    quotas: &Quotas,
) -> anyhow::Result<Vec<Limit>> {
    let one = Load::new(counted, assumptions, 1.0);
    let mut limits = of_settings(&one, template)?;
    limits.extend(of_account(&one, quotas)?);
    limits.extend(of_table(&one, quotas)?);
    limits.extend(of_schedules(assumptions, template)?);
    limits.sort_by(|left, right| left.at.total_cmp(&right.at));
    Ok(limits)
}

fn limit(what: impl Into<String>, at: f64, then: &'static str, moves: &'static str) -> Limit {
    Limit {
        what: what.into(),
        at,
        then,
        moves,
    }
}

fn of_settings(one: &Load<'_>, template: &Template) -> anyhow::Result<Vec<Limit>> {
    let shoppers = template.number("ShopperConcurrency")?;
    let route = template.number("RouteRate")?;
    let callbacks = template.number("CallbackRate")?;
    let shopper_s = one.concurrency().get("shopper").copied().unwrap_or(0.0);
    Ok(vec![
        limit(
            format!("`ShopperConcurrency` {shoppers}"),
            shoppers / shopper_s,
            "shoppers see an error page of the gateway",
            "`ShopperConcurrency`",
        ),
        limit(
            format!("`RouteRate` {route}"),
            route / one.calls_of_busiest_route(),
            "429",
            "`RouteRate`",
        ),
        limit(
            format!("`CallbackRate` {callbacks}"),
            callbacks / one.callbacks(),
            "429; the platform repeats",
            "`CallbackRate`",
        ),
    ])
}

fn of_account(one: &Load<'_>, quotas: &Quotas) -> anyhow::Result<Vec<Limit>> {
    let busy: f64 = one.concurrency().values().sum();
    let running = quotas.of("concurrency")?;
    let sends = quotas.of("queue_sends")?;
    Ok(vec![
        limit(
            format!("{} functions at once in the account", number(running)),
            running / busy,
            "429 and 503",
            "quota Lambda *Concurrent executions*; then `CheckoutConcurrency` and `CallbackConcurrency`",
        ),
        limit(
            "API Gateway's requests",
            quotas.of("api_requests")? / one.api_calls(),
            "429",
            "quota API Gateway *Throttle rate*",
        ),
        limit(
            "sends to one FIFO queue",
            sends / one.messages(),
            "callbacks are answered 500, storefronts 503; the sweeper sends later",
            "another region, or a batch for each queue, which is a change of `publish.rs`",
        ),
    ])
}

fn of_table(one: &Load<'_>, quotas: &Quotas) -> anyhow::Result<Vec<Limit>> {
    let partition = quotas.of("partition_writes")?;
    let of_indexes: f64 = one.index_writes().values().sum();
    let mut limits = vec![
        limit(
            "writes of a new table",
            quotas.of("new_table_writes")? / one.table_writes(),
            "callbacks get 500, storefronts 503 for some minutes, while the table grows to twice its former peak",
            "nothing to set: grow by at most twice in 30 minutes, or have the table's warm throughput raised before",
        ),
        limit(
            "writes of the table and its indexes",
            quotas.of("table_writes")? / (one.table_writes() + of_indexes),
            "callbacks get 500, storefronts 503",
            "quota DynamoDB *Table-level write throughput limit*",
        ),
        limit(
            "reads of one storefront's key",
            quotas.of("partition_reads")? / one.key_reads(),
            "that storefront gets 503",
            "more keys for the storefront (`operator storefront add`), each used by a part of its servers",
        ),
    ];
    let shards = f64::from(SHARDS);
    for (listed, units) in one.index_writes() {
        let even = shards * partition / units;
        limits.push(limit(
            format!("index `{listed}`, {SHARDS} shards"),
            even / largest_share_for_long(even, shards),
            "writes of the table are throttled: callbacks get 500, storefronts 503",
            "`SHARDS` in `shared/payments/src/ports.rs`, a change of code",
        ));
    }
    Ok(limits)
}

fn of_schedules(assumptions: &Assumptions, template: &Template) -> anyhow::Result<Vec<Limit>> {
    let working_s = template.timeout_s("SweeperFunction")? - TO_END_S;
    let pace = 1.0 / template.number("StatusPollMinInterval")?;
    let asking = pace.min(POLLS_AT_ONCE / (assumptions.gate_ms / 1_000.0));
    let polls = asking * (working_s - TURN_TAKES_S) / 60.0;
    // Both read and write the payment. An expiry is an event too, which is sent and marked.
    let erasure_ms = assumptions.own_ms + 2.0 * assumptions.table_ms;
    let expiry_ms = erasure_ms + assumptions.queue_ms + assumptions.table_ms;
    let chores = |ms: f64| CHORES_AT_ONCE * 1_000.0 / ms * working_s / 60.0;
    Ok(vec![
        limit(
            "status requests of the sweeper",
            polls / assumptions.questions,
            "payments without callbacks are polled late (`poll_lag_s`); those with callbacks are not touched",
            "`StatusPollDelays` with a longer first pause; `StatusPollMinInterval` only up to 4 open status requests at once",
        ),
        limit(
            "ends of checkouts, if every shopper abandons theirs",
            chores(expiry_ms),
            "`checkout.expired` comes late; payments are not touched",
            "`AT_ONCE` in `shared/payments/src/chores.rs`, a change of code",
        ),
        limit(
            "forgetting customers",
            chores(erasure_ms),
            "customers are forgotten late",
            "`AT_ONCE` in `shared/payments/src/chores.rs`, a change of code",
        ),
        limit(
            "operations of a day in the reconciliation, on average over that day",
            OPERATIONS_A_DAY / 86_400.0,
            "a day is not compared (`reconciliation_failed`)",
            "`MOST` in `shared/payments/src/reconcile/ours.rs` and `MemorySize`, a change of code",
        ),
    ])
}
