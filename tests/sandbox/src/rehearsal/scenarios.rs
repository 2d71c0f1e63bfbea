//! Lists the scenarios.

use anyhow::Context;
use payments::events::{Event, EventKind};

use super::expected::Expected::{
    self, NeverShipped, NotShippedOrTakenBack, ShippedOnce, ShippedThenHeld, ShippedThenTakenBack,
    TakenBackThenHeld,
};
use super::history::History;
use super::scenario::{Message, Play, Scenario, Setting};
use super::shared::later_release;
use crate::platform::records::CreditingResult;

type Played = anyhow::Result<Play>;

const STORE_IDS: &str = "Store the id of each event";
const NEWEST_STATE: &str = "Decide by the newest state.";

/// Every scenario, in the order in which they are played. The last scenarios can stop a consumer.
#[rustfmt::skip]
pub static ALL: [Scenario; 23] = [
    Scenario::new("gaps", "some events of a payment never arrive", "Never wait for a sequence number.", gaps),
    Scenario::new("repeats", "each event arrives three times", STORE_IDS, repeats),
    Scenario::new("repeats_later", "the events of two payments arrive again after all other scenarios", "Store the ids as long as an event can be repeated.", repeats_later),
    Scenario::new("partial_refund", "a part of the money is refunded", NEWEST_STATE, partial_refund),
    Scenario::new("full_refund", "two refunds return all money", "take back if the payment is completely refunded", full_refund),
    Scenario::new("late_event", "the success arrives after the events of a partial refund", NEWEST_STATE, late_event),
    Scenario::new("out_of_order", "the events of six payments arrive in random order", NEWEST_STATE, out_of_order),
    Scenario::new("refund_before_success", "the events of a complete refund arrive before the success", NEWEST_STATE, refund_before_success),
    Scenario::new("return_before_success", "a complete refund and its return arrive before the success", "Ship only if the newest success is newer than the newest state without money or under review.", return_before_success),
    Scenario::new("refund_returned", "the bank takes a complete refund back", "`refund.returned` | hold goods that were taken back", refund_returned),
    Scenario::new("quarantine_released", "an operator releases money that differs from the order", "`payment.quarantined`, `payment.unmatched` | hold", quarantine_released),
    Scenario::new("quarantine_rejected", "an operator rejects money that differs from the order", "`payment.quarantined`, `payment.unmatched` | hold", quarantine_rejected),
    Scenario::new("confirmed", "the money is confirmed after a wait", "`payment.awaiting_confirmation` | ship nothing yet", confirmed),
    Scenario::new("not_confirmed", "the money is never confirmed", "`payment.awaiting_confirmation` | ship nothing yet", not_confirmed),
    Scenario::new("withdrawn", "the platform confirms the money and then withdraws it", "`payment.declined` with the field corrects | take back", withdrawn),
    Scenario::new("success_after_decline", "a success follows a decline", "`payment.succeeded` | ship, with or without the field `late`", success_after_decline),
    Scenario::new("success_after_expiry", "a success follows the end of the checkout", "`payment.succeeded` | ship, with or without the field `late`", success_after_expiry),
    Scenario::new("paid_twice", "another payment had paid the order", "`order.paid_twice` | hold", paid_twice),
    Scenario::new("paid_twice_early", "`order.paid_twice` arrives before the success", "`order.paid_twice` | hold, even if `payment.succeeded` arrives later", paid_twice_early),
    Scenario::new("unknown", "a later release sends a new type and new fields", "Ignore unknown event types and fields.", unknown),
    Scenario::new("burst", "the events of many payments arrive at once", STORE_IDS, burst),
    Scenario { kills: true, ..Scenario::new("killed", "the consumer is killed while it processes an event", STORE_IDS, killed) },
    Scenario::new("poison", "messages that are no events arrive", "Report each failed message", poison),
];

fn first(events: &[Event]) -> Vec<Message> {
    events.iter().map(Message::first).collect()
}

