//! Measures status polls: the sweeper hands out due polls, and concurrent workers poll a simulated platform.
//!
//! The sweeper and the workers run the product's own code. The table is dynoxide in memory. The work queue is in this
//! process, and delivers a message after its delay, as SQS does.

mod platform;
mod queue;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use clap::Args;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use ecommpay::{Keyring, ProjectKey};
use payments::decide::Fact;
use payments::model::schedule::Schedule;
use payments::ports::{SystemClock, Work};
use payments::service::checkout::token::TokenSecret;
use payments::service::project_keys::ProjectKeys;
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::Sweeper;
use payments::{PaymentKey, Payments};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::{TABLE, Wire};

use self::platform::Platform;
use self::queue::DelayedQueue;

const SECRET: &str = "bench-project-key";
/// The minimum number of polls per second if each message has one poll, for 100 workers and a platform that answers
/// after 300 ms.
const GOAL: f64 = 200.0;

/// The options of the measurement.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Time until the platform answers, in ms
    #[arg(long, default_value_t = 300)]
    platform_ms: u64,
    /// Number of messages that workers process at the same time (`PollConcurrency`)
    #[arg(long, default_value_t = 100)]
    workers: usize,
    /// Duration of each part in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

struct Part {
    name: &'static str,
    /// The number of due polls of each project.
    due: Vec<u64>,
    polls_per_second: usize,
}

/// Runs all parts, and prints a table. The exit code shows a failure if the first part misses `GOAL` with at least
/// 100 workers. Returns an error if a poll fails, or if the platform does not receive as many polls as the sweeper
/// handed out.
pub async fn command(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let seconds = arguments.seconds;
    println!("| part | projects | polls | seconds | polls per second | at the same time |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    // With one poll per second and project, each message has exactly one poll.
    let single = Part {
        name: "one poll in a message",
        due: vec![seconds; 320],
        polls_per_second: 1,
    };
    let reached = single.run(arguments).await?.per_second();
    let full = Part {
        name: "four polls in a message",
        due: vec![40 * seconds; 10],
        polls_per_second: 40,
    };
    full.run(arguments).await?;
    let unequal = Part {
        name: "one project 100 times larger",
        due: [vec![6_000], vec![60; 9]].concat(),
        polls_per_second: 20,
    };
    let outcome = unequal.run(arguments).await?;
    println!("\n{outcome}");
    Ok(match arguments.workers < 100 || reached >= GOAL {
        true => ExitCode::SUCCESS,
        false => {
            println!("{reached:.0} polls per second are less than the goal of {GOAL:.0}");
            ExitCode::FAILURE
        }
    })
}

struct Outcome {
    seconds: f64,
    /// By project: the number of due polls, and when the platform received the polls, in seconds since the start.
    projects: BTreeMap<u32, (u64, Vec<f64>)>,
}

impl Outcome {
    fn polls(&self) -> usize {
        self.projects.values().map(|(_, times)| times.len()).sum()
    }

    fn per_second(&self) -> f64 {
        self.polls() as f64 / self.seconds
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            formatter,
            "| project | due | sent by this run | most in one second | last after s |"
        )?;
        writeln!(formatter, "| ---: | ---: | ---: | ---: | ---: |")?;
        for (project, (due, times)) in &self.projects {
            let mut seconds = BTreeMap::<u64, u64>::new();
            for time in times {
                *seconds.entry(*time as u64).or_default() += 1;
            }
            let most = seconds.values().max().copied().unwrap_or(0);
            let last = times.iter().copied().fold(0.0, f64::max);
            let sent = times.len();
            writeln!(
                formatter,
                "| {project} | {due} | {sent} | {most} | {last:.1} |"
            )?;
        }
        Ok(())
    }
}

