//! Defines a payment and its parts.

use std::collections::BTreeSet;

use ecommpay::fields::{ProjectId, Text};
use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use super::attempt::gate_request::GateRequest;
use super::day::Day;
use super::discrepancy::Discrepancies;
use super::emitted::Emitted;
use super::format::Format;
use super::ids::{MerchantId, PaymentKey};
use super::order::{Channel, Order, PaidOrder};
use super::polling::Polling;
use super::quarantine::Decision;
use super::refunds::former::FormerRefunds;
use super::refunds::refund::Refund;
use super::reported::operation::Operation;
use super::reported::{PlatformStatus, Reported};
use super::serde_skip::is_default;
use super::timestamp::{Timestamp, millis};

/// The maximum number of ids in `earlier_payments_of_order`. Further ids are ignored.
const MAX_EARLIER_PAYMENTS: usize = 100;

/// Everything that is known about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The format of the stored document.
    #[serde(default)]
    format: Format,
    /// Whether the stored document has a word that this release does not know ([`super::document`]).
    #[serde(skip)]
    pub(super) has_unknown_words: bool,
    /// Whether a release added facts and derived nothing from them, because it did not know a word of the document.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) is_underived: bool,
    pub(super) project_id: ProjectId,
    /// The id in the spelling that we received first.
    pub(super) payment_id: String,
    /// `None` for a payment that this service did not create.
    pub(super) order: Option<Order>,
    pub(super) attempt: Attempt,
    pub(super) reported: Reported,
    #[serde(with = "super::refunds::compact")]
    pub(super) refunds: Vec<Refund>,
    /// What events said about external refunds that `refunds` no longer lists.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) former_refunds: FormerRefunds,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<Decision>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) polling: Polling,
    emitted: Emitted,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) discrepancies: Discrepancies,
    /// The ids of payments that had paid the same order before this payment.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    earlier_payments_of_order: BTreeSet<String>,
    /// The number of ids in `earlier_payments_of_order` that events have named.
    #[serde(default, skip_serializing_if = "is_default")]
    earlier_payments_emitted: usize,
    /// The sequence number of the last event; 0 before the first event.
    sequence: u64,
    /// The time of the first fact or command about the payment.
    #[serde(with = "millis")]
    created_at: Timestamp,
    /// The time of the last change. The claim of a status request is a change only if the claim causes an event.
    #[serde(with = "millis")]
    updated_at: Timestamp,
}

