//! Compares the platform's records of an interval with ours.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::input::values;
use crate::session::Session;
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

/// Compares the platform's records of an interval with ours.
///
/// The function divides the interval into parts. The command waits until all parts are done.
///
/// Writes the numbers of compared operations and of new differences, as CSV; with --json as a line of JSON. For each
/// new difference, the function emits an event and makes a status poll of the payment due. Do not compare the last
/// hour, because operations in progress would count as differences.
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

/// The answer of the reconcile function.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Answer {
    /// The run. `null` if no run was started.
    run: Value,
    /// Whether all parts are done.
    has_ended: bool,
    compared: u64,
    missing_locally: u64,
    missing_at_platform: u64,
    status: u64,
    amount: u64,
    unreadable: u64,
    /// The projects that were not compared, because no token of the Data API is stored.
    without_token: Vec<ProjectId>,
    failure: Option<String>,
}

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

/// The first pause before the state of an unfinished run is read again. Each further pause is twice as long, up to the
/// longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl ReconcileArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let Self { project, from, to } = self;
        ensure!(from < to, "{from} is not before {to}");
        ensure!(*to <= Timestamp::now(), "{to} is in the future");
        session.confirm.ask(&format!(
            "Compare project {project} from {from} to {to}, and emit an event for each new difference?"
        ))?;
        let stack = session.stack;
        let mut answer = Answer::default();
        let ask = async |event: Value| {
            let answer = invoke(stack, "reconcile", &event).await?;
            serde_json::from_value(answer).context("the function's answer cannot be read")
        };
        let interval = json!({ "project_id": project, "from": from, "to": to });
        let result = answer.ask_until_the_end(interval, LONGEST_PAUSE, ask).await;
        // After a failure, the totals show what was compared before the failure.
        let mut table = session.table(&COLUMNS)?;
        table.write(&self.totals(&answer))?;
        table.end()?;
        result.context("the interval is not wholly compared")
    }

    fn totals(&self, answer: &Answer) -> Totals {
        Totals {
            project_id: self.project,
            from: self.from,
            until: if answer.has_ended { self.to } else { self.from },
            compared: answer.compared,
            missing_locally: answer.missing_locally,
            missing_at_platform: answer.missing_at_platform,
            status_differs: answer.status,
            amount_differs: answer.amount,
            unreadable: answer.unreadable,
        }
    }
}

impl Answer {
    /// Starts a run with `interval`, and reads the state of the run until it has ended. Stops at the first failure.
    async fn ask_until_the_end(
        &mut self,
        interval: Value,
        longest_pause: Duration,
        mut ask: impl AsyncFnMut(Value) -> anyhow::Result<Self>,
    ) -> anyhow::Result<()> {
        let mut pause = FIRST_PAUSE.min(longest_pause);
        *self = ask(interval).await?;
        loop {
            if let Some(failure) = &self.failure {
                bail!(failure.clone());
            }
            ensure!(
                self.without_token.is_empty(),
                "no token of the Data API is stored"
            );
            if self.has_ended {
                return Ok(());
            }
            ensure!(!self.run.is_null(), "the function started no run");
            sleep(pause).await;
            pause = longest_pause.min(pause * 2);
            *self = ask(json!({ "run": self.run })).await?;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(compared: u64, has_ended: bool, failure: Option<&str>) -> Answer {
        Answer {
            run: json!({ "id": "1-a" }),
            has_ended,
            compared,
            failure: failure.map(str::to_owned),
            ..Answer::default()
        }
    }

    /// Returns the last answer that was read, the events that were sent, and the result.
    async fn ask(answers: Vec<Answer>) -> (Answer, Vec<Value>, anyhow::Result<()>) {
        let mut answers = answers.into_iter();
        let mut events = Vec::new();
        let mut last = Answer::default();
        let next = async |event| {
            events.push(event);
            answers.next().context("more events than answers")
        };
        let interval = json!({ "project_id": 211 });
        let result = last.ask_until_the_end(interval, Duration::ZERO, next);
        let result = result.await;
        (last, events, result)
    }

    #[tokio::test]
    async fn the_state_of_a_run_is_read_until_the_run_has_ended() {
        let answers = [(1, false), (2, false), (3, true)];
        let answers = answers.map(|(compared, ended)| answer(compared, ended, None));
        let (last, events, result) = ask(answers.into()).await;
        result.unwrap();
        assert_eq!(last.compared, 3);
        let state = json!({ "run": { "id": "1-a" } });
        assert_eq!(events, [json!({ "project_id": 211 }), state.clone(), state]);
    }

    #[tokio::test]
    async fn a_failed_part_ends_the_command_with_the_counts_of_the_other_parts() {
        let answers = vec![answer(1, false, None), answer(2, false, Some("no answer"))];
        let (last, _, result) = ask(answers).await;
        assert_eq!(result.unwrap_err().to_string(), "no answer");
        assert_eq!(last.compared, 2);
    }

    #[tokio::test]
    async fn a_run_that_did_not_start_is_an_error() {
        let (_, events, result) = ask(vec![Answer::default()]).await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "the function started no run"
        );
        assert_eq!(events.len(), 1);
        let without_token = Answer {
            without_token: vec![ProjectId::new(211).unwrap()],
            ..Answer::default()
        };
        let (_, _, result) = ask(vec![without_token]).await;
        let error = result.unwrap_err().to_string();
        assert_eq!(error, "no token of the Data API is stored");
    }
}
