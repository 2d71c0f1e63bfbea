//! Starts the runs that are due, does the parts of runs, and compares intervals on demand.

use std::collections::VecDeque;
use std::time::Duration;

use aws::config;
use aws::data_api_http::HttpDataApi;
use aws::deadline::deadline;
use aws::dynamodb::DynamoStore;
use aws::environment::{Environment, LivePayments};
use aws::messages::{Batch, Failures, Message};
use aws::prewarm;
use aws::secrets::DataApiSecret;
use aws::sqs::SqsQueue;
use aws::work_queue::SqsWorkQueue;
use ecommpay::fields::ProjectId;
use lambda_runtime::{Error, LambdaEvent};
use payments::Timestamp;
use payments::ports::{Daily, Part, Run, SystemClock, Work, WorkMessage, WorkQueue};
use payments::service::daily_run::{Counts, DailyRuns};
use payments::service::reconcile::Span;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::lines::{self, Answer, Started};
use crate::request::Request;

/// A part ends this long before the timeout of the function.
const RESERVE: Duration = Duration::from_secs(20);
/// An invocation on demand does parts for at most this time, and hands the other parts over to the queue.
const ON_DEMAND: Duration = Duration::from_secs(60);

type LiveRuns<'a> = DailyRuns<'a, DynamoStore, SqsQueue, SystemClock, HttpDataApi>;

pub struct Reconciler {
    payments: LivePayments,
    access: DataApiSecret,
    queue: SqsWorkQueue,
    base_url: String,
    pace: Duration,
}