/// Returns the scenario in which the events of one payment arrive once and in order.
fn in_order(history: &History<'_>, expected: Expected) -> Play {
    Play::of(first(&history.events()), &[(history.key(), expected)])
}

/// Returns the scenario in which all events of one payment arrive before its success.
fn success_last(history: &History<'_>, expected: Expected) -> Play {
    let is_success = |event: &Event| event.kind == EventKind::PaymentSucceeded;
    let mut events = history.events();
    events.sort_by_key(is_success);
    Play::of(first(&events), &[(history.key(), expected)])
}

fn paid<'a>(setting: &Setting<'a>) -> anyhow::Result<History<'a>> {
    let mut history = setting.shared.history()?;
    history.pay()?;
    Ok(history)
}

/// Returns a payment that is refunded in part if the number is even, and otherwise in full.
fn refunded<'a>(setting: &Setting<'a>, number: u32) -> anyhow::Result<(History<'a>, Expected)> {
    let mut history = paid(setting)?;
    history.refund(Some(400))?;
    if number.is_multiple_of(2) {
        return Ok((history, ShippedOnce));
    }
    history.refund(None)?;
    Ok((history, ShippedThenTakenBack))
}

fn gaps(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(Some(300))?.refund(None)?;
    let events = history.events();
    let ends = [events.first(), events.last()].into_iter().flatten();
    let messages = ends.map(Message::first).collect();
    Ok(Play::of(messages, &[(history.key(), ShippedThenTakenBack)]))
}

fn repeats(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(None)?;
    let mut messages = Vec::new();
    for event in history.events() {
        messages.push(Message::first(&event));
        messages.extend([Message::again(&event), Message::again(&event)]);
    }
    Ok(Play::of(messages, &[(history.key(), ShippedThenTakenBack)]))
}

fn repeats_later(setting: &mut Setting<'_>) -> Played {
    let (mut kept, mut returned) = (paid(setting)?, paid(setting)?);
    kept.refund(Some(400))?;
    returned.refund(None)?;
    let events = [kept.events(), returned.events()].concat();
    let expected = [
        (kept.key(), ShippedOnce),
        (returned.key(), ShippedThenTakenBack),
    ];
    Ok(Play {
        at_end: events.iter().map(Message::again).collect(),
        ..Play::of(first(&events), &expected)
    })
}

fn partial_refund(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(Some(400))?;
    Ok(in_order(&history, ShippedOnce))
}

fn full_refund(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(Some(400))?.refund(None)?;
    Ok(in_order(&history, ShippedThenTakenBack))
}

fn late_event(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(Some(400))?;
    Ok(success_last(&history, ShippedOnce))
}

fn out_of_order(setting: &mut Setting<'_>) -> Played {
    let mut play = Play::of(Vec::new(), &[]);
    for number in 0..6 {
        let (history, expected) = refunded(setting, number)?;
        let mut messages = first(&history.events());
        setting.random.shuffle(&mut messages);
        play.lanes.push(messages);
        let expected = match expected {
            ShippedThenTakenBack => NotShippedOrTakenBack,
            _ => expected,
        };
        play.expected.push((history.key(), expected));
    }
    Ok(play)
}

fn refund_before_success(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(None)?;
    Ok(success_last(&history, NeverShipped))
}

fn return_before_success(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(None)?.return_refund()?;
    Ok(success_last(&history, NeverShipped))
}

fn refund_returned(setting: &mut Setting<'_>) -> Played {
    let mut history = paid(setting)?;
    history.refund(None)?.return_refund()?;
    Ok(in_order(&history, TakenBackThenHeld))
}

fn quarantine_released(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history.pay_other_amount()?.release()?;
    Ok(in_order(&history, ShippedOnce))
}

fn quarantine_rejected(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history.pay_other_amount()?.reject()?;
    Ok(in_order(&history, NeverShipped))
}

