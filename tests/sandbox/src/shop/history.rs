//! What the shop has seen of its payments: what the API said, and what events said.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// So many lines are kept.
const LINES: usize = 200;
/// So many payments are worth asking about.
const OPEN: usize = 5;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The shop has asked.
    Api,
    /// The shop was told.
    Queue,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When the shop has seen it.
    pub at: OffsetDateTime,
    /// Which payment it is about.
    pub payment_id: String,
    /// Where it comes from.
    pub source: Source,
    /// What it says.
    pub text: String,
}

/// The news of one run.
#[derive(Debug, Default)]
pub struct History(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: VecDeque<Line>,
    /// What the API said last, by payment.
    statuses: HashMap<String, String>,
    /// The payments that can still change by themselves, the newest last.
    open: VecDeque<String>,
}

impl History {
    /// Notes a status that the API has given, if it is another one than before; `settled` if it does
    /// not change by itself.
    pub fn asked(&self, payment_id: &str, status: &str, settled: bool) {
        let mut inner = self.inner();
        if settled {
            inner.open.retain(|open| open != payment_id);
        } else if !inner.open.iter().any(|open| open == payment_id) {
            inner.open.push_back(payment_id.to_owned());
        }
        let known = inner
            .statuses
            .insert(payment_id.to_owned(), status.to_owned());
        if known.as_deref() != Some(status) {
            inner.add(payment_id, Source::Api, status);
        }
    }

    /// Notes an event.
    pub fn told(&self, payment_id: &str, kind: &str) {
        self.inner().add(payment_id, Source::Queue, kind);
    }

    /// All lines, the newest first.
    pub fn lines(&self) -> Vec<Line> {
        self.inner().lines.iter().rev().cloned().collect()
    }

    /// The newest payments that can still change by themselves.
    pub fn open(&self) -> Vec<String> {
        self.inner().open.iter().rev().take(OPEN).cloned().collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, payment_id: &str, source: Source, text: &str) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line {
            at: OffsetDateTime::now_utc(),
            payment_id: payment_id.to_owned(),
            source,
            text: text.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_noted_once_and_the_newest_line_comes_first() {
        let history = History::default();
        history.asked("shop-1", "processing", false);
        history.asked("shop-1", "processing", false);
        history.told("shop-1", "payment.succeeded");
        assert_eq!(history.open(), ["shop-1"]);
        history.asked("shop-1", "succeeded", true);
        let texts: Vec<String> = history.lines().into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["succeeded", "payment.succeeded", "processing"]);
        assert!(history.open().is_empty());
    }

    #[test]
    fn old_lines_are_forgotten() {
        let history = History::default();
        for number in 0..=LINES {
            history.told("shop-1", &number.to_string());
        }
        let lines = history.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.last().unwrap().text, "1");
    }
}
