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
use aws::secrets::{CachedProjectKeys, DataApiSecret};
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
    keys: CachedProjectKeys,
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
            keys: environment.project_keys()?,
            access: environment.data_api_secret()?,
            queue: environment.daily_queue()?,
            base_url: config::base_url("DATA_API_URL")?,
            pace: config::data_api_pace()?,
        })
    }

    /// Opens a connection to the table, and reads the project keys, before the first event. Each part reads the
    /// credentials of the Data API, because an operator can replace them at any time.
    pub async fn prewarm(&self) {
        let all = async { tokio::join!(self.payments.store.prewarm(), self.keys.prewarm()) };
        prewarm::within_limit(all).await;
    }

    /// Handles one event. Returns an error only if the event is invalid.
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

    /// Starts the runs that are due. Continues a run that was started on the same day.
    async fn start(&self) -> Started {
        let mut started = Started::default();
        match self.keys.get().await {
            Ok(keys) => {
                let access = self.access.get().await;
                for project_id in keys.keys().copied() {
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
            Err(error) => started.add(Daily::Compare, Err(error.into())),
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

    /// Reports a run that has ended, and starts the next run of its task.
    async fn end(&self, run: &Run, counts: Counts) -> Result<(), Error> {
        let lag = match run.is_scheduled {
            true => Some(self.lag(run.daily).await?),
            false => None,
        };
        lines::of_run(run, counts, lag).write();
        if let Some(next) = self.payments.next_run(run).await? {
            self.start_run(&next).await?;
        }
        // This write is the last step. Until then, a message that is delivered again repeats the end of the run.
        Ok(self.payments.close(run).await?)
    }

    /// Returns how far a task is behind: the time since the end of the last interval that the slowest project has done.
    async fn lag(&self, daily: Daily) -> Result<Duration, Error> {
        let now = Timestamp::now();
        let mut lag = Duration::ZERO;
        for project_id in self.keys.get().await?.keys().copied() {
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
        self.keys.of(project_id).await?;
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
