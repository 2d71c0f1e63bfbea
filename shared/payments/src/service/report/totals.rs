//! Computes the totals of a report.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::model::day::Day;
use crate::model::{Outcome, Status};

/// A total: a number and a sum. It covers payments, or operations of one type, that have the same day, status, code
/// and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalRow<'a> {
    /// The day.
    pub day: Day,
    /// `payment`, or an operation's type.
    pub of: &'a str,
    /// The common status of the payments, or outcome of the operations.
    pub status: TotalStatus,
    /// The platform's code, if there is one.
    pub code: Option<&'a str>,
    /// The currency, if it is known.
    pub currency: Option<&'a str>,
    /// The number of payments or operations.
    pub count: u64,
    /// The sum in minor units; `None` if it is too large for the field. A payment of ours counts with its ordered
    /// amount, and an external payment with its paid amount. An operation without an amount counts as 0.
    pub amount: Option<u64>,
}

/// The status of a payment, or the outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum TotalStatus {
    /// The status of payments.
    Payment(Status),
    /// The outcome of operations.
    Operation(Outcome),
}

/// The maximum number of totals in a log line or in the result of a part. The number is limited, because CloudWatch
/// limits a line to 1 MB, and DynamoDB limits an item to 400 KB. The platform can send any number of types and codes.
const MAX_TOTALS: usize = 500;
/// The maximum size of the texts of these totals, in bytes.
const MAX_BYTES: usize = 100_000;

/// The totals of one or more days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "StoredTotals", from = "StoredTotals")]
pub struct Totals {
    groups: BTreeMap<Group, Total>,
    /// The number of totals that [`Totals::limit`] dropped.
    omitted: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredTotals {
    totals: Vec<StoredTotal>,
    omitted: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredTotal {
    day: Day,
    of: String,
    /// `None` for a total of operations.
    status: Option<Status>,
    /// `None` for a total of payments.
    outcome: Option<Outcome>,
    code: Option<String>,
    currency: Option<String>,
    count: u64,
    amount: u128,
}

/// What the payments or operations of a total have in common: the day, `payment` or the type, the status, the code,
/// and the currency.
type Group = (Day, String, TotalStatus, Option<String>, Option<String>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    count: u64,
    amount: u128,
}

impl TotalRow<'_> {
    /// The names of the fields, in order.
    pub const COLUMNS: [&'static str; 7] =
        ["day", "of", "status", "code", "currency", "count", "amount"];
}

impl Totals {
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (group, total) in &other.groups {
            let sum = self.groups.entry(group.clone()).or_default();
            sum.count += total.count;
            sum.amount = sum.amount.saturating_add(total.amount);
        }
        self.omitted += other.omitted;
    }

    /// Drops the totals beyond the maximum number. Totals of payments are kept first, then the totals with the
    /// greatest counts.
    pub fn limit(&mut self) {
        let mut groups: Vec<(Group, Total)> =
            std::mem::take(&mut self.groups).into_iter().collect();
        groups.sort_by_key(|((_, of, ..), total)| (of != "payment", Reverse(total.count)));
        let mut bytes = 0;
        for (number, (group, total)) in groups.into_iter().enumerate() {
            let (_, of, _, code, currency) = &group;
            let texts = [Some(of), code.as_ref(), currency.as_ref()];
            bytes += texts.into_iter().flatten().map(String::len).sum::<usize>();
            if number < MAX_TOTALS && bytes <= MAX_BYTES {
                self.groups.insert(group, total);
            } else {
                self.omitted += 1;
            }
        }
    }

    /// Returns the number of dropped totals.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Adds the rows of a payment.
    pub fn add(&mut self, rows: &Rows<'_>) {
        if let Some(row) = &rows.payment {
            let amount = row.amount.unwrap_or(row.paid_amount);
            let status = TotalStatus::Payment(row.status);
            let group = (row.day, "payment", status, row.code, row.currency);
            self.count(group, amount);
        }
        for row in &rows.operations {
            let amount = row.amount.unwrap_or_default();
            let status = TotalStatus::Operation(row.status);
            let group = (row.day, row.kind, status, row.code, row.currency);
            self.count(group, amount);
        }
    }

    fn count(
        &mut self,
        (day, of, status, code, currency): (Day, &str, TotalStatus, Option<&str>, Option<&str>),
        amount: u64,
    ) {
        let (code, currency) = (code.map(str::to_owned), currency.map(str::to_owned));
        let group = (day, of.to_owned(), status, code, currency);
        let total = self.groups.entry(group).or_default();
        total.count += 1;
        total.amount = total.amount.saturating_add(amount.into());
    }

    /// Returns the totals, sorted by day.
    pub fn rows(&self) -> impl Iterator<Item = TotalRow<'_>> {
        let rows = self.groups.iter();
        rows.map(|((day, of, status, code, currency), total)| TotalRow {
            day: *day,
            of,
            status: *status,
            code: code.as_deref(),
            currency: currency.as_deref(),
            count: total.count,
            amount: u64::try_from(total.amount).ok(),
        })
    }
}

