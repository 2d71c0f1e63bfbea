//! Plays against a consumer what can happen to it, and compares the actions of the consumer with what was right.
//!
//! | file | holds |
//! | --- | --- |
//! | `history`, `shared` | the events of payments, made by the real rules |
//! | `scenarios`, `scenario` | the scenarios: messages in order, and what is right afterwards |
//! | `expected` | the statements about the goods of a payment |
//! | `queue`, `endpoint` | the ways to the consumer |
//! | `consumer` | the commands of the user: the consumer and its actions |
//! | `report` | the comparison and its text |

mod consumer;
mod endpoint;
mod expected;
mod history;
mod options;
mod queue;
mod random;
mod report;
mod scenario;
mod scenarios;
mod shared;

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use payments::ports::{Clock, DeliveryOutcome, SystemClock};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use self::consumer::{Actions, Consumer};
use self::endpoint::Endpoint;
pub use self::options::Rehearsal;
use self::queue::Queue;
use self::random::Random;
use self::report::Played;
use self::scenario::{Message, Scenario, Setting, Way};
use self::shared::Shared;
use crate::progress::say;

/// The lanes of a scenario that are sent in parallel. The service posts to an endpoint at most as many events in
/// parallel.
const CONCURRENCY: usize = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// The result of a rehearsal.
#[derive(Debug)]
pub struct Outcome {
    /// The text for the user.
    pub report: String,
    /// The names of the scenarios in which the consumer did something wrong.
    pub wrong: Vec<&'static str>,
}

/// The way to the consumer.
pub(crate) enum Target {
    Queue(Queue),
    Endpoint(Endpoint),
}

/// How long the actions must stay the same before they count as complete.
struct Patience {
    right: Duration,
    wrong: Duration,
    /// While the queue still has the messages that are no events.
    wrong_with_poison: Duration,
}

impl Target {
    /// The numbers of messages in a queue are approximate and late.
    fn patience(&self) -> Patience {
        let (right, wrong) = match self {
            Target::Queue(_) => (3, 10),
            Target::Endpoint(_) => (1, 2),
        };
        Patience {
            right: Duration::from_secs(right),
            wrong: Duration::from_secs(wrong),
            wrong_with_poison: Duration::from_secs(20),
        }
    }

    async fn send(&self, message: &Message) -> anyhow::Result<Option<DeliveryOutcome>> {
        match self {
            Target::Queue(queue) => queue.send(message).await.map(|()| None),
            Target::Endpoint(endpoint) => endpoint.deliver(message).await,
        }
    }

    /// Returns the longest time from the sending of an event to the death of the consumer, in milliseconds.
    fn longest_life(&self) -> u64 {
        match self {
            Target::Queue(_) => 2_000,
            Target::Endpoint(_) => 100,
        }
    }

    async fn messages(&self) -> anyhow::Result<u64> {
        match self {
            Target::Queue(queue) => queue.messages().await,
            Target::Endpoint(_) => Ok(0),
        }
    }
}

/// A rehearsal in progress.
struct Run<'a> {
    options: &'a Rehearsal,
    target: Target,
    consumer: Option<Consumer>,
    random: Mutex<Random>,
}

