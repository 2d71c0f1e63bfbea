//! Holds one operation, and merges its reports.
//!
//! A newer pending report or any final report replaces a pending report. A final report does not replace a distinct
//! final report: up to a limit, all distinct final reports are stored.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::compact::normal_date;
use super::operation_report::{FinalReport, Pending};
use super::payment_status::PaymentStatus;
use super::payment_sums::DatedSum;
use super::report_order::ReportOrder;
use super::texts::{digest_of_id, is_digest};
use super::waiting::Waiting;
use crate::model::attempt::gate_request::is_processing_failure;
use crate::model::refunds::update::DUPLICATE_REFUND;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

/// The maximum number of distinct final reports that are stored for an operation. If there are more reports, reports of
/// low rank are dropped. The dropped reports are not needed, because two distinct reports already show a contradiction.
const MAX_FINAL_REPORTS: usize = 8;
/// The maximum number of distinct final reports that are stored for an operation without details.
const MAX_REDUCED_REPORTS: usize = 2;

/// The ids of an operation, and its creation date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OperationIds {
    pub(super) request_id: Option<String>,
    pub(super) other_request_id: Option<String>,
    pub(super) merchant_refund_id: Option<String>,
    pub(super) created_date: Option<String>,
}

/// One operation of the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The newest pending report, while there is no final report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<Pending>,
    /// The distinct final reports, the highest rank first. [`Operation::effective_report`] returns the report that counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) finals: Vec<FinalReport>,
    /// The newest `payment.status` of the reports about this operation; only for a successful sale or a confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_status: Option<PaymentStatus>,
    /// `payment.sum` of the newest callback about this operation that states the amount received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_sum: Option<DatedSum>,
    /// Whether the newest signed answer does not list this operation. `false` before the first signed answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) unlisted: bool,
    /// Whether a report has a date before the checkout; only for a sale or an operation of undocumented type. Without
    /// effect if `created_date` is known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) older_than_checkout: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Another `request_id`, which a later request about the same operation can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other_request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant_refund_id: Option<String>,
    /// The creation date. For a sale or an operation of undocumented type, only from signed answers. Otherwise only for
    /// a refund or reversal without a `merchant_refund_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_date: Option<String>,
}

/// Merging.
impl Operation {
    /// Creates an operation without reports.
    pub(super) fn new(unlisted: bool) -> Self {
        Self {
            unlisted,
            ..Self::default()
        }
    }

    /// Adds a pending report. The newer of two pending reports replaces the other, but the newest redirect or
    /// clarification request of both reports stays. After a final report, a pending report is ignored.
    pub(super) fn add_pending(&mut self, report: Pending) {
        if !self.finals.is_empty() {
            return;
        }
        let Some(known) = self.pending.take() else {
            self.pending = Some(report);
            return;
        };
        let (older, newer) = match known.rank(&report) {
            Ordering::Less => (known, report),
            _ => (report, known),
        };
        self.pending = Some(Pending {
            waiting: Waiting::newest(older.waiting, newer.waiting),
            ..newer
        });
    }

    /// Adds a final report. Of two reports with the same content, only one is stored: the signed answer, or else the
    /// newer report.
    pub(super) fn add_final(&mut self, report: FinalReport) {
        self.pending = None;
        self.insert_final(report);
        self.truncate_finals(MAX_FINAL_REPORTS);
    }

    /// Drops the reports of the lowest rank, but not the report of a successful sale with the highest rank.
    fn truncate_finals(&mut self, max: usize) {
        if self
            .finals
            .iter()
            .any(|report| report.outcome == Outcome::Pending)
        {
            // The outcome is a word that only a newer release knows.
            return;
        }
        let dropped = self.finals.split_off(max.min(self.finals.len()));
        let is_sale_kept = self.finals.iter().any(FinalReport::is_successful_sale);
        let mut sales = dropped.into_iter().filter(FinalReport::is_successful_sale);
        if let Some(sale) = sales.next().filter(|_| !is_sale_kept) {
            self.finals.pop();
            self.finals.push(sale);
        }
    }

    fn insert_final(&mut self, report: FinalReport) {
        let is_same = |known: &FinalReport| known.content() == report.content();
        let report = match self.finals.iter().position(is_same) {
            Some(index) => self.finals.swap_remove(index).merged(report),
            None => report,
        };
        self.finals.push(report);
        self.sort_finals();
    }

