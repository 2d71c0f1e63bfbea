//! Reads the values of a verified report that the merge rules need.

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::{self, Report};

use super::payment_status::{PaymentStatus, is_intermediate, is_sale_or_confirmation, stage};
use super::texts;
use super::waiting::{Redirect, RedirectMethod, Waiting};
use crate::sha256;

/// A report with a verified signature.
#[derive(Debug, Clone, Copy)]
pub struct SignedReport<'a> {
    /// The content.
    pub report: &'a Report,
    /// The canonical string that was signed.
    pub canonical: &'a str,
}

/// A report that is added to a payment.
pub(super) struct Source<'a> {
    pub(super) report: &'a Report,
    /// The start of the digest of the canonical string. It orders reports with the same dates.
    pub(super) digest: String,
    /// Whether the report is a signed answer.
    pub(super) is_answer: bool,
    /// The latest possible date of the report, which replaces a later date.
    pub(super) latest_date: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        report: &'a Report,
        canonical: &str,
        is_answer: bool,
        latest_date: &'a str,
    ) -> Self {
        Self {
            report,
            digest: sha256::start_of_hex(canonical.as_bytes(), 16),
            is_answer,
            latest_date,
        }
    }

    pub(super) fn payment_date(&self) -> &'a str {
        self.report.payment_date.as_deref().unwrap_or_default()
    }

    pub(super) fn payment_status(&self) -> &'a str {
        self.report.payment_status.as_deref().unwrap_or_default()
    }

    /// Whether `payment.status` declines the payment itself. The status `error` is only about the last request.
    pub(super) fn declines_payment(&self) -> bool {
        let status = self.payment_status();
        Outcome::of_status(status) == Outcome::Declined && status != "error"
    }

    pub(super) fn has_success(&self, is_such: impl Fn(&OperationType) -> bool) -> bool {
        self.successes(is_such).next().is_some()
    }

    fn successes(
        &self,
        is_such: impl Fn(&OperationType) -> bool,
    ) -> impl Iterator<Item = &'a report::Operation> {
        let operations = self.report.operations.iter();
        operations.filter(move |operation| {
            operation.outcome() == Outcome::Succeeded && is_such(&operation.kind)
        })
    }

    /// Returns the greatest `operation.date` of the operations whose type fits; an empty text if there is none.
    pub(super) fn newest_date(&self, is_such: impl Fn(&OperationType) -> bool) -> &'a str {
        let operations = self.report.operations.iter();
        let dates = operations
            .filter(|operation| is_such(&operation.kind))
            .filter_map(|operation| operation.date.as_deref());
        dates.max().unwrap_or_default()
    }

    /// Returns the refunds and reversals less the returns, in minor units; `None` if more was returned than refunded.
    pub(super) fn refunded_amount(&self) -> Option<u64> {
        let amount = |is_such: &dyn Fn(&OperationType) -> bool| {
            let sums = self.successes(is_such);
            let sums = sums.filter_map(|operation| operation.sum_initial.as_ref());
            sums.map(|sum| sum.amount).fold(0, u64::saturating_add)
        };
        let returned = amount(&|kind| *kind == OperationType::RefundReversal);
        amount(&OperationType::gives_back).checked_sub(returned)
    }

    /// Returns the `payment.status` that decides whether the money of this operation counts. Returns `None` if the
    /// operation is neither a successful sale nor a confirmation, or if the status can be about another request.
    pub(super) fn payment_status_of(&self, operation: &report::Operation) -> Option<PaymentStatus> {
        let status = self.report.payment_status.as_deref()?;
        let decides = match operation.kind {
            OperationType::Sale => operation.outcome() == Outcome::Succeeded,
            OperationType::Confirmation => true,
            _ => false,
        };
        if !decides || self.may_concern_other_request(status) {
            return None;
        }
        Some(PaymentStatus {
            operation_date: texts::date(self.newest_date(is_sale_or_confirmation)).to_owned(),
            payment_date: texts::date(self.payment_date()).to_owned(),
            signed: self.is_answer,
            has_confirmation: self.confirmations().next().is_some(),
            stage: stage(status),
            status: texts::word(status),
        })
    }

    /// Whether this `payment.status` can be about another request than the sale, such as the last refund. If the report
    /// lists a pending or declined confirmation, the status is always about the sale.
    fn may_concern_other_request(&self, status: &str) -> bool {
        let mut confirmations = self.confirmations();
        if confirmations.any(|confirmation| confirmation.outcome() != Outcome::Succeeded) {
            return false;
        }
        let mut operations = self.report.operations.iter();
        let has_pending_refund = operations.any(|operation| {
            operation.kind.is_about_refund() && operation.outcome() == Outcome::Pending
        });
        let is_refund_last = self.newest_date(OperationType::is_about_refund)
            > self.newest_date(is_sale_or_confirmation);
        match status {
            "error" => true,
            // If no refund is pending, these statuses can only be about a sale or its confirmation.
            "processing" | "awaiting confirmation" => has_pending_refund,
            "internal error" | "external error" => has_pending_refund || is_refund_last,
            other => is_intermediate(other) && (has_pending_refund || is_refund_last),
        }
    }

    fn confirmations(&self) -> impl Iterator<Item = &'a report::Operation> {
        let operations = self.report.operations.iter();
        operations.filter(|operation| operation.kind == OperationType::Confirmation)
    }

    /// Returns what a pending operation waits for. A sale waits for a redirect or for data, a refund only for data.
    pub(super) fn waiting_of(&self, operation: &report::Operation) -> Option<Waiting> {
        let is_sale = operation.kind == OperationType::Sale;
        let awaits_data = operation.status == "awaiting clarification";
        let is_refund_request = operation.kind.gives_back() && awaits_data;
        if !is_sale && !is_refund_request {
            return None;
        }
        // A status answer lists all operations. Its clarification fields belong only to the operations that await
        // data.
        let fields = match self.is_answer && !awaits_data {
            true => Vec::new(),
            false => self.report.clarification_fields.clone(),
        };
        let redirect = self.report.redirect.as_ref();
        let redirect = redirect.filter(|redirect| is_sale && is_http(&redirect.url));
        let redirect = redirect.map(|redirect| Redirect {
            method: match redirect.method {
                report::RedirectMethod::Get => RedirectMethod::Get,
                report::RedirectMethod::Post => RedirectMethod::Post,
            },
            url: redirect.url.clone(),
            fields: redirect.fields.iter().cloned().collect(),
        });
        let date = operation.date.as_deref().unwrap_or_default();
        // The id distinguishes two operations of one answer that await data and have the same date.
        let id = operation.id.as_deref().unwrap_or_default();
        let digest = [self.digest.as_str(), id].concat();
        let digest = sha256::start_of_hex(digest.as_bytes(), self.digest.len());
        Waiting::new(date, self.payment_date(), &digest, redirect, fields)
    }
}

/// Whether the browser may be redirected to this URL. Another scheme than HTTP or HTTPS could run a script.
fn is_http(url: &str) -> bool {
    let has_scheme = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    has_scheme("https://") || has_scheme("http://")
}
