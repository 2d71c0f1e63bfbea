//! The tables of the README and of `infra/capacity.md`.

use std::path::Path;

use payments::ports::SHARDS;

use crate::assumptions::Assumptions;
use crate::bill::Bill;
use crate::counted::Counted;
use crate::figures::{LOOKED_UP, Prices, Quotas, REGION};
use crate::limits::limits;
use crate::load::Load;
use crate::markdown::{number, put, table};
use crate::spread::simulate;
use crate::template::Template;

/// The rates that are looked at, in payments a second.
pub const RATES: [u64; 3] = [1, 100, 10_000];
/// So many payments are simulated for the document.
pub const SIMULATED: u64 = 100_000;
const SECONDS_A_MONTH: f64 = 2_628_000.0;

/// Everything that tables are made of.
#[derive(Debug)]
pub struct Model {
    counted: Counted,
    prices: Prices,
    quotas: Quotas,
    template: Template,
    assumptions: Assumptions,
}

impl Model {
    /// From what is kept, with some assumptions.
    ///
    /// # Errors
    ///
    /// When something cannot be read.
    pub fn read(assumptions: Assumptions) -> anyhow::Result<Self> {
        let mut counted = Counted::read()?;
        counted.let_shopper_wait(assumptions.shopper_waits_ms);
        Ok(Self {
            counted,
            prices: Prices::read()?,
            quotas: Quotas::read()?,
            template: Template::read()?,
            assumptions,
        })
    }

