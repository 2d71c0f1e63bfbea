//! Defines the verified inputs that change a payment.

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
    /// A verified body that could be read in two ways, or that is too large to store. The body does not count as a
    /// report, but is a reason to poll (`shared/decisions/protocol/0013-reframed-messages.md`).
    Hint(&'a Report),
    /// The signed answer to a status request. It decides between contradicting callbacks.
    StatusAnswer {
        /// The answer.
        report: SignedReport<'a>,
        /// The number of the status request. The answer does not end a recheck that became necessary after this status
        /// request was sent.
        poll: u32,
    },
    /// The platform answered a status request with "not found". The answer can end a payment link or a sale, or cause a
    /// repeat of the sale, even if it is unsigned. It never changes an amount.
    NotFound {
        /// The number of the status request.
        poll: u32,
        /// Whether the answer is signed.
        signed: bool,
    },
    /// Gate's answer to our sale request.
    SaleAnswer {
        /// How many attempts preceded the attempt of the sale request.
        attempt: u32,
        /// The answer.
        answer: &'a Answer,
    },
    /// Gate's answer to our refund request.
    RefundAnswer {
        /// The id of the refund.
        refund_id: &'a MerchantId,
        /// The answer.
        answer: &'a Answer,
    },
    /// The platform accepted the data that it had requested.
    ClarificationAccepted {
        /// The [`Waiting::digest`](crate::model::Waiting::digest) of the platform's request.
        digest: &'a str,
    },
    /// An entry of the platform records, which may differ from ours.
    PlatformRecord {
        /// The project of the records.
        project_id: ProjectId,
        /// What the records say about an operation.
        record: PlatformRecord<'a>,
    },
    /// Other payments had paid the same order before this payment did.
    EarlierPayments {
        /// The ids of the other payments.
        ids: &'a BTreeSet<String>,
    },
}
