//! The verified inputs that change a payment.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::report::Report;

use crate::model::ids::MerchantId;
use crate::model::{PlatformRecord, SignedReport};

/// A verified input about a payment.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A verified callback.
    Callback(SignedReport<'a>),
    /// A verified body that could have been re-framed: only a reason to poll
    /// (`shared/decisions/protocol/0013-reframed-messages.md`).
    Hint(&'a Report),
    /// The signed answer to a status request. It decides between contradicting callbacks.
    StatusAnswer {
        /// The answer.
        report: SignedReport<'a>,
        /// The number of the status request. Its answer settles nothing that was reported after the request.
        poll: u32,
    },
    /// The platform answered a status request with "not found". An unsigned answer can end a link or repeat a
    /// sale, but never changes money.
    NotFound {
        /// The number of the status request.
        poll: u32,
        /// Whether the answer is signed.
        signed: bool,
    },
    /// Gate's answer to our sale request.
    SaleAnswer {
        /// The number of the attempt.
        attempt: u32,
        /// The answer.
        answer: &'a Answer,
    },
    /// Gate's answer to our refund request.
    RefundAnswer {
        /// The refund.
        refund_id: &'a MerchantId,
        /// The answer.
        answer: &'a Answer,
    },
    /// The platform accepted the data that it had requested.
    ClarificationAccepted {
        /// The [`Waiting::digest`](crate::model::Waiting::digest) of its request.
        digest: &'a str,
    },
    /// An entry of the platform records, which may differ from ours.
    PlatformRecord {
        /// The project of the records.
        project_id: ProjectId,
        /// What they say about an operation.
        record: PlatformRecord<'a>,
    },
    /// Other payments had paid the same order earlier.
    EarlierPayments {
        /// Their ids.
        ids: &'a BTreeSet<String>,
    },
}
