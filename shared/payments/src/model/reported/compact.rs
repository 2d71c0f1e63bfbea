//! Reads and writes the stored form of operations. To save space, an operation is stored as a short text instead of
//! JSON if the text can contain every part of the operation.
//!
//! The short text consists of parts, separated by `|`. The first character of a part gives its content:
//!
//! | first character | content of the part |
//! | --- | --- |
//! | `p` | a pending report |
//! | `s`, `d` | a report of a success or of a decline, in a callback |
//! | `S`, `D` | a report of a success or of a decline, in a signed answer |
//! | `q` | the digest of a `request_id`. An operation can have two such parts |
//! | `m` | the digest of the merchant's id of a refund |
//! | `c` | the creation date |
//! | `u` | the newest signed answer does not list the operation |
//! | `o` | the operation is older than the checkout |
//!
//! A report has these fields, separated by `;`:
//! 1. the type: `s` for a sale, `r` for a refund, `v` for a reversal, `b` for a `refund reverse`
//! 2. `sum_initial`, without the currency if the currency is EUR
//! 3. `operation.date`
//! 4. `payment.date`: empty if equal to `operation.date`, `-` if the report has none
//! 5. `sum_converted`, in the form of `sum_initial`
//! 6. `!` if the report ends the payment
//!
//! Empty fields at the end are left out. A date is the number of seconds since 1970, in base 36.

use std::collections::BTreeMap;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Deserializer, Serializer};

use super::operation::{Operation, OperationIds};
use super::operation_report::{FinalReport, Pending};
use super::report_order::ReportOrder;
use crate::json_text::to_json_string;
use crate::model::short_form::{ShortForm, Stored};
use crate::model::timestamp::Timestamp;

