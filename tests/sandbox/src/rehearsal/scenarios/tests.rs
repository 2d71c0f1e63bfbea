#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;
use crate::rehearsal::random::Random;
use crate::rehearsal::scenario::Way;
use crate::rehearsal::shared::Shared;

fn plays() -> Vec<(&'static str, Play)> {
    let shared = Shared::new(211, "shop").unwrap();
    let mut random = Random::new(1);
    let mut setting = Setting {
        shared: &shared,
        random: &mut random,
        burst: 2,
    };
    let mut play = |scenario: &Scenario| (scenario.play)(&mut setting).unwrap();
    ALL.iter()
        .map(|scenario| (scenario.name, play(scenario)))
        .collect()
}

fn readme() -> String {
    let path = tools::root().join("functions/fulfilment/README.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_rule_is_in_the_readme_of_the_sample_and_every_scenario_in_that_of_the_sandbox() {
    let rules = readme();
    let path = tools::root().join("tests/sandbox/README.md");
    let sandbox = std::fs::read_to_string(path).unwrap();
    for Scenario {
        name, about, rule, ..
    } in &ALL
    {
        assert!(rules.contains(rule), "{name}: {rule}");
        let row = format!("| `{name}` | {about} |");
        assert!(sandbox.contains(&row), "{row}");
    }
}

#[test]
fn every_event_of_a_known_type_fits_its_schema_and_belongs_to_an_expected_payment() {
    for (name, play) in plays() {
        let expected: BTreeSet<_> = play.expected.iter().map(|(key, _)| key).collect();
        for message in play.messages().filter(|message| message.way != Way::Poison) {
            let event = &message.event;
            assert!(expected.contains(&event.key), "{name}");
            if !matches!(event.kind, EventKind::Other(_)) {
                let body = serde_json::from_str(&event.body).unwrap();
                schemas::check_as_consumer(&body).unwrap();
            }
        }
    }
}

#[test]
fn each_scenario_sends_the_events_that_it_describes() {
    let plays = plays();
    for (name, events) in [
        ("gaps", "2 payment.succeeded, 6 refund.succeeded"),
        (
            "late_event",
            "3 refund.pending, 4 refund.succeeded, 2 payment.succeeded",
        ),
        (
            "refund_before_success",
            "3 refund.pending, 4 refund.succeeded, 2 payment.succeeded",
        ),
        (
            "return_before_success",
            "3 refund.pending, 4 refund.succeeded, 5 refund.returned, 2 payment.succeeded",
        ),
        (
            "refund_returned",
            "2 payment.succeeded, 3 refund.pending, 4 refund.succeeded, 5 refund.returned",
        ),
        (
            "quarantine_released",
            "2 payment.quarantined, 3 payment.succeeded",
        ),
        (
            "quarantine_rejected",
            "2 payment.quarantined, 3 refund.pending, 4 payment.declined, 5 refund.succeeded",
        ),
        (
            "confirmed",
            "2 payment.awaiting_confirmation, 3 payment.succeeded",
        ),
        (
            "not_confirmed",
            "2 payment.awaiting_confirmation, 3 payment.declined",
        ),
        (
            "withdrawn",
            "2 payment.awaiting_confirmation, 3 payment.succeeded, 4 payment.declined",
        ),
        (
            "success_after_decline",
            "2 payment.declined, 3 payment.succeeded",
        ),
        (
            "success_after_expiry",
            "2 checkout.expired, 3 payment.succeeded",
        ),
        (
            "paid_twice",
            "2 payment.succeeded, 2 payment.succeeded, 3 order.paid_twice",
        ),
        (
            "paid_twice_early",
            "2 payment.succeeded, 3 order.paid_twice, 2 payment.succeeded",
        ),
        ("unknown", "1 payment.rehearsed, 2 payment.succeeded"),
    ] {
        let (_, play) = plays.iter().find(|(other, _)| *other == name).unwrap();
        let sent: Vec<String> = play.messages().map(Message::describe).collect();
        assert_eq!(sent.join(", "), events, "{name}");
    }
}
