//! Compares the platform's records of an interval with ours.

use anyhow::{Context, bail, ensure};
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::input::values;
use crate::session::Session;
use crate::stack::Stack;
use crate::stack::invoke::invoke;

const COLUMNS: [&str; 9] = [
    "project_id",
    "from",
    "until",
    "compared",
    "missing_locally",
    "missing_at_platform",
    "status_differs",
    "amount_differs",
    "unreadable",
];

/// Compares the platform's records of an interval with ours, in as many runs of the function as needed.
///
/// Writes the numbers of compared operations and of new differences, as CSV; with --json as a line of JSON. For each
/// new difference, the function emits an event and makes a status poll of the payment due. An operation younger than an
/// hour may still be in progress and would count as a difference.
#[derive(Args)]
pub struct ReconcileArgs {
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The start of the interval, such as 2026-01-01T00:00:00Z.
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    from: Timestamp,
    /// The end of the interval, which is not included.
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    to: Timestamp,
}

/// The function's answer.
#[derive(Deserialize)]
struct Summary {
    projects: Vec<Run>,
    /// The projects that were not compared, because no token of the Data API is stored.
    without_token: Vec<ProjectId>,
    failure: Option<String>,
}

/// The result of one run of the function for one project.
#[derive(Debug, Clone, Deserialize)]
struct Run {
    compared: u64,
    missing_locally: u64,
    missing_at_platform: u64,
    status: u64,
    amount: u64,
    unreadable: u64,
    /// The number of parts of the interval that the run could not compare.
    failed: u64,
    /// The run compared everything before this time.
    until: Timestamp,
    failure: Option<String>,
}

/// The totals of all runs.
#[derive(Debug, Serialize)]
struct Totals {
    project_id: ProjectId,
    from: Timestamp,
    until: Timestamp,
    compared: u64,
    missing_locally: u64,
    missing_at_platform: u64,
    status_differs: u64,
    amount_differs: u64,
    unreadable: u64,
}

impl ReconcileArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let Self { project, from, to } = self;
        ensure!(from < to, "{from} is not before {to}");
        ensure!(*to <= Timestamp::now(), "{to} is in the future");
        session.confirm.ask(&format!(
            "Compare project {project} from {from} to {to}, and emit an event for each new difference?"
        ))?;
        let stack = session.stack;
        let mut totals = Totals::new(*project, *from);
        let result = totals
            .run_until(*to, async |from| self.run_once(stack, from).await)
            .await;
        // After a failure, the totals show what was compared before the failure.
        let mut table = session.table(&COLUMNS)?;
        table.write(&totals)?;
        table.end()?;
        result.with_context(|| format!("compared only the time before {}", totals.until))
    }

    async fn run_once(&self, stack: &Stack, from: Timestamp) -> anyhow::Result<Run> {
        let event = json!({ "project_id": self.project, "from": from, "to": self.to });
        let answer = invoke(stack, "reconcile", &event).await?;
        let summary: Summary =
            serde_json::from_value(answer).context("the function's answer cannot be read")?;
        if let Some(failure) = summary.failure {
            bail!(failure);
        }
        ensure!(
            summary.without_token.is_empty(),
            "no token of the Data API is stored"
        );
        let run = summary.projects.into_iter().next();
        run.context("the function compared no project")
    }
}

impl Totals {
    fn new(project_id: ProjectId, from: Timestamp) -> Self {
        Self {
            project_id,
            from,
            until: from,
            compared: 0,
            missing_locally: 0,
            missing_at_platform: 0,
            status_differs: 0,
            amount_differs: 0,
            unreadable: 0,
        }
    }

    /// Runs the function until everything before `to` is compared. Each run starts where the previous run ended. Stops
    /// at the first failure.
    async fn run_until(
        &mut self,
        to: Timestamp,
        mut run: impl AsyncFnMut(Timestamp) -> anyhow::Result<Run>,
    ) -> anyhow::Result<()> {
        while self.until < to {
            let from = self.until;
            let run = run(from).await?;
            self.add(&run);
            if run.failed > 0 {
                bail!(run.failure.unwrap_or("a part was not compared".to_owned()));
            }
            ensure!(self.until > from, "the function compared nothing");
        }
        Ok(())
    }

    fn add(&mut self, run: &Run) {
        self.until = self.until.max(run.until);
        self.compared += run.compared;
        self.missing_locally += run.missing_locally;
        self.missing_at_platform += run.missing_at_platform;
        self.status_differs += run.status;
        self.amount_differs += run.amount;
        self.unreadable += run.unreadable;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FROM: Timestamp = Timestamp::from_millis(1_900_000_000_000);

    fn hour(number: u64) -> Timestamp {
        FROM.after(Duration::from_secs(number * 3_600))
    }

    /// Returns a run that compared everything before the hour `until`.
    fn run(until: u64, failure: Option<&str>) -> Run {
        Run {
            compared: 10,
            missing_locally: 1,
            missing_at_platform: 2,
            status: 3,
            amount: 4,
            unreadable: 5,
            failed: u64::from(failure.is_some()),
            until: hour(until),
            failure: failure.map(str::to_owned),
        }
    }

    /// Compares an interval of five hours. `runs` are the results of the function's runs. Returns the totals, the
    /// starts of the runs, and the result of the comparison.
    async fn compare(runs: Vec<Run>) -> (Totals, Vec<Timestamp>, anyhow::Result<()>) {
        let mut runs = runs.into_iter();
        let mut starts = Vec::new();
        let mut totals = Totals::new(ProjectId::new(211).unwrap(), FROM);
        let result = totals
            .run_until(hour(5), async |from| {
                starts.push(from);
                runs.next().context("more runs than results")
            })
            .await;
        (totals, starts, result)
    }

    #[tokio::test]
    async fn a_run_starts_where_the_previous_run_ended() {
        let runs = vec![run(2, None), run(4, None), run(5, None)];
        let (totals, starts, result) = compare(runs).await;
        result.unwrap();
        assert_eq!(starts, [hour(0), hour(2), hour(4)]);
        assert_eq!((totals.from, totals.until), (FROM, hour(5)));
        let missing = (totals.missing_locally, totals.missing_at_platform);
        assert_eq!((totals.compared, missing), (30, (3, 6)));
        let differs = (totals.status_differs, totals.amount_differs);
        assert_eq!((differs, totals.unreadable), ((9, 12), 15));
    }

    #[tokio::test]
    async fn no_run_follows_a_failed_run_and_the_totals_include_the_failed_run() {
        let runs = vec![run(2, None), run(3, Some("no answer"))];
        let (totals, starts, result) = compare(runs).await;
        assert_eq!(result.unwrap_err().to_string(), "no answer");
        assert_eq!(
            (starts.len(), totals.until, totals.compared),
            (2, hour(3), 20)
        );
    }

    #[tokio::test]
    async fn no_run_follows_a_run_without_progress() {
        let (totals, starts, result) = compare(vec![run(2, None), run(2, None)]).await;
        let error = result.unwrap_err().to_string();
        assert_eq!(error, "the function compared nothing");
        assert_eq!((starts.len(), totals.until), (2, hour(2)));
    }
}
