//! Makes the answers of the function, and the log lines with metrics.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use lambda_runtime::Error;
use payments::log::{Line, Metric, Unit};
use payments::model::day::Day;
use payments::ports::{Daily, Part, Run};
use payments::service::daily_run::{Counts, RunState};
use payments::service::reconcile::Differences;
use payments::service::report::{TotalRow, Totals};
use serde::Serialize;

/// The answer to the schedule.
#[derive(Debug, Default, Serialize)]
pub struct Started {
    /// The runs that were started or continued.
    pub runs: Vec<Run>,
    /// The projects that are not compared, because no token of the Data API is stored.
    pub without_token: Vec<ProjectId>,
    /// The number of comparisons that could not be started.
    pub reconciliation_failed: u64,
    /// The number of reports that could not be started.
    pub report_failed: u64,
    /// The first error.
    pub failure: Option<String>,
}

impl Started {
    /// Adds a run that was started, or the error.
    pub fn add(&mut self, daily: Daily, run: Result<Option<Run>, Error>) {
        match run {
            Ok(run) => self.runs.extend(run),
            Err(error) => {
                match daily {
                    Daily::Compare => self.reconciliation_failed += 1,
                    Daily::Report => self.report_failed += 1,
                }
                self.failure.get_or_insert_with(|| error.to_string());
            }
        }
    }

    pub fn line(&self) -> Line {
        let line = match &self.failure {
            Some(_) => Line::error("reconcile: some runs did not start"),
            None if !self.without_token.is_empty() => {
                Line::warn("reconcile: there is no token of the Data API yet")
            }
            None => Line::info("reconcile: started"),
        };
        let metrics = [
            count("reconciliation_failed", self.reconciliation_failed),
            count("report_failed", self.report_failed),
        ];
        line.with("runs", self.runs.len())
            .with("without_token", &self.without_token)
            .with("failure", self.failure.as_ref())
            .with_metrics(&[], &metrics)
    }
}

/// The answer to an operator who compares an interval.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// The run. The operator sends it back to read the state of the run later.
    pub run: Option<Run>,
    /// Whether the whole interval is compared.
    pub has_ended: bool,
    /// The number of listed operations that were compared.
    pub compared: u64,
    /// The new differences.
    #[serde(flatten)]
    pub differences: Differences,
    /// The number of listed operations that could not be read.
    pub unreadable: u64,
    /// The project, if it was not compared because no token of the Data API is stored.
    pub without_token: Vec<ProjectId>,
    /// The error of a part that failed.
    pub failure: Option<String>,
}

impl Answer {
    pub fn of(run: Run, state: RunState) -> Self {
        Self {
            run: Some(run),
            has_ended: state.has_ended,
            compared: state.counts.compared,
            differences: state.counts.differences,
            unreadable: state.counts.unreadable,
            failure: state.failure,
            ..Self::default()
        }
    }

    /// Returns the answer if the run could not start or could not continue.
    pub fn failed(error: &dyn std::error::Error) -> Self {
        Self {
            failure: Some(error.to_string()),
            ..Self::default()
        }
    }

    pub fn without_token(project_id: ProjectId) -> Self {
        Self {
            without_token: vec![project_id],
            ..Self::default()
        }
    }
}

fn count(name: &'static str, value: u64) -> Metric {
    let unit = Unit::Count;
    Metric { name, unit, value }
}

pub fn of_part(run: &Run, part: &Part, done: &Result<(), Error>) -> Line {
    let line = match done {
        Ok(()) => Line::info("reconcile: part done"),
        Err(_) => Line::error("reconcile: part failed"),
    };
    let name = match run.daily {
        Daily::Compare => "reconciliation_failed",
        Daily::Report => "report_failed",
    };
    line.with("project_id", run.project_id)
        .with("run", &run.id)
        .with("part", part)
        .with("failure", done.as_ref().err().map(ToString::to_string))
        .with_metrics(&[], &[count(name, u64::from(done.is_err()))])
}

/// Creates the log line of a message of unknown kind. A release that is newer than this release has sent the message.
pub fn unknown(message_id: &str) -> Line {
    Line::warn("reconcile: the kind of the message is unknown").with("message_id", message_id)
}

pub fn unreadable(message_id: &str, error: &serde_json::Error) -> Line {
    Line::error("reconcile: the message cannot be read")
        .with("message_id", message_id)
        .with("error", error.to_string())
}

/// Creates the log line of a run that has ended. `lag` is the time since the end of the last interval that is done for
/// all projects. A run on demand has no lag, because it does not change the stored progress.
pub fn of_run(run: &Run, counts: Counts, lag: Option<Duration>) -> Line {
    let (line, name) = match run.daily {
        Daily::Compare => (of_comparison(run, &counts), "reconciliation_lag_s"),
        Daily::Report => {
            let line = of_report(run.project_id, Day::of(run.from), counts.totals);
            (line, "report_lag_s")
        }
    };
    let lag = lag.map(|lag| Metric {
        name,
        unit: Unit::Seconds,
        value: lag.as_secs(),
    });
    line.with_metrics(&[], &lag.into_iter().collect::<Vec<_>>())
}

