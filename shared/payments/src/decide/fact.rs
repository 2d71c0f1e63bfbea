//! Defines the facts: the verified inputs that change a payment.

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
    /// A verified body that could be read in two ways or is too large to store. The body only causes a poll
    /// (`shared/decisions/protocol/0013-reframed-messages.md`).
    Hint(&'a Report),
    /// The signed answer to a status request, which outweighs callbacks.
    StatusAnswer {
        /// The answer.
        report: SignedReport<'a>,
        /// The number of the status request. The answer does not end a recheck that began after this request.
        poll: u32,
    },
    /// The platform answered a status request with "not found". Even an unsigned answer can end or repeat a sale. The
    /// answer never changes an amount.
    NotFound {
        /// The number of the status request.
        poll: u32,
        /// Whether the answer is signed.
        signed: bool,
    },
    /// Gate's answer to our sale request.
    SaleAnswer {
        /// The number of attempts before the attempt of this request.
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
    /// What the platform records say about an operation.
    PlatformRecord {
        /// The project of the records.
        project_id: ProjectId,
        /// The listed or missing operation.
        record: PlatformRecord<'a>,
    },
    /// The ids of payments that had paid the same order before this payment.
    EarlierPayments {
        /// The ids of the other payments.
        ids: &'a BTreeSet<String>,
    },
}
