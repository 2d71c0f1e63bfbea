//! What a fact changes: pure functions from what we know and hear to a change with its events.
//!
//! Nothing here knows a clock, a network or AWS; the time comes in as a value. A fact that says
//! nothing new gives no change, so duplicates and old news need no memory of their own. Only what
//! cannot be believed by itself is asked about again when it comes again after an answer.

mod announce;
mod answer;
mod attribution;
mod books;
mod checks;
mod refunds;
mod report;
mod silence;

use std::collections::BTreeSet;
use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::report::Report;

pub(crate) use self::announce::has_news;
use self::checks::ask_now;
pub use self::checks::{claim_check, claim_question};
pub(crate) use self::refunds::refund_address;
pub use self::refunds::{RefundOrder, RefundRejection, claim_repeat, reject, reserve_refund};
pub(crate) use self::report::is_storable;
pub use self::silence::{claim_end, claim_erasure, claim_resend};

use crate::event::Event;
use crate::ids::MerchantId;
use crate::payment::{
    Books, Channel, Decision, Doubt, GateRequest, Order, Payment, Status, Verdict,
};
use crate::timestamp::Timestamp;

/// What the platform says about a payment.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// What it says.
    pub report: &'a Report,
    /// Its canonical string.
    pub canonical: &'a str,
}