impl Payment {
    pub(crate) fn empty(project_id: ProjectId, payment_id: &str, at: Timestamp) -> Self {
        Self {
            format: Format::FIRST,
            has_unknown_words: false,
            is_underived: false,
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

    /// Stores the order, starts the current attempt, and restarts the schedule of status polls.
    pub(crate) fn start_attempt(&mut self, order: Order, at: Timestamp) {
        let polls_sent = self.polling.polls_sent();
        self.attempt.start(order.channel, polls_sent, at);
        self.order = Some(order);
        self.polling.restart(at);
    }

    pub(crate) fn send_sale_again(&mut self, at: Timestamp) {
        self.attempt.send_again(self.polling.polls_sent(), at);
    }

    /// Replaces the failed attempt with the next one. Erases old redirects and clarification requests. Also resets
    /// [`Emitted`], except for `unsuccessful` and `overrefunded`.
    pub(crate) fn start_next_attempt(&mut self, order: Order, at: Timestamp) {
        self.attempt = self.attempt.next(at);
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

    /// Updates the stored state that depends on the time or on other facts: abandoned Gate requests, the refunds, and
    /// polling. Removes operations that exceed the limits. Returns whether an operation was removed. If the payment
    /// needs a newer release, updates only polling.
    pub(crate) fn update_derived(&mut self, at: Timestamp) -> bool {
        self.is_underived = self.has_unknown_words;
        if self.is_underived {
            let is_open = self.is_open();
            self.polling.update(is_open, at);
            return false;
        }
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

    /// Derives what another release skipped because that release did not know a word of the document. `is_underived`
    /// stays `true` until the next commit.
    pub(super) fn derive_skipped(&mut self) {
        for operation in self.reported.operations.values_mut() {
            operation.sort_finals();
        }
        self.update_derived(self.updated_at);
        self.is_underived = true;
    }

    /// Raises the format of the document. The format never decreases, because the document can have fields and words of
    /// its greatest format.
    pub fn raise_format(&mut self, format: Format) {
        self.format = self.format.max(format);
    }

    pub(crate) fn add_earlier_payments(&mut self, ids: &BTreeSet<String>) {
        for id in ids {
            if self.earlier_payments_of_order.len() < MAX_EARLIER_PAYMENTS {
                self.earlier_payments_of_order.insert(id.clone());
            }
        }
    }

    /// Records that events have named all earlier payments of the order. Returns whether an id is new since the last
    /// call.
    pub(crate) fn mark_earlier_payments_emitted(&mut self) -> bool {
        let known = self.earlier_payments_of_order.len();
        std::mem::replace(&mut self.earlier_payments_emitted, known) < known
    }

    pub(crate) fn next_sequence(&mut self) {
        self.sequence += 1;
    }

    pub(crate) fn set_updated_at(&mut self, at: Timestamp) {
        self.updated_at = at;
    }

    /// Erases the customer's data, redirects, clarification requests, and the texts of ended refund requests. A redirect
    /// can identify the shopper. The amounts, the operations and the refunds stay.
    pub(crate) fn erase_customer(&mut self) {
        if let Some(order) = &mut self.order {
            order.customer = None;
        }
        for operation in self.reported.operations.values_mut() {
            operation.erase_waiting();
        }
        let refunds = self.refunds.iter_mut();
        for refund in refunds.filter(|refund| !refund.status().is_reserved()) {
            refund.erase_request_data();
        }
    }
}

impl Payment {
    /// Returns the format of the stored document. A change must not use a field or a word that this format lacks,
    /// because functions of the previous release can still read the document.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the document has a word that this release does not know. The meaning of such a payment is unknown.
    /// Therefore this release only adds facts to the payment, and leaves everything else to the release that wrote the
    /// word.
    pub fn needs_newer_release(&self) -> bool {
        self.has_unknown_words
    }

    /// Whether the payment has facts whose consequences no release has stored yet.
    pub(crate) fn has_underived_facts(&self) -> bool {
        self.is_underived && !self.has_unknown_words
    }

    /// Records that the consequences of all facts are stored.
    pub(crate) fn mark_derived(&mut self) {
        self.is_underived = self.has_unknown_words;
    }

    /// Returns the channel of the order; `None` without an order, or if the document has an unknown word.
    pub fn channel(&self) -> Option<Channel> {
        let order = self.order.as_ref().filter(|_| !self.has_unknown_words);
        order.map(|order| order.channel)
    }

    /// Returns the project that takes the money.
    pub fn project_id(&self) -> ProjectId {
        self.project_id
    }

    /// Returns the id in the spelling that we received first.
    pub fn payment_id(&self) -> &str {
        &self.payment_id
    }

    /// Whether a signed request can name the payment. Only the id of an external payment can be unsignable.
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

    /// Returns the newest `payment.status` of all reports.
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

    /// Returns the operators' decisions about quarantine items.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

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

    /// Returns the ids of payments that had paid the same order before this payment.
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

    /// Returns the time of the last change. The claim of a status request is a change only if the claim causes an
    /// event.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl Payment {
    /// Whether the ordered sale or a refund has no final result yet.
    pub fn is_open(&self) -> bool {
        self.is_sale_open() || self.has_open_refund()
    }

    /// Whether the ordered sale has no final result yet.
    pub(crate) fn is_sale_open(&self) -> bool {
        self.order.is_some() && (self.is_sale_undecided() || !self.status().is_final())
    }

    pub(crate) fn has_open_refund(&self) -> bool {
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.status().is_reserved())
    }

    /// Whether the platform accepted the sale request of the current attempt, or reported an operation.
    pub(crate) fn is_known_to_platform(&self) -> bool {
        let is_accepted = matches!(self.attempt.request, GateRequest::Accepted { .. });
        is_accepted || !self.reported.operations.is_empty()
    }

    /// Whether a new status or a new amount of the payment causes an event. An external payment without a report causes
    /// no such event. An external payment that is a Dashboard payment link causes no such event until it has moved
    /// money.
    pub(crate) fn is_emittable(&self) -> bool {
        let has_report = self.reported.status.is_some() || !self.reported.operations.is_empty();
        self.order.is_some() || has_report && !self.is_unpaid_link()
    }

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

    /// Returns the key of the order that this payment paid; `None` if the order is not paid or has no id. Rejected
    /// money never pays an order.
    pub fn paid_order(&self) -> Option<PaidOrder<'_>> {
        let is_paid = self.status().is_paid() && !self.is_rejected();
        let order = self.order.as_ref().filter(|_| is_paid)?;
        Some(PaidOrder {
            project_id: self.project_id,
            storefront: &order.storefront,
            order_id: order.order_id.as_ref()?,
        })
    }

    /// Returns the days under which the store indexes the payment: the day on which the payment was created, and the
    /// days on which its operations ended.
    pub fn days(&self) -> BTreeSet<Day> {
        let operations = self.reported.operations.values();
        let ends = operations.filter_map(Operation::ended_at);
        ends.chain([self.created_at]).map(Day::of).collect()
    }
}
