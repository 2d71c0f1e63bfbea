//! Makes the summary of a run: the function's reply, and a log line with metrics.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::log::{Line, Metric, Unit};
use payments::model::day::Day;
use payments::service::reconcile::{Differences, Reconciled};
use payments::service::report::{Reported, TotalRow, Totals};
use serde::Serialize;
use std::cmp::Reverse;

/// The summary of a run.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// The reports of each project.
    pub reports: Vec<ProjectReport>,
    /// The comparisons of each project.
    pub projects: Vec<ProjectComparison>,
    /// The projects that were not compared, because no Data API token is stored.
    pub without_token: Vec<ProjectId>,
    /// The error that ended the run early; `None` if the run reached its end.
    pub failure: Option<String>,
}

/// The reports of a project.
#[derive(Debug, Serialize)]
pub struct ProjectReport {
    /// The project.
    pub project_id: ProjectId,
    /// The result of the reports.
    #[serde(flatten)]
    pub reported: Reported,
}

/// The maximum number of totals in a log line. CloudWatch refuses a line of more than 1 MB. A day has a total for each
/// combination of type, status, code and currency. The platform may send any number of types and codes.
const MAX_TOTALS: usize = 500;

/// Creates the log line with the report of a day. If the day has more than `MAX_TOTALS` totals, the totals of
/// payments come first, and then the totals with the greatest counts. `omitted_totals` counts the totals left out.
pub fn report_line(project_id: ProjectId, day: Day, totals: &Totals) -> Line {
    let mut rows: Vec<TotalRow<'_>> = totals.rows().collect();
    let payments = rows.iter().filter(|row| row.of == "payment");
    let payments = payments.map(|row| row.count).sum::<u64>();
    let omitted = rows.len().saturating_sub(MAX_TOTALS);
    if omitted > 0 {
        rows.sort_by_key(|row| (row.of != "payment", Reverse(row.count)));
        rows.truncate(MAX_TOTALS);
    }
    let line = Line::info("report of a day")
        .with("project_id", project_id)
        .with("day", day)
        .with("payments", payments)
        .with("totals", &rows);
    match omitted {
        0 => line,
        _ => line.with("omitted_totals", omitted),
    }
}

/// The comparison of a project.
#[derive(Debug, Serialize)]
pub struct ProjectComparison {
    /// The project.
    pub project_id: ProjectId,
    /// The result of the comparison.
    #[serde(flatten)]
    pub reconciled: Reconciled,
}

