//! Defines an event: its content, and the CloudEvents envelope around it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::kind::{EventKind, FIRST_VERSION};
use super::view::{DiscrepancyView, OperationView, PaymentView, RefundView};
use crate::escape;
use crate::json_text::{to_json, to_json_string};
use crate::model::Payment;
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::timestamp::Timestamp;
use crate::sha256;

/// One event, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The payment.
    pub key: PaymentKey,
    /// The number of the event within the payment. The numbers start at 1 and have no gaps.
    pub sequence: u64,
    /// The type of the event.
    pub kind: EventKind,
    /// `<project_id>/<payment_id>/<sequence>`
    pub id: String,
    /// The whole CloudEvent, with only characters that SQS accepts.
    pub body: String,
    /// The part of the event that must be stored. The rest can be computed from this part, the key, the number and
    /// the kind.
    pub stored: String,
}

/// The subject of an event: its fields besides the payment's state.
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
        /// The id of our refund that the platform made again by this refund.
        #[serde(skip_serializing_if = "Option::is_none")]
        repeats: Option<&'a MerchantId>,
    },
    /// Other payments that had paid the same order before this payment.
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

#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    payment: &'a PaymentView<'a>,
    #[serde(flatten)]
    about: About<'a>,
}

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
    dataschema: String,
    data: &'a RawValue,
}

/// The part of a CloudEvent that is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredContent<'a> {
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    time: Timestamp,
    /// The version of the schema of `data`. The version is stored, because the release that publishes the event can
    /// differ from the release that created it.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    version: u32,
}

fn first_version() -> u32 {
    FIRST_VERSION
}

fn is_first_version(version: &u32) -> bool {
    *version == FIRST_VERSION
}

/// The part of `data` that the envelope needs.
#[derive(Deserialize)]
struct Subject<'a> {
    /// The spelling of the id that we received first. The key has the id in lower case.
    #[serde(borrow)]
    payment_id: Cow<'a, str>,
}

impl Event {
    /// Creates an event about `payment`, the payment after the change. `view` must have the number of the event.
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
            version: kind.version(),
        };
        let stored = to_json_string(&content);
        let subject = payment.payment_id();
        let (key, sequence) = (payment.key(), view.sequence());
        Self::with_envelope(key, subject, sequence, kind, &content, stored)
    }

    /// Recreates an event from its stored part, byte for byte.
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
        let (name, version) = (kind.as_str(), content.version);
        let id = format!("{project_id}/{subject}/{sequence}");
        let body = to_json_string(&Envelope {
            specversion: "1.0",
            id: &id,
            source: format!("/ecommpay/{project_id}"),
            subject,
            kind: name,
            time: content.time,
            datacontenttype: "application/json",
            dataschema: format!("urn:bancontact:event:{name}:{version}"),
            data: content.data,
        });
        Self {
            // Escaping here also covers events that an earlier release stored without escapes.
            body: escape::json_for_sqs(body),
            stored,
            key,
            sequence,
            kind,
            id,
        }
    }

    /// Returns the id of the FIFO group, which is the same for all events of a payment. It is a hash, because SQS
    /// does not allow all characters of a payment id.
    pub fn message_group_id(&self) -> String {
        sha256::hex(self.key.to_string().as_bytes())
    }

    /// Returns the FIFO deduplication id. A queue drops a repeated id for five minutes. `repeat` changes the id, so
    /// that an operator can send an event again.
    pub fn message_deduplication_id(&self, repeat: Option<&str>) -> String {
        match repeat {
            None => sha256::hex(self.id.as_bytes()),
            Some(repeat) => sha256::hex(format!("{}/{repeat}", self.id).as_bytes()),
        }
    }
}
