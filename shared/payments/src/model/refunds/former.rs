//! Stores what events said about external refunds that the payment no longer lists. If such a refund is listed again,
//! the same outcome is not emitted again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::compact::{read_emitted, write_emitted};
use super::refund::Refund;
use super::refund_status::RefundStatus;
use crate::model::emitted::EmittedRefund;
use crate::model::reported::texts::digest_of_id;

/// The maximum number of stored refunds. Further refunds are ignored.
const MAX_FORMER: usize = 500;
/// The maximum length of a stored text, in bytes. A refund with a longer text is ignored.
const MAX_TEXT: usize = 24;

/// What the last events said, by the digest of `operation.id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::model) struct FormerRefunds(BTreeMap<String, String>);

impl FormerRefunds {
    /// Stores what the last event about an external refund said. Has no effect if there was no event.
    pub(super) fn remember(&mut self, refund: &Refund) {
        let id = refund.operation_id();
        let text = write_emitted(refund.emitted()).filter(|text| text.len() <= MAX_TEXT);
        if let (Some(id), Some(text)) = (id, text)
            && self.0.len() < MAX_FORMER
        {
            self.0.insert(digest_of_id(id), text);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what the last event about the refund said.
    pub(super) fn get(&self, operation_id: &str) -> Option<EmittedRefund> {
        read_emitted(self.0.get(&digest_of_id(operation_id))?)
    }

    /// Records an event that said `declined`.
    pub(super) fn decline(&mut self, operation_id: &str) {
        let emitted = self.get(operation_id).map(|emitted| EmittedRefund {
            status: Some(RefundStatus::Declined),
            declined: true,
            returned_amount: 0,
            ..emitted
        });
        if let Some(text) = emitted.as_ref().and_then(write_emitted) {
            self.0.insert(digest_of_id(operation_id), text);
        }
    }

    pub(super) fn take(&mut self, operation_id: &str) -> Option<EmittedRefund> {
        read_emitted(&self.0.remove(&digest_of_id(operation_id))?)
    }
}
