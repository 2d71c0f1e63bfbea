//! A payment as we know it: what was ordered, what the platform reported, and what follows.
//!
//! Reports are kept as sets, and the status is derived from them, so that any order and any number of
//! the same facts ends in the same state. Only [`crate::decide`] changes a payment; the methods here
//! say what happened.

pub mod attempt;
pub mod day;
mod days;
pub mod discrepancy;
pub mod emitted;
pub mod ids;
mod ledger;
pub mod order;
pub mod polling;
pub mod quarantine;
pub mod refunds;
pub mod reported;
pub mod schedule;
pub mod status;
pub mod storefront;
pub mod timestamp;

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
pub use ecommpay::operation::{OperationType, Outcome};
use serde::{Deserialize, Serialize};

pub use self::attempt::Attempt;
pub use self::attempt::checkout::CheckoutState;
pub(crate) use self::attempt::gate_request::ends_request;
pub use self::attempt::gate_request::{Exists, GateRequest};
pub(crate) use self::discrepancy::listed_end;
pub use self::discrepancy::{Discrepancies, Discrepancy, DiscrepancyKind, Entry, PlatformRecord};
pub use self::emitted::{Emitted, EmittedRefund, EmittedState};
pub(crate) use self::ledger::ReportedSum;
pub use self::order::{Channel, Customer, Order, PaidOrder, Private};
pub use self::polling::Polling;
pub use self::quarantine::{Decision, QuarantineItem, QuarantineReason, Verdict};
pub use self::refunds::refund::{Refund, RefundOrder, RefundStatus};
pub use self::reported::add_report::{SignedReport, digest_start};
pub(crate) use self::reported::add_report::{failed_request, is_storable};
pub use self::reported::operation::{Evidence, Operation};
pub use self::reported::payment_status::PaymentStatus;
pub use self::reported::report_order::ReportOrder;
pub use self::reported::waiting::{Redirect, RedirectMethod, Waiting};
pub use self::reported::{PlatformStatus, Reported};
pub(crate) use self::status::SaleState;
pub use self::status::{Row, Status, TABLE};
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::timestamp::{Timestamp, millis};

