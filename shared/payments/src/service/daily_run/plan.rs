//! Decides which parts a run has, and which of them are still open.

use std::collections::BTreeMap;

use super::PartError;
use super::result::{Counts, PartResult};
use crate::json_text::to_json_string;
use crate::model::day::Day;
use crate::ports::{Daily, DayPart, Part, Run, RunStore, StoreError};
use crate::service::reconcile::{MARGIN, Span};
use crate::sha256;

/// The key that a run has after it was reported.
pub(super) const CLOSED: &str = "closed";
/// The key with the id of the message that hands over the parts after the lists.
pub(super) const REST: &str = "rest";
/// The key with the id of the message that ends the run.
pub(super) const END: &str = "end";
const SPLIT: &str = "split#";
const RESULT: &str = "part#";
const FAILURE: &str = "failed#";

/// Returns the key of a part's result. The key is a hash, because a part can contain a long payment id.
pub(super) fn key_of(part: &Part) -> String {
    RESULT.to_owned() + &hash_of(part)
}

/// Returns the key with the id of the message that hands over the replacements of a part.
pub(super) fn split_key_of(part: &Part) -> String {
    SPLIT.to_owned() + &hash_of(part)
}

/// Returns the key of a part's error.
pub(super) fn failure_key_of(part: &Part) -> String {
    FAILURE.to_owned() + &hash_of(part)
}

fn hash_of(part: &Part) -> String {
    sha256::start_of_hex(to_json_string(part).as_bytes(), 32)
}

/// Returns the text of a part's error.
pub(super) fn failure_text(run: &Run, part: &Part, error: &PartError) -> String {
    let project = run.project_id;
    match part {
        Part::List { from, .. } => format!("{project} from {from}: {error}"),
        Part::Missing(DayPart { day, .. }) | Part::Report(DayPart { day, .. }) => {
            format!("{project} on {day}: {error}")
        }
    }
}

impl Run {
    /// Returns the interval of the run.
    pub(crate) fn span(&self) -> Span {
        Span {
            from: self.from,
            to: self.to,
        }
    }

    /// Returns the parts with which the run starts. The lists of a reconciliation cover a margin on both sides of the
    /// interval.
    pub fn first_parts(&self) -> Vec<Part> {
        match self.daily {
            Daily::Compare => self.lists(),
            Daily::Report => self.rest(),
        }
    }

    fn lists(&self) -> Vec<Part> {
        let Daily::Compare = self.daily else {
            return Vec::new();
        };
        let slices = self.span().widened(MARGIN).slices();
        let list = |Span { from, to }| Part::List { from, to };
        slices.map(list).collect()
    }

    /// Returns the parts that are no lists: the parts of a report, or the parts that start after all lists of a
    /// reconciliation.
    fn rest(&self) -> Vec<Part> {
        let of_day = match self.daily {
            Daily::Compare => Part::Missing,
            Daily::Report => Part::Report,
        };
        let days = Day::between(self.from, self.to);
        days.map(|day| of_day(DayPart::whole(day))).collect()
    }
}

/// What the parts of a run have stored.
pub(super) struct RunContents {
    results: BTreeMap<String, PartResult>,
    failures: BTreeMap<String, String>,
    is_ending: bool,
    is_closed: bool,
}

/// Reads a result.
pub(super) fn read(run: &Run, content: &str) -> Result<PartResult, StoreError> {
    serde_json::from_str(content).map_err(|error| StoreError::Unreadable {
        item: format!("run {} of project {}", run.id, run.project_id),
        why: format!("a result is no valid JSON: {:?}", error.classify()),
    })
}

impl RunContents {
    pub(super) async fn read<S: RunStore>(store: &S, run: &Run) -> Result<Self, StoreError> {
        let mut contents = Self {
            results: BTreeMap::new(),
            failures: BTreeMap::new(),
            is_ending: false,
            is_closed: false,
        };
        for (key, content) in store.contents(run, None).await? {
            if key.starts_with(RESULT) {
                contents.results.insert(key, read(run, &content)?);
            } else if let Some(hash) = key.strip_prefix(FAILURE) {
                contents.failures.insert(hash.to_owned(), content);
            } else if key == CLOSED {
                contents.is_closed = true;
            } else if key == END {
                contents.is_ending = true;
            }
        }
        Ok(contents)
    }

    pub(super) fn result(&self, part: &Part) -> Option<&PartResult> {
        self.results.get(&key_of(part))
    }

    /// Returns whether a message has claimed the end of the run.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for result in self.results.values() {
            sum.add(&result.counts);
        }
        sum
    }

    /// Returns the error of a part that failed and has no result.
    pub(super) fn failure(&self) -> Option<String> {
        let is_open = |hash: &str| !self.results.contains_key(&(RESULT.to_owned() + hash));
        let mut failures = self.failures.iter();
        let failed = failures.find(|(hash, _)| is_open(hash));
        failed.map(|(_, text)| text.clone())
    }

    /// Returns the lists without a result.
    pub(super) fn open_lists(&self, run: &Run) -> Vec<Part> {
        self.open(run.lists())
    }

    /// Returns the other parts without a result.
    pub(super) fn open_rest(&self, run: &Run) -> Vec<Part> {
        self.open(run.rest())
    }

    fn open(&self, first: Vec<Part>) -> Vec<Part> {
        let all = self.tree(first).into_iter();
        let open = all.filter(|part| self.result(part).is_none());
        open.collect()
    }

    /// Returns the intervals about which the platform's list is not known, with a margin on both sides.
    pub(super) fn skipped(&self, run: &Run) -> Vec<Span> {
        let lists = self.tree(run.lists()).into_iter();
        lists
            .filter(|part| self.result(part).is_some_and(|result| result.is_skipped))
            .filter_map(|part| match part {
                Part::List { from, to } => Some(Span { from, to }.widened(MARGIN)),
                _ => None,
            })
            .collect()
    }

    /// Returns the parts in `first`, the parts that replace the rest of these parts, and so on.
    fn tree(&self, first: Vec<Part>) -> Vec<Part> {
        let mut parts = first;
        let mut visited = 0;
        while let Some(part) = parts.get(visited) {
            let next = self.result(part).map(|result| result.next.clone());
            parts.extend(next.unwrap_or_default());
            visited += 1;
        }
        parts
    }
}
