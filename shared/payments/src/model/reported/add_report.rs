//! Taking in what the platform reports, as sets: whatever order reports come in, the same is known.

use ecommpay::operation::{OperationType, Outcome, is_refunded_status};
use ecommpay::report::{self, Report, Sum};

use super::PlatformStatus;
use super::operation_report::{FinalReport, Pending};
use super::payment_status::{PaymentStatus, stage};
use super::report_order::ReportOrder;
use super::sums::{NamedSum, SumReport};
use super::waiting::{Redirect, RedirectMethod, Waiting};
use crate::model::{Payment, ends_request};
use crate::sha256;

/// No id, status or other word of the platform is longer.
const LONGEST_WORD: usize = 255;
/// The most that may be kept of what a shopper's browser has to send.
const LARGEST_REDIRECT: usize = 32 * 1_024;
/// The most fields that may be asked for.
const MOST_FIELDS: usize = 100;
/// The most operations that one message may report.
const MOST_OPERATIONS: usize = 1_000;

/// Whether a report can be kept: a payment is one item of the store, which takes 400 KB. One that
/// cannot is no fact, only a reason to poll.
pub(crate) fn is_storable(report: &Report) -> bool {
    let is_word = |text: &str| text.chars().count() <= LONGEST_WORD;
    let are_words = |texts: &[&Option<String>]| {
        let mut texts = texts.iter().filter_map(|text| text.as_deref());
        texts.all(is_word)
    };
    let currency = |sum: &Option<Sum>| sum.as_ref().is_none_or(|sum| is_word(&sum.currency));
    let operation = |one: &report::Operation| {
        is_word(one.kind.as_str())
            && is_word(&one.status)
            && currency(&one.sum_initial)
            && currency(&one.sum_converted)
            && are_words(&[&one.id, &one.date, &one.created_date, &one.code])
            && are_words(&[&one.request_id, &one.merchant_refund_id])
    };
    let redirect = report.redirect.as_ref().map_or(0, |to| {
        let fields = to.fields.iter();
        let fields = fields.map(|(name, value)| name.len() + value.len());
        to.url.len() + fields.sum::<usize>()
    });
    let mut fields = report.clarification_fields.iter();
    are_words(&[
        &report.payment_id,
        &report.payment_status,
        &report.payment_date,
    ]) && currency(&report.payment_sum)
        && report.operations.len() <= MOST_OPERATIONS
        && report.operations.iter().all(operation)
        && report.errors.iter().all(|error| is_word(&error.code))
        && redirect <= LARGEST_REDIRECT
        && report.clarification_fields.len() <= MOST_FIELDS
        && fields.all(|field| is_word(&field.name))
}

/// A report whose signature was verified.
#[derive(Debug, Clone, Copy)]
pub struct SignedReport<'a> {
    /// What it says.
    pub report: &'a Report,
    /// Its canonical string.
    pub canonical: &'a str,
}

/// Enough of a digest to tell two reports of one second apart.
pub fn digest_start(canonical: &str) -> String {
    sha256::start_of_hex(canonical.as_bytes(), 16)
}

/// A report on its way into a payment.
struct Source<'a> {
    report: &'a Report,
    digest: String,
    /// Whether it is a signed answer to a status request, which outweighs callbacks.
    is_answer: bool,
}

impl Source<'_> {
    fn payment_date(&self) -> &str {
        self.report.payment_date.as_deref().unwrap_or_default()
    }

    fn payment_status(&self) -> &str {
        self.report.payment_status.as_deref().unwrap_or_default()
    }

    /// Whether the payment itself came to nothing. `error` is about the last request only.
    fn ends_payment(&self) -> bool {
        let status = self.payment_status();
        Outcome::of_status(status) == Outcome::Declined && status != "error"
    }

    fn succeeded(&self, is_such: impl Fn(&OperationType) -> bool) -> bool {
        let mut operations = self.report.operations.iter();
        operations.any(|one| one.outcome() == Outcome::Succeeded && is_such(&one.kind))
    }

    /// The greatest date of the operations of some types.
    fn newest_date(&self, is_such: impl Fn(&OperationType) -> bool) -> &str {
        let operations = self.report.operations.iter();
        let dates = operations
            .filter(|one| is_such(&one.kind))
            .filter_map(|one| one.date.as_deref());
        dates.max().unwrap_or_default()
    }
}

