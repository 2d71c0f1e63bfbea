//! Finds the operations that the newest signed answer does not list.
//!
//! A signed answer lists all operations of a payment. If it does not list an older operation, it contradicts the
//! reports of this operation.

use serde::{Deserialize, Serialize};

use super::payment_status::is_intermediate;
use super::report_source::Source;
use super::texts;
use crate::model::payment::Payment;
use crate::model::timestamp::Timestamp;

/// The newest signed answer with a complete list of operations. Two answers are compared field by field. The greater
/// answer is newer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NewestAnswer {
    /// The greatest `payment.date` or `operation.date` in the answer.
    pub(in crate::model) date: String,
    /// The number of operations. The platform removes no operation, so an answer with more operations is newer.
    operations: usize,
    /// The start of the digest of the canonical string. It orders answers that are equal otherwise.
    digest: String,
    /// When this service last received the answer.
    pub(in crate::model) received_at: Timestamp,
    /// The `payment.status` about the sales and confirmations, if it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) final_status: Option<String>,
}

impl Payment {
    /// Stores the answer if it is the newest, and marks the operations that it does not list. Must be called before
    /// the operations of the answer are added.
    pub(super) fn add_newest_answer(&mut self, source: &Source<'_>, received_at: Timestamp) {
        if !source.report.has_complete_list {
            return;
        }
        let operations = &source.report.operations;
        let date = source.newest_date(|_| true).max(source.payment_date());
        let statuses = operations.iter();
        let statuses = statuses.filter_map(|operation| source.payment_status_of(operation));
        let mut statuses = statuses.filter(|status| !is_intermediate(status.as_str()));
        let answer = NewestAnswer {
            date: texts::date(date).to_owned(),
            operations: operations.len(),
            digest: source.digest.clone(),
            received_at,
            final_status: statuses.next().map(|status| status.as_str().to_owned()),
        };
        let newest = &mut self.reported.newest_answer;
        if newest.as_ref().is_some_and(|newest| *newest >= answer) {
            return;
        }
        *newest = Some(answer);
        for operation in self.reported.operations.values_mut() {
            operation.unlisted = true;
        }
        let listed = operations.iter();
        for id in listed.filter_map(|operation| operation.id.as_ref()) {
            let known = &mut self.reported.operations;
            known.entry(id.clone()).or_default().unlisted = false;
        }
    }
}
