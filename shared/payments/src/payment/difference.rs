//! Where the platform's books and ours differ.

use ecommpay::data_api::ListedOperation;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Outcome, Payment};
use crate::ids::PaymentKey;
use crate::sha256;

/// What the platform's books say of an operation.
#[derive(Debug, Clone, Copy)]
pub enum Books<'a> {
    /// They list it.
    List(&'a ListedOperation),
    /// They do not have the operation of this id.
    Lack(&'a str),
}

/// How the platform's books and ours differ about one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The operation.
    pub operation_id: String,
    /// What differs.
    pub about: Discrepancy,
    /// How it stands here.
    pub here: Option<Entry>,
    /// How it stands at the platform.
    pub platform: Option<Entry>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discrepancy {
    /// We do not know the operation, or not even its payment.
    MissingHere,
    /// The platform does not list the operation.
    MissingThere,
    /// It ended differently, or has ended on one side only.
    Status,
    /// It moved another amount, or another currency.
    Amount,
}

/// A word or a number of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// Minor units.
    Amount(u64),
    /// An id, a status, or an amount with its currency.
    Word(String),
}

impl Entry {
    /// As long as the longest id.
    fn word(text: &str) -> Option<Self> {
        Some(Self::Word(
            text.chars().take(PaymentKey::LONGEST_ID).collect(),
        ))
    }
}

impl Difference {
    /// Tells one difference from another. Of a status only the outcome counts here: our word moves on
    /// while the difference stays.
    pub(crate) fn digest(&self, payment: &Payment) -> String {
        let is_of_words = self.about == Discrepancy::Status;
        let here = self.here.as_ref().filter(|_| !is_of_words);
        let known = payment.operations.get(&self.operation_id);
        let outcome = known.map(|known| known.outcome).filter(|_| is_of_words);
        let parts = (
            &self.operation_id,
            self.about,
            here,
            outcome,
            &self.platform,
        );
        sha256::start_of_hex(json!(parts).to_string().as_bytes(), 16)
    }
}

impl Outcome {
    /// What a final status of the platform's books means; `None` for all others.
    pub(crate) fn of_books(status: &str) -> Option<Self> {
        match status {
            "success" => Some(Outcome::Succeeded),
            // The others stand in the platform's plug-ins, which take them as declined.
            "decline" | "error" | "expired" | "internal error" | "external error" | "canceled"
            | "cancelled" => Some(Outcome::Declined),
            _ => None,
        }
    }
}

impl Payment {
    /// How a payment (`None`: nothing is known of it) differs from the platform's books. Only
    /// what has ended there, or here, is held against the other side, and an amount only where both
    /// have succeeded.
    pub fn differences(payment: Option<&Self>, books: Books<'_>) -> Vec<Difference> {
        let known = |id: &str| payment.and_then(|payment| payment.operations.get(id));
        let difference = |id: &str, about, here, platform| Difference {
            operation_id: id.to_owned(),
            about,
            here,
            platform,
        };
        let listed = match books {
            Books::List(listed) => listed,
            Books::Lack(id) => {
                let ended = known(id).filter(|operation| operation.outcome.is_final());
                let missing = difference(id, Discrepancy::MissingThere, Entry::word(id), None);
                return ended.map(|_| missing).into_iter().collect();
            }
        };
        let id = listed.operation_id.as_str();
        let there = Outcome::of_books(&listed.status);
        let Some(here) = known(id) else {
            let missing = difference(id, Discrepancy::MissingHere, None, Entry::word(id));
            return there.map(|_| missing).into_iter().collect();
        };
        let mut found = Vec::new();
        // Without a word the books say nothing of how it stands.
        let has_ended = there.is_some() || here.outcome.is_final() && !listed.status.is_empty();
        if has_ended && there != Some(here.outcome) {
            let words = [&here.platform_status, &listed.status].map(|word| Entry::word(word));
            let [ours, theirs] = words;
            found.push(difference(id, Discrepancy::Status, ours, theirs));
        }
        let sum = listed.sum_initial.as_ref();
        let have_both_paid = [there, Some(here.outcome)] == [Some(Outcome::Succeeded); 2];
        if let Some(sum) = sum.filter(|_| have_both_paid) {
            let ours = here.amount.zip(here.currency.as_deref());
            let theirs = (sum.amount, sum.currency.as_str());
            if ours != Some(theirs) {
                let is_same_currency = ours.is_none_or(|(_, currency)| currency == theirs.1);
                let entry = |(amount, currency): (u64, &str)| match is_same_currency {
                    true => Some(Entry::Amount(amount)),
                    false => Entry::word(&format!("{amount} {currency}")),
                };
                let (ours, theirs) = (ours.and_then(entry), entry(theirs));
                found.push(difference(id, Discrepancy::Amount, ours, theirs));
            }
        }
        found
    }

    /// Those of the differences that were not reported before.
    pub fn new_differences(payment: Option<&Self>, books: Books<'_>) -> Vec<Difference> {
        let mut found = Self::differences(payment, books);
        found.retain(|difference| {
            let is_known =
                |payment: &Self| payment.differences.contains(&difference.digest(payment));
            !payment.is_some_and(is_known)
        });
        found
    }
}
