//! Computes the totals of a report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rows::Rows;
use crate::model::day::Day;
use crate::model::{Outcome, Status};

/// A total: a count and a sum. It covers the payments, or the operations of one type, that have the same day, status,
/// code and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalRow<'a> {
    /// The day.
    pub day: Day,
    /// `payment`, or an operation's type.
    pub of: &'a str,
    /// The common status of the payments, or the common outcome of the operations.
    pub status: TotalStatus,
    /// The platform's code, if there is one.
    pub code: Option<&'a str>,
    /// The currency, if it is known.
    pub currency: Option<&'a str>,
    /// The count of the payments or operations.
    pub count: u64,
    /// The sum in minor units. A payment counts with the ordered amount. A payment that this service did not create
    /// counts with the paid amount. An operation without a known amount counts with 0.
    pub amount: u64,
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

/// The totals of one or more days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Group, Total>);

/// The values that the payments or operations of a total have in common: the day, the word `payment` or the type of the
/// operations, the status, the code and the currency.
type Group = (Day, String, TotalStatus, Option<String>, Option<String>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    count: u64,
    amount: u64,
}

impl TotalRow<'_> {
    /// The names of the fields, in order.
    pub const COLUMNS: [&'static str; 7] =
        ["day", "of", "status", "code", "currency", "count", "amount"];
}

impl Totals {
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
        let total = self.0.entry(group).or_default();
        total.count += 1;
        total.amount = total.amount.saturating_add(amount);
    }

    /// Returns the totals, sorted by day.
    pub fn rows(&self) -> impl Iterator<Item = TotalRow<'_>> {
        let rows = self.0.iter();
        rows.map(|((day, of, status, code, currency), total)| TotalRow {
            day: *day,
            of,
            status: *status,
            code: code.as_deref(),
            currency: currency.as_deref(),
            count: total.count,
            amount: total.amount,
        })
    }
}