pub(super) fn serialize<S: Serializer>(
    operations: &BTreeMap<String, Operation>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(operations.iter().map(|(id, one)| (id, Stored(one))))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Operation>, D::Error> {
    let stored = BTreeMap::<String, Stored<Operation>>::deserialize(from)?;
    let operations = stored.into_iter().map(|(id, Stored(one))| (id, one));
    Ok(operations.collect())
}

impl ShortForm for Operation {
    fn write(&self) -> Option<String> {
        write(self)
    }

    fn read(text: &str) -> Option<Self> {
        read(text)
    }
}

pub(super) fn stored_length(operation: &Operation) -> usize {
    to_json_string(&Stored(operation)).len()
}

/// Returns the short text; `None` if it cannot contain every part of the operation.
fn write(operation: &Operation) -> Option<String> {
    if operation.payment_status.is_some() || operation.payment_sum.is_some() {
        return None;
    }
    let mut parts = Vec::new();
    if let Some(pending) = &operation.pending {
        if pending.waiting.is_some() || pending.code.is_some() || !pending.status.is_empty() {
            return None;
        }
        parts.push(format!(
            "p{}",
            write_report(&pending.kind, [&pending.sum, &None], &pending.order, false)?
        ));
    }
    for report in &operation.finals {
        let flag = match (report.outcome, report.signed) {
            (Outcome::Succeeded, true) => 'S',
            (Outcome::Succeeded, false) => 's',
            (Outcome::Declined, true) => 'D',
            (Outcome::Declined, false) => 'd',
            (Outcome::Pending, _) => return None,
        };
        if report.code.is_some() || !report.status.is_empty() {
            return None;
        }
        let sums = [&report.sum_initial, &report.sum_converted];
        let text = write_report(&report.kind, sums, &report.order, report.ends_payment)?;
        parts.push(format!("{flag}{text}"));
    }
    let OperationIds {
        request_id,
        other_request_id,
        merchant_refund_id,
        created_date,
    } = operation.ids();
    let ids = [
        ('q', request_id),
        ('q', other_request_id),
        ('m', merchant_refund_id),
    ];
    for (flag, id) in ids {
        if let Some(id) = id {
            parts.push(format!("{flag}{}", id.strip_prefix('#')?));
        }
    }
    if let Some(date) = created_date {
        parts.push(format!("c{}", write_date(&date)?));
    }
    if operation.unlisted {
        parts.push("u".to_owned());
    }
    if operation.older_than_checkout {
        parts.push("o".to_owned());
    }
    let text = parts.join("|");
    (read(&text).as_ref() == Some(operation)).then_some(text)
}

fn read(text: &str) -> Option<Operation> {
    let mut operation = Operation::default();
    let mut ids = OperationIds::default();
    for part in text.split('|').filter(|part| !part.is_empty()) {
        let mut characters = part.chars();
        let flag = characters.next()?;
        let content = characters.as_str();
        match flag {
            'q' if ids.request_id.is_some() => {
                ids.other_request_id = Some(format!("#{content}"));
            }
            'q' => ids.request_id = Some(format!("#{content}")),
            'm' => ids.merchant_refund_id = Some(format!("#{content}")),
            'c' => ids.created_date = Some(read_date(content)?),
            'u' => operation.unlisted = true,
            'o' => operation.older_than_checkout = true,
            'p' => {
                let Parts {
                    kind, sum, order, ..
                } = read_report(content)?;
                operation.pending = Some(Pending {
                    order,
                    kind,
                    status: String::new(),
                    code: None,
                    sum,
                    waiting: None,
                });
            }
            flag => {
                let outcome = match flag.to_ascii_lowercase() {
                    's' => Outcome::Succeeded,
                    'd' => Outcome::Declined,
                    _ => return None,
                };
                let Parts {
                    kind,
                    sum,
                    order,
                    sum_converted,
                    ends_payment,
                } = read_report(content)?;
                operation.finals.push(FinalReport {
                    signed: flag.is_ascii_uppercase(),
                    outcome,
                    kind,
                    sum_initial: sum,
                    sum_converted,
                    ends_payment,
                    order,
                    first_date: None,
                    status: String::new(),
                    code: None,
                });
            }
        }
    }
    operation.set_ids(ids);
    Some(operation)
}

struct Parts {
    kind: OperationType,
    sum: Option<Sum>,
    order: ReportOrder,
    sum_converted: Option<Sum>,
    ends_payment: bool,
}

fn write_report(
    kind: &OperationType,
    [sum, converted]: [&Option<Sum>; 2],
    order: &ReportOrder,
    ends_payment: bool,
) -> Option<String> {
    let kind = match kind {
        OperationType::Refund => "r",
        OperationType::Reversal => "v",
        OperationType::RefundReversal => "b",
        OperationType::Sale => "s",
        OperationType::Other(word) if word.len() < 2 => return None,
        other => other.as_str(),
    };
    let (date, payment_date) = order.dates();
    if !order.has_no_digest() {
        return None;
    }
    let other_date = match payment_date == date {
        true => String::new(),
        false if payment_date.is_empty() => "-".to_owned(),
        false => write_date(payment_date)?,
    };
    let end = if ends_payment { "!" } else { "" };
    let fields = [
        kind,
        &write_sum(sum),
        &write_date(date)?,
        &other_date,
        &write_sum(converted),
        end,
    ];
    if fields.iter().any(|field| field.contains([';', '|'])) {
        return None;
    }
    Some(fields.join(";").trim_end_matches(';').to_owned())
}

fn read_report(text: &str) -> Option<Parts> {
    let mut fields = text.split(';');
    let mut next = || fields.next().unwrap_or_default();
    let kind = match next() {
        "r" => OperationType::Refund,
        "v" => OperationType::Reversal,
        "b" => OperationType::RefundReversal,
        "s" => OperationType::Sale,
        word => OperationType::from(word),
    };
    let sum = read_sum(next())?;
    let date = read_date(next())?;
    let payment_date = match next() {
        "" => date.clone(),
        "-" => String::new(),
        other => read_date(other)?,
    };
    Some(Parts {
        kind,
        sum,
        order: ReportOrder::new(&date, &payment_date, ""),
        sum_converted: read_sum(next())?,
        ends_payment: next() == "!",
    })
}

fn write_sum(sum: &Option<Sum>) -> String {
    match sum {
        None => String::new(),
        Some(sum) if sum.currency == "EUR" => sum.amount.to_string(),
        Some(sum) => format!("{} {}", sum.amount, sum.currency),
    }
}

fn read_sum(text: &str) -> Option<Option<Sum>> {
    if text.is_empty() {
        return Some(None);
    }
    let (amount, currency) = text.split_once(' ').unwrap_or((text, "EUR"));
    Some(Some(Sum {
        amount: amount.parse().ok()?,
        currency: currency.to_owned(),
    }))
}

/// Returns the seconds of a date in base 36; `None` if the date is not in the form that [`normal_date`] returns.
fn write_date(date: &str) -> Option<String> {
    if date.is_empty() {
        return Some(String::new());
    }
    let time = Timestamp::of_platform(date)?;
    let seconds = u64::try_from(time.unix_seconds()).ok()?;
    (time.to_platform() == date).then(|| write_base_36(seconds))
}

fn read_date(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let seconds = i64::from_str_radix(text, 36).ok()?;
    Timestamp::from_unix_seconds(seconds).map(Timestamp::to_platform)
}

/// Converts a date of the platform to UTC. Returns an empty text if the date is invalid or before 1970.
pub(super) fn normal_date(date: &str) -> String {
    let time = Timestamp::of_platform(date);
    let time = time.filter(|time| time.unix_seconds() >= 0);
    time.map(Timestamp::to_platform).unwrap_or_default()
}

pub(in crate::model) fn write_base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        digits.extend(char::from_digit(digit, 36));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}