impl Part {
    async fn run(self, arguments: &Arguments) -> anyhow::Result<Outcome> {
        let wire = Wire::start().await?;
        let payments = Payments {
            store: DynamoStore::new(wire.config(), TABLE),
            queues: Vec::<SqsQueue>::new(),
            clock: SystemClock,
            schedule: Schedule::default(),
        };
        let payments = Arc::new(payments);
        let projects: Vec<(ProjectId, u64)> = (1..)
            .zip(&self.due)
            .map(|(number, due)| Ok((ProjectId::new(number)?, *due)))
            .collect::<anyhow::Result<_>>()?;
        create(&payments, &projects).await?;

        let queue = Arc::new(DelayedQueue::default());
        let sweeper = Sweeper {
            payments: &*payments,
            queue: &*queue,
            polls_per_second: self.polls_per_second,
        };
        let start = Instant::now();
        let platform = Arc::new(Platform::new(arguments.platform_ms, start)?);
        let far = start + Duration::from_secs(600);
        let ids = projects.iter().map(|(project, _)| *project);
        let handed_out = sweeper.hand_out_polls(ids, far).await.polled;
        anyhow::ensure!(handed_out.failed == 0, "{handed_out:?}");
        queue.close();

        let mut keys = ProjectKeys::new();
        for (project, _) in &projects {
            keys.insert(*project, Keyring::new(ProjectKey::new(SECRET)?, None));
        }
        let keys = Arc::new(keys);
        let tokens = Arc::new(TokenSecret::new(&"s".repeat(32)).context("no token secret")?);
        let mut workers = JoinSet::new();
        for _ in 0..arguments.workers {
            let (payments, platform, queue) = (payments.clone(), platform.clone(), queue.clone());
            let (keys, tokens) = (keys.clone(), tokens.clone());
            workers.spawn(async move {
                let poller = StatusPoller {
                    payments: &*payments,
                    gate: &*platform,
                    keys: &keys,
                    tokens: &tokens,
                    base_url: "https://pay.example",
                };
                let mut failure = None;
                while let Some(work) = queue.receive().await {
                    if let Work::Poll { payments, .. } = work {
                        let run = poller.poll_all(payments, None, far).await;
                        failure = failure.or(run.failure);
                    }
                }
                failure
            });
        }
        while let Some(failure) = workers.join_next().await {
            let failure = failure?;
            anyhow::ensure!(failure.is_none(), "{failure:?}");
        }
        let outcome = Outcome {
            seconds: start.elapsed().as_secs_f64(),
            projects: platform.received(&projects),
        };
        anyhow::ensure!(outcome.polls() as u64 == handed_out.handed_out);
        println!(
            "| {} | {} | {} | {:.1} | {:.0} | {} |",
            self.name,
            projects.len(),
            outcome.polls(),
            outcome.seconds,
            outcome.per_second(),
            platform.max_concurrent(),
        );
        Ok(outcome)
    }
}

/// Creates payments whose recheck is due immediately.
async fn create(
    payments: &Arc<Payments<DynamoStore, SqsQueue, SystemClock>>,
    projects: &[(ProjectId, u64)],
) -> anyhow::Result<()> {
    let mut creations = JoinSet::new();
    for (project, due) in projects.iter().copied() {
        for number in 0..due {
            let payments = payments.clone();
            let id = format!("order-{number}");
            creations.spawn(async move {
                let body = json!({ "project_id": project.get(), "payment": { "id": id } });
                let body = body.to_string();
                let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK)?);
                let key = PaymentKey::new(project, &id);
                payments.apply(&key, Fact::Hint(&report)).await?;
                anyhow::Ok(())
            });
            if creations.len() >= 32 {
                creations
                    .join_next()
                    .await
                    .context("no creation runs")???;
            }
        }
    }
    while let Some(created) = creations.join_next().await {
        created??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_due_poll_is_sent_once_and_no_project_exceeds_its_rate() {
        let part = Part {
            name: "test",
            due: vec![9, 2],
            polls_per_second: 4,
        };
        let arguments = Arguments {
            platform_ms: 20,
            workers: 4,
            seconds: 1,
        };
        let outcome = part.run(&arguments).await.unwrap();
        let counts: Vec<usize> = outcome
            .projects
            .values()
            .map(|(_, times)| times.len())
            .collect();
        assert_eq!(counts, [9, 2]);
        let (_, times) = &outcome.projects[&1];
        let late = times.iter().filter(|time| **time >= 1.9).count();
        assert_eq!(late, 1, "{times:?}");
    }
}