    /// Sorts the final reports by their rank.
    pub(in crate::model) fn sort_finals(&mut self) {
        self.finals.sort_unstable_by(|one, other| other.rank(one));
    }

    /// Adds the `payment.status` of a report about this operation, if the report is the newest.
    pub(super) fn add_payment_status(&mut self, status: PaymentStatus) {
        if self
            .payment_status
            .as_ref()
            .is_none_or(|known| *known < status)
        {
            self.payment_status = Some(status);
        }
    }

    /// Adds the ids and the creation date in a report. If two reports differ, the lesser value is stored, in whatever
    /// order the reports arrive. The two least of the `request_id` are stored.
    pub(super) fn add_ids(
        &mut self,
        request_id: Option<String>,
        merchant_refund_id: Option<String>,
        created_date: Option<String>,
    ) {
        let store_lesser = |known: &mut Option<String>, reported: Option<String>| {
            if let Some(reported) = reported
                && known.as_ref().is_none_or(|known| reported < *known)
            {
                *known = Some(reported);
            }
        };
        let new = request_id.filter(|id| !self.has_request_id(id));
        let known = [self.request_id.take(), self.other_request_id.take()];
        let ids: BTreeSet<String> = known.into_iter().flatten().chain(new).collect();
        let mut ids = ids.into_iter();
        (self.request_id, self.other_request_id) = (ids.next(), ids.next());
        store_lesser(&mut self.merchant_refund_id, merchant_refund_id);
        store_lesser(&mut self.created_date, created_date);
        if self.merchant_refund_id.is_some() {
            self.created_date = None;
        }
    }

    pub(super) fn ids(&self) -> OperationIds {
        OperationIds {
            request_id: self.request_id.clone(),
            other_request_id: self.other_request_id.clone(),
            merchant_refund_id: self.merchant_refund_id.clone(),
            created_date: self.created_date.clone(),
        }
    }

    pub(super) fn set_ids(&mut self, ids: OperationIds) {
        self.request_id = ids.request_id;
        self.other_request_id = ids.other_request_id;
        self.merchant_refund_id = ids.merchant_refund_id;
        self.created_date = ids.created_date;
    }

    /// Drops the details: the status for display, most codes, what the operation waits for, and all but two final
    /// reports. The type, the outcome, the sums and the dates stay. Digests replace the ids. `payment.status` and
    /// `payment.sum` stay only if `is_deciding`. A second reduction changes nothing. Later reports are added in the
    /// usual way.
    pub(super) fn reduce(&mut self, is_deciding: bool) {
        if let Some(pending) = &mut self.pending {
            pending.order.reduce();
            (pending.status, pending.code, pending.waiting) = (String::new(), None, None);
        }
        for report in std::mem::take(&mut self.finals) {
            let mut report = report;
            report.order.reduce();
            let first = report.first_date.take().filter(|_| is_deciding);
            let first = first.map(|date| normal_date(&date));
            report.first_date = first.filter(|date| date != report.order.dates().0);
            report.status = String::new();
            // These codes are kept, because an operation that is declined with such a code does not decline its refund.
            report.code = report
                .code
                .filter(|code| code == DUPLICATE_REFUND || is_processing_failure(code));
            if report.kind.is_about_refund() {
                // These fields are used only for operations that are not about a refund.
                (report.sum_converted, report.ends_payment) = (None, false);
            }
            self.insert_final(report);
        }
        self.truncate_finals(MAX_REDUCED_REPORTS);
        if !is_deciding {
            (self.payment_status, self.payment_sum) = (None, None);
        }
        let digest = |id: &mut Option<String>| *id = id.take().map(|id| digest_of_id(&id));
        digest(&mut self.request_id);
        digest(&mut self.other_request_id);
        self.merchant_refund_id = self
            .merchant_refund_id
            .take()
            .map(|id| id.to_ascii_lowercase());
        digest(&mut self.merchant_refund_id);
        self.created_date = self.created_date.take().map(|date| normal_date(&date));
    }

    /// Erases what the operation waits for, because a redirect can identify the shopper.
    pub(in crate::model) fn erase_waiting(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.waiting = None;
        }
    }
}

