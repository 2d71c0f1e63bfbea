//! Taking in what the platform reports: operations merge as a set, whatever order they come in.

use std::collections::BTreeSet;

use ecommpay::report::{self, Report};

use super::attribution::Ours;
use super::refunds::REFUND_EXISTS;
use super::{NO_REFUSAL, News, ask_now};
use crate::payment::{
    Operation, Order, Outcome, Payment, PlatformStatus, QuarantineReason, Redirect, RedirectMethod,
    Waiting,
};
use crate::sha256;
use crate::timestamp::Timestamp;

/// No id, status or other word of the platform is longer.
const LONGEST_WORD: usize = 255;
/// The most that may be kept of what a shopper's browser has to send.
const LARGEST_REDIRECT: usize = 32 * 1_024;
/// The most fields that may be asked for.
const MOST_FIELDS: usize = 100;
/// The most operations that one message may report.
const MOST_OPERATIONS: usize = 1_000;

/// Whether a report can be kept: a payment is one item of the store, which takes 400 KB. What
/// cannot is no fact, only a reason to ask.
pub(crate) fn is_storable(report: &Report) -> bool {
    let is_word = |text: &str| text.chars().count() <= LONGEST_WORD;
    let are_words = |texts: &[&Option<String>]| {
        let mut texts = texts.iter().filter_map(|text| text.as_deref());
        texts.all(is_word)
    };
    let operation = |one: &report::Operation| {
        let currency = one.sum_initial.as_ref().map(|sum| sum.currency.as_str());
        let named = [one.kind.as_str(), &one.status, currency.unwrap_or_default()];
        named.into_iter().all(is_word)
            && are_words(&[&one.id, &one.date, &one.created_date, &one.code])
            && are_words(&[&one.request_id, &one.merchant_refund_id])
    };
    let redirect = report.redirect.as_ref().map_or(0, |to| {
        let fields = to
            .fields
            .iter()
            .map(|(name, value)| name.len() + value.len());
        to.url.len() + fields.sum::<usize>()
    });
    are_words(&[
        &report.payment_id,
        &report.payment_status,
        &report.payment_date,
    ]) && report.operations.len() <= MOST_OPERATIONS
        && report.operations.iter().all(operation)
        && report.errors.iter().all(|error| is_word(&error.code))
        && redirect <= LARGEST_REDIRECT
        && report.clarification_fields.len() <= MOST_FIELDS
        && report.clarification_fields.iter().all(|name| is_word(name))
}

/// Reports with these codes are not final: ask again.
pub(super) const NOT_FOUND_YET: [&str; 2] = ["3061", "3062"];

pub(super) fn take_callback(payment: &mut Payment, news: News<'_>, at: Timestamp) {
    let before = Worries::about(payment);
    take(payment, news, false);
    let is_odd =
        is_unexplained(payment, news.report) || names_unknown_request(payment, news.report);
    if is_odd || Worries::about(payment).has_more_than(&before) {
        ask_now(payment, at);
    }
}

