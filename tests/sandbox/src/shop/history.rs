//! Stores the activity of all orders since the start of the shop: statuses from the API, and events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// The maximum number of lines. A further line replaces the oldest line.
const MAX_LINES: usize = 200;
/// Each visit of the activity page reads the status of the newest open payments, but of at most this many.
const MAX_POLLED: usize = 5;

/// The source of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A status from the API.
    Api,
    /// An event from the queue or to the endpoint.
    Event,
}

/// One line of the activity page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When the shop received the text.
    pub at: OffsetDateTime,
    /// The payment's id.
    pub payment_id: String,
    /// Where the text is from.
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
    /// The last status of each payment.
    statuses: HashMap<String, String>,
    /// The payments that are not settled. The newest is the last.
    open: VecDeque<String>,
}

impl History {
    /// Adds a line if the status has changed. The activity page reads the payment again only if the payment is not
    /// settled.
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

    /// Adds a line for an event.
    pub fn add_event(&self, payment_id: &str, kind: &str) {
        self.inner().add(payment_id, Source::Event, kind);
    }

    /// Returns all lines. The newest is the first.
    pub fn lines(&self) -> Vec<Line> {
        self.inner().lines.iter().rev().cloned().collect()
    }

    /// Returns the newest payments that are not settled.
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
