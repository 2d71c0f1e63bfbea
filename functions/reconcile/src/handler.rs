//! Executes a run: logs the reports of days, compares the platform's records with ours, logs one summary line, and
//! returns the summary. If a scheduled run stops early, the next scheduled run continues at that point.

use std::time::Duration;

use aws::config;
use aws::data_api_http::HttpDataApi;
use aws::deadline::deadline;
use aws::environment::{Environment, LivePayments};
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, DataApiSecret};
use ecommpay::fields::ProjectId;
use lambda_runtime::{Error, LambdaEvent};
use payments::Timestamp;
use payments::service::report::Totals;
use serde_json::Value;
use tokio::time::Instant;

use crate::request::Request;
use crate::summary::{ProjectComparison, ProjectReport, Summary, report_line};
use crate::time_shares::time_shares;

/// A run stops this long before the function's time-out.
const RESERVE: Duration = Duration::from_secs(20);

/// Runs the daily report and the comparison.
pub struct Reconciler {
    payments: LivePayments,
    keys: CachedProjectKeys,
    access: DataApiSecret,
    base_url: String,
}

impl Reconciler {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            access: environment.data_api_secret()?,
            base_url: config::base_url("DATA_API_URL")?,
        })
    }

    /// Opens a connection to the table and reads the project keys before the first run. The credentials of the Data API
    /// are not read here. Each run reads them, because an operator may store new credentials between two runs.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(self.payments.store.prewarm(), self.keys.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// Executes one run. Returns an error only if the request is invalid.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Summary, Error> {
        let deadline = deadline(&event.context, RESERVE);
        let request = Request::read(&event.payload, Timestamp::now())?;
        let mut summary = Summary::default();
        if let Err(error) = self.run(&request, deadline, &mut summary).await {
            summary.failure = Some(error.to_string());
        }
        let is_on_demand = request != Request::Pending;
        summary.line(is_on_demand, Timestamp::now()).write();
        Ok(summary)
    }

    /// Executes the parts of a run. Adds each result to `summary` immediately, so that an error does not lose the
    /// results of earlier parts.
    async fn run(
        &self,
        request: &Request,
        deadline: Instant,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let projects: Vec<ProjectId> = match request {
            Request::Pending => self.keys.get().await?.keys().copied().collect(),
            Request::Interval { project_id, .. } => {
                self.keys.of(*project_id).await?;
                vec![*project_id]
            }
        };
        if *request == Request::Pending {
            // The reports may use half of the time until the deadline. The other half is for the comparison.
            let now = Instant::now();
            let half = now + deadline.saturating_duration_since(now) / 2;
            self.report(&projects, half, summary).await;
        }
        self.compare(projects, request, deadline, summary).await
    }

    async fn report(&self, projects: &[ProjectId], deadline: Instant, summary: &mut Summary) {
        for (project_id, share_end) in time_shares(projects, deadline) {
            let write = |day, totals: &Totals| report_line(project_id, day, totals).write();
            let reported = self
                .payments
                .report_due_days(project_id, share_end(), write);
            summary.reports.push(ProjectReport {
                project_id,
                reported: reported.await,
            });
        }
    }

    async fn compare(
        &self,
        projects: Vec<ProjectId>,
        request: &Request,
        deadline: Instant,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let Some(access) = self.access.get().await? else {
            summary.without_token = projects;
            return Ok(());
        };
        let data_api = HttpDataApi::new(self.base_url.clone(), access)?;
        let payments = &self.payments;
        for (project_id, share_end) in time_shares(&projects, deadline) {
            let end = share_end();
            let reconciled = match request {
                Request::Pending => payments.reconcile_due(&data_api, project_id, end).await,
                Request::Interval { span, .. } => {
                    payments.reconcile(&data_api, project_id, *span, end).await
                }
            };
            summary.projects.push(ProjectComparison {
                project_id,
                reconciled,
            });
        }
        Ok(())
    }
}