impl Summary {
    /// Creates the log line of a run. The line has each count, even if the count is 0. The lags say how far the stored
    /// progress is behind the clock. A run on demand does not change the progress, so its line has no lag.
    pub fn line(&self, is_on_demand: bool, now: Timestamp) -> Line {
        let compared = || self.projects.iter().map(|project| &project.reconciled);
        let reported = || self.reports.iter().map(|report| &report.reported);
        let sum = |value: fn(&Reconciled) -> u64| compared().map(value).sum::<u64>();
        let differences = |value: fn(&Differences) -> u64| {
            let all = compared().map(|project| &project.differences);
            all.map(value).sum::<u64>()
        };
        let report_failed = reported()
            .filter(|project| project.failure.is_some())
            .count();
        let report_failed = u64::try_from(report_failed).unwrap_or(u64::MAX);
        let failed = sum(|project| project.failed) + u64::from(self.failure.is_some());
        let unreadable = sum(|project| project.unreadable);
        let in_time =
            compared().all(|project| project.in_time) && reported().all(|project| project.in_time);
        let line = match failed + report_failed {
            0 if !in_time => Line::warn("reconcile: not done in time"),
            0 if !self.without_token.is_empty() => {
                Line::warn("reconcile: there is no token of the Data API yet")
            }
            0 if unreadable > 0 => Line::warn("reconcile: some operations cannot be read"),
            0 => Line::info("reconcile: done"),
            _ => Line::error("reconcile: some failed"),
        };
        let mut failures = compared()
            .map(|project| &project.failure)
            .chain(reported().map(|project| &project.failure));
        let failure = failures.find_map(Option::as_ref);
        let metric = |name, unit, value| Metric { name, unit, value };
        let line = line
            .with(
                "days_reported",
                reported().map(|project| project.days).sum::<u64>(),
            )
            .with("compared", sum(|project| project.compared))
            .with(
                "missing_locally",
                differences(|found| found.missing_locally),
            )
            .with(
                "missing_at_platform",
                differences(|found| found.missing_at_platform),
            )
            .with("status_differs", differences(|found| found.status))
            .with("amount_differs", differences(|found| found.amount))
            .with("in_time", in_time)
            .with("without_token", &self.without_token)
            .with("failure", self.failure.as_ref().or(failure))
            .with_metrics(
                &[],
                &[
                    metric("reconciliation_failed", Unit::Count, failed),
                    metric("reconciliation_unreadable", Unit::Count, unreadable),
                    metric("report_failed", Unit::Count, report_failed),
                ],
            );
        if is_on_demand {
            return line;
        }
        let lag = |name, until: Option<Timestamp>| {
            until.map(|until| metric(name, Unit::Seconds, now.since(until).as_secs()))
        };
        let compared_until = compared().map(|project| project.until).min();
        let reported_until = reported().map(|project| project.until).min();
        let lags = [
            lag("reconciliation_lag_s", compared_until),
            lag("report_lag_s", reported_until),
        ];
        line.with_metrics(&[], &lags.into_iter().flatten().collect::<Vec<_>>())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn reported(days: u64, seconds_ago: u64, failure: Option<&str>) -> ProjectReport {
        ProjectReport {
            project_id: ProjectId::new(211).unwrap(),
            reported: Reported {
                days,
                in_time: true,
                until: NOW.before(Duration::from_secs(seconds_ago)),
                failure: failure.map(str::to_owned),
            },
        }
    }

    fn done(millis_ago: i64) -> Reconciled {
        Reconciled {
            compared: 7,
            differences: Differences {
                missing_locally: 1,
                missing_at_platform: 2,
                status: 3,
                amount: 4,
            },
            unreadable: 0,
            failed: 0,
            in_time: true,
            until: Timestamp::from_millis(NOW.unix_millis() - millis_ago),
            failure: None,
        }
    }

    fn of(projects: Vec<Reconciled>) -> Summary {
        let numbered = (211..).zip(projects);
        let projects = numbered.map(|(id, reconciled)| ProjectComparison {
            project_id: ProjectId::new(id).unwrap(),
            reconciled,
        });
        Summary {
            projects: projects.collect(),
            ..Summary::default()
        }
    }

    fn written(summary: &Summary, on_demand: bool) -> Value {
        let text = summary.line(on_demand, NOW).at(NOW);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn one_line_has_the_sums_of_all_projects() {
        let mut summary = of(vec![done(60_000), done(90_000)]);
        summary.reports = vec![reported(1, 16_200, None), reported(2, 102_600, None)];
        let line = written(&summary, false);
        assert_eq!(line["message"], "reconcile: done");
        for (field, value) in [
            ("days_reported", 3),
            ("compared", 14),
            ("missing_locally", 2),
            ("missing_at_platform", 4),
            ("status_differs", 6),
            ("amount_differs", 8),
            ("reconciliation_failed", 0),
            ("reconciliation_unreadable", 0),
            ("report_failed", 0),
            ("reconciliation_lag_s", 90),
            ("report_lag_s", 102_600),
        ] {
            assert_eq!(line[field], value, "{field}");
        }
        assert_eq!(line["in_time"], true);
        let names = line["_aws"]["CloudWatchMetrics"].to_string();
        for name in ["failed", "lag_s"] {
            assert!(names.contains(&format!("\"reconciliation_{name}\"")));
        }
        // The event of a difference is counted when the event is published. A metric in this line would count the
        // difference a second time.
        assert!(!names.contains("differences"));
        let demanded = written(&summary, true);
        for name in ["reconciliation_lag_s", "report_lag_s"] {
            assert!(demanded.get(name).is_none());
        }
        // A run that reported nothing has no lag. The metric is then absent, because a lag of 0 would be wrong.
        let nothing = written(&Summary::default(), false);
        assert!(nothing.get("report_lag_s").is_none());
    }

    #[test]
    fn the_message_of_a_run_says_what_was_not_done() {
        let late = Reconciled {
            in_time: false,
            ..done(0)
        };
        let line = written(&of(vec![done(0), late]), false);
        assert_eq!(line["message"], "reconcile: not done in time");

        let unreadable = || Reconciled {
            unreadable: 5,
            ..done(0)
        };
        let line = written(&of(vec![unreadable(), done(0), unreadable()]), false);
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "reconcile: some operations cannot be read");
        assert_eq!(line["reconciliation_unreadable"], 10);

        let failed = Reconciled {
            failed: 2,
            failure: Some("211 from noon: no answer".into()),
            ..done(0)
        };
        let line = written(&of(vec![failed, done(0)]), false);
        assert_eq!(
            (&line["level"], &line["reconciliation_failed"]),
            (&json!("ERROR"), &json!(2))
        );
        assert_eq!(line["failure"], "211 from noon: no answer");

        let mut unreported = of(vec![done(0)]);
        unreported.reports = vec![reported(1, 102_600, Some("211: no answer"))];
        let line = written(&unreported, false);
        assert_eq!(
            (&line["level"], &line["report_failed"]),
            (&json!("ERROR"), &json!(1))
        );
        assert_eq!(line["failure"], "211: no answer");

        let without_token = Summary {
            without_token: vec![ProjectId::new(211).unwrap()],
            ..Summary::default()
        };
        let line = written(&without_token, false);
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["without_token"], json!([211]));
    }
}
