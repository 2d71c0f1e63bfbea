//! Holds one operation, and merges its reports.
//!
//! A newer pending report replaces a pending report. A final report replaces any pending report. Distinct final
//! reports are all stored, up to a limit.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ecommpay::operation::{OperationType, Outcome};
use serde::{Deserialize, Serialize};

use super::compact::normal_date;
use super::operation_report::{FinalReport, Pending, date_rank};
use super::payment_status::PaymentStatus;
use super::payment_sums::DatedSum;
use super::report_order::ReportOrder;
use super::request_ids::RequestIds;
use super::texts::{digest_of_id, is_digest};
use super::waiting::Waiting;
use crate::model::attempt::gate_request::is_processing_failure;
use crate::model::refunds::update::DUPLICATE_REFUND;
use crate::model::serde_skip::is_default;
use crate::model::timestamp::Timestamp;

/// The maximum number of distinct final reports of an operation. The reports of the lowest rank are dropped. They are
/// not needed, because two distinct reports already show a contradiction.
const MAX_FINAL_REPORTS: usize = 8;
/// The maximum number of distinct final reports of an operation without details.
const MAX_REDUCED_REPORTS: usize = 2;

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
    /// The newest pending report; `None` after a final report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<Pending>,
    /// The distinct final reports, the highest rank first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) finals: Vec<FinalReport>,
    /// The newest `payment.status` of the reports about this operation; only for a successful sale or a confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_status: Option<PaymentStatus>,
    /// The newest `payment.sum` that states the amount received; only from callbacks about this operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_sum: Option<DatedSum>,
    /// Whether the newest signed answer does not list this operation. `false` before the first signed answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) unlisted: bool,
    /// Whether a report dates the operation before the checkout; only for a sale or an operation of undocumented
    /// type. Used only without a `created_date`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) older_than_checkout: bool,
    /// Whether a signed answer dates the operation before the checkout. Used only without a `created_date`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) older_by_answer: bool,
    /// Whether a complete signed answer dates the operation after the checkout. Used only without a `created_date`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::model) newer_by_answer: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Another `request_id`. A later request about the same operation can have another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other_request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant_refund_id: Option<String>,
    /// The creation date. It is stored in two cases:
    /// - for a sale or an operation of undocumented type, from a signed answer
    /// - for a refund or reversal without a `merchant_refund_id`, from any report
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_date: Option<String>,
}

impl Operation {
    pub(super) fn new(unlisted: bool) -> Self {
        Self {
            unlisted,
            ..Self::default()
        }
    }

    /// Adds a pending report. Has no effect after a final report. The newer report counts, but the newest redirect or
    /// clarification request stays even if only the older report has it.
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

    pub(super) fn add_final(&mut self, report: FinalReport) {
        self.pending = None;
        self.insert_final(report);
        self.truncate_finals(MAX_FINAL_REPORTS);
    }

    /// Drops the reports of the lowest rank. The first to go are reports that differ from a report of higher rank only in
    /// `sum_converted`, because they contradict no report. If all reports of a successful sale would go, the
    /// highest-ranked of them replaces the last report that is kept.
    fn truncate_finals(&mut self, max: usize) {
        if self
            .finals
            .iter()
            .any(|report| report.outcome == Outcome::Pending)
        {
            // In a final report, `Pending` stands for a word that only a newer release knows.
            return;
        }
        while self.finals.len() > max
            && let Some(index) = self.last_repeated_result()
        {
            self.finals.remove(index);
        }
        let dropped = self.finals.split_off(max.min(self.finals.len()));
        let is_sale_kept = self.finals.iter().any(FinalReport::is_successful_sale);
        let mut sales = dropped.into_iter().filter(FinalReport::is_successful_sale);
        if let Some(sale) = sales.next().filter(|_| !is_sale_kept) {
            self.finals.pop();
            self.finals.push(sale);
        }
    }

    /// Returns the index of the lowest-ranked report that differs from a report of higher rank only in `sum_converted`.
    fn last_repeated_result(&self) -> Option<usize> {
        let mut reports = self.finals.iter().enumerate().rev();
        let is_repeated = |(index, report): &(usize, &FinalReport)| {
            let mut higher = self.finals.iter().take(*index);
            higher.any(|higher| higher.is_same_unconverted(report))
        };
        reports.find(is_repeated).map(|(index, _)| index)
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

    pub(super) fn add_payment_status(&mut self, status: PaymentStatus) {
        if self
            .payment_status
            .as_ref()
            .is_none_or(|known| *known < status)
        {
            self.payment_status = Some(status);
        }
    }

    /// Adds the ids and the creation date. If two reports differ, the lesser value counts, so that the order of
    /// arrival does not matter. Of `request_id`, the two least values are stored.
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
        let new = request_id.filter(|id| !RequestIds::one(Some(id)).are_named_by(self));
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

    /// Drops the details. These are the displayed status, most codes, the redirect or clarification request, and all
    /// but two final reports. The type, the outcome, the sums and the dates stay. Digests replace the ids.
    /// `payment.status` and `payment.sum` stay only if `is_deciding`.
    ///
    /// A second reduction changes nothing. Later reports can still be added.
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
            // These codes are needed: an operation that is declined with one of them does not decline its refund.
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
        // The short text cannot contain `newer_by_answer`. Without `older_than_checkout`, this field decides nothing.
        self.newer_by_answer &= self.older_than_checkout;
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

    /// Erases the redirect or clarification request, because a redirect can identify the shopper.
    pub(in crate::model) fn erase_waiting(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.waiting = None;
        }
    }
}

