//! Defines a payment and its parts.

use std::collections::BTreeSet;

use ecommpay::fields::{ProjectId, Text};
use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use super::attempt::gate_request::GateRequest;
use super::day::Day;
use super::discrepancy::Discrepancies;
use super::emitted::Emitted;
use super::ids::{MerchantId, PaymentKey};
use super::order::{Order, PaidOrder};
use super::polling::Polling;
use super::quarantine::Decision;
use super::refunds::former::FormerRefunds;
use super::refunds::refund::Refund;
use super::reported::operation::Operation;
use super::reported::{PlatformStatus, Reported};
use super::serde_skip::is_default;
use super::timestamp::{Timestamp, millis};

/// The maximum number of ids in `earlier_payments_of_order`. Further ids are not stored, and no event names them.
const MAX_EARLIER_PAYMENTS: usize = 100;

/// Everything that is known about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub(super) project_id: ProjectId,
    /// The id, in the spelling in which we first received it.
    pub(super) payment_id: String,
    /// `None` for a payment that this service did not create.
    pub(super) order: Option<Order>,
    pub(super) attempt: Attempt,
    pub(super) reported: Reported,
    /// The refunds that this service requested, and the external refunds.
    #[serde(with = "super::refunds::compact")]
    pub(super) refunds: Vec<Refund>,
    /// What the events said about external refunds that `refunds` no longer lists.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) former_refunds: FormerRefunds,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<Decision>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) polling: Polling,
    emitted: Emitted,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) discrepancies: Discrepancies,
    /// The ids of other payments that had paid the same order before this payment did.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    earlier_payments_of_order: BTreeSet<String>,
    /// The count of ids in `earlier_payments_of_order` that events have named.
    #[serde(default, skip_serializing_if = "is_default")]
    earlier_payments_emitted: usize,
    /// The sequence number of the last event; 0 before the first event.
    sequence: u64,
    /// The time of the first fact or command about the payment.
    #[serde(with = "millis")]
    created_at: Timestamp,
    /// The time of the last change. The claim of a status request does not count as a change if it causes no event.
    #[serde(with = "millis")]
    updated_at: Timestamp,
}