impl Reconciler {
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            access: environment.data_api_secret()?,
            queue: environment.daily_queue()?,
            base_url: config::base_url("DATA_API_URL")?,
            pace: config::data_api_pace()?,
        })
    }

    /// Opens a connection to the table before the first event. Reads no credentials of the Data API: each part reads
    /// them again, because an operator can replace them at any time.
    pub async fn prewarm(&self) {
        prewarm::within_limit(self.payments.store.prewarm()).await;
    }

    /// Handles one event. Returns an error if the event is invalid, or if the state of a run cannot be read.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let deadline = deadline(&event.context, RESERVE);
        Ok(match Request::read(&event.payload, Timestamp::now())? {
            Request::Start => json!(self.start().await),
            Request::Messages(batch) => json!(self.work_all(&batch, deadline).await),
            Request::Interval { project_id, span } => {
                let answer = self.compare(project_id, span, deadline).await;
                json!(answer.unwrap_or_else(|error| Answer::failed(&*error)))
            }
            Request::State(run) => {
                let state = self.payments.run_state(&run).await?;
                json!(Answer::of(run, state))
            }
        })
    }

    /// Starts the runs that are due, for each project that has ever had a key. Continues a run that was started on the
    /// same day.
    async fn start(&self) -> Started {
        let mut started = Started::default();
        match self.payments.store.projects().await {
            Ok(projects) => {
                let access = self.access.get().await;
                for project_id in projects {
                    let run = self.start_due(project_id, Daily::Report).await;
                    started.add(Daily::Report, run);
                    match &access {
                        Ok(Some(_)) => {
                            let run = self.start_due(project_id, Daily::Compare).await;
                            started.add(Daily::Compare, run);
                        }
                        Ok(None) => started.without_token.push(project_id),
                        Err(error) => started.add(Daily::Compare, Err(error.to_string().into())),
                    }
                }
            }
            Err(error) => {
                started.add(Daily::Report, Err(error.to_string().into()));
                started.add(Daily::Compare, Err(error.into()));
            }
        }
        started.line().write();
        started
    }

    async fn start_due(&self, project_id: ProjectId, daily: Daily) -> Result<Option<Run>, Error> {
        let run = self.payments.due_run(project_id, daily).await?;
        if let Some(run) = &run {
            self.start_run(run).await?;
        }
        Ok(run)
    }

    async fn start_run(&self, run: &Run) -> Result<(), Error> {
        let parts = self.payments.open_parts(run).await?;
        self.send(run, parts).await
    }

    async fn send(&self, run: &Run, parts: impl IntoIterator<Item = Part>) -> Result<(), Error> {
        let message = |part| WorkMessage {
            work: Work::Part {
                run: run.clone(),
                part,
            },
            delay: Duration::ZERO,
        };
        let messages: Vec<WorkMessage> = parts.into_iter().map(message).collect();
        Ok(self.queue.send(&messages).await?)
    }

    /// Does the parts of the messages, one after another. A part that failed stays in the queue.
    async fn work_all(&self, batch: &Batch, deadline: Instant) -> Failures {
        let mut failures = Failures::default();
        for message in &batch.messages {
            if !self.work_message(message, deadline).await {
                failures.add(message);
            }
        }
        failures
    }

    /// Returns `false` if the message must stay in the queue.
    async fn work_message(&self, message: &Message, deadline: Instant) -> bool {
        match serde_json::from_str(&message.body) {
            Ok(Work::Part { run, part }) => {
                let done = self.work(&run, &part, &message.message_id, deadline).await;
                lines::of_part(&run, &part, &done).write();
                done.is_ok()
            }
            Ok(_) => {
                lines::unknown(&message.message_id).write();
                true
            }
            Err(error) => {
                lines::unreadable(&message.message_id, &error).write();
                false
            }
        }
    }

    async fn work(
        &self,
        run: &Run,
        part: &Part,
        message_id: &str,
        deadline: Instant,
    ) -> Result<(), Error> {
        let data_api = self.data_api(run).await?;
        let runs = self.runs(&data_api);
        let worked = runs.work(run, part, message_id, deadline).await?;
        self.send(run, worked.next).await?;
        if let Some(counts) = worked.ended {
            self.end(run, counts).await?;
        }
        Ok(())
    }

    fn runs<'a>(&'a self, data_api: &'a Option<HttpDataApi>) -> LiveRuns<'a> {
        DailyRuns {
            payments: &self.payments,
            data_api: data_api.as_ref(),
            pace: self.pace,
        }
    }

    async fn data_api(&self, run: &Run) -> Result<Option<HttpDataApi>, Error> {
        let access = match run.daily {
            Daily::Compare => self.access.get().await?,
            Daily::Report => None,
        };
        let create = |access| HttpDataApi::new(self.base_url.clone(), access);
        Ok(access.map(create).transpose()?)
    }

    /// Logs a run that has ended, and starts the next due run of the same kind (comparison or report).
    async fn end(&self, run: &Run, counts: Counts) -> Result<(), Error> {
        let lag = match run.is_scheduled {
            true => Some(self.lag(run.daily).await?),
            false => None,
        };
        lines::of_run(run, counts, lag).write();
        if let Some(next) = self.payments.next_run(run).await? {
            self.start_run(&next).await?;
        }
        // This write is the last step. If a step before it fails, SQS delivers the message again, and all steps repeat.
        Ok(self.payments.close(run).await?)
    }

    /// Returns the lag of the comparisons or of the reports: the time since the end of the last interval that is done
    /// for all projects.
    async fn lag(&self, daily: Daily) -> Result<Duration, Error> {
        let now = Timestamp::now();
        let mut lag = Duration::ZERO;
        for project_id in self.payments.store.projects().await? {
            let until = self.payments.done_until(project_id, daily).await?;
            lag = lag.max(now.since(until));
        }
        Ok(lag)
    }

    /// Compares an interval. Parts that are not done in time are handed over to the queue.
    async fn compare(
        &self,
        project_id: ProjectId,
        span: Span,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        if !self.payments.store.projects().await?.contains(&project_id) {
            return Err(format!("project {project_id} has never had a key").into());
        }
        let run = self.payments.run_on_demand(project_id, span);
        let data_api = self.data_api(&run).await?;
        if data_api.is_none() {
            return Ok(Answer::without_token(project_id));
        }
        let deadline = deadline.min(Instant::now() + ON_DEMAND);
        let runs = self.runs(&data_api);
        let mut parts = VecDeque::from(run.first_parts());
        while let Some(part) = parts.pop_front() {
            if Instant::now() >= deadline {
                parts.push_front(part);
                break;
            }
            // This execution has no message. It uses the run's id instead of a message id, because both are unique.
            let worked = match runs.work(&run, &part, &run.id, deadline).await {
                Ok(worked) => worked,
                Err(error) => {
                    // The state of the run also contains the error.
                    lines::of_part(&run, &part, &Err(error.into())).write();
                    parts.clear();
                    break;
                }
            };
            parts.extend(worked.next);
            if let Some(counts) = worked.ended {
                self.end(&run, counts).await?;
            }
        }
        self.send(&run, parts).await?;
        let state = self.payments.run_state(&run).await?;
        Ok(Answer::of(run, state))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use payments::Payments;
    use payments::model::schedule::Schedule;
    use wire::{TABLE, Wire};

    use super::*;

    fn reconciler(wire: &Wire) -> Reconciler {
        Reconciler {
            payments: Payments {
                store: DynamoStore::new(wire.config(), TABLE),
                queues: Vec::new(),
                clock: SystemClock,
                schedule: Schedule::default(),
            },
            access: DataApiSecret::new(wire.config(), "token"),
            queue: SqsWorkQueue::new(wire.config(), "https://queues.example/daily"),
            base_url: "https://data.example".into(),
            pace: Duration::ZERO,
        }
    }

    /// The project keys cannot be read at all.
    #[tokio::test]
    async fn the_daily_runs_include_each_listed_project_without_a_read_of_the_project_keys() {
        let wire = Wire::start().await.unwrap();
        let reconciler = reconciler(&wire);
        let projects = [211, 212].map(|id| ProjectId::new(id).unwrap());
        for project_id in projects {
            let store = &reconciler.payments.store;
            store.add_project(project_id).await.unwrap();
        }
        let started = reconciler.start().await;
        assert_eq!(started.without_token, projects);
        let reported: Vec<ProjectId> = started.runs.iter().map(|run| run.project_id).collect();
        assert_eq!(reported, projects, "{started:?}");
    }

    #[tokio::test]
    async fn an_interval_of_a_project_that_is_not_listed_is_not_compared() {
        let wire = Wire::start().await.unwrap();
        let span = Span {
            from: Timestamp::from_millis(0),
            to: Timestamp::from_millis(1),
        };
        let reconciler = reconciler(&wire);
        let project_id = ProjectId::new(213).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let compared = reconciler.compare(project_id, span, deadline);
        let error = compared.await.err().unwrap().to_string();
        assert_eq!(error, "project 213 has never had a key");
    }
}
