//! Taking in what the platform reports: operations merge as a set, whatever order they come in.

use std::collections::BTreeSet;

use ecommpay::report::{self, Report};

use super::{NO_REFUSAL, News, ask_now, checks};
use crate::payment::{
    Operation, Order, Outcome, Payment, PlatformStatus, QuarantineReason, Redirect, RedirectMethod,
    Waiting,
};
use crate::sha256;
use crate::timestamp::Timestamp;

/// Reports with these codes are not final: ask again.
const NOT_FOUND_YET: [&str; 2] = ["3061", "3062"];

pub(super) fn take_callback(payment: &mut Payment, news: News<'_>, at: Timestamp) {
    let before = Worries::about(payment);
    take(payment, news, false, at);
    let report = news.report;
    let status = report.payment_status.as_deref().unwrap_or_default();
    let claims_money = is_given_back(status) || matches!(status, "success" | "partially paid");
    // Something was paid, and no operation that we know says how much.
    let unexplained = claims_money && payment.paid_amount() == 0;
    if unexplained || Worries::about(payment).has_more_than(&before) {
        ask_now(payment, at);
    }
}

/// What a callback can make worse, so that the platform is asked about it.
struct Worries {
    questions: usize,
    /// Operations that are said to be done against the platform's signed word.
    taken_back: usize,
    quarantine: BTreeSet<QuarantineReason>,
    unmatched: bool,
}

impl Worries {
    fn about(payment: &Payment) -> Self {
        let operations = payment.operations.values();
        Self {
            questions: open_questions(payment),
            taken_back: operations.filter(|operation| operation.taken_back).count(),
            quarantine: payment.quarantine(),
            unmatched: payment.order.is_none() && !payment.operations.is_empty(),
        }
    }

    fn has_more_than(&self, before: &Self) -> bool {
        self.questions > before.questions
            || self.taken_back > before.taken_back
            || !self.quarantine.is_subset(&before.quarantine)
            || self.unmatched && !before.unmatched
    }
}

pub(super) fn take_status_answer(payment: &mut Payment, news: News<'_>, at: Timestamp) {
    take(payment, news, true, at);
    let left = open_questions(payment);
    checks::answered(payment, left > 0);
}

/// What only a signed answer can settle: operations that callbacks contradict each other about,
/// and sales where there is more than one.
fn open_questions(payment: &Payment) -> usize {
    let twice = payment.successful_sales().count() > 1;
    let unclear = |operation: &&Operation| {
        let one_of_many = twice && operation.is_successful_sale();
        !operation.confirmed && (operation.conflict || one_of_many)
    };
    payment.operations.values().filter(unclear).count()
}

fn take(payment: &mut Payment, news: News<'_>, confirmed: bool, at: Timestamp) {
    let report = news.report;
    take_platform_status(payment, report);
    for operation in &report.operations {
        take_operation(payment, news, operation, confirmed);
    }
    if report.payment_status.as_deref() == Some("error") {
        take_error(payment, report, at);
    }
}

/// Whether `payment.status` says that money went back.
fn is_given_back(status: &str) -> bool {
    matches!(
        status,
        "partially refunded" | "refunded" | "partially reversed" | "reversed"
    )
}

fn take_platform_status(payment: &mut Payment, report: &Report) {
    let Some(status) = &report.payment_status else {
        return;
    };
    let dates = report
        .operations
        .iter()
        .filter_map(|operation| operation.date.as_ref());
    let news = PlatformStatus {
        date: dates
            .max()
            .or(report.payment_date.as_ref())
            .cloned()
            .unwrap_or_default(),
        status: status.clone(),
    };
    if payment
        .platform_status
        .as_ref()
        .is_none_or(|known| *known < news)
    {
        payment.platform_status = Some(news);
    }
}

/// An error counts for the request that it names, once that is known to be ours.
fn take_error(payment: &mut Payment, report: &Report, at: Timestamp) {
    let Some(code) = report.errors.first().map(|error| error.code.as_str()) else {
        return;
    };
    if NO_REFUSAL.contains(&code) || NOT_FOUND_YET.contains(&code) {
        return;
    }
    let named = report
        .operations
        .iter()
        .find_map(|operation| operation.request_id.as_ref());
    if let Some(request_id) = named {
        let known = payment
            .errors
            .entry(request_id.clone())
            .or_insert_with(|| code.to_owned());
        if code < known.as_str() {
            *known = code.to_owned();
        }
    }
    if !named.is_some_and(|named| is_request_of(payment, named)) {
        ask_now(payment, at);
    }
}

fn is_request_of(payment: &Payment, request_id: &str) -> bool {
    let refunds = payment.refunds.iter().map(|refund| &refund.request);
    let mut requests = refunds.chain([&payment.sale]);
    requests.any(|request| request.request_id() == Some(request_id))
}

fn outcome_of(status: &str) -> Outcome {
    match status {
        "success" => Outcome::Succeeded,
        "decline" => Outcome::Declined,
        _ => Outcome::Pending,
    }
}

