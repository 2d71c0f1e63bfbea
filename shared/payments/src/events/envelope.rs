//! Defines an event: the content, and the CloudEvents envelope around the content.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::kind::EventKind;
use super::view::{DiscrepancyView, OperationView, PaymentView, RefundView};
use crate::escape;
use crate::json_text::{to_json, to_json_string};
use crate::model::Payment;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::sha256;

/// One event, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payment.
    pub key: PaymentKey,
    /// The sequence number of the event within the payment. The numbers start at 1 and have no gaps.
    pub sequence: u64,
    /// The type of the event.
    pub kind: EventKind,
    /// `<project_id>/<payment_id>/<sequence>`
    pub id: String,
    /// The whole CloudEvent. It has only characters that SQS accepts.
    pub body: String,
    /// The part of the event that the store must hold. All other parts can be computed from this part, the key, the
    /// sequence number and the kind.
    pub stored: String,
}

/// What an event is about. An event has these fields in addition to the payment's state.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum About<'a> {
    /// The payment's status.
    Payment {
        /// The operation that decides the status, if there is one.
        operation: Option<OperationView<'a>>,
        /// Whether the event reports a success after `payment.declined`, `payment.failed` or `checkout.expired`.
        #[serde(skip_serializing_if = "is_false")]
        late: bool,
        /// The type of an earlier event that no longer holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<&'static str>,
    },
    /// One refund of the payment.
    Refund {
        /// The refund.
        refund: RefundView<'a>,
        /// The type of an earlier event that no longer holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        corrects: Option<&'static str>,
    },
    /// Other payments that had paid the order before this payment did.
    PaidBefore {
        /// The operation by which this payment paid the order.
        operation: Option<OperationView<'a>>,
        /// The ids of the other payments.
        other_payment_ids: &'a BTreeSet<String>,
    },
    /// A difference between the platform records and ours about one operation.
    Difference {
        /// The operation, if our records have it.
        operation: Option<OperationView<'a>>,
        /// The difference.
        difference: DiscrepancyView<'a>,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The `data` of an event: the payment after the change, and the subject of the event.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    payment: &'a PaymentView<'a>,
    #[serde(flatten)]
    about: About<'a>,
}

/// A CloudEvent.
#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    subject: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

/// The part of a CloudEvent that cannot be computed from the key, the sequence number and the kind.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredContent<'a> {
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    time: Timestamp,
}

/// The part of `data` that the envelope needs.
#[derive(Deserialize)]
struct Subject<'a> {
    /// The payment id, in the spelling in which we first received it. The key has the id in lower case.
    #[serde(borrow)]
    payment_id: Cow<'a, str>,
}

impl Event {
    /// Creates an event from the payment after the change. `view` shows this payment, with the event's sequence number.
    pub fn new(
        payment: &Payment,
        view: &PaymentView<'_>,
        kind: EventKind,
        about: About<'_>,
        at: Timestamp,
    ) -> Self {
        let data = to_json(&Data {
            payment: view,
            about,
        });
        let content = StoredContent {
            data: &data,
            time: at,
        };
        let stored = to_json_string(&content);
        let subject = payment.payment_id();
        let (key, sequence) = (payment.key(), view.sequence());
        Self::with_envelope(key, subject, sequence, kind, &content, stored)
    }

    /// Creates an event from its stored part. The result equals the original event, byte for byte.
    pub fn from_stored(
        key: PaymentKey,
        sequence: u64,
        kind: EventKind,
        stored: &str,
    ) -> serde_json::Result<Self> {
        let content: StoredContent<'_> = serde_json::from_str(stored)?;
        let Subject { payment_id } = serde_json::from_str(content.data.get())?;
        let stored = stored.to_owned();
        let event = Self::with_envelope(key, &payment_id, sequence, kind, &content, stored);
        Ok(event)
    }

    fn with_envelope(
        key: PaymentKey,
        subject: &str,
        sequence: u64,
        kind: EventKind,
        content: &StoredContent<'_>,
        stored: String,
    ) -> Self {
        let project_id = key.project_id();
        let id = format!("{project_id}/{subject}/{sequence}");
        let body = to_json_string(&Envelope {
            specversion: "1.0",
            id: &id,
            source: format!("/ecommpay/{project_id}"),
            subject,
            kind: kind.as_str(),
            time: content.time,
            datacontenttype: "application/json",
            data: content.data,
        });
        Self {
            // The body is escaped whenever it is created. Therefore an event that an earlier release stored without
            // escapes is also escaped.
            body: escape::json_for_sqs(body),
            stored,
            key,
            sequence,
            kind,
            id,
        }
    }

    /// Returns the id of the FIFO group. All events of one payment have the same group. The id is a hash, because
    /// an id from the platform can contain characters that SQS does not allow.
    pub fn message_group_id(&self) -> String {
        sha256::hex(self.key.to_string().as_bytes())
    }

    /// Returns the FIFO deduplication id. `repeat` is a text for an event that is sent again on an operator's request.
    /// This text changes the id, because a queue drops a message whose id it received in the last five minutes.
    pub fn message_deduplication_id(&self, repeat: Option<&str>) -> String {
        match repeat {
            None => sha256::hex(self.id.as_bytes()),
            Some(repeat) => sha256::hex(format!("{}/{repeat}", self.id).as_bytes()),
        }
    }
}
