//! Where the platform's records (Data API) and ours differ.

use std::collections::BTreeSet;

use ecommpay::data_api::ListedOperation;
use ecommpay::operation::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Payment, is_zero};
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::sha256;

/// At most this many discrepancies of one payment are reported; a payment is one item of the store,
/// and no report has more operations.
const MOST: usize = 1_000;

/// What the platform's records say of an operation.
#[derive(Debug, Clone, Copy)]
pub enum PlatformRecord<'a> {
    /// They list it.
    Listed(&'a ListedOperation),
    /// They do not have the operation of this id.
    Missing(&'a str),
}

/// How the platform's records and ours differ about one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// The operation.
    pub operation_id: String,
    /// What differs.
    pub kind: DiscrepancyKind,
    /// How it stands here.
    pub local: Option<Entry>,
    /// How it stands at the platform.
    pub platform: Option<Entry>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscrepancyKind {
    /// The operation is not known here, or not even its payment.
    MissingLocally,
    /// The platform does not list the operation.
    MissingAtPlatform,
    /// It ended differently, or has ended on one side only.
    Status,
    /// It moved another amount, or another currency.
    Amount,
}

/// A word or a number of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// Minor units.
    Amount(u64),
    /// An id, a status, or an amount with its currency.
    Word(String),
}

/// The discrepancies of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancies {
    /// The digests of those that were found, so that each is emitted once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    known: BTreeSet<String>,
    /// Those that no event has reported yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    pending: Vec<Discrepancy>,
}

impl Discrepancies {
    /// Takes those that no event has reported, at most so many.
    pub(crate) fn take_pending(&mut self, most: usize) -> Vec<Discrepancy> {
        let most = most.min(self.pending.len());
        self.pending.drain(..most).collect()
    }
}

impl Entry {
    /// As long as the longest id.
    fn word(text: &str) -> Option<Self> {
        Some(Self::Word(
            text.chars().take(PaymentKey::LONGEST_ID).collect(),
        ))
    }
}

impl Discrepancy {
    /// Tells one discrepancy from another. Of a status only the outcome counts here: our word moves on
    /// while the discrepancy stays.
    fn digest(&self, payment: &Payment) -> String {
        let is_of_status = self.kind == DiscrepancyKind::Status;
        let local = self.local.as_ref().filter(|_| !is_of_status);
        let known = payment.operation(&self.operation_id);
        let outcome = known.map(|known| known.outcome()).filter(|_| is_of_status);
        let parts = (
            &self.operation_id,
            self.kind,
            local,
            outcome,
            &self.platform,
        );
        sha256::start_of_hex(json!(parts).to_string().as_bytes(), 16)
    }
}

/// How the records say that an operation ended; `None` if it has not.
pub(crate) fn listed_end(listed: &ListedOperation) -> Option<Outcome> {
    Some(listed.outcome()).filter(|outcome| outcome.is_final())
}

impl Payment {
    /// How a payment (`None`: nothing is known of it) differs from the platform's records. Only what
    /// has ended there, or here, is compared, and an amount only where both have succeeded.
    pub fn find_discrepancies(
        payment: Option<&Self>,
        record: PlatformRecord<'_>,
    ) -> Vec<Discrepancy> {
        let known = |id: &str| payment.and_then(|payment| payment.operation(id));
        let discrepancy = |id: &str, kind, local, platform| Discrepancy {
            operation_id: id.to_owned(),
            kind,
            local,
            platform,
        };
        let listed = match record {
            PlatformRecord::Listed(listed) => listed,
            PlatformRecord::Missing(id) => {
                let ended = known(id).filter(|operation| operation.outcome().is_final());
                let kind = DiscrepancyKind::MissingAtPlatform;
                let missing = discrepancy(id, kind, Entry::word(id), None);
                return ended.map(|_| missing).into_iter().collect();
            }
        };
        let id = listed.operation_id.as_str();
        let there = listed_end(listed);
        let Some(here) = known(id) else {
            let kind = DiscrepancyKind::MissingLocally;
            let missing = discrepancy(id, kind, None, Entry::word(id));
            return there.map(|_| missing).into_iter().collect();
        };
        let mut found = Vec::new();
        // Without a status the records say nothing of how it stands.
        let has_ended = there.is_some() || here.outcome().is_final() && !listed.status.is_empty();
        if has_ended && there != Some(here.outcome()) {
            let [ours, theirs] = [here.platform_status(), &listed.status].map(Entry::word);
            found.push(discrepancy(id, DiscrepancyKind::Status, ours, theirs));
        }
        let sum = listed.sum_initial.as_ref();
        let have_both_succeeded = [there, Some(here.outcome())] == [Some(Outcome::Succeeded); 2];
        if let Some(theirs) = sum.filter(|_| have_both_succeeded) {
            let ours = here.sum();
            if ours != Some(theirs) {
                let is_same_currency = ours.is_none_or(|ours| ours.currency == theirs.currency);
                let entry = |sum: &ecommpay::report::Sum| match is_same_currency {
                    true => Some(Entry::Amount(sum.amount)),
                    false => Entry::word(&format!("{} {}", sum.amount, sum.currency)),
                };
                let (ours, theirs) = (ours.and_then(entry), entry(theirs));
                found.push(discrepancy(id, DiscrepancyKind::Amount, ours, theirs));
            }
        }
        found
    }

    /// Those of the discrepancies that were not found before.
    pub fn new_discrepancies(
        payment: Option<&Self>,
        record: PlatformRecord<'_>,
    ) -> Vec<Discrepancy> {
        let mut found = Self::find_discrepancies(payment, record);
        found.retain(|discrepancy| {
            let is_known = |payment: &Self| {
                let known = &payment.discrepancies.known;
                known.contains(&discrepancy.digest(payment))
            };
            !payment.is_some_and(is_known)
        });
        found
    }

    /// Records how the platform's records differ. The payment's own facts stay as they are: only a
    /// signed answer changes them.
    pub(crate) fn add_discrepancies(&mut self, record: PlatformRecord<'_>, at: Timestamp) {
        for discrepancy in Self::new_discrepancies(Some(self), record) {
            if self.discrepancies.known.len() < MOST {
                let digest = discrepancy.digest(self);
                self.discrepancies.known.insert(digest);
                self.discrepancies.pending.push(discrepancy);
                self.polling.recheck_now(at);
            }
        }
    }
}
