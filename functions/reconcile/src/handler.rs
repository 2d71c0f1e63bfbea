//! An event in, one line and what was compared out. Whatever is left is done by the next run.

use std::time::{Duration, SystemTime};

use aws::config;
use aws::data_api_http::HttpDataApi;
use aws::environment::{Environment, LivePayments};
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, DataApiSecret};
use ecommpay::fields::ProjectId;
use lambda_runtime::{Context, Error, LambdaEvent};
use payments::Timestamp;
use payments::service::reconcile::Reconciled;
use payments::service::report::Totals;
use serde_json::Value;
use tokio::time::Instant;

use crate::request::Request;
use crate::summary::{OfProject, ReportOfProject, Summary, line_of_day};

/// What is left of the function's time for ending in good order.
const TO_END: Duration = Duration::from_secs(20);

/// What the runs need.
pub struct Reconciliation {
    payments: LivePayments,
    keys: CachedProjectKeys,
    access: DataApiSecret,
    base_url: String,
}

impl Reconciliation {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            access: environment.data_api_secret()?,
            base_url: config::base_url("DATA_API_URL")?,
        })
    }

    /// Connects and fetches secrets before the first run. The Data API's credentials are fetched at each run, because an
    /// operator may have stored them since.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(self.payments.store.prewarm(), self.keys.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// One run. Only a request that cannot be understood is an error.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Summary, Error> {
        let end = end(&event.context);
        let request = Request::read(&event.payload, Timestamp::now())?;
        let on_demand = request != Request::Rest;
        let mut summary = Summary::default();
        if let Err(error) = self.run(request, end, &mut summary).await {
            summary.failure = Some(error.to_string());
        }
        summary.line(on_demand, Timestamp::now()).write();
        Ok(summary)
    }

    /// What was done before an error stays in the summary.
    async fn run(
        &self,
        request: Request,
        end: Instant,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let projects: Vec<ProjectId> = match &request {
            Request::Rest => self.keys.get().await?.keys().copied().collect(),
            Request::Range { project_id, .. } => {
                self.keys.of(*project_id).await?;
                vec![*project_id]
            }
        };
        if request == Request::Rest {
            // Half of the time is left for comparing.
            let now = Instant::now();
            let half = now + end.saturating_duration_since(now) / 2;
            for (project_id, turn_end) in turns(&projects, half) {
                let tell = |day, totals: &Totals| line_of_day(project_id, day, totals).write();
                let reported = self
                    .payments
                    .report_due_days(project_id, turn_end(), tell)
                    .await;
                summary.reports.push(ReportOfProject {
                    project_id,
                    reported,
                });
            }
        }
        let Some(access) = self.access.get().await? else {
            summary.without_token = projects;
            return Ok(());
        };
        let data_api = HttpDataApi::new(self.base_url.clone(), access)?;
        for (project_id, turn_end) in turns(&projects, end) {
            let compared = self.of_project(&data_api, project_id, &request, turn_end());
            let reconciled = compared.await;
            summary.projects.push(OfProject {
                project_id,
                reconciled,
            });
        }
        Ok(())
    }

    async fn of_project(
        &self,
        data_api: &HttpDataApi,
        project_id: ProjectId,
        request: &Request,
        end: Instant,
    ) -> Reconciled {
        let payments = &self.payments;
        match request {
            Request::Rest => payments.reconcile_due(data_api, project_id, end).await,
            Request::Range { span, .. } => {
                let compared = payments.reconcile(data_api, project_id, *span, end);
                compared.await
            }
        }
    }
}

/// The projects one after the other, each with a clock that tells when its turn ends: one with
/// much to do leaves time for the others.
fn turns(
    projects: &[ProjectId],
    end: Instant,
) -> impl Iterator<Item = (ProjectId, impl Fn() -> Instant)> {
    let left = (1..=u32::try_from(projects.len()).unwrap_or(u32::MAX)).rev();
    projects.iter().zip(left).map(move |(project_id, left)| {
        let turn_end = move || {
            let now = Instant::now();
            now + end.saturating_duration_since(now) / left
        };
        (*project_id, turn_end)
    })
}

/// When to stop.
fn end(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default().saturating_sub(TO_END)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn projects() -> [ProjectId; 3] {
        [211, 212, 213].map(|id| ProjectId::new(id).unwrap())
    }

    #[test]
    fn each_project_has_its_share_of_what_is_left() {
        let begin = Instant::now();
        let end = begin + Duration::from_secs(300);
        let projects = projects();
        let ends = turns(&projects, end).map(|(id, turn_end)| (id, (turn_end() - begin).as_secs()));
        // Who takes no time leaves it to the later ones; the last has all of it.
        let [first, second, third] = projects;
        let expected = [(first, 100), (second, 150), (third, 300)];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
        assert_eq!(turns(&[], end).count(), 0);
    }

    #[test]
    fn who_takes_all_of_a_turn_takes_nothing_of_the_others() {
        let end = Instant::now() + Duration::from_millis(900);
        let projects = projects();
        let mut turns = turns(&projects, end).map(|(_, turn_end)| turn_end);
        let first = turns.next().unwrap()();
        std::thread::sleep(first.saturating_duration_since(Instant::now()));
        let second = turns.next().unwrap()();
        assert!(first < second && second < end);
        // Time that is up is nobody's.
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        assert!(turns.next().unwrap()() <= Instant::now());
    }
}
