//! Tests that a rehearsal passes the sample's rules, and catches each planted fault in the scenario for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod consumer;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::process::Stdio;
use std::time::Duration;

use sandbox::options::{Command, parse};
use sandbox::rehearsal::{Outcome, Rehearsal};
use tokio::net::TcpListener;

use crate::consumer::{Consumer, Fault, Local, state_command};

fn rehearsal(arguments: &[&str]) -> Rehearsal {
    let always = [
        "sandbox",
        "rehearse",
        "--seed",
        "1",
        "--burst",
        "6",
        "--timeout",
        "30",
    ];
    let line = always.iter().chain(arguments).map(OsString::from);
    match parse(line).unwrap().command {
        Some(Command::Rehearse(rehearsal)) => *rehearsal,
        command => panic!("{command:?}"),
    }
}

async fn rehearse(consumer: &Local, more: &[&str]) -> Outcome {
    let state = state_command(&consumer.log);
    let mut arguments = vec!["--endpoint", &consumer.endpoint, "--state-command", &state];
    arguments.extend(more);
    rehearsal(&arguments).run().await.unwrap()
}

async fn rehearse_with(fault: Fault) -> Outcome {
    let consumer = Local::start(|log| Consumer::new(fault, log)).await;
    rehearse(&consumer, &[]).await
}

/// Checks that a consumer with this fault is wrong in these scenarios and in no other.
async fn assert_caught(fault: Fault, scenarios: &[&str]) {
    let outcome = rehearse_with(fault).await;
    let wrong = BTreeSet::from_iter(outcome.wrong);
    assert_eq!(
        wrong,
        scenarios.iter().copied().collect(),
        "{}",
        outcome.report
    );
}

#[tokio::test]
async fn a_consumer_with_the_rules_of_the_sample_is_right_in_every_scenario() {
    let outcome = rehearse_with(Fault::None).await;
    assert!(outcome.wrong.is_empty(), "{}", outcome.report);
    let skipped = "skipped killed: the consumer is killed while it processes an event";
    assert!(outcome.report.contains(skipped), "{}", outcome.report);
}

#[tokio::test]
async fn a_consumer_that_acts_on_repeats_is_caught_by_the_repeats() {
    let scenarios = ["repeats", "repeats_later"];
    assert_caught(Fault::ActsOnRepeats, &scenarios).await;
}

#[tokio::test]
async fn a_consumer_that_forgets_events_soon_is_caught_by_the_later_repeats() {
    assert_caught(Fault::ForgetsSoon, &["repeats_later"]).await;
}

#[tokio::test]
async fn a_consumer_that_waits_for_sequence_numbers_is_caught_by_the_gaps() {
    let outcome = rehearse_with(Fault::WaitsForNumbers).await;
    assert_eq!(outcome.wrong.first(), Some(&"gaps"), "{}", outcome.report);
}

#[tokio::test]
async fn a_consumer_that_ships_quarantined_money_is_caught_by_the_rejection() {
    assert_caught(Fault::ShipsQuarantined, &["quarantine_rejected"]).await;
}

#[tokio::test]
async fn a_consumer_that_ships_unconfirmed_money_is_caught_by_the_missing_confirmation() {
    assert_caught(Fault::ShipsUnconfirmed, &["not_confirmed"]).await;
}

#[tokio::test]
async fn a_consumer_that_ships_on_every_success_is_caught_by_the_refund_before_the_success() {
    let scenarios = [
        "refund_before_success",
        "return_before_success",
        "out_of_order",
        "paid_twice_early",
    ];
    assert_caught(Fault::ShipsOnEverySuccess, &scenarios).await;
}

#[tokio::test]
async fn a_consumer_that_ignores_a_late_success_is_caught_by_the_success_after_a_decline() {
    let scenarios = ["success_after_decline", "success_after_expiry"];
    assert_caught(Fault::IgnoresLateSuccess, &scenarios).await;
}

#[tokio::test]
async fn a_consumer_that_ignores_a_corrected_success_is_caught_by_the_withdrawal() {
    assert_caught(Fault::IgnoresDeclines, &["withdrawn"]).await;
}

#[tokio::test]
async fn a_consumer_that_takes_nothing_back_is_caught_by_the_full_refund() {
    let outcome = rehearse_with(Fault::IgnoresRefunds).await;
    assert!(outcome.wrong.contains(&"full_refund"), "{}", outcome.report);
    assert!(
        !outcome.wrong.contains(&"partial_refund"),
        "{}",
        outcome.report
    );
}

#[tokio::test]
async fn a_consumer_that_ignores_returned_refunds_is_caught_by_the_return() {
    assert_caught(Fault::IgnoresReturns, &["refund_returned"]).await;
}

#[tokio::test]
async fn a_consumer_that_ships_for_two_payments_of_an_order_is_caught_by_the_second_payment() {
    let scenarios = ["paid_twice", "paid_twice_early"];
    assert_caught(Fault::IgnoresPaidTwice, &scenarios).await;
}

#[tokio::test]
async fn a_consumer_that_stops_at_an_unknown_type_is_caught_by_the_unknown_type() {
    let outcome = rehearse_with(Fault::StopsAtUnknownType).await;
    // The consumer does nothing in the later scenarios.
    assert_eq!(outcome.wrong.first(), Some(&"repeats_later"));
    assert_eq!(outcome.wrong.get(1), Some(&"unknown"), "{}", outcome.report);
}

#[tokio::test]
async fn a_consumer_that_stops_at_a_message_without_event_is_caught_by_the_poison() {
    let scenarios = ["poison", "repeats_later"];
    assert_caught(Fault::StopsAtPoison, &scenarios).await;
}

