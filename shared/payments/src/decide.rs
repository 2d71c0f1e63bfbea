//! What a fact changes: pure functions from what we know and hear to a change with its events.
//!
//! Nothing here knows a clock, a network or AWS; the time comes in as a value. A fact that says
//! nothing new gives no change, so duplicates and old news need no memory of their own.

use ecommpay::answer::Answer;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::report::{self, Report};

use crate::event::{About, Event, EventKind};
use crate::ids::MerchantId;
use crate::payment::{
    NewsOrder, Operation, Order, Outcome, Payment, PlatformStatus, QuarantineReason, Redirect,
    RedirectMethod, Refund, RefundStatus, SaleRequest, Status, Waiting,
};
use crate::timestamp::Timestamp;

/// Something that we were told about a payment and that is true.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A verified callback or a signed status answer.
    Report {
        /// What it says.
        report: &'a Report,
        /// SHA-256 of its canonical string.
        digest: &'a str,
    },
    /// A verified body that could have been re-framed: no fact by itself, but a reason to ask.
    Hint,
    /// Gate's synchronous answer to our sale.
    SaleAnswer(&'a Answer),
    /// Gate's synchronous answer to a refund of ours.
    RefundAnswer {
        /// The refund that was sent.
        refund_id: &'a MerchantId,
        /// What Gate said.
        answer: &'a Answer,
    },
}

/// A payment as it will be, and what will be announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The events of the change, in order.
    pub events: Vec<Event>,
}

/// Codes that say nothing about this request: the id exists already, a lock, a duplicate.
const NO_REFUSAL: [&str; 3] = ["3041", "2147", "3613"];
/// Status answers and callbacks with these are not final: ask again.
const NOT_FOUND_YET: [&str; 2] = ["3061", "3062"];
/// The platform already has a refund with this `merchant_refund_id`.
const REFUND_EXISTS: &str = "3230";

/// A new payment whose sale is about to be sent; one write stores it and claims the sending.
pub fn create(
    project_id: ProjectId,
    payment_id: &MerchantId,
    order: Order,
    at: Timestamp,
) -> Change {
    let mut payment = Payment::unknown(project_id, payment_id.as_str(), at);
    payment.order = Some(order);
    payment.sale = SaleRequest::Sending {
        since: at,
        again: false,
    };
    announce(None, payment.clone(), at).unwrap_or(Change {
        payment,
        events: vec![],
    })
}

/// What `fact` changes in `payment` (`None`: nothing is known of it yet).
pub fn decide(payment: Option<&Payment>, fact: Fact<'_>, at: Timestamp) -> Option<Change> {
    let mut after = match (payment, fact) {
        (Some(payment), _) => payment.clone(),
        (None, Fact::Report { report, .. }) => {
            let project_id = ProjectId::new(report.project_id?).ok()?;
            Payment::unknown(project_id, report.payment_id.as_deref()?, at)
        }
        (None, _) => return None,
    };
    match fact {
        Fact::Report { report, digest } => take_report(&mut after, report, digest, at),
        Fact::Hint => ask_now(&mut after, at),
        Fact::SaleAnswer(answer) => take_sale_answer(&mut after, answer),
        Fact::RefundAnswer { refund_id, answer } => {
            take_refund_answer(&mut after, refund_id, answer)
        }
    }
    settle(&mut after, at);
    announce(payment, after, at)
}

/// Marks a payment whose sale was never answered as being sent again, if nobody else is at it.
///
/// The platform's own rule for a request without an answer: repeat it with the same id.
pub fn claim_resend(
    payment: &Payment,
    sending_takes: std::time::Duration,
    at: Timestamp,
) -> Option<Change> {
    let abandoned = match payment.sale {
        SaleRequest::None | SaleRequest::Unclear => true,
        SaleRequest::Sending { since, .. } => since.after(sending_takes) <= at,
        SaleRequest::Accepted { .. } | SaleRequest::Refused { .. } => false,
    };
    if !abandoned || payment.status() != Status::Processing && payment.status() != Status::Created {
        return None;
    }
    let mut after = payment.clone();
    after.sale = SaleRequest::Sending {
        since: at,
        again: true,
    };
    announce(Some(payment), after, at)
}

impl Payment {
    /// A payment of which nothing but its id is known.
    fn unknown(project_id: ProjectId, payment_id: &str, at: Timestamp) -> Self {
        Self {
            project_id,
            payment_id: payment_id.to_owned(),
            order: None,
            sale: SaleRequest::None,
            platform_status: None,
            operations: Default::default(),
            waiting: None,
            refunds: Vec::new(),
            quarantine: Default::default(),
            check_at: None,
            announced: None,
            sequence: 0,
            created_at: at,
            updated_at: at,
        }
    }
}