fn of_comparison(run: &Run, counts: &Counts) -> Line {
    let Counts {
        compared,
        differences: found,
        unreadable,
        ..
    } = counts;
    let line = match unreadable {
        0 => Line::info("reconcile: done"),
        _ => Line::warn("reconcile: some operations cannot be read"),
    };
    line.with("project_id", run.project_id)
        .with("run", &run.id)
        .with("from", run.from)
        .with("to", run.to)
        .with("compared", compared)
        .with("missing_locally", found.missing_locally)
        .with("missing_at_platform", found.missing_at_platform)
        .with("status_differs", found.status)
        .with("amount_differs", found.amount)
        .with_metrics(&[], &[count("reconciliation_unreadable", *unreadable)])
}

/// Creates the log line with the report of a day. If the day has too many totals, the line counts the totals that it
/// leaves out.
fn of_report(project_id: ProjectId, day: Day, mut totals: Totals) -> Line {
    let payments = totals.rows().filter(|row| row.of == "payment");
    let payments = payments.map(|row| row.count).sum::<u64>();
    totals.limit();
    let rows: Vec<TotalRow<'_>> = totals.rows().collect();
    let line = Line::info("report of a day")
        .with("project_id", project_id)
        .with("day", day)
        .with("payments", payments)
        .with("totals", &rows);
    match totals.omitted() {
        0 => line,
        omitted => line.with("omitted_totals", omitted),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use payments::Timestamp;
    use payments::ports::DayPart;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn run(daily: Daily) -> Run {
        Run {
            project_id: ProjectId::new(211).unwrap(),
            daily,
            from: Timestamp::of_platform("2019-07-01T00:00:00+0000").unwrap(),
            to: Timestamp::of_platform("2019-07-02T00:00:00+0000").unwrap(),
            id: "1-a".into(),
            is_scheduled: true,
        }
    }

    fn counts(unreadable: u64) -> Counts {
        Counts {
            compared: 7,
            differences: Differences {
                missing_locally: 1,
                missing_at_platform: 2,
                status: 3,
                amount: 4,
            },
            unreadable,
            totals: Totals::default(),
        }
    }

    fn written(line: &Line) -> Value {
        serde_json::from_str(&line.at(NOW)).unwrap()
    }

    #[test]
    fn the_line_of_a_comparison_has_all_counts_and_the_lag() {
        let lag = Some(Duration::from_secs(16_200));
        let line = written(&of_run(&run(Daily::Compare), counts(0), lag));
        assert_eq!(line["message"], "reconcile: done");
        for (field, value) in [
            ("project_id", json!(211)),
            ("from", json!("2019-07-01T00:00:00Z")),
            ("to", json!("2019-07-02T00:00:00Z")),
            ("compared", json!(7)),
            ("missing_locally", json!(1)),
            ("missing_at_platform", json!(2)),
            ("status_differs", json!(3)),
            ("amount_differs", json!(4)),
            ("reconciliation_unreadable", json!(0)),
            ("reconciliation_lag_s", json!(16_200)),
        ] {
            assert_eq!(line[field], value, "{field}");
        }
        let names = line["_aws"]["CloudWatchMetrics"].to_string();
        assert!(names.contains("\"reconciliation_lag_s\""));
        // A difference is counted when its event is published. A metric in this line would count it a second time.
        assert!(!names.contains("differences"));

        let line = written(&of_run(&run(Daily::Compare), counts(5), None));
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "reconcile: some operations cannot be read");
        assert!(line.get("reconciliation_lag_s").is_none());
    }

    #[test]
    fn the_line_of_a_report_has_the_day_and_the_lag() {
        let lag = Some(Duration::from_secs(16_200));
        let line = written(&of_run(&run(Daily::Report), counts(0), lag));
        assert_eq!(line["message"], "report of a day");
        assert_eq!(line["day"], "2019-07-01");
        assert_eq!(
            (&line["payments"], &line["totals"]),
            (&json!(0), &json!([]))
        );
        assert_eq!(line["report_lag_s"], 16_200);
        assert!(line.get("omitted_totals").is_none());
    }

    #[test]
    fn the_log_line_of_a_part_counts_its_failure_for_its_task() {
        let part = Part::Report(DayPart::whole(Day::of(NOW)));
        for (daily, metric) in [
            (Daily::Compare, "reconciliation_failed"),
            (Daily::Report, "report_failed"),
        ] {
            let done = written(&of_part(&run(daily), &part, &Ok(())));
            assert_eq!((&done["level"], &done[metric]), (&json!("INFO"), &json!(0)));
            assert_eq!(done["part"]["kind"], "report");
            let failed = written(&of_part(&run(daily), &part, &Err("no answer".into())));
            assert_eq!(
                (&failed["level"], &failed[metric]),
                (&json!("ERROR"), &json!(1))
            );
            assert_eq!(failed["failure"], "no answer");
        }
    }

    #[test]
    fn the_line_of_the_schedule_says_what_did_not_start() {
        let mut started = Started::default();
        started.add(Daily::Report, Ok(Some(run(Daily::Report))));
        started.add(Daily::Compare, Ok(None));
        let line = written(&started.line());
        assert_eq!(line["message"], "reconcile: started");
        assert_eq!(
            (&line["runs"], &line["reconciliation_failed"]),
            (&json!(1), &json!(0))
        );

        started.without_token.push(ProjectId::new(211).unwrap());
        let line = written(&started.line());
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["without_token"], json!([211]));

        started.add(Daily::Compare, Err("no answer".into()));
        started.add(Daily::Report, Err("no table".into()));
        let line = written(&started.line());
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["failure"], "no answer");
        assert_eq!(
            (&line["reconciliation_failed"], &line["report_failed"]),
            (&json!(1), &json!(1))
        );
    }
}
