//! Sends what was committed and not sent: the crash between a commit and its sends, the queue
//! that was down, the reply that was not 200 and that nobody repeated.
//!
//! It publishes as everybody does, so it needs no lock: where two send the same event, queues and
//! consumers drop the second one.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::apply::Payments;
use crate::event::EventKind;
use crate::ids::PaymentKey;
use crate::ports::{Clock, EventQueue, PaymentStore, SHARDS, StoreError, Unsent};
use crate::publish::PublishError;
use crate::timestamp::Timestamp;

/// How many payments are published at once.
const AT_ONCE: usize = 16;

/// What a run of the relay did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relayed {
    /// Payments whose unsent events were older than the grace time.
    pub found: u64,
    /// Of these, the ones that have none any more.
    pub sent: u64,
    /// The ones, and the shards, that failed; the next run tries again.
    pub failed: u64,
    /// Whether every payment had its turn before the deadline.
    pub in_time: bool,
    /// The age of the oldest unsent event at the start, in seconds; 0 if there was none.
    pub oldest_s: u64,
    /// One of the failures.
    pub failure: Option<String>,
    /// The events that were sent.
    #[serde(skip)]
    pub events: Vec<EventKind>,
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Sends all events that were committed more than `grace` ago and are not sent: whoever
    /// committed them is no longer at it. Nothing is begun after the deadline, and what is not
    /// done then is dropped, which at worst leads to a repeat.
    pub async fn relay(&self, grace: Duration, deadline: Instant) -> Relayed {
        let now = self.clock.now();
        let before = now.before(grace);
        // Side by side, so that one shard full of failures does not keep the others waiting.
        let shards = (0..SHARDS).map(|shard| self.unsent_of(shard, before));
        let turns = stream::select_all(shards)
            .take_until(sleep_until(deadline))
            .map(|found| self.relay_one(found, deadline))
            .buffer_unordered(AT_ONCE);
        let mut turns = pin!(turns);
        let mut relayed = Relayed {
            found: 0,
            sent: 0,
            failed: 0,
            in_time: true,
            oldest_s: 0,
            failure: None,
            events: Vec::new(),
        };
        while let Some(turn) = turns.next().await {
            relayed.count(turn, now);
        }
        relayed.in_time &= Instant::now() < deadline;
        relayed
    }

    /// All payments of a shard, page by page; a failure ends it.
    fn unsent_of(&self, shard: u8, before: Timestamp) -> BoxStream<'_, Result<Unsent, StoreError>> {
        let pages = stream::try_unfold(None, move |last: Option<Unsent>| async move {
            let page = self.store.unsent(shard, before, last.as_ref()).await?;
            Ok(page.last().cloned().map(|last| (page, Some(last))))
        });
        pages
            .map(|page| match page {
                Ok(page) => page.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            })
            .flat_map(stream::iter)
            .boxed()
    }

    async fn relay_one(&self, found: Result<Unsent, StoreError>, deadline: Instant) -> Turn {
        let unsent = match found {
            Ok(unsent) => unsent,
            Err(error) => return Turn::Unlisted(error.to_string()),
        };
        let end = match timeout_at(deadline, self.publish_all(&unsent.key)).await {
            Ok(Ok(events)) => End::Sent(events),
            Ok(Err(problem)) => End::Failed(format!("{}: {problem}", unsent.key)),
            Err(_) => End::Late,
        };
        Turn::Taken(unsent.since, end)
    }

    async fn publish_all(&self, key: &PaymentKey) -> Result<Vec<EventKind>, PublishError> {
        match self.store.load(key).await? {
            Some(mut stored) => self.publish(&mut stored, None).await,
            None => Ok(Vec::new()),
        }
    }
}

/// One payment's turn.
enum Turn {
    /// A shard could not be read to its end.
    Unlisted(String),
    /// A payment with events unsent since then.
    Taken(Timestamp, End),
}

enum End {
    Sent(Vec<EventKind>),
    Failed(String),
    Late,
}

impl Relayed {
    fn count(&mut self, turn: Turn, now: Timestamp) {
        let end = match turn {
            Turn::Unlisted(problem) => End::Failed(problem),
            Turn::Taken(since, end) => {
                self.found += 1;
                self.oldest_s = self.oldest_s.max(now.since(since).as_secs());
                end
            }
        };
        match end {
            End::Sent(events) => {
                self.sent += 1;
                self.events.extend(events);
            }
            End::Failed(problem) => {
                self.failed += 1;
                self.failure.get_or_insert(problem);
            }
            End::Late => self.in_time = false,
        }
    }
}