/// Plays all scenarios and compares the actions of the consumer. An error means that the rehearsal has no result.
pub(crate) async fn run(options: &Rehearsal, target: Target) -> anyhow::Result<Outcome> {
    let seed = options.seed.unwrap_or_else(|| SystemClock.random(1 << 32));
    let mut random = Random::new(seed);
    let shared = Shared::new(options.project, &options.storefront)?;
    let mut setting = Setting {
        shared: &shared,
        random: &mut random,
        burst: options.burst,
    };
    let mut plays = Vec::new();
    let is_chosen = |scenario: &&'static Scenario| {
        options.scenario.is_empty() || options.scenario.iter().any(|name| name == scenario.name)
    };
    let (not_played, chosen): (Vec<_>, Vec<_>) = scenarios::ALL
        .iter()
        .filter(is_chosen)
        .partition(|scenario| scenario.kills && options.consumer_command.is_none());
    for scenario in chosen {
        plays.push(Played {
            scenario,
            play: (scenario.play)(&mut setting)?,
            refused: Vec::new(),
        });
    }
    let consumer = options.consumer_command.as_deref().map(Consumer::start);
    let run = Run {
        options,
        target,
        consumer: consumer.transpose()?,
        random: Mutex::new(random),
    };
    if let Target::Endpoint(endpoint) = &run.target {
        endpoint.until_open().await?;
    }
    say(&format!("Playing {} scenarios", plays.len()));
    for played in &mut plays {
        let lanes = stream::iter(&played.play.lanes).map(|lane| run.play(lane));
        let refused: Vec<Vec<_>> = lanes.buffer_unordered(CONCURRENCY).try_collect().await?;
        played.refused = refused.concat();
    }
    for played in &mut plays {
        let refused = run.play(&played.play.at_end).await?;
        played.refused.extend(refused);
    }
    say("Waiting for the consumer");
    let (actions, left) = run.wait(&plays).await?;

    let is_wrong = |played: &&Played| !played.is_right(&actions);
    let mut report: String = plays
        .iter()
        .map(|played| played.describe(&actions))
        .collect();
    for scenario in not_played {
        let Scenario { name, about, .. } = scenario;
        report += &format!("skipped {name}: {about}. It needs --consumer-command\n");
    }
    if left > 0 {
        report += &format!("\n{left} messages are still in the queue.\n");
    }
    report += &format!("\nThe seed of this rehearsal is {seed}.\n");
    Ok(Outcome {
        report,
        wrong: plays
            .iter()
            .filter(is_wrong)
            .map(|played| played.scenario.name)
            .collect(),
    })
}

impl Run<'_> {
    /// Sends messages one after another. Returns the messages that the endpoint never accepted.
    async fn play(&self, lane: &[Message]) -> anyhow::Result<Vec<(String, DeliveryOutcome)>> {
        let mut refused = Vec::new();
        for message in lane {
            let outcome = match (message.way, &self.consumer) {
                (Way::Killed, Some(consumer)) => {
                    let (outcome, killed) =
                        tokio::join!(self.target.send(message), self.kill(consumer));
                    killed?;
                    outcome?
                }
                _ => self.target.send(message).await?,
            };
            refused.extend(outcome.map(|outcome| (message.describe(), outcome)));
        }
        Ok(refused)
    }

    /// Kills the consumer after a random time, and starts it again.
    async fn kill(&self, consumer: &Consumer) -> anyhow::Result<()> {
        let life = self.random.lock().await.below(self.target.longest_life());
        sleep(Duration::from_millis(life)).await;
        consumer.kill_and_start().await
    }

    /// Waits until the queue is empty and the actions of the consumer stay the same, or the time is over. Returns the
    /// actions, and the number of messages of the queue that are events.
    async fn wait(&self, plays: &[Played]) -> anyhow::Result<(Actions, u64)> {
        let sent = plays.iter().flat_map(|played| played.play.messages());
        let poison = sent.filter(|message| message.way == Way::Poison).count();
        let poison = u64::try_from(poison).unwrap_or(u64::MAX);
        let patience = self.target.patience();
        let end = Instant::now() + Duration::from_secs(self.options.timeout);
        let mut last = None;
        let mut since = Instant::now();
        loop {
            let left = self.target.messages().await?;
            let is_over = Instant::now() >= end;
            if left > poison && !is_over {
                sleep(PAUSE).await;
                continue;
            }
            let actions = consumer::actions(&self.options.state_command).await?;
            let is_right = plays.iter().all(|played| played.is_right(&actions));
            let needed = match (is_right, left) {
                (true, _) => patience.right,
                (false, 0) => patience.wrong,
                (false, _) => patience.wrong_with_poison,
            };
            let now = Some((actions, left));
            if last != now {
                last = now;
                since = Instant::now();
            }
            if let Some((actions, left)) = last.take_if(|_| is_over || since.elapsed() >= needed) {
                return Ok((actions, left.saturating_sub(poison)));
            }
            sleep(PAUSE).await;
        }
    }
}