/// Creation and changes.
impl Payment {
    /// Creates a payment without an order and without reports.
    pub(crate) fn empty(project_id: ProjectId, payment_id: &str, at: Timestamp) -> Self {
        Self {
            project_id,
            payment_id: payment_id.to_owned(),
            order: None,
            attempt: Attempt::first(at),
            reported: Reported::default(),
            refunds: Vec::new(),
            former_refunds: FormerRefunds::default(),
            decisions: Vec::new(),
            polling: Polling::default(),
            emitted: Emitted::default(),
            discrepancies: Discrepancies::default(),
            earlier_payments_of_order: BTreeSet::new(),
            earlier_payments_emitted: 0,
            sequence: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// Stores the order, starts the current attempt with the order, and restarts the schedule of status polls.
    pub(crate) fn start_attempt(&mut self, order: Order, at: Timestamp) {
        let polls_sent = self.polling.polls_sent();
        self.attempt.start(order.channel, polls_sent, at);
        self.order = Some(order);
        self.polling.restart(at);
    }

    /// Replaces the failed attempt with the next attempt. Erases what the pending operations wait for. Also erases the
    /// record of what the events said, except for the failure and the refunded amount in the last
    /// `payment.overrefunded`.
    pub(crate) fn start_next_attempt(&mut self, order: Order, at: Timestamp) {
        self.attempt = self.attempt.next(self.is_of_another_system(), at);
        for operation in self.reported.operations.values_mut() {
            operation.erase_waiting();
        }
        self.emitted = Emitted {
            unsuccessful: self.emitted.unsuccessful,
            overrefunded: self.emitted.overrefunded,
            ..Emitted::default()
        };
        self.start_attempt(order, at);
    }

    /// Updates the stored state that follows from the facts and the time: abandoned Gate requests, the state of each
    /// refund, and whether the payment is polled. Removes the operations that do not fit into the payment. Returns
    /// whether an operation was removed.
    pub(crate) fn update_derived(&mut self, at: Timestamp) -> bool {
        let polls_sent = self.polling.polls_sent();
        self.attempt.request.time_out(polls_sent, at);
        let mut is_removed = self.limit_operations();
        self.update_refunds(at);
        while self.remove_excess_bytes() {
            is_removed = true;
            self.update_refunds(at);
        }
        let is_open = self.is_open();
        self.polling.update(is_open, at);
        is_removed
    }

    /// Adds the ids of other payments that had paid the same order before this payment did.
    pub(crate) fn add_earlier_payments(&mut self, ids: &BTreeSet<String>) {
        for id in ids {
            if self.earlier_payments_of_order.len() < MAX_EARLIER_PAYMENTS {
                self.earlier_payments_of_order.insert(id.clone());
            }
        }
    }

    /// Records that events have named all stored earlier payments of the order. Returns whether an id was added since
    /// the last call.
    pub(crate) fn mark_earlier_payments_emitted(&mut self) -> bool {
        let known = self.earlier_payments_of_order.len();
        std::mem::replace(&mut self.earlier_payments_emitted, known) < known
    }

    /// Increases the sequence number, for the next event.
    pub(crate) fn next_sequence(&mut self) {
        self.sequence += 1;
    }

    pub(crate) fn set_updated_at(&mut self, at: Timestamp) {
        self.updated_at = at;
    }

    /// Erases the data of the customer. Also erases what the pending operations wait for, because a redirect can
    /// identify the shopper. The amounts, the operations and the refunds stay.
    pub(crate) fn erase_customer(&mut self) {
        if let Some(order) = &mut self.order {
            order.customer = None;
        }
        for operation in self.reported.operations.values_mut() {
            operation.erase_waiting();
        }
    }
}

/// Access to the parts.
impl Payment {
    /// Returns the project that takes the money.
    pub fn project_id(&self) -> ProjectId {
        self.project_id
    }

    /// Returns the id, in the spelling in which we first received it.
    pub fn payment_id(&self) -> &str {
        &self.payment_id
    }

    /// Whether a request to the platform can name the payment. Only another system can choose an id that cannot be
    /// signed.
    pub fn has_signable_id(&self) -> bool {
        Text::new(self.payment_id.as_str()).is_ok()
    }

    /// Returns the key: the project and the id in lower case.
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project_id, &self.payment_id)
    }

    /// Returns the order; `None` for a payment that this service did not create.
    pub fn order(&self) -> Option<&Order> {
        self.order.as_ref()
    }