fn is_of_sale(kind: &OperationType) -> bool {
    matches!(kind, OperationType::Sale | OperationType::Confirmation)
}

impl Payment {
    /// Takes in a report: a callback, or an answer to a status request.
    pub(crate) fn add_report(&mut self, signed: SignedReport<'_>, is_answer: bool) {
        let source = Source {
            report: signed.report,
            digest: digest_start(signed.canonical),
            is_answer,
        };
        self.add_platform_status(&source);
        let mut operations = source.report.operations.iter();
        self.reported.is_link |= source.report.payment_type.as_deref() == Some("invoice")
            || operations.any(|one| one.kind == OperationType::Invoice);
        for operation in &source.report.operations {
            self.add_operation(&source, operation);
        }
        self.add_payment_sum(&source);
        self.add_request_error(source.report);
    }

    fn add_platform_status(&mut self, source: &Source<'_>) {
        let Some(status) = &source.report.payment_status else {
            return;
        };
        let date = match source.newest_date(|_| true) {
            "" => source.payment_date(),
            date => date,
        };
        let heard = PlatformStatus {
            date: date.to_owned(),
            stage: stage(status),
            status: status.clone(),
        };
        if self
            .reported
            .status
            .as_ref()
            .is_none_or(|known| *known < heard)
        {
            self.reported.status = Some(heard);
        }
    }

    fn add_operation(&mut self, source: &Source<'_>, one: &report::Operation) {
        let Some(id) = &one.id else { return };
        let date = one.date.as_deref().unwrap_or_default();
        let order = ReportOrder::new(date, source.payment_date(), &source.digest);
        let operation = self.reported.operations.entry(id.clone()).or_default();
        match one.outcome() {
            Outcome::Pending => operation.add_pending(Pending {
                order,
                kind: one.kind.clone(),
                status: one.status.clone(),
                code: one.code.clone(),
                sum: one.sum_initial.clone(),
                waiting: waiting(source, one, date),
            }),
            outcome => operation.add_final(FinalReport {
                signed: source.is_answer,
                outcome,
                kind: one.kind.clone(),
                sum_initial: one.sum_initial.clone(),
                sum_converted: one
                    .sum_converted
                    .clone()
                    .filter(|sum| Some(sum) != one.sum_initial.as_ref()),
                ends_payment: outcome == Outcome::Declined && source.ends_payment(),
                order,
                status: one.status.clone(),
                code: one.code.clone(),
            }),
        }
        // Only where a refund has no name, to tell whether it may be one of ours.
        let is_nameless = one.kind.gives_back() && one.merchant_refund_id.is_none();
        operation.add_names(
            one.request_id.clone(),
            one.merchant_refund_id.clone(),
            one.created_date.clone().filter(|_| is_nameless),
        );
        if let Some(status) = status_of_money(source, one) {
            operation.add_payment_status(status);
        }
    }

    /// Takes in `payment.sum` of a report that tells by itself what came, and of an answer that shows
    /// what went back.
    fn add_payment_sum(&mut self, source: &Source<'_>) {
        let status = source.payment_status();
        if Outcome::of_status(status) == Outcome::Declined {
            return;
        }
        let is_money = |kind: &OperationType| {
            let is_unknown = kind.is_unknown() && source.is_answer;
            is_of_sale(kind) || *kind == OperationType::ManualChange || is_unknown
        };
        if !source.succeeded(is_money) {
            return;
        }
        let has_gone_back = match source.is_answer {
            true => source.succeeded(OperationType::is_about_refund),
            false => is_refunded_status(status),
        };
        if has_gone_back && !source.is_answer {
            return;
        }
        let Some(gone_back) = self.gone_back_in(source.report) else {
            return;
        };
        let sum = source.report.payment_sum.as_ref();
        let is_about_sale = source.succeeded(|kind| *kind == OperationType::Sale);
        if sum.is_none() && !is_about_sale {
            return;
        }
        let report = SumReport {
            operation_date: source.newest_date(|_| true),
            payment_date: source.payment_date(),
            signed: source.is_answer,
            sum,
            is_whole: !has_gone_back,
            gone_back,
        };
        if let Some(sum) = sum.filter(|_| report.is_whole && !report.signed) {
            for id in source
                .report
                .operations
                .iter()
                .filter_map(|one| one.id.as_ref())
            {
                if let Some(operation) = self.reported.operations.get_mut(id) {
                    NamedSum::keep_newer(&mut operation.payment_sum, report.named(sum));
                }
            }
        }
        self.reported.sums.add(self.order.as_ref(), report);
    }