/// What the reports say.
impl Operation {
    /// Returns the final report that counts: the report with the highest rank. If that report is not about a sale but
    /// another report is about a successful sale, the successful sale counts, so that a contradicting type removes no
    /// money.
    pub(super) fn effective_report(&self) -> Option<&FinalReport> {
        let first = self.finals.first()?;
        let mut finals = self.finals.iter();
        match first.kind {
            OperationType::Sale => Some(first),
            _ => finals.find(|one| one.is_successful_sale()).or(Some(first)),
        }
    }

    /// Whether callbacks report a successful sale, and the signed answers give the operation another type.
    pub(super) fn is_type_contradicted(&self) -> bool {
        !self.is_signed() && self.finals.iter().any(|report| report.signed)
    }

    /// Returns the final reports from the source that counts: from signed answers, or else from callbacks.
    pub(super) fn effective_source(&self) -> impl Iterator<Item = &FinalReport> {
        let signed = self.is_signed();
        let reports = self.finals.iter();
        reports.filter(move |report| report.signed == signed)
    }

    /// Returns `sum_initial` of each successful report from the source that counts.
    pub(in crate::model) fn successful_sums(&self) -> impl Iterator<Item = &Sum> {
        let reports = self.effective_source();
        let successes = reports.filter(|report| report.outcome == Outcome::Succeeded);
        successes.filter_map(|report| report.sum_initial.as_ref())
    }

    /// Returns the type.
    pub fn kind(&self) -> &OperationType {
        const NONE: &OperationType = &OperationType::Other(String::new());
        let pending = || self.pending.as_ref().map(|pending| &pending.kind);
        self.effective_report()
            .map(|report| &report.kind)
            .or_else(pending)
            .unwrap_or(NONE)
    }

    /// Returns the outcome.
    pub fn outcome(&self) -> Outcome {
        self.effective_report()
            .map_or(Outcome::Pending, |report| report.outcome)
    }

    /// Whether the outcome is from a signed answer.
    pub fn is_signed(&self) -> bool {
        self.effective_report().is_some_and(|report| report.signed)
    }

    /// Returns the status in the platform's spelling.
    pub fn platform_status(&self) -> &str {
        let pending = || self.pending.as_ref().map(|pending| pending.status.as_str());
        self.effective_report()
            .map(|report| report.status.as_str())
            .or_else(pending)
            .filter(|status| !status.is_empty())
            .unwrap_or(match self.outcome() {
                Outcome::Succeeded => "success",
                Outcome::Declined => "decline",
                Outcome::Pending => "",
            })
    }

    /// Returns the code of the platform's list in the report that counts.
    pub fn code(&self) -> Option<&str> {
        match (self.effective_report(), &self.pending) {
            (Some(report), _) => report.code.as_deref(),
            (None, pending) => pending.as_ref()?.code.as_deref(),
        }
    }

    /// Returns `sum_initial` (the requested sum) of the report that counts.
    pub fn sum(&self) -> Option<&Sum> {
        match (self.effective_report(), &self.pending) {
            (Some(report), _) => report.sum_initial.as_ref(),
            (None, pending) => pending.as_ref()?.sum.as_ref(),
        }
    }

    /// Returns `sum_initial` of each final report, also of the reports that do not count.
    pub(in crate::model) fn reported_sums(&self) -> impl Iterator<Item = Option<&Sum>> {
        let reports = self.finals.iter();
        reports.map(|report| report.sum_initial.as_ref())
    }

    /// Returns `sum_converted` and `sum_initial` of the final report that counts.
    pub(in crate::model) fn final_sums(&self) -> impl Iterator<Item = &Sum> {
        let report = self.effective_report().into_iter();
        let sums = report.flat_map(|report| [&report.sum_converted, &report.sum_initial]);
        sums.flatten()
    }

    /// Returns the amount of `sum_initial` in minor units.
    pub fn amount(&self) -> Option<u64> {
        self.sum().map(|sum| sum.amount)
    }

    /// Returns the currency of `sum_initial`.
    pub fn currency(&self) -> Option<&str> {
        self.sum().map(|sum| sum.currency.as_str())
    }

    /// Returns the [`ReportOrder`] of the report that counts. The newer report has the greater value.
    pub(crate) fn report_order(&self) -> Option<&ReportOrder> {
        let pending = || self.pending.as_ref().map(|pending| &pending.order);
        self.effective_report()
            .map(|report| &report.order)
            .or_else(pending)
    }

    /// Returns `operation.date` of the report that counts.
    pub(in crate::model) fn date(&self) -> Option<&str> {
        self.report_order().map(|order| order.dates().0)
    }

