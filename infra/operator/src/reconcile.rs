//! The platform's records against ours, for any time.

use anyhow::{Context, bail, ensure};
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::account::Account;
use crate::invoke::invoke;
use crate::session::Session;
use crate::table::Table;
use crate::values;

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

/// Compares the platform's records with ours for some time, in as many runs of the function as it takes.
///
/// Writes what was compared and the new differences, as CSV; with --json as a line of JSON. For each
/// difference an event is emitted and the platform is polled. An operation that is younger than an hour
/// may still be on its way, and would count as a difference.
#[derive(Args)]
pub struct ReconcileArgs {
    /// The project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The first moment.
    #[arg(long, value_parser = values::moment, value_name = "MOMENT")]
    from: Timestamp,
    /// The first moment behind it.
    #[arg(long, value_parser = values::moment, value_name = "MOMENT")]
    to: Timestamp,
}

/// What the function answers.
#[derive(Deserialize)]
struct Summary {
    projects: Vec<Run>,
    without_token: Vec<ProjectId>,
    failure: Option<String>,
}

/// What one run has compared.
#[derive(Debug, Clone, Deserialize)]
struct Run {
    compared: u64,
    missing_locally: u64,
    missing_at_platform: u64,
    status: u64,
    amount: u64,
    unreadable: u64,
    failed: u64,
    until: Timestamp,
    failure: Option<String>,
}

/// The sums of all runs.
#[derive(Debug, Serialize)]
struct Sums {
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
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let Self { project, from, to } = self;
        ensure!(from < to, "{from} is not before {to}");
        ensure!(*to <= Timestamp::now(), "{to} is still to come");
        session.confirm.ask(&format!(
            "compare project {project} from {from} to {to} and emit an event for each difference?"
        ))?;
        let mut sums = Sums::new(*project, *from);
        let done = sums.go_on(*to, async |from| self.run_once(session.account, from).await);
        let done = done.await;
        // Also of what was not done to its end.
        let mut table = Table::new(&COLUMNS, session.json, session.out)?;
        table.write(&sums)?;
        table.end()?;
        done.with_context(|| format!("compared only until {}", sums.until))
    }

    async fn run_once(&self, account: &Account, from: Timestamp) -> anyhow::Result<Run> {
        let event = json!({ "project_id": self.project, "from": from, "to": self.to });
        let answer = invoke(account, "reconcile", &event).await?;
        let summary = serde_json::from_value(answer);
        let summary: Summary = summary.context("the function did not answer with a summary")?;
        if let Some(failure) = summary.failure {
            bail!(failure);
        }
        if !summary.without_token.is_empty() {
            bail!("there is no token of the Data API yet");
        }
        let run = summary.projects.into_iter().next();
        run.context("the function has compared nothing")
    }
}

impl Sums {
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

    /// Runs again and again, each time from where the last one has ended, until all is done.
    async fn go_on(
        &mut self,
        to: Timestamp,
        mut run: impl AsyncFnMut(Timestamp) -> anyhow::Result<Run>,
    ) -> anyhow::Result<()> {
        while self.until < to {
            let from = self.until;
            let run = run(from).await?;
            self.add(&run);
            if run.failed > 0 {
                let why = run.failure.as_deref().unwrap_or("some hours failed");
                bail!("{why}");
            }
            ensure!(self.until > from, "a run has come to nothing");
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

    fn hours(number: u64) -> Timestamp {
        FROM.after(Duration::from_secs(number * 3_600))
    }

    fn run(until: u64, failure: Option<&str>) -> Run {
        Run {
            compared: 10,
            missing_locally: 1,
            missing_at_platform: 2,
            status: 3,
            amount: 4,
            unreadable: 5,
            failed: u64::from(failure.is_some()),
            until: hours(until),
            failure: failure.map(str::to_owned),
        }
    }

    async fn over(runs: Vec<Run>) -> (Sums, Vec<Timestamp>, anyhow::Result<()>) {
        let mut runs = runs.into_iter();
        let mut begun = Vec::new();
        let mut sums = Sums::new(ProjectId::new(211).unwrap(), FROM);
        let done = sums.go_on(hours(5), async |from| {
            begun.push(from);
            runs.next().context("one run too many")
        });
        let done = done.await;
        (sums, begun, done)
    }

    #[tokio::test]
    async fn what_a_run_leaves_the_next_one_does() {
        let (sums, begun, done) = over(vec![run(2, None), run(4, None), run(5, None)]).await;
        done.unwrap();
        assert_eq!(begun, [hours(0), hours(2), hours(4)]);
        assert_eq!((sums.from, sums.until), (FROM, hours(5)));
        assert_eq!(
            (
                sums.compared,
                sums.missing_locally,
                sums.missing_at_platform
            ),
            (30, 3, 6)
        );
        assert_eq!(
            (sums.status_differs, sums.amount_differs, sums.unreadable),
            (9, 12, 15)
        );
    }

    #[tokio::test]
    async fn a_failure_ends_it_and_says_how_far_it_came() {
        let (sums, begun, done) = over(vec![run(2, None), run(3, Some("no answer"))]).await;
        assert_eq!(done.unwrap_err().to_string(), "no answer");
        assert_eq!((begun.len(), sums.until, sums.compared), (2, hours(3), 20));
        let (sums, begun, done) = over(vec![run(2, None), run(2, None)]).await;
        assert!(done.unwrap_err().to_string().contains("come to nothing"));
        assert_eq!((begun.len(), sums.until), (2, hours(2)));
    }
}