/// Whether something was paid, and no operation that we know says how much.
pub(super) fn is_unexplained(payment: &Payment, report: &Report) -> bool {
    let status = report.payment_status.as_deref().unwrap_or_default();
    let claims_money = is_given_back(status) || matches!(status, "success" | "partially paid");
    // Of a payment that was made elsewhere any money will do: a payout, a capture.
    let is_made_elsewhere = payment.order.is_none();
    let explains = |operation: &Operation| {
        let is_money = is_made_elsewhere && !operation.is_refund() || operation.kind == "sale";
        operation.outcome == Outcome::Succeeded
            && (is_money || operation.took_money || !operation.doubts.is_empty())
    };
    claims_money && !payment.operations.values().any(explains)
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

/// What only a signed answer can settle: operations that callbacks contradict each other about,
/// and sales where there is more than one.
pub(super) fn open_questions(payment: &Payment) -> usize {
    let twice = payment.successful_sales().count() > 1;
    let unclear = |operation: &&Operation| {
        let one_of_many = twice && operation.is_successful_sale();
        !operation.confirmed && (operation.conflict || one_of_many)
    };
    payment.operations.values().filter(unclear).count()
}

pub(super) fn take(payment: &mut Payment, news: News<'_>, confirmed: bool) {
    let report = news.report;
    take_platform_status(payment, report);
    for operation in &report.operations {
        take_operation(payment, news, operation, confirmed);
    }
    take_error(payment, report);
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
    let is_newer = |known: &PlatformStatus| recency(known) < recency(&news);
    if payment.platform_status.as_ref().is_none_or(is_newer) {
        payment.platform_status = Some(news);
    }
}

/// Dates have whole seconds. Within one, a refusal came after what is not final, a success after that, and what says
/// that money went back at last; the rest is in any fixed order, so that it does not matter which is heard first.
fn recency(status: &PlatformStatus) -> (&str, u8, &str) {
    let stage = match status.status.as_str() {
        "refunded" | "reversed" => 4,
        given_back if is_given_back(given_back) => 3,
        other => match Outcome::of_books(other) {
            Some(Outcome::Succeeded) => 2,
            Some(_) => 1,
            None => 0,
        },
    };
    (&status.date, stage, &status.status)
}

/// Why a request failed, and which one it was, if the report says that.
fn failed_request(report: &Report) -> Option<(&str, Option<&str>)> {
    let code = report.errors.first().map(|error| error.code.as_str())?;
    let is_error = report.payment_status.as_deref() == Some("error");
    let says_nothing = NO_REFUSAL.contains(&code) || NOT_FOUND_YET.contains(&code);
    if !is_error || says_nothing || code == REFUND_EXISTS {
        return None;
    }
    let mut operations = report.operations.iter();
    Some((code, operations.find_map(|one| one.request_id.as_deref())))
}

/// An error counts for the request that it names, once that is known to be ours.
fn take_error(payment: &mut Payment, report: &Report) {
    let Some((code, Some(request_id))) = failed_request(report) else {
        return;
    };
    let known = payment
        .errors
        .entry(request_id.to_owned())
        .or_insert_with(|| code.to_owned());
    if code < known.as_str() {
        *known = code.to_owned();
    }
}

/// Whether a request failed of which we do not know that we sent it.
fn names_unknown_request(payment: &Payment, report: &Report) -> bool {
    failed_request(report)
        .is_some_and(|(_, named)| !named.is_some_and(|named| is_request_of(payment, named)))
}

fn is_request_of(payment: &Payment, request_id: &str) -> bool {
    payment.sale.request_id() == Some(request_id)
        || payment.failed_requests.contains(request_id)
        || Ours::of(payment).by_request.contains_key(request_id)
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
    // Of a sale that does not say how much, the payment may.
    let is_sale = reported.kind == "sale" && outcome == Outcome::Succeeded;
    let of_payment = report.payment_sum.as_ref().filter(|_| is_sale);
    let sum = reported.sum_initial.as_ref().or(of_payment);
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
        // Only where a refund has no name, to tell whether it may be one of ours.
        created_date: reported
            .created_date
            .clone()
            .filter(|_| reported.is_refund() && reported.merchant_refund_id.is_none()),
        code: reported.code.clone(),
        request_id: reported.request_id.clone(),
        merchant_refund_id: reported.merchant_refund_id.clone(),
        taken_back: false,
        conflict: false,
        doubts: doubts(payment, report, reported),
        took_money: false,
    };
    let merged = match payment.operations.remove(id) {
        None => heard,
        Some(known) => merge(known, heard),
    };
    payment.operations.insert(id.clone(), merged);
}

/// Enough of a digest to tell two reports of one second apart.
fn digest_start(canonical: &str) -> String {
    sha256::start_of_hex(canonical.as_bytes(), 16)
}

/// Two reports of one operation, in whatever order they came.
fn merge(known: Operation, heard: Operation) -> Operation {
    let same_weight = known.weight() == heard.weight();
    let contradict = same_weight && known.outcome.is_final() && !known.agrees_with(&heard);
    // A sale before all else: money that was there does not vanish by what is only contradicted.
    let rank = |one: &Operation| (one.weight(), one.outcome, one.kind == "sale");
    let known_counts = (rank(&known), &known.news) >= (rank(&heard), &heard.news);
    let (counts, other) = if known_counts {
        (known, heard)
    } else {
        (heard, known)
    };
    let mut merged = Operation {
        created_date: least(counts.created_date, other.created_date.clone()),
        request_id: least(counts.request_id, other.request_id.clone()),
        merchant_refund_id: least(counts.merchant_refund_id, other.merchant_refund_id.clone()),
        ends_payment: counts.ends_payment || other.ends_payment,
        took_money: counts.took_money || other.took_money,
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
    // What is asked for comes before the way to the bank.
    let step = if redirect.is_some() { "2" } else { "1" };
    let rest = step.to_owned() + &digest_start(news.canonical);
    Some(Waiting {
        news: (dates.0.clone(), dates.1.clone(), rest),
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
        // A part may go back, but it says how much, and in the currency that was paid.
        "refund" | "reversal" => match &reported.sum_initial {
            None => [QuarantineReason::AmountMissing].into(),
            Some(sum) if sum.currency != order.currency.code() => {
                [QuarantineReason::CurrencyDiffers].into()
            }
            Some(_) => BTreeSet::new(),
        },
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
