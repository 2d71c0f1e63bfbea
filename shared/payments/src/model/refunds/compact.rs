//! Reads and writes the stored form of refunds. A refund is stored as a short text if possible, and as JSON
//! otherwise. The text saves space, because a payment can have thousands of external refunds.
//!
//! The text has these fields, separated by `;`:
//!
//! | field | content |
//! | --- | --- |
//! | 1 | the creation time of the [`Refund`], in milliseconds since 1970, in base 36 |
//! | 2 | the state |
//! | 3 | the state in the last event: empty if equal to field 2, `.` if there was no event. `!` can follow |
//! | 4 | the `refund_id` |
//! | 5 | the digest of the storefront's request |
//! | 6 | the code |
//! | 7 | the `operation.id` |
//!
//! A state is the first letter of the status, and the amount. If money was returned, `-` and the returned amount
//! follow. The letter `x` in field 2 means a declined refund whose request Gate refused with the code in field 6. `!`
//! in field 3 means that an event said `declined`, and no later event has corrected it.

use serde::{Deserialize, Deserializer, Serializer};

use super::refund::Refund;
use super::refund_status::RefundStatus;
use crate::model::attempt::gate_request::GateRequest;
use crate::model::emitted::EmittedRefund;
use crate::model::ids::MerchantId;
use crate::model::reported::compact::write_base_36;
use crate::model::short_form::{ShortForm, Stored};
use crate::model::timestamp::Timestamp;

pub(in crate::model) fn serialize<S: Serializer>(
    refunds: &[Refund],
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(refunds.iter().map(Stored))
}

pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<Refund>, D::Error> {
    let stored = Vec::<Stored<Refund>>::deserialize(from)?;
    Ok(stored.into_iter().map(|Stored(refund)| refund).collect())
}

impl ShortForm for Refund {
    fn write(&self) -> Option<String> {
        write(self)
    }

    fn read(text: &str) -> Option<Self> {
        read(text)
    }
}

fn write(refund: &Refund) -> Option<String> {
    let emitted = &refund.emitted;
    let created_at = u64::try_from(refund.created_at.unix_millis()).ok()?;
    let state = state(refund.status, refund.amount, refund.returned_amount);
    let said = match emitted.status {
        None => ".".to_owned(),
        Some(status) => self::state(status, emitted.amount, emitted.returned_amount),
    };
    let said = if said == state { String::new() } else { said };
    let state = match (&refund.request, state.strip_prefix(DECLINED)) {
        (GateRequest::Refused { .. }, Some(amounts)) => format!("{REFUSED}{amounts}"),
        _ => state,
    };
    let declined = if emitted.declined { "!" } else { "" };
    let refund_id = refund.refund_id.as_ref().map_or("", MerchantId::as_str);
    let [content, code, id] = [&refund.content, &refund.code, &refund.operation_id]
        .map(|text| text.as_deref().unwrap_or_default());
    let created_at = write_base_36(created_at);
    let text = format!("{created_at};{state};{said}{declined};{refund_id};{content};{code};{id}");
    (read(&text).as_ref() == Some(refund)).then_some(text)
}

fn read(text: &str) -> Option<Refund> {
    let mut fields = text.splitn(7, ';');
    let mut next = || fields.next();
    let created_at = i64::from_str_radix(next()?, 36).ok()?;
    let current = next()?;
    let said = next()?;
    let [refund_id, content, code, id] = [next()?, next()?, next()?, next()?];
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut refund = Refund::external(id, Timestamp::from_unix_millis(created_at)?);
    refund.refund_id = match refund_id {
        "" => None,
        id => Some(MerchantId::new(id)?),
    };
    refund.operation_id = some(id);
    (refund.content, refund.code) = (some(content), some(code));
    (refund.status, refund.amount, refund.returned_amount) = read_state(current)?;
    if current.starts_with(REFUSED) {
        refund.request = GateRequest::Refused {
            code: code.to_owned(),
            request_id: None,
        };
    }
    let declined = said.ends_with('!');
    let said = said.trim_end_matches('!');
    refund.emitted = EmittedRefund {
        declined,
        ..EmittedRefund::default()
    };
    if said != "." {
        let said = if said.is_empty() { current } else { said };
        let (status, amount, returned_amount) = read_state(said)?;
        refund.emitted.status = Some(status);
        (refund.emitted.amount, refund.emitted.returned_amount) = (amount, returned_amount);
    }
    Some(refund)
}

/// Returns what the last event about a refund said: the state, and `!` as in field 3. Returns `None` without an
/// event. The digest of a clarification request is left out.
pub(super) fn write_emitted(emitted: &EmittedRefund) -> Option<String> {
    let state = state(emitted.status?, emitted.amount, emitted.returned_amount);
    Some(match emitted.declined {
        true => format!("{state}!"),
        false => state,
    })
}

pub(super) fn read_emitted(text: &str) -> Option<EmittedRefund> {
    let (status, amount, returned_amount) = read_state(text.trim_end_matches('!'))?;
    Some(EmittedRefund {
        status: Some(status),
        amount,
        returned_amount,
        declined: text.ends_with('!'),
        ..EmittedRefund::default()
    })
}

const DECLINED: char = 'd';
/// A declined refund whose request Gate refused.
const REFUSED: char = 'x';

const LETTERS: [(RefundStatus, char); 5] = [
    (RefundStatus::Pending, 'p'),
    (RefundStatus::Unknown, 'u'),
    (RefundStatus::Succeeded, 's'),
    (RefundStatus::Declined, DECLINED),
    (RefundStatus::Returned, 'r'),
];

fn state(status: RefundStatus, amount: u64, returned_amount: u64) -> String {
    let letter = LETTERS.iter().find(|(known, _)| *known == status);
    let letter = letter.map_or('?', |(_, letter)| *letter);
    match returned_amount {
        0 => format!("{letter}{amount}"),
        returned => format!("{letter}{amount}-{returned}"),
    }
}

fn read_state(text: &str) -> Option<(RefundStatus, u64, u64)> {
    let mut characters = text.chars();
    let letter = characters.next()?;
    let letter = if letter == REFUSED { DECLINED } else { letter };
    let (status, _) = LETTERS.iter().find(|(_, known)| *known == letter)?;
    let amounts = characters.as_str();
    let (amount, returned) = amounts.split_once('-').unwrap_or((amounts, "0"));
    Some((*status, amount.parse().ok()?, returned.parse().ok()?))
}
