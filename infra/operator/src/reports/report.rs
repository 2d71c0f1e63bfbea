//! Writes the payments, the operations or the totals of some days.

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::day::Day;
use payments::service::report::{OperationRow, PaymentRow, Rows, TotalRow, Totals, read_day};

use crate::input::values;
use crate::output::table::Table;
use crate::session::Session;

/// Writes the payments or the operations of some days, or the totals of both, as CSV; with --json as JSON lines.
///
/// A payment is listed under the day on which the table first stored it. An operation is listed under the day on which
/// it ended at the platform. Days are days of UTC. Amounts are in minor units. The report shows the present data of the
/// table and changes nothing. In CSV, an apostrophe precedes a text that a spreadsheet would read as a formula.
#[derive(Args)]
pub struct ReportArgs {
    /// The rows to write.
    kind: Kind,
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The first day, as YYYY-MM-DD.
    #[arg(long, value_parser = values::day, value_name = "DAY")]
    from: Day,
    /// The last day, which is included in the report.
    #[arg(long, value_parser = values::day, value_name = "DAY")]
    to: Day,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A row for each payment.
    Payments,
    /// A row for each operation.
    Operations,
    /// The count and the total amount of payments and operations, by day, status, code and currency.
    Totals,
}

impl Kind {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Kind::Payments => &PaymentRow::COLUMNS,
            Kind::Operations => &OperationRow::COLUMNS,
            Kind::Totals => &TotalRow::COLUMNS,
        }
    }

    /// Writes the rows of a payment, or adds them to the totals.
    fn write(
        self,
        rows: &Rows<'_>,
        totals: &mut Totals,
        table: &mut Table<'_>,
    ) -> anyhow::Result<()> {
        match self {
            Kind::Payments => rows.payment.iter().try_for_each(|row| table.write(row)),
            Kind::Operations => rows.operations.iter().try_for_each(|row| table.write(row)),
            Kind::Totals => {
                totals.add(rows);
                Ok(())
            }
        }
    }
}

impl ReportArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let Self {
            kind,
            project,
            from,
            to,
        } = self;
        ensure!(
            from <= to,
            "the first day {from} is after the last day {to}"
        );
        ensure!(*to <= Day::of(Timestamp::now()), "{to} is in the future");
        let store = session.stack.store();
        let mut table = session.table(kind.columns())?;
        for day in Day::between(from.start(), to.next().start()) {
            let mut totals = Totals::default();
            let write = |rows: Rows<'_>| kind.write(&rows, &mut totals, &mut table);
            read_day(&store, *project, day, write)
                .await
                .with_context(|| format!("{day} cannot be read"))?;
            for row in totals.rows() {
                table.write(&row)?;
            }
        }
        table.end()
    }
}
