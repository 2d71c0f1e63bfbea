//! Shows the quarantine of a payment as text.

use std::fmt::{self, Display, Formatter};

use anyhow::Context;
use ecommpay::report::Sum;
use payments::Timestamp;
use payments::events::view::PaymentView;
use payments::model::{Payment, QuarantineItem};
use serde::Deserialize;

use crate::output::text::{money, plain, spaced};

/// The quarantine items of a payment, the ordered sum, and every sum that the platform named.
pub struct Quarantine {
    items: Vec<String>,
    ordered: Option<Sum>,
    reported: Vec<ReportedSum>,
}

/// The fields of the public view that this module reads. The module reads the reported sums from the public view,
/// because the quarantine items do not have all of them.
#[derive(Deserialize)]
struct View {
    quarantine: Option<Vec<Reason>>,
}

/// A quarantine reason. Each reason of a payment repeats the same sums.
#[derive(Deserialize)]
struct Reason {
    ordered: Option<Sum>,
    reported: Vec<ReportedSum>,
}

#[derive(Deserialize)]
struct ReportedSum {
    operation_id: Option<String>,
    field: String,
    #[serde(flatten)]
    sum: Sum,
}

impl Quarantine {
    pub fn of(payment: &Payment, at: Timestamp) -> anyhow::Result<Self> {
        let view = serde_json::to_value(PaymentView::new(payment, at))?;
        let view: View = serde_json::from_value(view).context("the quarantine cannot be read")?;
        let first = view.quarantine.unwrap_or_default().into_iter().next();
        let (ordered, reported) = first.map_or((None, Vec::new()), |reason| {
            (reason.ordered, reason.reported)
        });
        Ok(Self {
            items: payment.quarantine().iter().map(describe).collect(),
            ordered,
            reported,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Display for Quarantine {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            writeln!(to, "    {item}")?;
        }
        if let Some(ordered) = &self.ordered {
            writeln!(to, "    ordered: {}", format(ordered))?;
        }
        for reported in &self.reported {
            let (field, sum) = (plain(&reported.field), format(&reported.sum));
            match &reported.operation_id {
                Some(id) => writeln!(to, "    {field} of operation {}: {sum}", plain(id))?,
                None => writeln!(to, "    {field}: {sum}")?,
            }
        }
        Ok(())
    }
}

fn format(sum: &Sum) -> String {
    money(sum.amount, &sum.currency)
}

pub fn describe(item: &QuarantineItem) -> String {
    let mut text = spaced(&item.reason);
    if let Some(id) = &item.operation_id {
        text += &format!(", operation {}", plain(id));
    }
    if let Some(sum) = &item.reported {
        text += &format!(", the platform reports {}", format(sum));
    }
    if let Some(status) = &item.status {
        text += &format!(", the platform reports the status {}", plain(status));
    }
    text
}
