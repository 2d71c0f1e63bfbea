//! What a run did, for whoever has called it and for the log.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::log::{Line, Metric, Unit};
use payments::model::day::Day;
use payments::service::reconcile::{Differences, Reconciled};
use payments::service::report::{Reported, TotalRow, Totals};
use serde::Serialize;

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// What was reported, project by project.
    pub reports: Vec<ReportOfProject>,
    /// What was compared, project by project.
    pub projects: Vec<OfProject>,
    /// Projects that the Data API cannot be asked about, as no token is stored.
    pub without_token: Vec<ProjectId>,
    /// Why nothing more could be begun.
    pub failure: Option<String>,
}

/// Which days of a project were reported.
#[derive(Debug, Serialize)]
pub struct ReportOfProject {
    /// The project.
    pub project_id: ProjectId,
    /// What came of it.
    #[serde(flatten)]
    pub reported: Reported,
}

/// The line about a day of a project.
pub fn line_of_day(project_id: ProjectId, day: Day, totals: &Totals) -> Line {
    let rows: Vec<TotalRow<'_>> = totals.rows().collect();
    let payments = rows.iter().filter(|row| row.of == "payment");
    Line::info("report of a day")
        .with("project_id", project_id)
        .with("day", day)
        .with("payments", payments.map(|row| row.count).sum::<u64>())
        .with("totals", &rows)
}

/// What was compared of a project.
#[derive(Debug, Serialize)]
pub struct OfProject {
    /// The project.
    pub project_id: ProjectId,
    /// What came of it.
    #[serde(flatten)]
    pub reconciled: Reconciled,
}

impl Summary {
    /// The line about a run at some moment. It has its metrics each time, also when they are 0. An
    /// interval on demand says nothing of how far all is reported and compared.
    pub fn line(&self, on_demand: bool, now: Timestamp) -> Line {
        let all = || self.projects.iter().map(|project| &project.reconciled);
        let sum = |of: fn(&Reconciled) -> u64| all().map(of).sum::<u64>();
        let of = |of: fn(&Differences) -> u64| all().map(|one| of(&one.differences)).sum::<u64>();
        let reports = || self.reports.iter().map(|report| &report.reported);
        let report_failed = reports().filter(|one| one.failure.is_some()).count();
        let report_failed = u64::try_from(report_failed).unwrap_or(u64::MAX);
        let failed = sum(|one| one.failed) + u64::from(self.failure.is_some());
        let unreadable = sum(|one| one.unreadable);
        let in_time = all().all(|one| one.in_time) && reports().all(|one| one.in_time);
        let line = match failed + report_failed {
            0 if !in_time => Line::warn("reconcile: not done in time"),
            0 if !self.without_token.is_empty() => {
                Line::warn("reconcile: there is no token of the Data API yet")
            }
            0 if unreadable > 0 => Line::warn("reconcile: some operations cannot be read"),
            0 => Line::info("reconcile: done"),
            _ => Line::error("reconcile: some failed"),
        };
        let mut failures = all()
            .map(|one| &one.failure)
            .chain(reports().map(|one| &one.failure));
        let failure = failures.find_map(Option::as_ref);
        let metric = |name, unit, value| Metric { name, unit, value };
        let line = line
            .with("days_reported", reports().map(|one| one.days).sum::<u64>())
            .with("compared", sum(|one| one.compared))
            .with("missing_locally", of(|found| found.missing_locally))
            .with("missing_at_platform", of(|found| found.missing_at_platform))
            .with("status_differs", of(|found| found.status))
            .with("amount_differs", of(|found| found.amount))
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
        if on_demand {
            return line;
        }
        let lag = |name, until: Option<Timestamp>| {
            until.map(|until| metric(name, Unit::Seconds, now.since(until).as_secs()))
        };
        let compared = all().map(|one| one.until).min();
        let reported = reports().map(|one| one.until).min();
        let lags = [
            lag("reconciliation_lag_s", compared),
            lag("report_lag_s", reported),
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

    fn reported(days: u64, seconds_ago: u64, failure: Option<&str>) -> ReportOfProject {
        ReportOfProject {
            project_id: ProjectId::new(211).unwrap(),
            reported: Reported {
                days,
                in_time: true,
                until: NOW.before(Duration::from_secs(seconds_ago)),
                failure: failure.map(str::to_owned),
            },
        }
    }

    fn done(until: i64) -> Reconciled {
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
            until: Timestamp::from_millis(NOW.unix_millis() - until),
            failure: None,
        }
    }

    fn of(projects: Vec<Reconciled>) -> Summary {
        let numbered = (211..).zip(projects);
        let projects = numbered.map(|(id, reconciled)| OfProject {
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
    fn all_projects_are_summed_up_in_one_line() {
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
        // They are counted where they are sent, not twice.
        assert!(!names.contains("differences"));
        let demanded = written(&summary, true);
        for name in ["reconciliation_lag_s", "report_lag_s"] {
            assert!(demanded.get(name).is_none());
        }
        // What nobody came to is no lag of 0.
        let nothing = written(&Summary::default(), false);
        assert!(nothing.get("report_lag_s").is_none());
    }

    #[test]
    fn what_was_not_done_is_told() {
        let late = Reconciled {
            in_time: false,
            ..done(0)
        };
        let line = written(&of(vec![done(0), late]), false);
        assert_eq!(line["message"], "reconcile: not done in time");

        let odd = || Reconciled {
            unreadable: 5,
            ..done(0)
        };
        let line = written(&of(vec![odd(), done(0), odd()]), false);
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
