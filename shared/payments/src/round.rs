//! Gives every payment that something must be done about its turn.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::apply::Payments;
use crate::event::EventKind;
use crate::ids::PaymentKey;
use crate::ports::{Clock, Due, Index, PaymentStore, SHARDS, StoreError};
use crate::timestamp::Timestamp;

/// What a round did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Payments that were due.
    pub found: u64,
    /// Of these, the ones whose turn ended well.
    pub done: u64,
    /// The ones, and the shards, that failed; the next round tries again.
    pub failed: u64,
    /// Whether every payment had its turn.
    pub in_time: bool,
    /// How long the one that waited longest was due at the start, in seconds; 0 if there was none.
    pub oldest_s: u64,
    /// One of the failures.
    pub failure: Option<String>,
    /// The events that were sent.
    #[serde(skip)]
    pub events: Vec<EventKind>,
}

/// What is due at this very moment is due.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Why a turn brought nothing.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It was too late to begin it.
    Late,
    /// It failed.
    Failed(String),
}

impl<E: Error> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Unfinished::Failed(error.to_string())
    }
}

/// How much a round may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// So many payments at once.
    pub at_once: usize,
    /// So many payments at most.
    pub most: usize,
    /// No turn is begun after it.
    pub begin_until: Instant,
    /// What is not done then is dropped.
    pub deadline: Instant,
}

impl Round {
    /// Nothing was due.
    pub const QUIET: Round = Round {
        found: 0,
        done: 0,
        failed: 0,
        in_time: true,
        oldest_s: 0,
        failure: None,
        events: Vec::new(),
    };
}

/// Several rounds as one.
impl FromIterator<Round> for Round {
    fn from_iter<I: IntoIterator<Item = Round>>(rounds: I) -> Self {
        let mut all = Round::QUIET;
        for round in rounds {
            all.found += round.found;
            all.done += round.done;
            all.failed += round.failed;
            all.in_time &= round.in_time;
            all.oldest_s = all.oldest_s.max(round.oldest_s);
            all.failure = all.failure.or(round.failure);
            all.events.extend(round.events);
        }
        all
    }
}

impl<S: PaymentStore + Sync, Q: Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Takes each payment that was due before a moment. A turn gives the events that were sent.
    pub(crate) async fn round<F, T>(
        &self,
        index: Index,
        before: Timestamp,
        bounds: Bounds,
        turn: F,
    ) -> Round
    where
        F: Fn(PaymentKey) -> T,
        T: Future<Output = Result<Vec<EventKind>, Unfinished>>,
    {
        let now = self.clock.now();
        // Side by side, so that one shard full of failures does not keep the others waiting.
        let shards = (0..SHARDS).map(|shard| self.due_of(index, shard, before));
        let turn = &turn;
        let turns = stream::select_all(shards)
            .take(bounds.most)
            .take_until(sleep_until(bounds.begin_until))
            .map(|found| async move {
                match found {
                    Ok(due) => Turn {
                        since: Some(due.since),
                        end: take(turn, due.key, bounds.deadline).await,
                    },
                    Err(error) => Turn {
                        since: None,
                        end: End::Failed(error.to_string()),
                    },
                }
            })
            .buffer_unordered(bounds.at_once);
        let mut turns = pin!(turns);
        let mut round = Round::QUIET;
        let mut taken = 0;
        while let Some(turn) = turns.next().await {
            taken += 1;
            round.count(turn, now);
        }
        round.in_time &= Instant::now() < bounds.begin_until && taken < bounds.most;
        round
    }

    /// All payments of a shard, page by page; a failure ends it.
    fn due_of(
        &self,
        index: Index,
        shard: u8,
        before: Timestamp,
    ) -> BoxStream<'_, Result<Due, StoreError>> {
        let pages = stream::try_unfold(None, move |last: Option<Due>| async move {
            let page = self.store.due(index, shard, before, last.as_ref()).await?;
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
}

async fn take<F, T>(turn: &F, key: PaymentKey, deadline: Instant) -> End
where
    F: Fn(PaymentKey) -> T,
    T: Future<Output = Result<Vec<EventKind>, Unfinished>>,
{
    let name = key.to_string();
    match timeout_at(deadline, turn(key)).await {
        Ok(Ok(events)) => End::Done(events),
        Ok(Err(Unfinished::Failed(problem))) => End::Failed(format!("{name}: {problem}")),
        Ok(Err(Unfinished::Late)) | Err(_) => End::Late,
    }
}

/// One payment's turn.
struct Turn {
    /// Since when it was due; `None` where a shard could not be read to its end.
    since: Option<Timestamp>,
    end: End,
}

enum End {
    Done(Vec<EventKind>),
    Failed(String),
    Late,
}

impl Round {
    fn count(&mut self, turn: Turn, now: Timestamp) {
        if let Some(since) = turn.since {
            self.found += 1;
            self.oldest_s = self.oldest_s.max(now.since(since).as_secs());
        }
        match turn.end {
            End::Done(events) => {
                self.done += 1;
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