impl From<Totals> for StoredTotals {
    fn from(totals: Totals) -> Self {
        let stored = |((day, of, status, code, currency), total): (Group, Total)| {
            let (status, outcome) = match status {
                TotalStatus::Payment(status) => (Some(status), None),
                TotalStatus::Operation(outcome) => (None, Some(outcome)),
            };
            StoredTotal {
                day,
                of,
                status,
                outcome,
                code,
                currency,
                count: total.count,
                amount: total.amount,
            }
        };
        Self {
            totals: totals.groups.into_iter().map(stored).collect(),
            omitted: totals.omitted,
        }
    }
}

impl From<StoredTotals> for Totals {
    fn from(stored: StoredTotals) -> Self {
        let total = |total: StoredTotal| {
            let payment = total.status.map(TotalStatus::Payment);
            let status = payment.or(total.outcome.map(TotalStatus::Operation))?;
            let group = (total.day, total.of, status, total.code, total.currency);
            let (count, amount) = (total.count, total.amount);
            Some((group, Total { count, amount }))
        };
        Self {
            groups: stored.totals.into_iter().filter_map(total).collect(),
            omitted: stored.omitted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_text::to_json_string;
    use crate::model::timestamp::Timestamp;

    const DAY: Timestamp = Timestamp::from_millis(1_562_059_700_000);

    fn with(groups: impl IntoIterator<Item = (String, TotalStatus, u64)>) -> Totals {
        let mut totals = Totals::default();
        for (of, status, count) in groups {
            for _ in 0..count {
                let group = (Day::of(DAY), &*of, status, Some("20101"), Some("EUR"));
                totals.count(group, u64::MAX);
            }
        }
        totals
    }

    #[test]
    fn stored_totals_are_read_back_unchanged_and_can_be_added() {
        let payments = TotalStatus::Payment(Status::Declined);
        let sales = TotalStatus::Operation(Outcome::Declined);
        let totals = with([("payment".into(), payments, 2), ("sale".into(), sales, 3)]);
        let stored = to_json_string(&totals);
        let read: Totals = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, totals);
        let mut sum = read;
        sum.add_all(&totals);
        let counts: Vec<u64> = sum.rows().map(|row| row.count).collect();
        assert_eq!(counts, [4, 6]);
    }

    #[test]
    fn the_totals_of_payments_and_the_greatest_totals_are_kept_at_the_limit() {
        let outcome = TotalStatus::Operation(Outcome::Succeeded);
        let kinds = (0..MAX_TOTALS + 10).map(|number| (format!("kind {number}"), outcome, 2));
        let payments = TotalStatus::Payment(Status::Succeeded);
        let mut totals =
            with(kinds.chain([("payment".into(), payments, 1), ("zero".into(), outcome, 1)]));
        totals.limit();
        assert_eq!((totals.rows().count(), totals.omitted()), (MAX_TOTALS, 12));
        assert!(totals.rows().any(|row| row.of == "payment"));
        assert!(totals.rows().all(|row| row.of != "zero"));

        let long = (0..20).map(|number| (format!("{number}{}", "x".repeat(9_000)), outcome, 1));
        let mut totals = with(long);
        totals.limit();
        assert_eq!(totals.omitted(), 9);
    }
}
