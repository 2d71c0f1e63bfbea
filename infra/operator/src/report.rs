//! The payments and operations of some days, and their totals, as CSV or JSON lines.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::day::Day;
use payments::service::report::{OperationRow, PaymentRow, Rows, TotalRow, Totals, read_day};

use crate::session::Session;
use crate::table::Table;
use crate::values;

/// Writes the payments or operations of some days, or totals of both, as CSV; with --json as JSON lines.
///
/// A payment stands under the day on which it became known here, an operation under the day on which it
/// ended. Days are those of UTC, amounts are in minor units. All is read from the table
/// as it is now; nothing is changed. In CSV, what a spreadsheet would take as a formula begins with
/// an apostrophe.
#[derive(Args)]
pub struct ReportArgs {
    /// What is written.
    what: What,
    /// The project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The first day, as YYYY-MM-DD.
    #[arg(long, value_parser = values::day, value_name = "DAY")]
    from: Day,
    /// The last day, itself included.
    #[arg(long, value_parser = values::day, value_name = "DAY")]
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

impl ReportArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
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
        let mut table = Table::new(self.what.columns(), session.json, session.out)?;
        for day in Day::between(self.from.start(), self.to.next().start()) {
            let mut totals = Totals::default();
            let take = |rows: Rows<'_>| self.take(&rows, &mut totals, &mut table);
            read_day(&session.account.store(), self.project, day, take)
                .await
                .with_context(|| format!("{day} cannot be read"))?;
            for row in totals.rows() {
                table.write(&row)?;
            }
        }
        table.end()
    }

    fn take(
        &self,
        rows: &Rows<'_>,
        totals: &mut Totals,
        table: &mut Table<'_>,
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
