//! What is told of a payment: everything but what is personal or secret.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use anyhow::Context;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::event::Event;
use payments::model::{Decision, Doubt, Payment};
use payments::ports::Stored;
use payments::schedule::Next;
use payments::view::PaymentView;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::{money, plain, ranges};

/// A payment with its history.
#[derive(Serialize)]
pub struct History<'a> {
    project_id: ProjectId,
    #[serde(flatten)]
    view: PaymentView<'a>,
    storefront: Option<&'a str>,
    expires_at: Option<Timestamp>,
    other_payment_ids: &'a BTreeSet<String>,
    doubts: BTreeSet<Doubt>,
    decisions: &'a [Decision],
    questions: u32,
    next: Option<Plan>,
    events: Vec<Told>,
    /// The numbers of events that are not kept any more.
    gone: Vec<u64>,
    #[serde(skip)]
    payment: &'a Payment,
}

/// What is done about it next.
#[derive(Serialize)]
struct Plan {
    what: &'static str,
    at: Timestamp,
}

/// An event.
#[derive(Serialize)]
struct Told {
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
    pub fn new(stored: &'a Stored, next: Option<Next>, events: &[Event]) -> anyhow::Result<Self> {
        let payment = &stored.payment;
        let order = payment.order.as_ref();
        let told = events.iter().map(|event| {
            let body: Body = serde_json::from_str(&event.body)
                .with_context(|| format!("event {} cannot be read", event.sequence))?;
            Ok(Told {
                sequence: event.sequence,
                id: event.id.clone(),
                kind: event.kind.as_str(),
                time: body.time,
                sent: event.sequence <= stored.published,
            })
        });
        let kept: BTreeSet<u64> = events.iter().map(|event| event.sequence).collect();
        let numbers = 1..=payment.sequence;
        Ok(Self {
            project_id: payment.project_id,
            view: PaymentView::new(payment),
            storefront: order.map(|order| order.storefront.as_str()),
            expires_at: order.map(|order| order.expires_at),
            other_payment_ids: &payment.paid_before_by,
            doubts: payment.doubts(),
            decisions: &payment.decisions,
            questions: payment.questions,
            next: next.map(|next| match next {
                Next::Ask(at) => Plan { what: "ask", at },
                Next::Erase(at) => Plan { what: "erase", at },
                Next::Overdue(at) => Plan {
                    what: "overdue",
                    at,
                },
            }),
            events: told.collect::<anyhow::Result<_>>()?,
            gone: numbers.filter(|number| !kept.contains(number)).collect(),
            payment,
        })
    }
}

/// For people.
impl Display for History<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        let id = plain(&payment.payment_id);
        writeln!(to, "{}/{id}: {}", self.project_id, name(&payment.status()))?;
        self.order(to)?;
        self.money(to)?;
        if let Some(last) = &payment.platform_status {
            writeln!(to, "the platform says: {}", plain(&last.status))?;
        }
        if let Some(code) = payment.refusal_code() {
            writeln!(to, "the sale was refused: {}", plain(code))?;
        }
        writeln!(
            to,
            "begun {}, changed {}",
            payment.created_at, payment.updated_at
        )?;
        self.plan(to)?;
        self.operations(to)?;
        self.refunds(to)?;
        for doubt in &self.doubts {
            writeln!(to, "doubt: {}", of_doubt(doubt))?;
        }
        for decision in self.decisions {
            let (verdict, by) = (name(&decision.verdict), plain(&decision.by));
            writeln!(to, "{verdict} by {by}, {}", decision.at)?;
            for doubt in &decision.doubts {
                writeln!(to, "    {}", of_doubt(doubt))?;
            }
        }
        self.events(to)
    }
}

impl History<'_> {
    fn order(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Some(order) = &self.payment.order else {
            return writeln!(to, "nobody created it here");
        };
        let order_id = order.order_id.as_ref().map_or("-", |id| id.as_str());
        let (storefront, channel) = (plain(&order.storefront), name(&order.channel));
        writeln!(to, "order {order_id} of {storefront}, by {channel}")?;
        writeln!(to, "the checkout ends {}", order.expires_at)?;
        let others: Vec<String> = self.other_payment_ids.iter().map(|id| plain(id)).collect();
        if !others.is_empty() {
            writeln!(to, "the order was paid before, by {}", others.join(", "))?;
        }
        Ok(())
    }

    fn money(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let payment = self.payment;
        if let Some(order) = &payment.order {
            let (amount, currency) = (order.amount.get(), order.currency.code());
            writeln!(to, "ordered {}", money(amount, currency))?;
        }
        let paid_in = payment.payings().find_map(|one| one.currency.as_deref());
        let currency = paid_in.unwrap_or("EUR");
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
        writeln!(to, "questions to the platform: {}", self.questions)?;
        match &self.next {
            None => writeln!(to, "nothing is to be done"),
            Some(Plan { what: "ask", at }) => writeln!(to, "the platform is asked {at}"),
            Some(Plan { what: "erase", at }) => writeln!(to, "the customer is forgotten {at}"),
            Some(Plan { at, .. }) => {
                writeln!(to, "overdue since {at}: nobody is asked any more")
            }
        }
    }

    fn operations(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for (id, operation) in &self.payment.operations {
            let (kind, status) = (plain(&operation.kind), plain(&operation.platform_status));
            write!(
                to,
                "operation {}: {kind} {}",
                plain(id),
                name(&operation.outcome)
            )?;
            if let Some((amount, currency)) = operation.amount.zip(operation.currency.as_deref()) {
                write!(to, ", {}", money(amount, currency))?;
            }
            write!(to, ", the platform says {status}")?;
            if let Some(code) = &operation.code {
                write!(to, " (code {})", plain(code))?;
            }
            let is_confirmed = if operation.confirmed {
                ", confirmed"
            } else {
                ""
            };
            writeln!(to, "{is_confirmed}")?;
        }
        Ok(())
    }

    fn refunds(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for refund in &self.payment.refunds {
            let id = refund.refund_id.as_ref();
            let id = id.map_or("made at the platform", |id| id.as_str());
            let (amount, status) = (money(refund.amount, "EUR"), name(&refund.status));
            write!(to, "refund {id}: {status}, {amount}")?;
            if let Some(operation_id) = &refund.operation_id {
                write!(to, ", operation {}", plain(operation_id))?;
            }
            if let Some(code) = &refund.code {
                write!(to, " (code {})", plain(code))?;
            }
            writeln!(to, ", {}", refund.created_at)?;
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

/// A doubt in a few words.
pub fn of_doubt(doubt: &Doubt) -> String {
    let amount = doubt.amount.map(|amount| format!(", {amount} cents"));
    let (id, reason) = (plain(&doubt.operation_id), name(&doubt.reason));
    format!("operation {id}: {reason}{}", amount.unwrap_or_default())
}

/// A value's name as JSON has it, with spaces.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name.replace('_', " "),
        _ => String::new(),
    }
}