    /// Returns the current attempt.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    pub(crate) fn attempt_mut(&mut self) -> &mut Attempt {
        &mut self.attempt
    }

    /// Returns everything that the platform reported.
    pub fn reported(&self) -> &Reported {
        &self.reported
    }

    /// Returns the operations that the platform reported, with their `operation.id`.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = (&str, &Operation)> + Clone {
        let operations = self.reported.operations.iter();
        operations.map(|(id, operation)| (id.as_str(), operation))
    }

    /// Returns the operation with this `operation.id`.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.reported.operations.get(id)
    }

    pub(super) fn sales(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.reported.operations.values();
        operations.filter(|operation| operation.is_sale())
    }

    /// Returns the newest `payment.status` of all reports, in the platform's spelling.
    pub fn platform_status(&self) -> Option<&str> {
        self.reported.status.as_ref().map(PlatformStatus::as_str)
    }

    /// Returns the refunds that this service requested, and the external refunds.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    pub(crate) fn refunds_mut(&mut self) -> &mut [Refund] {
        &mut self.refunds
    }

    /// Returns the refund with this `refund_id`.
    pub fn refund(&self, refund_id: &MerchantId) -> Option<&Refund> {
        let mut refunds = self.refunds.iter();
        refunds.find(|refund| refund.refund_id() == Some(refund_id))
    }

    /// Returns the operators' decisions about quarantined money.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Adds an operator's decision.
    pub(crate) fn add_decision(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    /// Returns the polling state.
    pub fn polling(&self) -> &Polling {
        &self.polling
    }

    pub(crate) fn polling_mut(&mut self) -> &mut Polling {
        &mut self.polling
    }

    /// Returns what the last events said.
    pub fn emitted(&self) -> &Emitted {
        &self.emitted
    }

    pub(crate) fn emitted_mut(&mut self) -> &mut Emitted {
        &mut self.emitted
    }

    pub(crate) fn discrepancies_mut(&mut self) -> &mut Discrepancies {
        &mut self.discrepancies
    }

    /// Returns the ids of other payments that had paid the same order before this payment did.
    pub fn earlier_payments_of_order(&self) -> &BTreeSet<String> {
        &self.earlier_payments_of_order
    }

    /// Returns the sequence number of the last event.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Returns the time of the first fact or command about the payment.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the time of the last change. The claim of a status request does not count as a change if it causes no
    /// event.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

/// Derived properties that concern several parts.
impl Payment {
    /// Whether the ordered sale or a refund has no result yet.
    pub fn is_open(&self) -> bool {
        self.is_sale_open() || self.has_open_refund()
    }

    /// Whether the ordered sale has no result yet.
    pub(crate) fn is_sale_open(&self) -> bool {
        self.order.is_some() && (self.is_sale_undecided() || !self.status().is_final())
    }

    /// Whether money is reserved for a refund.
    pub(crate) fn has_open_refund(&self) -> bool {
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.status().is_reserved())
    }

    /// Whether the platform has accepted the sale request of the current attempt, or has reported an operation.
    pub(crate) fn is_known_to_platform(&self) -> bool {
        let is_accepted = matches!(self.attempt.request, GateRequest::Accepted { .. });
        is_accepted || !self.reported.operations.is_empty()
    }

    /// Whether changes of the payment cause events. An external payment has no events in two cases: the platform has
    /// not reported the payment yet, or the payment is a Dashboard payment link that has moved no money.
    pub(crate) fn is_emittable(&self) -> bool {
        let has_report = self.reported.status.is_some() || !self.reported.operations.is_empty();
        self.order.is_some() || has_report && !self.is_unpaid_link()
    }

    /// Whether the payment is external, and is a Dashboard payment link that has moved no money.
    fn is_unpaid_link(&self) -> bool {
        let moved_money =
            |operation: &Operation| operation.has_succeeded() && !operation.kind().moves_no_money();
        let is_external_link = self.order.is_none() && self.reported.is_link;
        is_external_link && !self.reported.operations.values().any(moved_money)
    }

    /// Whether the payment has personal data that [`Self::erase_customer`] would erase.
    pub(crate) fn has_personal_data(&self) -> bool {
        let order = self.order.as_ref();
        let mut operations = self.reported.operations.values();
        order.is_some_and(|order| order.customer.is_some())
            || operations.any(|operation| operation.waiting().is_some())
    }

    /// Returns the key of the merchant's order. Returns `None` if the order has no id, or if this payment has not paid
    /// the order. Rejected money never pays an order.
    pub fn paid_order(&self) -> Option<PaidOrder<'_>> {
        let is_paid = self.status().is_paid() && !self.is_rejected();
        let order = self.order.as_ref().filter(|_| is_paid)?;
        Some(PaidOrder {
            project_id: self.project_id,
            storefront: &order.storefront,
            order_id: order.order_id.as_ref()?,
        })
    }

    /// Returns the days under which the store indexes the payment: the day of its creation, and the days on which its
    /// operations ended.
    pub fn days(&self) -> BTreeSet<Day> {
        let operations = self.reported.operations.values();
        let ends = operations.filter_map(Operation::ended_at);
        ends.chain([self.created_at]).map(Day::of).collect()
    }
}
