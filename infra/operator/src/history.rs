//! A payment with its history: everything but what is personal or secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use anyhow::Context;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::events::Event;
use payments::events::view::PaymentView;
use payments::model::schedule::Next;
use payments::model::{Decision, Evidence, Payment, QuarantineItem};
use payments::ports::Stored;
use serde::{Deserialize, Serialize};

use crate::quarantine::{Quarantine, of_item};
use crate::text::{money, name, plain, ranges};

/// A payment with its history.
#[derive(Serialize)]
pub struct History<'a> {
    project_id: ProjectId,
    #[serde(flatten)]
    view: PaymentView<'a>,
    storefront: Option<&'a str>,
    expires_at: Option<Timestamp>,
    other_payment_ids: &'a BTreeSet<String>,
    quarantine_items: BTreeSet<QuarantineItem>,
    decisions: &'a [Decision],
    /// How sure the outcome of each operation is.
    evidence: BTreeMap<&'a str, Evidence>,
    polling: PollingView,
    next: Option<Plan>,
    events: Vec<EventRow>,
    /// The numbers of events that are not kept any more.
    gone: Vec<u64>,
    #[serde(skip)]
    payment: &'a Payment,
    #[serde(skip)]
    quarantined: Quarantine,
    #[serde(skip)]
    at: Timestamp,
}

/// The status requests about a payment, by their numbers.
#[derive(Serialize)]
struct PollingView {
    polls_sent: u32,
    last_answered: u32,
    last_not_found: u32,
    needs_recheck: bool,
}

/// What is due next.
#[derive(Serialize)]
struct Plan {
    what: What,
    at: Timestamp,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Poll,
    Expire,
    Erase,
    Overdue,
}

/// An event.
#[derive(Serialize)]
struct EventRow {
    sequence: u64,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    time: Timestamp,
    sent: bool,
}

#[derive(Deserialize)]
struct Body {
    time: Timestamp,
}

impl<'a> History<'a> {
    pub fn new(
        stored: &'a Stored,
        next: Option<Next>,
        events: &[Event],
        at: Timestamp,
    ) -> anyhow::Result<Self> {
        let payment = &stored.payment;
        let order = payment.order();
        let rows = events.iter().map(|event| {
            let body: Body = serde_json::from_str(&event.body)
                .with_context(|| format!("event {} cannot be read", event.sequence))?;
            Ok(EventRow {
                sequence: event.sequence,
                id: event.id.clone(),
                kind: event.kind.as_str(),
                time: body.time,
                sent: event.sequence <= stored.published,
            })
        });
        let kept: BTreeSet<u64> = events.iter().map(|event| event.sequence).collect();
        let numbers = 1..=payment.sequence();
        let polling = payment.polling();
        let operations = payment.operations();
        Ok(Self {
            project_id: payment.project_id(),
            view: PaymentView::new(payment, at),
            storefront: order.map(|order| order.storefront.as_str()),
            expires_at: order.map(|order| order.expires_at),
            other_payment_ids: payment.earlier_payments_of_order(),
            quarantine_items: payment.quarantine(),
            decisions: payment.decisions(),
            evidence: operations.map(|(id, one)| (id, one.evidence())).collect(),
            polling: PollingView {
                polls_sent: polling.polls_sent(),
                last_answered: polling.last_answered(),
                last_not_found: polling.last_not_found(),
                needs_recheck: polling.needs_recheck(),
            },
            next: next.map(|next| {
                let (what, at) = match next {
                    Next::Poll(at) => (What::Poll, at),
                    Next::Expire(at) => (What::Expire, at),
                    Next::Erase(at) => (What::Erase, at),
                    Next::Overdue(at) => (What::Overdue, at),
                };
                Plan { what, at }
            }),
            events: rows.collect::<anyhow::Result<_>>()?,
            gone: numbers.filter(|number| !kept.contains(number)).collect(),
            payment,
            quarantined: Quarantine::of(payment, at)?,
            at,
        })
    }
}

/// For people.
impl Display for History<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        let id = plain(payment.payment_id());
        writeln!(to, "{}/{id}: {}", self.project_id, name(&payment.status()))?;
        self.order(to)?;
        self.money(to)?;
        if let Some(status) = payment.platform_status() {
            writeln!(to, "payment.status at the platform: {}", plain(status))?;
        }
        if let Some(code) = payment.refusal_code() {
            writeln!(to, "the sale was refused: {}", plain(code))?;
        }
        let (created, updated) = (payment.created_at(), payment.updated_at());
        writeln!(to, "created {created}, changed {updated}")?;
        self.plan(to)?;
        self.operations(to)?;
        self.refunds(to)?;
        self.review(to)?;
        self.events(to)
    }
}

