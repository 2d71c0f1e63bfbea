//! The payments and operations of some days, and their totals, as CSV or JSON lines.

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::day::Day;
use payments::report::{OperationRow, PaymentRow, Rows, TotalRow, Totals, read_day};
use serde::Serialize;

use crate::account::Account;

/// Writes the payments or operations of some days, or totals of both, as CSV; with --json as JSON lines.
///
/// A payment stands under the day on which it was first heard of, an operation under the day on
/// which it ended. Days are those of UTC, amounts are in minor units. All is read from the table
/// as it is now; nothing is changed.
#[derive(Args)]
pub struct ReportArgs {
    /// What is written.
    what: What,
    /// The project at the platform.
    #[arg(long, value_parser = project)]
    project: ProjectId,
    /// The first day, as YYYY-MM-DD.
    #[arg(long, value_parser = day, value_name = "DAY")]
    from: Day,
    /// The last day, itself included.
    #[arg(long, value_parser = day, value_name = "DAY")]
    to: Day,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A row for each payment.
    Payments,
    /// A row for each operation.
    Operations,
    /// How many of each day ended in which way and with which code, and their sum.
    Totals,
}

impl What {
    fn columns(self) -> &'static [&'static str] {
        match self {
            What::Payments => &PaymentRow::COLUMNS,
            What::Operations => &OperationRow::COLUMNS,
            What::Totals => &TotalRow::COLUMNS,
        }
    }
}

fn project(text: &str) -> Result<ProjectId, String> {
    let id = text.parse().map_err(|_| "not a number")?;
    ProjectId::new(id).map_err(|error| error.to_string())
}

fn day(text: &str) -> Result<Day, &'static str> {
    Day::parse(text).ok_or("not a day like 2026-11-21")
}

impl ReportArgs {
    pub async fn write(
        &self,
        account: &Account,
        json: bool,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        if self.from > self.to {
            bail!(
                "the first day, {}, is after the last, {}",
                self.from,
                self.to
            );
        }
        if self.to > Day::of(Timestamp::now()) {
            bail!("{} is still to come", self.to);
        }
        let mut table = match json {
            true => Table::Json(out),
            false => Table::csv(self.what.columns(), out)?,
        };
        for day in Day::between(self.from.start(), self.to.next().start()) {
            let mut totals = Totals::default();
            let take = |rows: Rows<'_>| self.take(&rows, &mut totals, &mut table);
            read_day(&account.store, self.project, day, take)
                .await
                .with_context(|| format!("{day} cannot be read"))?;
            for row in totals.rows() {
                table.write(&row)?;
            }
        }
        table.end()
    }

    fn take<W: Write>(
        &self,
        rows: &Rows<'_>,
        totals: &mut Totals,
        table: &mut Table<'_, W>,
    ) -> anyhow::Result<()> {
        match self.what {
            What::Payments => rows.payment.iter().try_for_each(|row| table.write(row)),
            What::Operations => rows.operations.iter().try_for_each(|row| table.write(row)),
            What::Totals => {
                totals.add(rows);
                Ok(())
            }
        }
    }
}

/// Rows of one kind.
enum Table<'a, W: Write> {
    Csv(Box<csv::Writer<&'a mut W>>),
    Json(&'a mut W),
}

impl<'a, W: Write> Table<'a, W> {
    /// With its header, which is there also if there is no row.
    fn csv(columns: &[&str], out: &'a mut W) -> anyhow::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(out);
        writer.write_record(columns)?;
        Ok(Table::Csv(Box::new(writer)))
    }

    fn write(&mut self, row: &impl Serialize) -> anyhow::Result<()> {
        match self {
            Table::Csv(csv) => csv.serialize(row)?,
            Table::Json(out) => {
                let line = serde_json::to_string(row)?;
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Table::Csv(mut csv) => csv.flush()?,
            Table::Json(out) => out.flush()?,
        }
        Ok(())
    }
}
