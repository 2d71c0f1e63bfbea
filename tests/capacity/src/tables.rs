//! Makes the tables of `infra/capacity.md`.

use std::path::Path;

use payments::ports::SHARDS;

use crate::assumptions::Assumptions;
use crate::counted::{Counted, Used};
use crate::limits::limits;
use crate::load::Load;
use crate::markdown::{number, table};
use crate::quotas::Quotas;
use crate::spread::simulate;
use crate::template::Template;

/// The rates in the tables, in payments per second.
pub const RATES: [u64; 3] = [1, 100, 10_000];
/// The number of payments in the simulation for the table `spread`.
pub const SIMULATED: u64 = 100_000;

/// The inputs of all tables.
#[derive(Debug)]
pub struct Model {
    pub(crate) counted: Counted,
    pub(crate) quotas: Quotas,
    pub(crate) template: Template,
    pub(crate) assumptions: Assumptions,
    max_waits: f64,
}

impl Model {
    /// Reads all inputs, and adds the assumed wait of shoppers to the counts.
    pub fn read(assumptions: Assumptions) -> anyhow::Result<Self> {
        let mut counted = Counted::read()?;
        counted.add_shopper_wait(assumptions.shopper_wait_ms);
        let template = Template::read()?;
        Ok(Self {
            counted,
            quotas: Quotas::read()?,
            max_waits: template.number("ShopperWaits")?,
            template,
            assumptions,
        })
    }

    pub(crate) fn load(&self, rate: f64) -> Load<'_> {
        Load::new(&self.counted, &self.assumptions, self.max_waits, rate)
    }

    /// Returns the tables by name. The document marks each table with its name.
    pub fn tables(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("counts", self.counts()),
            ("limits", self.limits()?),
            ("needs", self.needs()?),
            ("spread", self.spread()?),
            ("quotas", self.quotas()),
        ])
    }

    /// Returns the calls of a payment, by step.
    fn counts(&self) -> String {
        let row = |name: &str, api_calls: u64, used: &Used| {
            let mut row = vec![name.to_owned()];
            row.extend([api_calls, used.table_calls()].map(|count| count.to_string()));
            row.push(number(used.read_units));
            let index_units = used.all_index_write_units();
            let rest = [used.write_units, index_units, used.sends(), used.log_bytes];
            row.extend(rest.map(|count| count.to_string()));
            row
        };
        let steps = self.counted.steps.iter();
        let mut rows: Vec<Vec<String>> = steps
            .map(|step| row(&step.name, u64::from(!step.route.is_empty()), &step.used))
            .collect();
        let all = self.counted.payment();
        rows.push(row("**a paid payment**", self.counted.api_calls(), &all));
        table(
            &[
                "step",
                "API and Lambda",
                "DynamoDB calls",
                "read units",
                "write units",
                "index write units",
                "sends",
                "log bytes",
            ],
            &rows,
        )
    }

    /// Returns the load and the number of partitions at each rate.
    fn needs(&self) -> anyhow::Result<String> {
        let loads = RATES.map(|rate| self.load(rate as f64));
        let partition = self.quotas.of("partition_writes")?;
        let queue_partition = self.quotas.of("plain_queue_sends")?;
        let mut rows = Vec::new();
        let mut row = |what: &str, of: &dyn Fn(&Load<'_>) -> f64| {
            let figures = loads.iter().map(|load| number(of(load)));
            rows.push([vec![what.to_owned()], figures.collect()].concat());
        };
        row("API calls per second", &|load| load.api_calls());
        for function in ["checkout", "shopper", "callback"] {
            row(
                &format!("concurrent executions, {function} function"),
                &|load| load.concurrency().get(function).copied().unwrap_or(0.0),
            );
        }
        row("write units per second, table", &|load| load.table_writes());
        for entry in self.counted.payment().index_write_units.keys() {
            let what = format!("write units per second, index `{entry}`");
            row(&what, &|load| {
                let units = load.index_writes();
                units.get(entry.as_str()).copied().unwrap_or(0.0)
            });
        }
        let shards =
            format!("maximum write units per second on one of the {SHARDS} shards of an index");
        row(&shards, &|load| load.busiest_shard());
        row("table partitions", &|load| load.partitions(partition));
        row("read units per second", &|load| load.reads());
        row("read units per second of one storefront key", &|load| {
            load.key_reads()
        });
        row("messages per second, busiest queue", &|load| {
            load.messages()
        });
        row("partitions of the busiest queue", &|load| {
            load.queue_partitions(queue_partition)
        });
        row("GB added to the table per day", &|load| load.daily_gb());
        Ok(table(&by_rate("payments per second"), &rows))
    }

    fn limits(&self) -> anyhow::Result<String> {
        let rows: Vec<Vec<String>> = limits(self)?
            .into_iter()
            .map(|limit| {
                vec![
                    limit.what,
                    number(limit.at.round()),
                    limit.effect.to_owned(),
                    limit.remedy.to_owned(),
                ]
            })
            .collect();
        let header = ["limit", "payments per second", "effect", "remedy"];
        Ok(table(&header, &rows))
    }

    /// Returns how evenly simulated payments are distributed.
    fn spread(&self) -> anyhow::Result<String> {
        let mut rows = Vec::new();
        for rate in RATES.into_iter().skip(1) {
            let (table, queue) = self.partitions(rate)?;
            for spread in simulate(SIMULATED, rate, table, queue)?.spreads {
                let figures = [spread.in_a_second, spread.assumed, spread.overall];
                let row = vec![spread.what, number(rate as f64), spread.buckets.to_string()];
                rows.push([row, figures.map(number).to_vec()].concat());
            }
        }
        let header = [
            "buckets",
            "payments per second",
            "number of buckets",
            "fullest in any second",
            "assumed maximum",
            "fullest overall",
        ];
        Ok(table(&header, &rows))
    }

    /// Returns the partitions that the table and the busiest queue need at a rate.
    pub fn partitions(&self, rate: u64) -> anyhow::Result<(u64, u64)> {
        let load = self.load(rate as f64);
        let table = load.partitions(self.quotas.of("partition_writes")?);
        let queue = load.queue_partitions(self.quotas.of("plain_queue_sends")?);
        Ok((table as u64, queue as u64))
    }

    fn quotas(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .quotas
            .all()
            .iter()
            .map(|quota| {
                vec![
                    quota.what.clone(),
                    number(quota.value),
                    quota.confirmed.clone(),
                    format!("<https://{}>", quota.source),
                ]
            })
            .collect();
        table(&["quota", "value", "confirmed", "source"], &rows)
    }
}

/// Returns a table header with one column for each rate.
pub(crate) fn by_rate(first: &str) -> Vec<&str> {
    vec![first, "1", "100", "10,000"]
}

/// Compares the tables of `infra/capacity.md` with the calculation, or writes them if `UPDATE_SNAPSHOTS` is set.
pub fn check() -> anyhow::Result<()> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/capacity.md");
    for (name, table) in Model::read(Assumptions::default())?.tables()? {
        snapshots::check_block(&document, name, &table)?;
    }
    Ok(())
}