#[tokio::test]
async fn a_consumer_that_forgets_when_it_is_killed_is_caught_by_the_kill() {
    for (fault, wrong) in [
        (Fault::None, &[][..]),
        (Fault::ForgetsWhenKilled, &["killed", "repeats_later"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let unused = StdListener::bind("127.0.0.1:0").unwrap();
        let address = unused.local_addr().unwrap();
        drop(unused);
        let command = format!(
            "ADDRESS={address} FAULT={fault:?} LOG='{}' '{}' --exact consumer_process --nocapture",
            log.display(),
            std::env::current_exe().unwrap().display(),
        );
        let endpoint = format!("http://{address}/events");
        let state = state_command(&log);
        let rehearsal = rehearsal(&[
            "--endpoint",
            &endpoint,
            "--state-command",
            &state,
            "--consumer-command",
            &command,
        ]);
        let outcome = rehearsal.run().await.unwrap();
        let found = BTreeSet::from_iter(outcome.wrong);
        assert_eq!(
            found,
            wrong.iter().copied().collect(),
            "{fault:?}: {}",
            outcome.report
        );
        assert!(is_closed(address).await, "the consumer is still running");
    }
}

async fn is_closed(address: SocketAddr) -> bool {
    for _ in 0..500 {
        if StdListener::bind(address).is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn consumer_process() {
    // This is no test. The test above sets the variables, and the rehearsal runs this function in the process that it
    // kills.
    let Some(address) = std::env::var_os("ADDRESS") else {
        return;
    };
    let listener = TcpListener::bind(address.to_str().unwrap()).await.unwrap();
    let fault = match std::env::var("FAULT").unwrap().as_str() {
        "None" => Fault::None,
        _ => Fault::ForgetsWhenKilled,
    };
    let log = std::env::var_os("LOG").unwrap();
    Consumer::new(fault, log.as_ref()).serve(listener).await;
}

#[tokio::test]
async fn an_endpoint_that_checks_signatures_accepts_only_events_with_its_secret() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let make = |log: &std::path::Path| Consumer::new(Fault::None, log).with_secret(secret);
    let consumer = Local::start(make).await;
    let one = ["--scenario", "partial_refund"];
    let outcome = rehearse(&consumer, &[&["--secret", secret], &one[..]].concat()).await;
    assert!(outcome.wrong.is_empty(), "{}", outcome.report);
    let outcome = rehearse(&consumer, &one).await;
    assert_eq!(outcome.wrong, ["partial_refund"]);
    assert!(outcome.report.contains("refused 401"), "{}", outcome.report);
}

#[tokio::test]
async fn the_report_of_a_wrong_scenario_has_the_events_the_actions_and_the_broken_rule() {
    let consumer = Local::start(|log| Consumer::new(Fault::ShipsOnEverySuccess, log)).await;
    let one = ["--scenario", "refund_before_success"];
    let report = rehearse(&consumer, &one).await.report;
    for text in [
        "WRONG   refund_before_success: the events of a complete refund arrive before the success",
        "payment   211/rehearsal-",
        "refund.pending, ",
        "payment.succeeded\n",
        "actions   ship\n",
        "expected  never shipped\n",
        "rule      functions/fulfilment/README.md: Decide by the newest state.\n",
        "The seed of this rehearsal is 1.",
    ] {
        assert!(report.contains(text), "{text} is not in {report}");
    }
}

/// Runs the program. Returns its exit status and its output.
async fn program(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"));
    let output = command.arg("rehearse").args(arguments).stdin(Stdio::null());
    let output = output.output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn the_exit_status_is_0_when_all_is_right_1_when_something_is_wrong_and_2_for_wrong_usage() {
    let consumer = Local::start(|log| Consumer::new(Fault::None, log)).await;
    let endpoint = [
        "--scenario",
        "partial_refund",
        "--endpoint",
        &consumer.endpoint,
    ];
    let state = state_command(&consumer.log);
    for (more, status, text) in [
        (
            &["--state-command", &*state][..],
            0,
            "right   partial_refund",
        ),
        (&["--state-command", "true"], 1, "WRONG   partial_refund"),
        (
            &["--state-command", "echo shipped"],
            1,
            "Line 1 of the state command",
        ),
        (&["--state-command", "exit 5"], 1, "exit status: 5"),
        (&[], 2, "--state-command"),
    ] {
        let (found, output) = program(&[&endpoint[..], more].concat()).await;
        assert_eq!(found, Some(status), "{more:?}: {output}");
        assert!(output.contains(text), "{more:?}: {output}");
    }
    for (wrong, text) in [
        (&["--state-command", "true"][..], "--queue"),
        (
            &[
                "--state-command",
                "true",
                "--queue",
                "q",
                "--endpoint",
                "http://127.0.0.1/",
            ],
            "--queue",
        ),
        (
            &[
                "--state-command",
                "true",
                "--endpoint",
                "http://shop.example/",
            ],
            "https",
        ),
        (
            &[
                "--state-command",
                "true",
                "--endpoint",
                "http://127.0.0.1/",
                "--secret",
                "whsec_",
            ],
            "--secret",
        ),
        (
            &[
                "--state-command",
                "true",
                "--queue",
                "q",
                "--scenario",
                "flood",
            ],
            "flood",
        ),
    ] {
        let (found, output) = program(wrong).await;
        assert_eq!(found, Some(2), "{wrong:?}: {output}");
        assert!(output.contains(text), "{wrong:?}: {output}");
    }
}