    /// Returns `operation.date` of the oldest final report with the outcome and the source that count. The platform can
    /// repeat a report with a later date.
    pub(in crate::model) fn first_date(&self) -> Option<&str> {
        let outcome = self.outcome();
        let reports = self.effective_source();
        let reports = reports.filter(|report| report.outcome == outcome);
        reports.map(FinalReport::first_date).min()
    }

    /// Returns when the operation last changed, by the platform's clock.
    pub(in crate::model) fn changed_at(&self) -> Option<Timestamp> {
        self.report_order()?.operation_time()
    }

    /// Returns when the operation ended, by the platform's clock; `None` if the operation is pending, or if the date
    /// cannot be parsed.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.effective_report()?.order.operation_time()
    }

    /// Returns what the operation waits for while it is pending.
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.pending.as_ref()?.waiting.as_ref()
    }

    /// Returns the platform's id of the request that started the operation. If reports name different ids, returns the
    /// least.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether a report names this `request_id` for the operation.
    pub(in crate::model) fn has_request_id(&self, request_id: &str) -> bool {
        let mut known = [&self.request_id, &self.other_request_id]
            .into_iter()
            .flatten();
        known.any(|known| match is_digest(known) {
            true => *known == digest_of_id(request_id),
            false => known == request_id,
        })
    }

    /// Whether an id of the operation is stored as a digest.
    pub(in crate::model) fn has_digest(&self) -> bool {
        let ids = [
            &self.request_id,
            &self.other_request_id,
            &self.merchant_refund_id,
        ];
        ids.into_iter().flatten().any(|id| is_digest(id))
    }

    /// Returns the merchant's id of a refund, for display; `None` if only its digest is stored.
    pub(crate) fn shown_refund_id(&self) -> Option<&str> {
        self.merchant_refund_id().filter(|id| !is_digest(id))
    }

    /// Returns the merchant's id of a refund, or its digest.
    pub fn merchant_refund_id(&self) -> Option<&str> {
        self.merchant_refund_id.as_deref()
    }

    /// Returns when the platform created the operation, if this is stored: for a sale, an operation of undocumented
    /// type, or a refund without a merchant's id.
    pub(in crate::model) fn created_at(&self) -> Option<Timestamp> {
        Timestamp::of_platform(self.created_date.as_deref()?)
    }

    /// Whether the outcome is `succeeded`.
    pub(crate) fn has_succeeded(&self) -> bool {
        self.outcome() == Outcome::Succeeded
    }

    /// Whether the outcome is `declined`.
    pub(crate) fn is_declined(&self) -> bool {
        self.outcome() == Outcome::Declined
    }

    /// Whether the operation was declined because its `merchant_refund_id` exists already.
    pub(in crate::model) fn is_declined_duplicate(&self) -> bool {
        self.is_declined() && self.code() == Some(DUPLICATE_REFUND)
    }

    /// Whether the operation was declined because its processing failed or timed out.
    pub(crate) fn has_processing_failed(&self) -> bool {
        self.is_declined() && self.code().is_some_and(is_processing_failure)
    }

    /// Whether the operation is a sale.
    pub(crate) fn is_sale(&self) -> bool {
        *self.kind() == OperationType::Sale
    }

    /// Whether the operation is a sale that succeeded.
    pub fn is_successful_sale(&self) -> bool {
        self.is_sale() && self.has_succeeded()
    }

    /// Whether the operation is a `payment confirmation`.
    pub(crate) fn is_confirmation(&self) -> bool {
        *self.kind() == OperationType::Confirmation
    }

    /// Whether the operation is a refund or a reversal.
    pub fn gives_back(&self) -> bool {
        self.kind().gives_back()
    }

    /// Whether the operation takes a refund back (`refund reverse`).
    pub(crate) fn is_refund_reversal(&self) -> bool {
        *self.kind() == OperationType::RefundReversal
    }

    /// Whether the operation is a `manual change`.
    pub(in crate::model) fn is_manual_change(&self) -> bool {
        *self.kind() == OperationType::ManualChange
    }

    /// Whether the operation is of undocumented type, and a signed answer says that it succeeded.
    pub(crate) fn is_undocumented_capture(&self) -> bool {
        self.kind().is_undocumented() && self.has_succeeded() && self.is_signed()
    }
}