/// Everything that is known about one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    project_id: ProjectId,
    /// The id as first spelled.
    payment_id: String,
    /// What was ordered; `None` for a payment that was not created here.
    order: Option<Order>,
    attempt: Attempt,
    reported: Reported,
    /// The refunds that were requested here, and the external ones.
    refunds: Vec<Refund>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
    #[serde(default, skip_serializing_if = "is_zero")]
    polling: Polling,
    emitted: Emitted,
    #[serde(default, skip_serializing_if = "is_zero")]
    discrepancies: Discrepancies,
    /// Other payments that had paid the same order before this one did.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    earlier_payments_of_order: BTreeSet<String>,
    /// How many of them were emitted.
    #[serde(default, skip_serializing_if = "is_zero")]
    earlier_payments_emitted: usize,
    /// The number of the last event.
    sequence: u64,
    /// When it became known here.
    #[serde(with = "millis")]
    created_at: Timestamp,
    /// When it last changed.
    #[serde(with = "millis")]
    updated_at: Timestamp,
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Payment {
    /// A payment of which nothing but its id is known.
    pub(crate) fn unknown(project_id: ProjectId, payment_id: &str, at: Timestamp) -> Self {
        Self {
            project_id,
            payment_id: payment_id.to_owned(),
            order: None,
            attempt: Attempt::first(at),
            reported: Reported::default(),
            refunds: Vec::new(),
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

    /// Starts an attempt.
    pub(crate) fn start(&mut self, order: Order, at: Timestamp) {
        let polls_sent = self.polling.polls_sent;
        self.attempt.start(order.channel, polls_sent, at);
        self.order = Some(order);
        self.polling.start(at);
    }

    /// Starts the attempt after one that failed.
    pub(crate) fn retry(&mut self, order: Order, at: Timestamp) {
        self.attempt = self.attempt.next(at);
        for operation in self.reported.operations.values_mut() {
            operation.erase_waiting();
        }
        self.emitted = Emitted {
            overrefunded: self.emitted.overrefunded,
            ..Emitted::default()
        };
        self.start(order, at);
    }

    /// The project that takes the money.
    pub fn project_id(&self) -> ProjectId {
        self.project_id
    }

    /// The id as first spelled.
    pub fn payment_id(&self) -> &str {
        &self.payment_id
    }

    /// The payment's key.
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project_id, &self.payment_id)
    }

    /// What was ordered; `None` for a payment that was not created here.
    pub fn order(&self) -> Option<&Order> {
        self.order.as_ref()
    }

    /// The open attempt.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// The sale request of the open attempt.
    pub(crate) fn sale_request_mut(&mut self) -> &mut GateRequest {
        &mut self.attempt.request
    }

    /// The operations that the platform reported, by `operation.id`.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = (&str, &Operation)> + Clone {
        let operations = self.reported.operations.iter();
        operations.map(|(id, operation)| (id.as_str(), operation))
    }

    /// One of them.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.reported.operations.get(id)
    }

    /// Everything that the platform reported.
    pub fn reported(&self) -> &Reported {
        &self.reported
    }

    /// The newest `payment.status` of any report, as the platform writes it.
    pub fn platform_status(&self) -> Option<&str> {
        self.reported.status.as_ref().map(PlatformStatus::as_str)
    }

    /// The refunds that were requested here, and the external ones.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    pub(crate) fn refunds_mut(&mut self) -> &mut [Refund] {
        &mut self.refunds
    }

    /// The refund with this id.
    pub fn refund(&self, refund_id: &MerchantId) -> Option<&Refund> {
        let mut refunds = self.refunds.iter();
        refunds.find(|refund| refund.refund_id.as_ref() == Some(refund_id))
    }

    /// The status requests about it.
    pub fn polling(&self) -> &Polling {
        &self.polling
    }

    pub(crate) fn polling_mut(&mut self) -> &mut Polling {
        &mut self.polling
    }

    /// What was emitted last about it.
    pub fn emitted(&self) -> &Emitted {
        &self.emitted
    }

    pub(crate) fn emitted_mut(&mut self) -> &mut Emitted {
        &mut self.emitted
    }

    /// Where the platform's records and ours differ.
    pub fn discrepancies(&self) -> &Discrepancies {
        &self.discrepancies
    }

    pub(crate) fn discrepancies_mut(&mut self) -> &mut Discrepancies {
        &mut self.discrepancies
    }

    /// Other payments that had paid the same order before this one did.
    pub fn earlier_payments_of_order(&self) -> &BTreeSet<String> {
        &self.earlier_payments_of_order
    }

    /// Other payments had paid the same order before.
    pub(crate) fn add_earlier_payments(&mut self, ids: &BTreeSet<String>) {
        self.earlier_payments_of_order.extend(ids.iter().cloned());
    }

    /// Whether such payments are known that no event has named. From now on one has.
    pub(crate) fn take_earlier_payments_to_emit(&mut self) -> bool {
        let known = self.earlier_payments_of_order.len();
        std::mem::replace(&mut self.earlier_payments_emitted, known) < known
    }

    /// The number of the last event.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Numbers the next event.
    pub(crate) fn next_sequence(&mut self) {
        self.sequence += 1;
    }

    /// When it became known here.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it last changed.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    pub(crate) fn set_updated_at(&mut self, at: Timestamp) {
        self.updated_at = at;
    }

    /// Whether there is anything to emit: it was ordered, or the platform has reported more of it than
    /// a payment link that was not paid.
    pub(crate) fn is_reported(&self) -> bool {
        let has_report = self.reported.status.is_some() || !self.reported.operations.is_empty();
        self.order.is_some() || has_report && !self.is_unpaid_link()
    }

    /// Whether it is a payment link made in the Dashboard that has moved no money.
    fn is_unpaid_link(&self) -> bool {
        let moves_money = |one: &Operation| one.has_succeeded() && !one.kind().moves_no_money();
        let is_external_link = self.order.is_none() && self.reported.is_link;
        is_external_link && !self.reported.operations.values().any(moves_money)
    }

    /// Whether anything personal is kept of it.
    pub(crate) fn has_personal_data(&self) -> bool {
        let order = self.order.as_ref();
        let mut operations = self.reported.operations.values();
        order.is_some_and(|order| order.customer.is_some())
            || operations.any(|operation| operation.waiting().is_some())
    }

    /// Forgets who the customer was. Of money nothing is forgotten.
    pub(crate) fn erase_customer(&mut self) {
        if let Some(order) = &mut self.order {
            order.customer = None;
        }
        for operation in self.reported.operations.values_mut() {
            operation.erase_waiting();
        }
    }

    /// The merchant's order, once it has been paid by this payment.
    pub fn paid_order(&self) -> Option<PaidOrder<'_>> {
        let order = self.order.as_ref().filter(|_| self.status().is_paid())?;
        Some(PaidOrder {
            project_id: self.project_id,
            storefront: &order.storefront,
            order_id: order.order_id.as_ref()?,
        })
    }

    fn sales(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.reported.operations.values();
        operations.filter(|operation| operation.is_sale())
    }

    /// The code with which the platform refused the sale request, at once or by callback.
    pub fn refusal_code(&self) -> Option<&str> {
        self.refusal_of(&self.attempt.request)
    }

    /// The code with which the platform refused a request, at once or by callback.
    pub(crate) fn refusal_of<'a>(&'a self, request: &'a GateRequest) -> Option<&'a str> {
        match request {
            GateRequest::Refused { code } => Some(code),
            request => {
                let errors = &self.reported.request_errors;
                errors.get(request.request_id()?).map(String::as_str)
            }
        }
    }

    /// Whether a request is known to be ours by the platform's name of it.
    pub(crate) fn is_our_request(&self, request_id: &str) -> bool {
        self.attempt.request.request_id() == Some(request_id)
            || self.attempt.failed_requests.contains(request_id)
            || self.is_refund_request(request_id)
    }

    /// Whether the platform still owes a result: of the sale that was ordered, or of a refund.
    pub fn is_open(&self) -> bool {
        self.is_sale_open() || self.has_open_refund()
    }

    /// Whether the platform still owes the result of the sale that was ordered.
    pub(crate) fn is_sale_open(&self) -> bool {
        let is_undecided = matches!(
            self.sale_state(),
            SaleState::Held | SaleState::AwaitingConfirmation
        );
        self.order.is_some() && (is_undecided || !self.status().is_final())
    }

    /// Whether money is held back for a refund.
    pub(crate) fn has_open_refund(&self) -> bool {
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.status.is_reserved())
    }

    /// Whether the platform has ever taken it, or started something.
    pub(crate) fn is_known_to_platform(&self) -> bool {
        let is_taken = matches!(self.attempt.request, GateRequest::Accepted { .. });
        is_taken || !self.reported.operations.is_empty()
    }

    /// Brings what follows from the facts in line with them.
    pub(crate) fn settle(&mut self, at: Timestamp) {
        let polls_sent = self.polling.polls_sent;
        self.attempt.request.give_up(polls_sent, at);
        self.settle_refunds(at);
        let is_open = self.is_open();
        self.polling.settle(is_open, at);
    }
}