    /// How much a report shows gone back; `None` if more was taken back than that.
    fn gone_back_in(&self, report: &Report) -> Option<u64> {
        let sum = |is_such: &dyn Fn(&OperationType) -> bool| {
            let operations = report.operations.iter();
            operations
                .filter(|one| one.outcome() == Outcome::Succeeded && is_such(&one.kind))
                .filter_map(|one| one.sum_initial.as_ref())
                .map(|sum| sum.amount)
                .fold(0, u64::saturating_add)
        };
        let returned = sum(&|kind| *kind == OperationType::RefundReversal);
        sum(&OperationType::gives_back).checked_sub(returned)
    }

    /// An error counts for the request that it names, once that is known to be ours.
    fn add_request_error(&mut self, report: &Report) {
        let Some((code, Some(request_id))) = failed_request(report) else {
            return;
        };
        let known = self
            .reported
            .request_errors
            .entry(request_id.to_owned())
            .or_insert_with(|| code.to_owned());
        if code < known.as_str() {
            *known = code.to_owned();
        }
    }
}

/// Why a request failed, and which one it was, if the report says that.
pub(crate) fn failed_request(report: &Report) -> Option<(&str, Option<&str>)> {
    let code = report.errors.first().map(|error| error.code.as_str())?;
    let is_error = report.payment_status.as_deref() == Some("error");
    if !is_error || !ends_request(code) || matches!(code, "3061" | "3062") {
        return None;
    }
    let mut operations = report.operations.iter();
    Some((code, operations.find_map(|one| one.request_id.as_deref())))
}

/// `payment.status` of a report about a sale that succeeded, or about a confirmation: it says whether
/// the money came. While a refund is open it can be about the refund instead.
fn status_of_money(source: &Source<'_>, one: &report::Operation) -> Option<PaymentStatus> {
    let status = source.report.payment_status.as_deref()?;
    let is_about_money = match one.kind {
        OperationType::Sale => one.outcome() == Outcome::Succeeded,
        OperationType::Confirmation => true,
        _ => false,
    };
    let mut operations = source.report.operations.iter();
    let has_open_refund =
        operations.any(|one| one.kind.is_about_refund() && one.outcome() == Outcome::Pending);
    let is_about_refund = has_open_refund && stage(status) < 2;
    if !is_about_money || is_about_refund {
        return None;
    }
    let operations = &source.report.operations;
    Some(PaymentStatus::new(
        source.newest_date(is_of_sale),
        source.payment_date(),
        status,
        source.is_answer,
        operations
            .iter()
            .any(|one| one.kind == OperationType::Confirmation),
    ))
}

/// What an unfinished operation waits for: a sale for the shopper, a refund for data.
fn waiting(source: &Source<'_>, one: &report::Operation, date: &str) -> Option<Waiting> {
    let is_sale = one.kind == OperationType::Sale;
    let is_asking = one.status == "awaiting clarification";
    let is_asking_refund = one.kind.gives_back() && is_asking;
    if !is_sale && !is_asking_refund {
        return None;
    }
    let report = source.report;
    // An answer lists all operations; what it asks is about those that wait for it.
    let fields = match source.is_answer && !is_asking {
        true => Vec::new(),
        false => report.clarification_fields.clone(),
    };
    let redirect = report.redirect.as_ref();
    let redirect = redirect.filter(|to| is_sale && is_web_address(&to.url));
    let redirect = redirect.map(|redirect| Redirect {
        method: match redirect.method {
            report::RedirectMethod::Get => RedirectMethod::Get,
            report::RedirectMethod::Post => RedirectMethod::Post,
        },
        url: redirect.url.clone(),
        fields: redirect.fields.iter().cloned().collect(),
    });
    Waiting::new(
        date,
        source.payment_date(),
        &source.digest,
        redirect,
        fields,
    )
}

/// A browser goes nowhere else, whatever the platform says.
fn is_web_address(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://")
}