/// Something that we were told about a payment and that is true.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A verified callback.
    Callback(News<'a>),
    /// The signed answer to a status request. It has the last word where callbacks contradict
    /// each other.
    StatusAnswer {
        /// What the platform answered.
        news: News<'a>,
        /// The number of the question ([`claim_check`]): what was heard since it was claimed is
        /// not settled by the answer.
        question: u32,
    },
    /// A verified body that could have been re-framed: no fact by itself, but a reason to ask.
    Hint(&'a Report),
    /// Gate's synchronous answer to our sale.
    SaleAnswer {
        /// The attempt that was sent.
        attempt: u32,
        /// What Gate said.
        answer: &'a Answer,
    },
    /// Gate's synchronous answer to a refund of ours.
    RefundAnswer {
        /// The refund that was sent.
        refund_id: &'a MerchantId,
        /// What Gate said.
        answer: &'a Answer,
    },
    /// The platform has taken the shopper's answer to what it asked.
    Clarified {
        /// The [`Waiting::digest`](crate::payment::Waiting::digest) of the question.
        question: &'a str,
    },
    /// The platform's books may differ from ours.
    Difference {
        /// Whose books.
        project_id: ProjectId,
        /// What they say of an operation.
        books: Books<'a>,
    },
    /// The same order was paid by other payments before.
    PaidBefore {
        /// Their ids.
        by: &'a BTreeSet<String>,
    },
    /// An operator takes the money as paid, whatever there is to say against it.
    Release {
        /// Who.
        by: &'a str,
        /// What they have looked at; nothing else is settled.
        doubts: &'a BTreeSet<Doubt>,
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

/// After this time a request that is still "being sent" was abandoned by whoever sent it: it is
/// sent at once when it is claimed, and the claim, Gate and the retries take less in all.
const SENDING_TAKES: Duration = Duration::from_secs(30);

/// Codes that say nothing about this request: the id exists already, a lock, a duplicate; and those that
/// say to wait.
const NO_REFUSAL: [&str; 8] = [
    "3041", "2147", "3613", "9999", "19999", "29999", "20802", "20899",
];

/// A new payment. With Gate its sale is about to be sent; one write stores it and claims the
/// sending.
pub fn create(
    project_id: ProjectId,
    payment_id: &MerchantId,
    order: Order,
    at: Timestamp,
) -> Change {
    let payment = Payment::unknown(project_id, payment_id.as_str(), at);
    begin(payment, order, at)
}

/// The next attempt of a payment that was never started. `None`: it is not one, or the order is not
/// for the same money.
pub fn begin_again(payment: &Payment, order: Order, at: Timestamp) -> Option<Change> {
    let frozen = |order: &Order| (order.amount, order.currency, order.channel);
    let before = payment.order.as_ref()?;
    let is_same = frozen(before) == frozen(&order) && before.storefront == order.storefront;
    if payment.status() != Status::Failed || !is_same {
        return None;
    }
    let mut payment = payment.clone();
    payment.attempt = payment.attempt.saturating_add(1);
    let failed = payment.sale.request_id().map(str::to_owned);
    payment.failed_requests.extend(failed);
    for operation in payment.operations.values_mut() {
        operation.waiting = None;
    }
    payment.clarified = None;
    payment.announced = None;
    payment.end_announced = false;
    Some(begin(payment, order, at))
}

fn begin(mut payment: Payment, order: Order, at: Timestamp) -> Change {
    payment.sale = match order.channel {
        Channel::Gate => GateRequest::Sending {
            since: at,
            again: false,
        },
        Channel::PaymentPage => GateRequest::None,
    };
    payment.order = Some(order);
    payment.begun_at = at;
    payment.sale_sent_after = payment.questions;
    payment.sale_refused_again = None;
    checks::begin(&mut payment, at);
    announce::announce(payment, at)
}

/// What `fact` changes in `payment` (`None`: nothing is known of it yet).
pub fn decide(payment: Option<&Payment>, fact: Fact<'_>, at: Timestamp) -> Option<Change> {
    let mut after = match payment {
        Some(payment) => payment.clone(),
        None => first_heard_of(fact, at)?,
    };
    match fact {
        Fact::Callback(news) => report::take_callback(&mut after, news, at),
        Fact::StatusAnswer { news, question } => {
            answer::take_status_answer(&mut after, news, question, at)
        }
        Fact::Hint(_) => ask_now(&mut after, at),
        Fact::SaleAnswer { attempt, answer } => take_sale_answer(&mut after, attempt, answer, at),
        Fact::RefundAnswer { refund_id, answer } => {
            refunds::take_answer(&mut after, refund_id, answer, at)
        }
        Fact::Clarified { question } => {
            after.clarified = Some(question.to_owned());
            checks::begin(&mut after, at);
        }
        Fact::Difference { books, .. } => books::take(&mut after, books, at),
        Fact::PaidBefore { by } => {
            if after.paid_order().is_some() {
                after.paid_before_by.extend(by.iter().cloned());
            }
        }
        Fact::Release { by, doubts } => release(&mut after, by, doubts, at),
    }
    settle(&mut after, at);
    (payment != Some(&after)).then(|| announce::announce(after, at))
}

/// What is known and not announced yet, because one change has room for so many events only, or
/// because it had to wait for the answer to a request of ours that never came.
pub fn tell(payment: &Payment, at: Timestamp) -> Option<Change> {
    has_news(payment, at).then(|| announce::announce(payment.clone(), at))
}

/// A payment that nobody created here begins with a report that says something of it, or with a
/// reason to ask about it.
fn first_heard_of(fact: Fact<'_>, at: Timestamp) -> Option<Payment> {
    let report = match fact {
        Fact::Callback(news) => news.report,
        Fact::StatusAnswer { news, .. } if !news.report.operations.is_empty() => news.report,
        Fact::Hint(report) => report,
        Fact::Difference { project_id, books } => {
            return books::first_heard_of(project_id, books, at);
        }
        _ => return None,
    };
    let project_id = ProjectId::new(report.project_id?).ok()?;
    Some(Payment::unknown(
        project_id,
        report.payment_id.as_deref()?,
        at,
    ))
}

fn release(payment: &mut Payment, by: &str, seen: &BTreeSet<Doubt>, at: Timestamp) {
    let doubts = &payment.doubts() & seen;
    if !doubts.is_empty() {
        payment.decisions.push(Decision {
            verdict: Verdict::Released,
            by: by.to_owned(),
            at,
            doubts,
        });
    }
}

impl Payment {
    /// A payment of which nothing but its id is known.
    fn unknown(project_id: ProjectId, payment_id: &str, at: Timestamp) -> Self {
        Self {
            project_id,
            payment_id: payment_id.to_owned(),
            order: None,
            attempt: 0,
            failed_requests: Default::default(),
            begun_at: at,
            sale: GateRequest::None,
            sale_sent_after: 0,
            sale_refused_again: None,
            not_found: 0,
            clarified: None,
            errors: Default::default(),
            platform_status: None,
            operations: Default::default(),
            refunds: Vec::new(),
            decisions: Vec::new(),
            doubted: None,
            questions: 0,
            answered: 0,
            asked: 0,
            silent_since: None,
            announced: None,
            end_announced: false,
            overrefund_announced: 0,
            differences: Default::default(),
            untold_differences: Vec::new(),
            paid_before_by: Default::default(),
            paid_before_announced: 0,
            sequence: 0,
            created_at: at,
            updated_at: at,
        }
    }
}

/// A refused request may be forgotten; everything unclear stays open. Of a sale that was sent
/// before, a refusal says nothing: the first request may have been taken.
fn take_sale_answer(payment: &mut Payment, attempt: u32, answer: &Answer, at: Timestamp) {
    if attempt != payment.attempt {
        return;
    }
    let again = match payment.sale {
        GateRequest::Accepted { .. } | GateRequest::Refused { .. } => return,
        GateRequest::Sending { again, .. } => again,
        GateRequest::None | GateRequest::Unclear => true,
    };
    let is_refusal = |code: &str| !NO_REFUSAL.contains(&code);
    payment.sale = match answer {
        Answer::Accepted { request_id } => GateRequest::Accepted {
            request_id: request_id.clone(),
        },
        Answer::Refused(refusal) if is_refusal(&refusal.code) && !again => GateRequest::Refused {
            code: refusal.code.clone(),
        },
        Answer::Refused(refusal) if is_refusal(&refusal.code) => {
            payment.sale_refused_again = Some(refusal.code.clone());
            GateRequest::Unclear
        }
        // The platform does not know it at once, so it is asked in its time.
        Answer::Refused(_) | Answer::Unclear => GateRequest::Unclear,
    };
    payment.sale_sent_after = payment.questions;
    // From now on there is something to hear of.
    if again && matches!(payment.sale, GateRequest::Accepted { .. }) {
        checks::begin(payment, at);
    }
}

/// Brings what follows from the facts in line with them.
fn settle(payment: &mut Payment, at: Timestamp) {
    refunds::settle(payment, at);
    checks::settle(payment, at);
}

impl GateRequest {
    /// Whether nothing was sent from here.
    pub(crate) fn is_none(&self) -> bool {
        *self == GateRequest::None
    }

    /// Whether its answer may still come: whoever sends it has not given up yet.
    pub(crate) fn is_under_way(&self, at: Timestamp) -> bool {
        matches!(self, GateRequest::Sending { since, .. } if since.after(SENDING_TAKES) > at)
    }

    /// The platform's name of a request that it took.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            GateRequest::Accepted { request_id } => request_id.as_deref(),
            _ => None,
        }
    }
}