fn ask_now(payment: &mut Payment, at: Timestamp) {
    payment.check_at = Some(payment.check_at.map_or(at, |planned| planned.min(at)));
}

fn take_report(payment: &mut Payment, report: &Report, digest: &str, at: Timestamp) {
    take_platform_status(payment, report);
    for operation in &report.operations {
        take_operation(payment, report, operation, digest, at);
    }
    if report.payment_status.as_deref() == Some("error") {
        take_error(payment, report, at);
    }
}

fn take_platform_status(payment: &mut Payment, report: &Report) {
    let Some(status) = &report.payment_status else {
        return;
    };
    let news = PlatformStatus {
        date: report.payment_date.clone().unwrap_or_default(),
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

/// An error of a request counts only if it names the request that is open now.
fn take_error(payment: &mut Payment, report: &Report, at: Timestamp) {
    let Some(code) = report.errors.first().map(|error| error.code.as_str()) else {
        return;
    };
    let no_news = |list: &[&str]| list.contains(&code);
    if no_news(&NO_REFUSAL) || no_news(&NOT_FOUND_YET) {
        return;
    }
    let named = report
        .operations
        .iter()
        .find_map(|operation| operation.request_id.as_ref());
    match &payment.sale {
        SaleRequest::Accepted {
            request_id: Some(open),
        } if named == Some(open) => {
            payment.sale = SaleRequest::Refused {
                code: code.to_owned(),
            };
        }
        SaleRequest::Refused { .. } => {}
        _ => ask_now(payment, at),
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
    let news = (
        reported.date.clone().unwrap_or_default(),
        report.payment_date.clone().unwrap_or_default(),
        digest.chars().take(16).collect(),
    );
    let heard = Operation {
        kind: reported.kind.clone(),
        outcome: outcome_of(&reported.status),
        platform_status: reported.status.clone(),
        news: news.clone(),
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
    if heard.kind == "sale" && heard.outcome == Outcome::Pending {
        take_waiting(payment, report, id, news);
    }
    let merged = match payment.operations.get(id) {
        None => heard,
        Some(known) => merge(known, heard),
    };
    if merged.conflict {
        let was = payment
            .operations
            .get(id)
            .is_some_and(|known| known.conflict);
        if !was {
            ask_now(payment, at);
        }
    }
    payment.operations.insert(id.clone(), merged);
}

/// Two reports of one operation: a success stays, a final one beats an intermediate one, and of
/// two intermediate ones the newer counts. Contradictions are flagged.
fn merge(known: &Operation, heard: Operation) -> Operation {
    let contradicts = match (known.outcome, heard.outcome) {
        (Outcome::Succeeded, Outcome::Declined) | (Outcome::Declined, Outcome::Succeeded) => true,
        (Outcome::Succeeded, Outcome::Succeeded) => {
            (&known.kind, known.amount, &known.currency)
                != (&heard.kind, heard.amount, &heard.currency)
        }
        _ => false,
    };
    let takes_over = (heard.outcome, &heard.news) > (known.outcome, &known.news);
    let mut merged = if takes_over { heard } else { known.clone() };
    merged.conflict = known.conflict || contradicts;
    merged
}

fn take_waiting(payment: &mut Payment, report: &Report, operation_id: &str, news: NewsOrder) {
    let redirect = report.redirect.as_ref().map(|redirect| Redirect {
        method: match redirect.method {
            report::RedirectMethod::Get => RedirectMethod::Get,
            report::RedirectMethod::Post => RedirectMethod::Post,
        },
        url: redirect.url.clone(),
        fields: redirect.fields.iter().cloned().collect(),
    });
    if redirect.is_none() && report.clarification_fields.is_empty() {
        return;
    }
    if payment
        .waiting
        .as_ref()
        .is_none_or(|known| known.news < news)
    {
        payment.waiting = Some(Waiting {
            operation_id: operation_id.to_owned(),
            news,
            redirect,
            clarification_fields: report.clarification_fields.clone(),
        });
    }
}

/// Money must be what was ordered, to the cent; anything else is kept apart.
fn check_money(payment: &mut Payment, report: &Report, heard: &Operation) {
    if heard.outcome != Outcome::Succeeded {
        return;
    }
    let Some(order) = &payment.order else { return };
    if matches!(heard.kind.as_str(), "refund reverse" | "manual change") {
        payment
            .quarantine
            .insert(QuarantineReason::UnknownOperation);
    }
    if heard.kind != "sale" {
        return;
    }
    // After a refund `payment.sum` is the remainder, so only the sale's own sum counts then.
    let given_back = matches!(
        report.payment_status.as_deref(),
        Some("partially refunded" | "refunded" | "partially reversed" | "reversed")
    );
    let whole = report
        .payment_sum
        .as_ref()
        .map(|sum| (sum.amount, sum.currency.as_str()));
    let own = heard.amount.zip(heard.currency.as_deref());
    let counted = [Some(own), (!given_back).then_some(whole)];
    for sum in counted.into_iter().flatten() {
        let reason = match sum {
            None => QuarantineReason::AmountMissing,
            Some((_, currency)) if currency != order.currency.code() => {
                QuarantineReason::CurrencyDiffers
            }
            Some((amount, _)) if amount != order.amount.get() => QuarantineReason::AmountDiffers,
            Some(_) => continue,
        };
        payment.quarantine.insert(reason);
    }
}

/// A refused request may be forgotten; everything unclear stays open.
fn take_sale_answer(payment: &mut Payment, answer: &Answer) {
    if matches!(
        payment.sale,
        SaleRequest::Accepted { .. } | SaleRequest::Refused { .. }
    ) {
        return;
    }
    payment.sale = match answer {
        Answer::Accepted { request_id } => SaleRequest::Accepted {
            request_id: request_id.clone(),
        },
        Answer::Refused(refusal) if !NO_REFUSAL.contains(&refusal.code.as_str()) => {
            SaleRequest::Refused {
                code: refusal.code.clone(),
            }
        }
        Answer::Refused(_) | Answer::Unclear => SaleRequest::Unclear,
    };
}

fn take_refund_answer(payment: &mut Payment, refund_id: &MerchantId, answer: &Answer) {
    let ours = |refund: &&mut Refund| refund.refund_id.as_ref() == Some(refund_id);
    let Some(refund) = payment.refunds.iter_mut().find(ours) else {
        return;
    };
    if let Answer::Accepted { request_id } = answer {
        refund.request_id.clone_from(request_id);
    }
    if refund.operation_id.is_some() || !refund.status.is_reserved() {
        return;
    }
    match answer {
        Answer::Accepted { .. } => refund.status = RefundStatus::Pending,
        Answer::Refused(refusal)
            if refusal.code != REFUND_EXISTS && !NO_REFUSAL.contains(&refusal.code.as_str()) =>
        {
            refund.status = RefundStatus::Declined;
            refund.code = Some(refusal.code.clone());
        }
        Answer::Refused(_) | Answer::Unclear => refund.status = RefundStatus::Unknown,
    }
}

/// Brings what follows from the operations in line with them.
fn settle(payment: &mut Payment, at: Timestamp) {
    let finished = |waiting: &Waiting| {
        payment
            .operations
            .get(&waiting.operation_id)
            .is_none_or(|operation| operation.outcome != Outcome::Pending)
    };
    if payment.waiting.as_ref().is_some_and(finished) {
        payment.waiting = None;
    }
    let sales = payment
        .operations
        .values()
        .filter(|operation| operation.is_successful_sale());
    if payment.order.is_some() && sales.count() > 1 {
        payment.quarantine.insert(QuarantineReason::PaidTwice);
    }
    for (id, operation) in &payment.operations {
        if operation.is_refund() {
            attribute_refund(&mut payment.refunds, id, operation, at);
        }
    }
}

/// A refund operation is ours by `merchant_refund_id`, then by `request_id`; else it was made
/// elsewhere, and counts all the same.
fn attribute_refund(refunds: &mut Vec<Refund>, id: &str, operation: &Operation, at: Timestamp) {
    let is_ours = |refund: &Refund| match (&refund.refund_id, &operation.merchant_refund_id) {
        (Some(ours), Some(named)) => ours.is(named),
        (Some(_), None) => refund.request_id.is_some() && refund.request_id == operation.request_id,
        (None, _) => false,
    };
    let elsewhere = refunds.iter().position(|refund| {
        refund.refund_id.is_none() && refund.operation_id.as_deref() == Some(id)
    });
    let index = match (refunds.iter().position(is_ours), elsewhere) {
        (Some(ours), Some(other)) => {
            // Heard of before we knew the name of our own request.
            let announced = refunds.remove(other).announced;
            let ours = if other < ours { ours - 1 } else { ours };
            if let Some(refund) = refunds.get_mut(ours) {
                refund.announced = announced.or(refund.announced);
            }
            ours
        }
        (Some(index), None) | (None, Some(index)) => index,
        (None, None) => {
            refunds.push(Refund {
                refund_id: None,
                amount: operation.amount.unwrap_or(0),
                status: RefundStatus::Pending,
                operation_id: None,
                request_id: operation.request_id.clone(),
                code: None,
                announced: None,
                content: None,
                created_at: at,
            });
            refunds.len() - 1
        }
    };
    let Some(refund) = refunds.get_mut(index) else {
        return;
    };
    refund.operation_id = Some(id.to_owned());
    (refund.status, refund.code) = match operation.outcome {
        Outcome::Pending => (RefundStatus::Pending, None),
        Outcome::Declined => (RefundStatus::Declined, operation.code.clone()),
        Outcome::Succeeded => (RefundStatus::Succeeded, None),
    };
}

/// Numbers the events of a change; `None` if nothing changed.
pub(crate) fn announce(
    before: Option<&Payment>,
    mut after: Payment,
    at: Timestamp,
) -> Option<Change> {
    if before == Some(&after) {
        return None;
    }
    after.updated_at = at;
    let status = after.status();
    let mut kinds: Vec<(EventKind, Option<usize>)> = Vec::new();
    let said = after.announced.and_then(EventKind::of_status);
    let late =
        matches!(after.announced, Some(Status::Declined | Status::Failed)) && status.is_paid();
    if let Some(kind) = EventKind::of_status(status).filter(|kind| said != Some(*kind)) {
        after.announced = Some(status);
        kinds.push((kind, None));
    }
    // A refund is announced after the sale it belongs to.
    if after.paid_amount() > 0 || after.order.is_none() {
        for (index, refund) in after.refunds.iter_mut().enumerate() {
            if refund.announced != Some(refund.status) {
                refund.announced = Some(refund.status);
                kinds.push((EventKind::of_refund(refund.status), Some(index)));
            }
        }
    }
    let first = after.sequence + 1;
    after.sequence += kinds.len() as u64;
    let last = after.sequence;
    let mut events = Vec::with_capacity(kinds.len());
    for (sequence, (kind, refund)) in (first..=last).zip(kinds) {
        after.sequence = sequence;
        let about = match refund.and_then(|index| after.refunds.get(index)) {
            Some(refund) => About::Refund(refund),
            None => About::Payment { late },
        };
        events.push(Event::new(&after, kind, about, at));
    }
    after.sequence = last;
    Some(Change {
        payment: after,
        events,
    })
}

/// What a storefront asks for when it gives money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// The merchant's own id.
    pub refund_id: MerchantId,
    /// Minor units; `None` means what is left at this moment.
    pub amount: Option<u64>,
    /// Mandatory on the platform.
    pub description: Text,
    /// SHA-256 of what was asked.
    pub content: String,
}

/// Why a refund was not reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundRejection {
    /// The id names another refund.
    OtherContent,
    /// The payment is not one that can be refunded now.
    NotRefundable,
    /// More than what is left, which is this much.
    MoreThanLeft(u64),
}

/// Holds money back for a refund, which may then be sent.
///
/// `Ok(None)`: the same refund was asked for before; nothing is to be sent.
pub fn reserve_refund(
    payment: &Payment,
    order: &RefundOrder,
    at: Timestamp,
) -> Result<Option<Change>, RefundRejection> {
    if let Some(known) = payment.refund(&order.refund_id) {
        return match known.content.as_deref() == Some(&order.content) {
            true => Ok(None),
            false => Err(RefundRejection::OtherContent),
        };
    }
    if !matches!(
        payment.status(),
        Status::Succeeded | Status::PartiallyRefunded | Status::Quarantined
    ) {
        return Err(RefundRejection::NotRefundable);
    }
    let left = payment.refundable_amount();
    let amount = order.amount.unwrap_or(left);
    if amount == 0 || amount > left {
        return Err(RefundRejection::MoreThanLeft(left));
    }
    let mut after = payment.clone();
    after.refunds.push(Refund {
        refund_id: Some(order.refund_id.clone()),
        amount,
        status: RefundStatus::Pending,
        operation_id: None,
        request_id: None,
        code: None,
        announced: None,
        content: Some(order.content.clone()),
        created_at: at,
    });
    Ok(announce(Some(payment), after, at))
}
