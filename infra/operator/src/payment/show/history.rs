//! Collects what `show` says about a payment, and writes it as JSON.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::events::Event;
use payments::events::view::PaymentView;
use payments::model::schedule::Next;
use payments::model::{Decision, Evidence, Payment, QuarantineItem, Verdict};
use payments::ports::Stored;
use serde::{Deserialize, Serialize};

/// A payment with its history. Contains no personal data and no secret.
#[derive(Serialize)]
pub struct History<'a> {
    project_id: ProjectId,
    #[serde(flatten)]
    view: PaymentView<'a>,
    storefront: Option<&'a str>,
    expires_at: Option<Timestamp>,
    other_payment_ids: &'a BTreeSet<String>,
    quarantine_items: BTreeSet<QuarantineItem>,
    pub decisions: Vec<DecisionView<'a>>,
    /// The evidence for the outcome of each operation, by operation id.
    evidence: BTreeMap<&'a str, Evidence>,
    polling: PollingView,
    pub next: Option<NextStep>,
    pub events: Vec<EventRow>,
    /// The sequence numbers of the events that are no longer stored, or that cannot be read.
    pub gone: Vec<u64>,
}

#[derive(Serialize)]
pub struct DecisionView<'a> {
    pub verdict: Verdict,
    pub by: &'a str,
    pub at: Timestamp,
    /// The items that the decision settles.
    pub items: BTreeSet<QuarantineItem>,
    /// The number of settled items that the stored reports no longer show.
    pub former_items: usize,
}

impl<'a> DecisionView<'a> {
    fn new(payment: &Payment, decision: &'a Decision) -> Self {
        let items = payment.items_of(decision);
        Self {
            verdict: decision.verdict,
            by: &decision.by,
            at: decision.at,
            former_items: decision.item_count().saturating_sub(items.len()),
            items,
        }
    }
}

/// The state of the status polls. Status requests are numbered from 1. `last_answered` is the number of the last
/// answered request. `last_not_found` is the number of the last request that was answered with "not found". Without
/// such a request, the number is 0.
#[derive(Serialize)]
struct PollingView {
    polls_sent: u32,
    last_answered: u32,
    last_not_found: u32,
    needs_recheck: bool,
}

#[derive(Serialize)]
pub struct NextStep {
    pub what: What,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Poll,
    Expire,
    Erase,
    Overdue,
}

/// An event without its data.
#[derive(Serialize)]
pub struct EventRow {
    pub sequence: u64,
    id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub time: Timestamp,
    pub published: bool,
}

/// The fields of an event's body that this module reads.
#[derive(Deserialize)]
struct Body {
    time: Timestamp,
}

impl<'a> History<'a> {
    pub fn new(
        stored: &'a Stored,
        next: Option<Next>,
        events: Vec<EventRow>,
        at: Timestamp,
    ) -> anyhow::Result<Self> {
        let payment = &stored.payment;
        let order = payment.order();
        let stored_numbers: BTreeSet<u64> = events.iter().map(|event| event.sequence).collect();
        let numbers = 1..=payment.sequence();
        let polling = payment.polling();
        let operations = payment.operations();
        Ok(Self {
            project_id: payment.project_id(),
            view: PaymentView::new(payment, at),
            storefront: order.map(|order| order.storefront.as_str()),
            expires_at: order.map(|order| order.expires_at),
            other_payment_ids: payment.earlier_payments_of_order(),
            quarantine_items: payment.quarantine(),
            decisions: payment
                .decisions()
                .iter()
                .map(|decision| DecisionView::new(payment, decision))
                .collect(),
            evidence: operations
                .map(|(id, operation)| (id, payment.evidence_of(operation)))
                .collect(),
            polling: PollingView {
                polls_sent: polling.polls_sent(),
                last_answered: polling.last_answered(),
                last_not_found: polling.last_not_found(),
                needs_recheck: polling.needs_recheck(),
            },
            next: next.map(NextStep::from),
            events,
            gone: numbers
                .filter(|number| !stored_numbers.contains(number))
                .collect(),
        })
    }
}

impl From<Next> for NextStep {
    fn from(next: Next) -> Self {
        let (what, at) = match next {
            Next::Poll(at) => (What::Poll, at),
            Next::Expire(at) => (What::Expire, at),
            Next::Erase(at) => (What::Erase, at),
            Next::Overdue(at) => (What::Overdue, at),
        };
        Self { what, at }
    }
}

impl EventRow {
    pub fn new(event: &Event, published_through: u64) -> anyhow::Result<Self> {
        let body: Body = serde_json::from_str(&event.body)
            .with_context(|| format!("event {} cannot be read", event.sequence))?;
        Ok(Self {
            sequence: event.sequence,
            id: event.id.clone(),
            kind: event.kind.as_str(),
            time: body.time,
            published: event.sequence <= published_through,
        })
    }
}
