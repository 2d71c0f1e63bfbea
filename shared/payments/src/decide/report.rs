//! Taking in what the platform reports: operations merge as a set, whatever order they come in.

use ecommpay::report::{self, Report};

use super::{NO_REFUSAL, ask_now};
use crate::payment::{
    NewsOrder, Operation, Outcome, Payment, PlatformStatus, QuarantineReason, Redirect,
    RedirectMethod, Waiting,
};
use crate::timestamp::Timestamp;

/// Reports with these codes are not final: ask again.
const NOT_FOUND_YET: [&str; 2] = ["3061", "3062"];

pub(super) fn take(payment: &mut Payment, report: &Report, digest: &str, at: Timestamp) {
    take_platform_status(payment, report);
    for operation in &report.operations {
        take_operation(payment, report, operation, digest, at);
    }
    let status = report.payment_status.as_deref().unwrap_or_default();
    if status == "error" {
        take_error(payment, report, at);
    }
    let claims_money = is_given_back(status) || matches!(status, "success" | "partially paid");
    if claims_money && payment.paid_amount() == 0 {
        // Something was paid, and no operation that we know says how much.
        ask_now(payment, at);
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
    if named.map(String::as_str) != payment.sale.request_id() {
        ask_now(payment, at);
    }
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
    report: &Report,
    reported: &report::Operation,
    digest: &str,
    at: Timestamp,
) {
    let Some(id) = &reported.id else { return };
    let outcome = outcome_of(&reported.status);
    let news: NewsOrder = (
        reported.date.clone().unwrap_or_default(),
        report.payment_date.clone().unwrap_or_default(),
        digest.chars().take(16).collect(),
    );
    let heard = Operation {
        waiting: waiting(report, reported, outcome, &news),
        ends_payment: outcome == Outcome::Declined
            && report.payment_status.as_deref() == Some("decline"),
        kind: reported.kind.clone(),
        outcome,
        platform_status: reported.status.clone(),
        news,
        amount: reported.sum_initial.as_ref().map(|sum| sum.amount),
        currency: reported
            .sum_initial
            .as_ref()
            .map(|sum| sum.currency.clone()),
        code: reported.code.clone(),
        request_id: reported.request_id.clone(),
        merchant_refund_id: reported.merchant_refund_id.clone(),
        conflict: false,
    };
    check_money(payment, report, &heard);
    let merged = match payment.operations.get(id) {
        None => heard,
        Some(known) => {
            let merged = merge(known, heard);
            if merged.conflict && !known.conflict {
                ask_now(payment, at);
            }
            merged
        }
    };
    payment.operations.insert(id.clone(), merged);
}

/// Two reports of one operation: a success stays, a final one beats an intermediate one, and of
/// two of one rank the newer counts. Contradictions are flagged.
fn merge(known: &Operation, heard: Operation) -> Operation {
    let contradicts = match (known.outcome, heard.outcome) {
        (Outcome::Succeeded, Outcome::Declined) | (Outcome::Declined, Outcome::Succeeded) => true,
        (Outcome::Succeeded, Outcome::Succeeded) => {
            (&known.kind, known.amount, &known.currency)
                != (&heard.kind, heard.amount, &heard.currency)
        }
        _ => false,
    };
    let conflict = known.conflict || contradicts;
    let ends_payment = known.ends_payment || heard.ends_payment;
    let newer = |one: Option<Waiting>, other: Option<Waiting>| match (one, other) {
        (Some(one), Some(other)) => Some(if one.news < other.news { other } else { one }),
        (one, other) => one.or(other),
    };
    let takes_over = (heard.outcome, &heard.news) > (known.outcome, &known.news);
    let waiting = newer(known.waiting.clone(), heard.waiting.clone());
    let merged = if takes_over { heard } else { known.clone() };
    Operation {
        waiting: waiting.filter(|_| merged.outcome == Outcome::Pending),
        ends_payment,
        conflict,
        ..merged
    }
}

fn waiting(
    report: &Report,
    reported: &report::Operation,
    outcome: Outcome,
    news: &NewsOrder,
) -> Option<Waiting> {
    if reported.kind != "sale" || outcome != Outcome::Pending {
        return None;
    }
    let redirect = report.redirect.as_ref().map(|redirect| Redirect {
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
        news: news.clone(),
        redirect,
        clarification_fields: report.clarification_fields.clone(),
    })
}

/// Money must be what was ordered, to the cent; anything else is kept apart.
fn check_money(payment: &mut Payment, report: &Report, heard: &Operation) {
    let Some(order) = payment
        .order
        .as_ref()
        .filter(|_| heard.outcome == Outcome::Succeeded)
    else {
        return;
    };
    let (ordered, currency) = (order.amount.get(), order.currency.code());
    if matches!(heard.kind.as_str(), "refund reverse" | "manual change") {
        payment
            .quarantine
            .insert(QuarantineReason::UnknownOperation);
    }
    if heard.kind != "sale" {
        return;
    }
    // After a refund `payment.sum` is the remainder, so only the sale's own sum counts then.
    let given_back = report.payment_status.as_deref().is_some_and(is_given_back);
    let whole = report
        .payment_sum
        .as_ref()
        .map(|sum| (sum.amount, sum.currency.as_str()));
    let own = heard.amount.zip(heard.currency.as_deref());
    for sum in [Some(own), (!given_back).then_some(whole)]
        .into_iter()
        .flatten()
    {
        let reason = match sum {
            None => QuarantineReason::AmountMissing,
            Some((_, other)) if other != currency => QuarantineReason::CurrencyDiffers,
            Some((amount, _)) if amount != ordered => QuarantineReason::AmountDiffers,
            Some(_) => continue,
        };
        payment.quarantine.insert(reason);
    }
}

/// Two successful sales in one payment: one of them is not what was ordered.
pub(super) fn settle(payment: &mut Payment) {
    let sales = payment
        .operations
        .values()
        .filter(|operation| operation.is_successful_sale());
    if payment.order.is_some() && sales.count() > 1 {
        payment.quarantine.insert(QuarantineReason::PaidTwice);
    }
}