fn confirmed(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history
        .pay_unconfirmed()?
        .confirm(CreditingResult::Credit)?;
    Ok(in_order(&history, ShippedOnce))
}

fn not_confirmed(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history
        .pay_unconfirmed()?
        .confirm(CreditingResult::Decline)?;
    Ok(in_order(&history, NeverShipped))
}

fn withdrawn(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history
        .pay_unconfirmed()?
        .confirm(CreditingResult::Credit)?;
    history.confirm(CreditingResult::Decline)?;
    Ok(in_order(&history, ShippedThenTakenBack))
}

fn success_after_decline(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history.decline()?.succeed_later()?;
    Ok(in_order(&history, ShippedOnce))
}

fn success_after_expiry(setting: &mut Setting<'_>) -> Played {
    let mut history = setting.shared.history()?;
    history.expire()?.pay()?;
    Ok(in_order(&history, ShippedOnce))
}

fn paid_twice(setting: &mut Setting<'_>) -> Played {
    let (one, two) = same_order(setting)?;
    let events = [one.events(), two.events()].concat();
    let expected = [(one.key(), ShippedOnce), (two.key(), ShippedThenHeld)];
    Ok(Play::of(first(&events), &expected))
}

fn paid_twice_early(setting: &mut Setting<'_>) -> Played {
    let (one, two) = same_order(setting)?;
    let events = two.events().into_iter().rev();
    let events: Vec<Event> = one.events().into_iter().chain(events).collect();
    let expected = [(one.key(), ShippedOnce), (two.key(), NeverShipped)];
    Ok(Play::of(first(&events), &expected))
}

/// Returns two payments that paid the same order.
fn same_order<'a>(setting: &Setting<'a>) -> anyhow::Result<(History<'a>, History<'a>)> {
    let one = paid(setting)?;
    let mut two = one.same_order()?;
    two.pay()?.find_paid_twice(&one);
    Ok((one, two))
}

fn unknown(setting: &mut Setting<'_>) -> Played {
    let history = paid(setting)?;
    let mut events = vec![history.of_unknown_type()?];
    for event in history.events() {
        events.push(later_release(&event, event.kind)?);
    }
    Ok(Play::of(first(&events), &[(history.key(), ShippedOnce)]))
}

fn burst(setting: &mut Setting<'_>) -> Played {
    let mut play = Play::default();
    for number in 0..setting.burst {
        let (history, expected) = refunded(setting, number)?;
        play.lanes.push(first(&history.events()));
        play.expected.push((history.key(), expected));
    }
    Ok(play)
}

/// Kills the consumer during the success of some payments, and during the refund of others.
fn killed(setting: &mut Setting<'_>) -> Played {
    let mut play = Play::of(Vec::new(), &[]);
    let mut messages = Vec::new();
    for during in [0, 0, 1, 1] {
        let mut history = paid(setting)?;
        history.refund(None)?;
        let events = history.events();
        for (index, event) in events.iter().enumerate() {
            messages.push(match index == during {
                true => Message::killed(event),
                false => Message::first(event),
            });
            let success = events.first().context("The payment has no event")?;
            messages.push(Message::again(success));
        }
        play.expected.push((history.key(), ShippedThenTakenBack));
    }
    play.lanes = vec![messages];
    Ok(play)
}

fn poison(setting: &mut Setting<'_>) -> Played {
    let shared = setting.shared;
    let mut history = paid(setting)?;
    history.refund(Some(400))?;
    let bodies = [
        "not an event",
        "{}",
        r#"{"specversion":"1.0","type":"payment.succeeded"}"#,
    ];
    let mut messages = Vec::new();
    for body in bodies {
        messages.push(Message::poison(&shared.poison(body)?));
    }
    messages.extend(first(&history.events()));
    Ok(Play::of(messages, &[(history.key(), ShippedOnce)]))
}

#[cfg(test)]
mod tests;