impl History<'_> {
    fn order(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Some(order) = self.payment.order() else {
            return writeln!(to, "not created here");
        };
        let order_id = order.order_id.as_ref().map_or("-", |id| id.as_str());
        let (storefront, channel) = (plain(&order.storefront), name(&order.channel));
        writeln!(to, "order {order_id} of {storefront}, by {channel}")?;
        let checkout = self.payment.checkout_state(self.at);
        let checkout = checkout.map_or_else(String::new, |state| name(&state));
        writeln!(to, "checkout {checkout}, expiry {}", order.expires_at)?;
        let others = self.other_payment_ids.iter();
        let others: Vec<String> = others.map(|id| plain(id)).collect();
        if !others.is_empty() {
            writeln!(to, "the order was paid before, by {}", others.join(", "))?;
        }
        Ok(())
    }

    fn money(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        if let Some(order) = payment.order() {
            let (amount, currency) = (order.amount.get(), order.currency.code());
            writeln!(to, "ordered {}", money(amount, currency))?;
        }
        let currency = payment.currency().unwrap_or("EUR");
        for (what, amount) in [
            ("paid", payment.paid_amount()),
            ("refunded", payment.refunded_amount()),
            ("on its way back", payment.pending_refund_amount()),
            ("refundable", payment.refundable_amount()),
        ] {
            writeln!(to, "{what} {}", money(amount, currency))?;
        }
        Ok(())
    }

    fn plan(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let polling = &self.polling;
        write!(to, "status requests: {} sent", polling.polls_sent)?;
        for (what, number) in [
            ("answered", polling.last_answered),
            ("answered \"not found\"", polling.last_not_found),
        ] {
            if number > 0 {
                write!(to, ", last {what}: number {number}")?;
            }
        }
        writeln!(to)?;
        if polling.needs_recheck {
            writeln!(to, "a recheck is due: only a signed answer settles it")?;
        }
        let Some(Plan { what, at }) = &self.next else {
            return writeln!(to, "nothing is due");
        };
        match what {
            What::Poll => writeln!(to, "next: status request {at}"),
            What::Expire => writeln!(to, "next: the checkout expires {at}"),
            What::Erase => writeln!(to, "next: the customer is erased {at}"),
            What::Overdue => writeln!(to, "overdue since {at}: the platform is polled no more"),
        }
    }

    fn operations(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for (id, operation) in self.payment.operations() {
            let (kind, outcome) = (plain(operation.kind().as_str()), name(&operation.outcome()));
            write!(to, "operation {}: {kind} {outcome}", plain(id))?;
            if let Some((amount, currency)) = operation.amount().zip(operation.currency()) {
                write!(to, ", {}", money(amount, currency))?;
            }
            let status = plain(operation.platform_status());
            write!(to, ", status at the platform {status}")?;
            if let Some(code) = operation.code() {
                write!(to, " (code {})", plain(code))?;
            }
            writeln!(to, ", {}", name(&operation.evidence()))?;
        }
        Ok(())
    }

    fn refunds(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for refund in self.payment.refunds() {
            let id = refund.refund_id();
            let id = id.map_or("not requested here", |id| id.as_str());
            let (amount, status) = (money(refund.amount(), "EUR"), name(&refund.status()));
            write!(to, "refund {id}: {status}, {amount}")?;
            if refund.returned_amount() > 0 {
                let returned = money(refund.returned_amount(), "EUR");
                write!(to, ", {returned} returned")?;
            }
            if let Some(operation_id) = refund.operation_id() {
                write!(to, ", operation {}", plain(operation_id))?;
            }
            if let Some(code) = refund.code() {
                write!(to, " (code {})", plain(code))?;
            }
            writeln!(to, ", {}", refund.created_at())?;
            let asked = self.payment.clarification_request_of(refund);
            for field in asked.map_or(&[][..], |asked| asked.clarification_fields()) {
                let is_required = if field.required { ", required" } else { "" };
                writeln!(to, "    asks for {}{is_required}", plain(&field.name))?;
            }
        }
        Ok(())
    }

    /// What is in quarantine, and what operators decided.
    fn review(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if !self.quarantine_items.is_empty() {
            writeln!(to, "in quarantine:")?;
        }
        write!(to, "{}", self.quarantined)?;
        for decision in self.decisions {
            let (verdict, by) = (name(&decision.verdict), plain(&decision.by));
            writeln!(to, "{verdict} by {by}, {}", decision.at)?;
            for item in &decision.items {
                writeln!(to, "    {}", of_item(item))?;
            }
        }
        Ok(())
    }

    fn events(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if !self.gone.is_empty() {
            let gone = ranges(self.gone.iter().copied());
            writeln!(to, "events that are not kept any more: {gone}")?;
        }
        for event in &self.events {
            let sent = if event.sent { "sent" } else { "not sent" };
            let (number, kind) = (event.sequence, event.kind);
            writeln!(to, "event {number}: {kind}, {}, {sent}", event.time)?;
        }
        Ok(())
    }
}
