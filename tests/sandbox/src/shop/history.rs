//! Stores the activity of the shop's orders since the start of the shop: the statuses from the API and the events from
//! the queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// The maximum number of stored lines. A further line replaces the oldest line.
const MAX_LINES: usize = 200;
/// The maximum number of open payments whose status is read at each visit of the activity page: the newest payments.
const MAX_POLLED: usize = 5;

/// The source of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A status from the API.
    Api,
    /// An event from the queue.
    Queue,
}

/// One line of the activity page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When the shop read the status or the event.
    pub at: OffsetDateTime,
    /// The payment's id.
    pub payment_id: String,
    /// Where the shop read the status or the event.
    pub source: Source,
    /// The status or the event type.
    pub text: String,
}

/// The activity of all orders.
#[derive(Debug, Default)]
pub struct History(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: VecDeque<Line>,
    /// The last status from the API, by payment.
    statuses: HashMap<String, String>,
    /// The payments that are not settled, the newest last.
    open: VecDeque<String>,
}

impl History {
    /// Adds a line if the status from the API differs from the last status of the payment. From now on, the activity
    /// page reads the payment only if `is_settled` is false.
    pub fn add_status(&self, payment_id: &str, status: &str, is_settled: bool) {
        let mut inner = self.inner();
        if is_settled {
            inner.open.retain(|open| open != payment_id);
        } else if !inner.open.iter().any(|open| open == payment_id) {
            inner.open.push_back(payment_id.to_owned());
        }
        let last = inner
            .statuses
            .insert(payment_id.to_owned(), status.to_owned());
        if last.as_deref() != Some(status) {
            inner.add(payment_id, Source::Api, status);
        }
    }

    /// Adds an event.
    pub fn add_event(&self, payment_id: &str, kind: &str) {
        self.inner().add(payment_id, Source::Queue, kind);
    }

    /// Returns all lines, the newest first.
    pub fn lines(&self) -> Vec<Line> {
        self.inner().lines.iter().rev().cloned().collect()
    }

    /// Returns the newest payments that are not settled, at most `MAX_POLLED`.
    pub fn open(&self) -> Vec<String> {
        let inner = self.inner();
        inner.open.iter().rev().take(MAX_POLLED).cloned().collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, payment_id: &str, source: Source, text: &str) {
        if self.lines.len() == MAX_LINES {
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
    fn a_repeated_status_is_added_once_and_the_newest_line_is_first() {
        let history = History::default();
        history.add_status("shop-1", "processing", false);
        history.add_status("shop-1", "processing", false);
        history.add_event("shop-1", "payment.succeeded");
        assert_eq!(history.open(), ["shop-1"]);
        history.add_status("shop-1", "succeeded", true);
        let texts: Vec<String> = history.lines().into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["succeeded", "payment.succeeded", "processing"]);
        assert!(history.open().is_empty());
    }

    #[test]
    fn the_oldest_line_is_removed_when_the_history_is_full() {
        let history = History::default();
        for number in 0..=MAX_LINES {
            history.add_event("shop-1", &number.to_string());
        }
        let lines = history.lines();
        assert_eq!(lines.len(), MAX_LINES);
        assert_eq!(lines.last().unwrap().text, "1");
    }
}
