//! What speaks against taking a payment's money as paid, for people.

use std::fmt::{self, Display, Formatter};

use anyhow::Context;
use payments::Timestamp;
use payments::events::view::PaymentView;
use payments::model::{Payment, QuarantineItem};
use serde::Deserialize;
use serde_json::Value;

use crate::text::{money, name, plain};

/// Why the money of a payment is not taken as paid, what was ordered, and every sum that the platform
/// named.
pub struct Quarantine {
    items: Vec<String>,
    ordered: Option<Sum>,
    reported: Vec<ReportedSum>,
}

/// One reason, as storefronts and events see it. Each has the same sums.
#[derive(Deserialize)]
struct Reason {
    ordered: Option<Sum>,
    reported: Vec<ReportedSum>,
}

#[derive(Deserialize)]
struct Sum {
    amount: u64,
    currency: String,
}

#[derive(Deserialize)]
struct ReportedSum {
    operation_id: Option<String>,
    field: String,
    #[serde(flatten)]
    sum: Sum,
}

impl Quarantine {
    /// Without items if the payment is not in quarantine.
    pub fn of(payment: &Payment, at: Timestamp) -> anyhow::Result<Self> {
        let view = serde_json::to_value(PaymentView::new(payment, at))?;
        let reasons = view.get("quarantine").cloned().unwrap_or(Value::Null);
        let reasons: Option<Vec<Reason>> =
            serde_json::from_value(reasons).context("the quarantine cannot be read")?;
        let first = reasons.unwrap_or_default().into_iter().next();
        let (ordered, reported) = first.map_or((None, Vec::new()), |reason| {
            (reason.ordered, reason.reported)
        });
        Ok(Self {
            items: payment.quarantine().iter().map(of_item).collect(),
            ordered,
            reported,
        })
    }
}

impl Display for Quarantine {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            writeln!(to, "    {item}")?;
        }
        if self.items.is_empty() {
            return Ok(());
        }
        if let Some(ordered) = &self.ordered {
            writeln!(to, "    ordered: {}", ordered.money())?;
        }
        for ReportedSum {
            operation_id,
            field,
            sum,
        } in &self.reported
        {
            let (field, sum) = (plain(field), sum.money());
            match operation_id {
                Some(id) => writeln!(to, "    {field} of operation {}: {sum}", plain(id))?,
                None => writeln!(to, "    {field}: {sum}")?,
            }
        }
        Ok(())
    }
}

impl Sum {
    fn money(&self) -> String {
        money(self.amount, &self.currency)
    }
}

/// An item in a few words.
pub fn of_item(item: &QuarantineItem) -> String {
    let mut text = name(&item.reason);
    if let Some(id) = &item.operation_id {
        text += &format!(", operation {}", plain(id));
    }
    if let Some(sum) = &item.reported {
        text += &format!(
            ", the platform reports {}",
            money(sum.amount, &sum.currency)
        );
    }
    text
}