fn take_operation(
    payment: &mut Payment,
    news: News<'_>,
    reported: &report::Operation,
    confirmed: bool,
) {
    let Some(id) = &reported.id else { return };
    let report = news.report;
    let outcome = outcome_of(&reported.status);
    let dates = (
        reported.date.clone().unwrap_or_default(),
        report.payment_date.clone().unwrap_or_default(),
    );
    let sum = reported.sum_initial.as_ref();
    let heard = Operation {
        waiting: waiting(news, reported, outcome, &dates),
        ends_payment: outcome == Outcome::Declined
            && report.payment_status.as_deref() == Some("decline"),
        kind: reported.kind.clone(),
        outcome,
        confirmed: confirmed && outcome.is_final(),
        platform_status: reported.status.clone(),
        news: (dates.0, dates.1, digest_start(news.canonical)),
        amount: sum.map(|sum| sum.amount),
        currency: sum.map(|sum| sum.currency.clone()),
        code: reported.code.clone(),
        request_id: reported.request_id.clone(),
        merchant_refund_id: reported.merchant_refund_id.clone(),
        taken_back: false,
        conflict: false,
        doubts: doubts(payment, report, reported),
    };
    let merged = match payment.operations.remove(id) {
        None => heard,
        Some(known) => merge(known, heard),
    };
    payment.operations.insert(id.clone(), merged);
}

/// Enough of a digest to tell two reports of one second apart.
fn digest_start(canonical: &str) -> String {
    let mut digest = sha256::hex(canonical.as_bytes());
    digest.truncate(16);
    digest
}

/// Two reports of one operation, in whatever order they came.
fn merge(known: Operation, heard: Operation) -> Operation {
    let same_weight = known.weight() == heard.weight();
    let contradict = same_weight && known.outcome.is_final() && !known.agrees_with(&heard);
    let known_counts = (known.weight(), known.outcome, &known.news)
        >= (heard.weight(), heard.outcome, &heard.news);
    let (counts, other) = if known_counts {
        (known, heard)
    } else {
        (heard, known)
    };
    let mut merged = Operation {
        request_id: least(counts.request_id, other.request_id.clone()),
        merchant_refund_id: least(counts.merchant_refund_id, other.merchant_refund_id.clone()),
        ends_payment: counts.ends_payment || other.ends_payment,
        waiting: newest(counts.waiting, other.waiting.clone()),
        ..counts
    };
    if merged.outcome.is_final() {
        merged.waiting = None;
    }
    let done = |one: &Operation| one.taken_back || one.outcome == Outcome::Succeeded;
    merged.taken_back = merged.outcome != Outcome::Succeeded && (done(&merged) || done(&other));
    if same_weight {
        merged.conflict = merged.conflict || other.conflict || contradict;
        merged.doubts.extend(&other.doubts);
    }
    merged
}

impl Operation {
    /// How much a report weighs: intermediate, final by callback, final by signed answer.
    fn weight(&self) -> u8 {
        match (self.outcome.is_final(), self.confirmed) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }

    /// Whether two final reports say the same; of declines nothing more matters.
    fn agrees_with(&self, other: &Self) -> bool {
        let money = |one: &Self| (one.kind.clone(), one.amount, one.currency.clone());
        let done = self.outcome == Outcome::Succeeded;
        self.outcome == other.outcome && (!done || money(self) == money(other))
    }
}

/// The lesser of two names, should there ever be two.
fn least(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn newest(one: Option<Waiting>, other: Option<Waiting>) -> Option<Waiting> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.news < other.news { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn waiting(
    news: News<'_>,
    reported: &report::Operation,
    outcome: Outcome,
    dates: &(String, String),
) -> Option<Waiting> {
    if reported.kind != "sale" || outcome.is_final() {
        return None;
    }
    let report = news.report;
    let redirect = report
        .redirect
        .as_ref()
        .filter(|to| is_web_address(&to.url));
    let redirect = redirect.map(|redirect| Redirect {
        method: match redirect.method {
            report::RedirectMethod::Get => RedirectMethod::Get,
            report::RedirectMethod::Post => RedirectMethod::Post,
        },
        url: redirect.url.clone(),
        fields: redirect.fields.iter().cloned().collect(),
    });
    if redirect.is_none() && report.clarification_fields.is_empty() {
        return None;
    }
    Some(Waiting {
        news: (dates.0.clone(), dates.1.clone(), news.canonical.to_owned()),
        redirect,
        clarification_fields: report.clarification_fields.clone(),
    })
}

/// A browser goes nowhere else, whatever the platform says.
fn is_web_address(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://")
}

/// Money must be what was ordered, to the cent; anything else is kept apart.
fn doubts(
    payment: &Payment,
    report: &Report,
    reported: &report::Operation,
) -> BTreeSet<QuarantineReason> {
    let order = payment.order.as_ref();
    let Some(order) = order.filter(|_| outcome_of(&reported.status) == Outcome::Succeeded) else {
        return BTreeSet::new();
    };
    match reported.kind.as_str() {
        "refund reverse" | "manual change" => [QuarantineReason::UnknownOperation].into(),
        "sale" => {
            // After a refund `payment.sum` is the remainder, so only the sale's own sum counts then.
            let given_back = report.payment_status.as_deref().is_some_and(is_given_back);
            let whole = (!given_back).then_some(&report.payment_sum);
            let sums = [Some(&reported.sum_initial), whole];
            let differs = |sum: &Option<report::Sum>| difference(order, sum.as_ref());
            sums.into_iter().flatten().filter_map(differs).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// How a sum differs from what was ordered.
fn difference(order: &Order, sum: Option<&report::Sum>) -> Option<QuarantineReason> {
    match sum {
        None => Some(QuarantineReason::AmountMissing),
        Some(sum) if sum.currency != order.currency.code() => {
            Some(QuarantineReason::CurrencyDiffers)
        }
        Some(sum) if sum.amount != order.amount.get() => Some(QuarantineReason::AmountDiffers),
        Some(_) => None,
    }
}
