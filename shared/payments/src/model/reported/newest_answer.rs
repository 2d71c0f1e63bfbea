//! Records which operations the newest signed answer does not list.
//!
//! A signed answer lists all operations of a payment. So it contradicts a report about an operation that it does not
//! list, if the operation existed before the answer.

use serde::{Deserialize, Serialize};

use super::report_source::Source;
use super::texts;
use crate::model::payment::Payment;
use crate::model::timestamp::Timestamp;

/// The newest signed answer with a complete list of operations. The first three fields order the answers, the newest
/// answer last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NewestAnswer {
    /// The greatest date in the answer: `payment.date`, or `operation.date` of an operation.
    pub(in crate::model) date: String,
    /// The count of operations. The platform adds operations and removes none.
    operations: usize,
    /// The start of the digest of the canonical string.
    digest: String,
    /// The last time at which this service received the answer.
    pub(in crate::model) received_at: Timestamp,
}

impl Payment {
    /// Adds a signed answer that arrived at a time, before its operations are added. If the answer is the newest, marks
    /// all operations as unlisted that the answer does not list.
    pub(super) fn add_answer(&mut self, source: &Source<'_>, received_at: Timestamp) {
        if !source.report.has_complete_list {
            return;
        }
        let operations = &source.report.operations;
        let date = source.newest_date(|_| true).max(source.payment_date());
        let answer = NewestAnswer {
            date: texts::date(date).to_owned(),
            operations: operations.len(),
            digest: source.digest.clone(),
            received_at,
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
