//! Adds a report to a payment. Reports merge as sets, so the order in which they arrive does not matter.

use ecommpay::operation::{OperationType, Outcome, is_refunded_status};
use ecommpay::report::{self, Sum};

use super::PlatformStatus;
use super::future_dates::{latest_date, limited};
use super::operation::Operation;
use super::operation_report::{FinalReport, Pending};
use super::payment_status::{is_sale_or_confirmation, may_follow_pending_refund, stage};
use super::payment_sums::{DatedSum, SumReport};
use super::report_order::ReportOrder;
use super::report_source::{SignedReport, Source};
use super::texts;
use crate::model::order::Order;
use crate::model::payment::Payment;
use crate::model::timestamp::Timestamp;

impl Payment {
    /// Adds a callback. Returns true if the callback has a date in the future and was not added before.
    pub(crate) fn add_callback(&mut self, signed: SignedReport<'_>, at: Timestamp) -> bool {
        let latest = latest_date(at);
        let limited = limited(signed.report, &latest);
        let source = Source::new(&limited.report, signed.canonical, false, &latest);
        let future_dates = &mut self.reported.future_dates;
        if future_dates.has_callback(&source.digest) {
            return false;
        }
        if limited.is_estimated {
            future_dates.add_callback(&source.digest, at);
        }
        self.add_report(&source);
        limited.is_estimated
    }

    /// Adds a signed answer.
    pub(crate) fn add_signed_answer(&mut self, signed: SignedReport<'_>, at: Timestamp) {
        self.remove_estimated_dates(at);
        let latest = latest_date(at);
        let limited = limited(signed.report, &latest);
        let source = Source::new(&limited.report, signed.canonical, true, &latest);
        if limited.is_estimated {
            self.reported.future_dates.add_answer(at);
        }
        self.reset_totals(source.report);
        self.add_newest_answer(&source, at);
        self.add_report(&source);
    }

    fn add_report(&mut self, source: &Source<'_>) {
        self.add_platform_status(source);
        let mut operations = source.report.operations.iter();
        self.reported.is_link |= source.report.payment_type.as_deref() == Some("invoice")
            || operations.any(|operation| operation.kind == OperationType::Invoice);
        for operation in &source.report.operations {
            self.add_operation(source, operation);
        }
        self.add_payment_sum(source);
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
        let reported = PlatformStatus {
            date: texts::date(date).to_owned(),
            stage: stage(status),
            status: texts::word(status),
        };
        let known = &mut self.reported.status;
        if known.as_ref().is_none_or(|known| *known < reported) {
            *known = Some(reported);
        }
    }

    fn add_operation(&mut self, source: &Source<'_>, reported: &report::Operation) {
        let Some(id) = &reported.id else { return };
        let date = reported.date.as_deref().unwrap_or_default();
        let payment_date = texts::date(source.payment_date());
        let order = ReportOrder::new(texts::date(date), payment_date, &source.digest);
        let sum = |sum: &Option<Sum>| sum.as_ref().map(texts::sum);
        let code = || reported.code.as_deref().map(texts::code);
        let kind = texts::kind(&reported.kind);
        let status = texts::word(&reported.status);
        let unlisted = self.reported.newest_answer.is_some();
        let is_older = self.has_date_before_checkout(reported);
        let is_newer = source.is_answer
            && source.report.has_complete_list
            && reported.date.as_deref() != Some(source.latest_date)
            && self.has_only_date_after_checkout(reported);
        // The creation date shows whether this service could have requested the operation.
        let is_unnamed_refund = reported.kind.gives_back() && reported.merchant_refund_id.is_none();
        let created_date = match is_unnamed_refund {
            true => reported
                .created_date
                .as_deref()
                .map(texts::date)
                .map(str::to_owned),
            false if source.is_answer => self.creation_date(reported),
            false => None,
        };
        let operation = self.reported.operations.entry(id.clone());
        let operation = operation.or_insert_with(|| Operation::new(unlisted));
        operation.older_than_checkout |= is_older;
        operation.older_by_answer |= is_older && source.is_answer;
        operation.newer_by_answer |= is_newer;
        match reported.outcome() {
            Outcome::Pending => operation.add_pending(Pending {
                order,
                kind,
                status,
                code: code(),
                sum: sum(&reported.sum_initial),
                waiting: source.waiting_of(reported),
            }),
            outcome => operation.add_final(FinalReport {
                signed: source.is_answer,
                outcome,
                kind,
                sum_initial: sum(&reported.sum_initial),
                sum_converted: sum(&reported.sum_converted)
                    .filter(|_| reported.sum_converted != reported.sum_initial),
                ends_payment: outcome == Outcome::Declined && source.declines_payment(),
                order,
                first_date: None,
                status,
                code: code(),
            }),
        }
        operation.add_ids(
            reported.request_id.as_deref().map(texts::id),
            reported.merchant_refund_id.as_deref().map(texts::id),
            created_date,
        );
        if let Some(status) = source.payment_status_of(reported) {
            operation.add_payment_status(status);
        }
    }

    /// Whether `payment.sum` of a callback can be the paid amount less a pending refund. Such a remainder is less than
    /// the ordered amount. Without an order, any sum can be a remainder.
    fn may_be_remainder(&self, status: &str, sum: Option<&Sum>) -> bool {
        let is_less = |order: &Order| {
            sum.is_some_and(|sum| {
                sum.currency == order.currency.code() && sum.amount < order.amount.get()
            })
        };
        may_follow_pending_refund(status) && self.order.as_ref().is_none_or(is_less)
    }

    /// Adds `payment.sum` if it states the amount received. Also adds the sum in a signed answer with refunds, to
    /// compare this sum with the order. If a report of a successful sale without refunds has no sum, records that the
    /// sum is missing.
    fn add_payment_sum(&mut self, source: &Source<'_>) {
        let status = source.payment_status();
        if Outcome::of_status(status) == Outcome::Declined {
            return;
        }
        let is_capture = |kind: &OperationType| {
            is_sale_or_confirmation(kind)
                || *kind == OperationType::ManualChange
                || kind.is_undocumented() && source.is_answer
        };
        if !source.has_success(is_capture) {
            return;
        }
        let sum = source.report.payment_sum.as_ref().map(texts::sum);
        let sum = sum.as_ref();
        let shows_refund = match source.is_answer {
            true => source.has_success(OperationType::is_about_refund),
            false => is_refunded_status(status) || self.may_be_remainder(status, sum),
        };
        if shows_refund && !source.is_answer {
            return;
        }
        let Some(refunded) = source.refunded_amount() else {
            return;
        };
        let has_sale = source.has_success(|kind| *kind == OperationType::Sale);
        if sum.is_none() && !has_sale {
            return;
        }
        let report = SumReport {
            operation_date: texts::date(source.newest_date(|_| true)),
            payment_date: texts::date(source.payment_date()),
            signed: source.is_answer,
            sum,
            is_received: !shows_refund,
            refunded,
        };
        if let Some(sum) = sum.filter(|_| report.is_received && !report.signed) {
            let operations = source.report.operations.iter();
            for id in operations.filter_map(|operation| operation.id.as_ref()) {
                if let Some(operation) = self.reported.operations.get_mut(id) {
                    DatedSum::store_newer(&mut operation.payment_sum, report.dated(sum));
                }
            }
        }
        self.reported.sums.add(self.order.as_ref(), &report);
    }
}