impl Operation {
    /// Returns the final report that counts. This is the report with the highest rank, except that a successful sale
    /// beats another type. The exception prevents a contradicting type from removing money.
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

    /// Returns the final reports from the source that counts: signed answers, or else callbacks.
    pub(super) fn effective_source(&self) -> impl Iterator<Item = &FinalReport> {
        let signed = self.is_signed();
        let reports = self.finals.iter();
        reports.filter(move |report| report.signed == signed)
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

    /// Returns the platform's code in the report that counts.
    pub fn code(&self) -> Option<&str> {
        match (self.effective_report(), &self.pending) {
            (Some(report), _) => report.code.as_deref(),
            (None, pending) => pending.as_ref()?.code.as_deref(),
        }
    }

    /// Returns the age of the report that counts. The newer report has the greater value.
    pub(crate) fn report_order(&self) -> Option<&ReportOrder> {
        let pending = || self.pending.as_ref().map(|pending| &pending.order);
        self.effective_report()
            .map(|report| &report.order)
            .or_else(pending)
    }

    pub(in crate::model) fn date(&self) -> Option<&str> {
        self.report_order().map(|order| order.dates().0)
    }

    /// Returns the first `operation.date` of the outcome that counts, in the source that counts. The platform can
    /// repeat a report with a later date.
    pub(in crate::model) fn first_date(&self) -> Option<&str> {
        let outcome = self.outcome();
        let reports = self.effective_source();
        let reports = reports.filter(|report| report.outcome == outcome);
        let dates = reports.map(FinalReport::first_date);
        // Usually there is only one date, so no date is parsed.
        dates.min_by(|one, other| date_rank(one).cmp(&date_rank(other)))
    }

    /// Returns when the operation last changed, on the platform's clock.
    pub(in crate::model) fn changed_at(&self) -> Option<Timestamp> {
        self.report_order()?.operation_time()
    }

    /// Returns when the operation ended, on the platform's clock; `None` while it is pending, or if the date is
    /// invalid. A repeated report with a later date does not change the time.
    pub fn ended_at(&self) -> Option<Timestamp> {
        Timestamp::of_platform(self.first_date()?)
    }

    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.pending.as_ref()?.waiting.as_ref()
    }

    /// Returns the platform's id of the request that started the operation. If reports differ, returns the least id.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the stored ids of the requests that started the operation, or their digests.
    pub(super) fn request_ids(&self) -> impl Iterator<Item = &str> {
        let ids = [&self.request_id, &self.other_request_id];
        ids.into_iter().flatten().map(String::as_str)
    }

    pub(in crate::model) fn has_digest(&self) -> bool {
        let ids = [
            &self.request_id,
            &self.other_request_id,
            &self.merchant_refund_id,
        ];
        ids.into_iter().flatten().any(|id| is_digest(id))
    }

    /// Returns the merchant's id of a refund for display; `None` if only its digest is stored.
    pub(crate) fn shown_refund_id(&self) -> Option<&str> {
        self.merchant_refund_id().filter(|id| !is_digest(id))
    }

    /// Returns the merchant's id of a refund, or its digest.
    pub fn merchant_refund_id(&self) -> Option<&str> {
        self.merchant_refund_id.as_deref()
    }

    /// Returns when the platform created the operation, if this date is stored; see `created_date`.
    pub(in crate::model) fn created_at(&self) -> Option<Timestamp> {
        Timestamp::of_platform(self.created_date.as_deref()?)
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.outcome() == Outcome::Succeeded
    }

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

    pub(crate) fn is_sale(&self) -> bool {
        *self.kind() == OperationType::Sale
    }

    /// Whether the operation is a successful sale.
    pub fn is_successful_sale(&self) -> bool {
        self.is_sale() && self.has_succeeded()
    }

    pub(crate) fn is_confirmation(&self) -> bool {
        *self.kind() == OperationType::Confirmation
    }

    /// Whether the operation is a refund or a reversal.
    pub fn gives_back(&self) -> bool {
        self.kind().gives_back()
    }

    /// Whether the operation is a `refund reverse`, which takes a refund back.
    pub(crate) fn is_refund_reversal(&self) -> bool {
        *self.kind() == OperationType::RefundReversal
    }

    pub(in crate::model) fn is_manual_change(&self) -> bool {
        *self.kind() == OperationType::ManualChange
    }

    /// Whether a signed answer says that an operation of undocumented type succeeded.
    pub(crate) fn is_undocumented_capture(&self) -> bool {
        self.kind().is_undocumented() && self.has_succeeded() && self.is_signed()
    }
}
