//! The payments and operations of some days, and their totals, as CSV or JSON lines.

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::day::Day;
use payments::report::{OperationRow, PaymentRow, Rows, TotalRow, Totals, read_day};
use serde::Serialize;
use serde_json::Value;

use crate::account::Account;
use crate::payment::project;

/// Writes the payments or operations of some days, or totals of both, as CSV; with --json as JSON lines.
///
/// A payment stands under the day on which it was first heard of, an operation under the day on
/// which it ended. Days are those of UTC, amounts are in minor units. All is read from the table
/// as it is now; nothing is changed. In CSV, what a spreadsheet would take as a formula begins with
/// an apostrophe.
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
            read_day(&account.store(), self.project, day, take)
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
    Csv {
        columns: &'static [&'static str],
        writer: Box<csv::Writer<&'a mut W>>,
    },
    Json(&'a mut W),
}

impl<'a, W: Write> Table<'a, W> {
    /// With its header, which is there also if there is no row.
    fn csv(columns: &'static [&'static str], out: &'a mut W) -> anyhow::Result<Self> {
        let mut writer = Box::new(csv::Writer::from_writer(out));
        writer.write_record(columns)?;
        Ok(Table::Csv { columns, writer })
    }

    fn write(&mut self, row: &impl Serialize) -> anyhow::Result<()> {
        match self {
            Table::Csv { columns, writer } => {
                let row = serde_json::to_value(row)?;
                writer.write_record(columns.iter().map(|column| cell(row.get(column))))?;
            }
            Table::Json(out) => {
                let line = serde_json::to_string(row)?;
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Table::Csv { mut writer, .. } => writer.flush()?,
            Table::Json(out) => out.flush()?,
        }
        Ok(())
    }
}

/// A value as a spreadsheet takes it. Ids of payments that were made elsewhere can have any form, and what
/// looks like a formula is [not to be one](https://owasp.org/www-community/attacks/CSV_Injection).
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(row: &Value) -> String {
        let mut out = Vec::new();
        let mut table = Table::csv(&["day", "payment_id", "code", "amount"], &mut out).unwrap();
        table.write(row).unwrap();
        table.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_stands_under_its_header() {
        let row = json!({ "amount": 7, "code": null, "day": "2026-01-01", "payment_id": "a,b" });
        let expected = "day,payment_id,code,amount\n2026-01-01,\"a,b\",,7\n";
        assert_eq!(written(&row), expected);
    }

    #[test]
    fn an_id_is_no_formula() {
        let row = |id: &str| json!({ "day": "d", "payment_id": id, "code": "0", "amount": 7 });
        assert!(written(&row("=1+2")).ends_with("d,'=1+2,0,7\n"));
        assert!(written(&row("order=1")).ends_with("d,order=1,0,7\n"));
    }
}