    fn bill(&self) -> Bill<'_> {
        Bill {
            counted: &self.counted,
            prices: &self.prices,
            template: &self.template,
            assumptions: &self.assumptions,
        }
    }

    /// All tables of a document, by the names of their places.
    ///
    /// # Errors
    ///
    /// When a figure is missing.
    pub fn tables(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("payment", self.payment()?),
            ("month", self.month()?),
            ("needs", self.needs()?),
            ("limits", self.limits()?),
            ("money", self.money()?),
            ("spread", self.spread()?),
            ("quotas", self.quotas()),
        ])
    }

    /// What each step of a payment takes, and what a million of them cost.
    fn payment(&self) -> anyhow::Result<String> {
        let bill = self.bill();
        let mut rows = Vec::new();
        for step in &self.counted.steps {
            let used = &step.used;
            let index = used.all_index_write_units();
            let called = u64::from(!step.route.is_empty());
            let mut row = vec![step.name.clone()];
            row.extend([called, used.table_calls()].map(|count| count.to_string()));
            row.push(number(used.read_units));
            row.extend(
                [used.write_units, index, used.sends(), used.log_bytes].map(|n| n.to_string()),
            );
            row.push(format!("{:.2}", bill.step(step)?));
            rows.push(row);
        }
        let all = self.counted.payment();
        // Where calls are rare, X-Ray records each.
        let lines = bill.payments(1.0, 1.0)?;
        let consumers = self.prices.of("queue_request", 2e6 * all.sends() as f64)?;
        let of = |name: &str| {
            let line = lines.iter().find(|(service, _)| *service == name);
            line.map_or(0.0, |(_, usd)| *usd)
        };
        let empty = || vec![String::new(); 7];
        let only = |what: &str, usd: f64| {
            [vec![what.to_owned()], empty(), vec![format!("{usd:.2}")]].concat()
        };
        rows.push(only(
            "consumers: receive and delete of each message, one by one",
            consumers,
        ));
        rows.push(only(
            "X-Ray: each call is recorded, 5 % where there are many in a second",
            of("traces"),
        ));
        rows.push(only(
            "kept in the table, each month",
            of("stored for a month"),
        ));
        let total: f64 = lines.iter().map(|(_, usd)| usd).sum();
        let index = all.all_index_write_units();
        rows.push(vec![
            "**a paid payment**".to_owned(),
            self.counted.api_calls().to_string(),
            all.table_calls().to_string(),
            number(all.read_units),
            all.write_units.to_string(),
            index.to_string(),
            all.sends().to_string(),
            all.log_bytes.to_string(),
            format!("**{total:.2}**"),
        ]);
        Ok(table(
            &[
                "step",
                "API and Lambda",
                "DynamoDB calls",
                "read units",
                "write units",
                "index write units",
                "sends",
                "log bytes",
                "$ a million",
            ],
            &rows,
        ))
    }

    /// What is paid each month for being there.
    fn month(&self) -> anyhow::Result<String> {
        let fixed = self.bill().fixed()?;
        let total: f64 = fixed.iter().map(|(_, usd)| usd).sum();
        let mut rows: Vec<Vec<String>> = fixed
            .into_iter()
            .map(|(what, usd)| vec![what, format!("{usd:.2}")])
            .collect();
        rows.push(vec!["**a month**".to_owned(), format!("**{total:.2}**")]);
        Ok(table(&["each month", "$"], &rows))
    }

    /// What each rate needs.
    fn needs(&self) -> anyhow::Result<String> {
        let loads = RATES.map(|rate| Load::new(&self.counted, &self.assumptions, rate as f64));
        let partition = self.quotas.of("partition_writes")?;
        let queue_partition = self.quotas.of("plain_queue_sends")?;
        let mut rows = Vec::new();
        let mut row = |what: &str, of: &dyn Fn(&Load<'_>) -> f64| {
            let figures = loads.iter().map(|load| number(of(load)));
            rows.push([vec![what.to_owned()], figures.collect()].concat());
        };
        row("API calls a second", &|load| load.api_calls());
        for function in ["checkout", "shopper", "callback"] {
            row(&format!("{function} functions at once"), &|load| {
                load.concurrency().get(function).copied().unwrap_or(0.0)
            });
        }
        row("write units a second, table", &|load| load.table_writes());
        for listed in self.counted.payment().index_write_units.keys() {
            row(
                &format!("write units a second, index `{listed}`"),
                &|load| {
                    load.index_writes()
                        .get(listed.as_str())
                        .copied()
                        .unwrap_or(0.0)
                },
            );
        }
        row(
            &format!("of it on the busiest of {SHARDS} shards, at most"),
            &|load| load.busiest_shard(),
        );
        row("partitions of the table", &|load| {
            load.partitions(partition)
        });
        row("read units a second", &|load| load.reads());
        row("of it on one storefront's key", &|load| load.key_reads());
        row("messages a second, busiest queue", &|load| load.messages());
        row("partitions of that queue", &|load| {
            load.queue_partitions(queue_partition)
        });
        row("GB a day that the table grows by", &|load| load.daily_gb());
        Ok(table(&heading("payments a second"), &rows))
    }

    /// Where limits are hit.
    fn limits(&self) -> anyhow::Result<String> {
        let limits = limits(
            &self.counted,
            &self.assumptions,
            &self.template,
            &self.quotas,
        )?;
        let rows: Vec<Vec<String>> = limits
            .into_iter()
            .map(|limit| {
                vec![
                    limit.what,
                    number(limit.at.round()),
                    limit.then.to_owned(),
                    limit.moves.to_owned(),
                ]
            })
            .collect();
        let header = ["limit", "payments a second", "then", "what moves it"];
        Ok(table(&header, &rows))
    }

    /// What a month at each rate costs.
    fn money(&self) -> anyhow::Result<String> {
        let bill = self.bill();
        let fixed: f64 = bill.fixed()?.iter().map(|(_, usd)| usd).sum();
        let mut columns = Vec::new();
        for rate in RATES {
            let batch = if rate > 1 {
                self.assumptions.batch
            } else {
                1.0
            };
            // X-Ray records the first call of each second, and a part of the others.
            let calls = Load::new(&self.counted, &self.assumptions, rate as f64).api_calls();
            let traced = self.assumptions.traced + (1.0 - self.assumptions.traced) / calls;
            let millions = rate as f64 * SECONDS_A_MONTH / 1e6;
            let mut lines = bill.payments(batch, traced)?;
            lines.iter_mut().for_each(|(_, usd)| *usd *= millions);
            lines.push(("fixed", fixed));
            lines.push(("**together**", lines.iter().map(|(_, usd)| usd).sum()));
            columns.push(lines);
        }
        let names = columns.first().into_iter().flatten().map(|(name, _)| *name);
        let rows: Vec<Vec<String>> = names
            .enumerate()
            .map(|(row, name)| {
                let of = |lines: &crate::bill::Lines| lines.get(row).map_or(0.0, |(_, usd)| *usd);
                let figures = columns.iter().map(|lines| number(of(lines).round()));
                [vec![name.to_owned()], figures.collect()].concat()
            })
            .collect();
        Ok(table(&heading("$ a month, by payments a second"), &rows))
    }

    /// How evenly the real keys spread.
    fn spread(&self) -> anyhow::Result<String> {
        let mut rows = Vec::new();
        for rate in RATES.into_iter().skip(1) {
            let (table, queue) = self.partitions(rate)?;
            let simulation = simulate(SIMULATED, rate, table, queue)?;
            for spread in simulation.spreads {
                let figures = [spread.in_a_second, spread.allowed, spread.in_all];
                let row = vec![spread.what, number(rate as f64), spread.places.to_string()];
                rows.push([row, figures.map(number).to_vec()].concat());
            }
        }
        let header = [
            "payments among",
            "a second",
            "places",
            "fullest in any second",
            "counted with",
            "fullest of all",
        ];
        Ok(crate::markdown::table(&header, &rows))
    }

    /// How many partitions the table and the busiest queue need at a rate.
    ///
    /// # Errors
    ///
    /// When a quota is not known.
    pub fn partitions(&self, rate: u64) -> anyhow::Result<(u64, u64)> {
        let load = Load::new(&self.counted, &self.assumptions, rate as f64);
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

fn heading(first: &str) -> Vec<&str> {
    let rates = RATES.map(|rate| match rate {
        1 => "1",
        100 => "100",
        _ => "10,000",
    });
    [vec![first], rates.to_vec()].concat()
}

/// Holds the tables of the README and of `infra/capacity.md` against the calculation; with
/// `UPDATE_SNAPSHOTS` they are written anew.
///
/// # Errors
///
/// When a table is not as calculated.
pub fn check() -> anyhow::Result<()> {
    let tables = Model::read(Assumptions::default())?.tables()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, names) in [
        ("README.md", ["payment", "month"].as_slice()),
        (
            "infra/capacity.md",
            &["needs", "limits", "money", "spread", "quotas"],
        ),
    ] {
        let path = root.join(file);
        let mut document = std::fs::read_to_string(&path)?;
        for (name, table) in tables.iter().filter(|(name, _)| names.contains(name)) {
            document = put(&document, name, table)?;
        }
        snapshots::check(&path, &document)?;
    }
    Ok(())
}

/// What prices are of.
pub fn price_note() -> String {
    format!("List prices of {REGION}, looked up in {LOOKED_UP}, without any free tier.")
}
