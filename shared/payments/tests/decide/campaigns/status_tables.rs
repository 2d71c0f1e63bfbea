//! The tables of `shared/README.md`: how the status is derived, and which status can follow from each fact and
//! command. `UPDATE_SNAPSHOTS=1` writes them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use ecommpay::answer::Answer;
use payments::decide::{Change, Command, Fact, decide, execute};
use payments::model::{Payment, Status, TABLE, Verdict};
use snapshots::check_block;

use crate::fixtures::*;

/// The most facts and commands in a sequence.
const DEPTH: usize = 3;

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

fn word(status: Status) -> String {
    let name = serde_json::to_value(status).unwrap();
    name.as_str().unwrap().to_owned()
}

#[test]
fn the_document_has_the_table_that_yields_the_status() {
    let mut table = "| status | condition | who moves it on |\n| --- | --- | --- |\n".to_owned();
    for row in &TABLE {
        let status = word(row.status);
        table += &format!("| `{status}` | {} | {} |\n", row.condition, row.moved_on_by);
    }
    check_block(&document(), "status table", &table).unwrap();
}

/// A fact or command.
enum Input {
    Gate(Answer),
    Callback(&'static str),
    Answer(&'static str),
    NotFound,
    Expire,
    Review(Verdict),
}

/// The rows of the table.
fn rows() -> Vec<(&'static str, Input)> {
    use Input::*;
    vec![
        ("Gate accepts the sale", Gate(accepted(REQUEST))),
        ("Gate refuses the sale", Gate(refused("2004"))),
        ("no clear answer of Gate", Gate(self::Answer::Unclear)),
        ("callback: processing", Callback("processing")),
        ("callback: redirect URL", Callback("redirect_get")),
        (
            "callback: clarification",
            Callback("clarification_last_name"),
        ),
        (
            "callback: this try is declined",
            Callback("awaiting_customer"),
        ),
        ("callback: sale declined", Callback("sale_decline_customer")),
        ("callback: sale succeeded", Callback("sale_success")),
        (
            "callback: sale succeeded, another sum",
            Callback("amount_differs"),
        ),
        (
            "callback: sale succeeded, awaiting confirmation",
            Callback("confirm_sale_done"),
        ),
        (
            "callback: confirmation succeeded",
            Callback("confirm_success"),
        ),
        (
            "callback: confirmation declined",
            Callback("confirm_decline"),
        ),
        ("callback: manual change", Callback("manual_change_success")),
        (
            "callback: partial refund succeeded",
            Callback("refund_partial_1"),
        ),
        ("callback: refund succeeded", Callback("refund_success")),
        (
            "callback: refund taken back",
            Callback("refund_reverse_of_full"),
        ),
        ("callback: request failed", Callback("error_validation")),
        ("answer: sale succeeded", Answer("sale_success")),
        ("answer: sale declined", Answer("sale_decline_customer")),
        (
            "answer: awaiting confirmation",
            Answer("status_confirm_waiting"),
        ),
        (
            "answer: confirmation declined",
            Answer("status_confirm_decline"),
        ),
        ("answer: manual change", Answer("status_manual_change")),
        ("not found", NotFound),
        ("the checkout ends", Expire),
        ("an operator releases", Review(Verdict::Released)),
        ("an operator rejects", Review(Verdict::Rejected)),
    ]
}

fn change_by(payment: &Payment, input: &Input) -> Option<Change> {
    let poll = payment.polling().polls_sent();
    let items = payment.quarantine();
    let fact = match input {
        Input::Gate(answer) => Fact::SaleAnswer {
            attempt: payment.attempt().number(),
            answer,
        },
        Input::Callback(file) => corpus(file).fact(),
        Input::Answer(file) => fact_of_answer(corpus(file), poll)?,
        Input::NotFound => Fact::NotFound { poll, signed: true },
        Input::Expire => {
            let end = payment.order()?.expires_at;
            return change_of(Some(payment), Command::Expire, end);
        }
        Input::Review(verdict) => {
            let (verdict, by, items) = (*verdict, "anna", &items);
            let command = Command::Review { verdict, by, items };
            return execute(Some(payment), command, NOW).unwrap_or_default();
        }
    };
    decide(Some(payment), fact, NOW)
}

/// For each row and status: the statuses that followed.
fn explore(rows: &[(&str, Input)]) -> BTreeMap<(usize, Status), BTreeSet<Status>> {
    let mut table: BTreeMap<(usize, Status), BTreeSet<Status>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let first = [
        TestPayment::created(),
        TestPayment::with_link(),
        TestPayment::external(corpus("processing")),
    ];
    let mut open = Vec::from_iter(first.iter().map(|payment| (0, (**payment).clone())));
    while let Some((depth, payment)) = open.pop() {
        let before = payment.status();
        for (row, (_, input)) in rows.iter().enumerate() {
            let cell = table.entry((row, before)).or_default();
            let Some(change) = change_by(&payment, input) else {
                continue;
            };
            let after = change.payment.status();
            if after != before {
                cell.insert(after);
            }
            let state = serde_json::to_string(&change.payment).unwrap();
            if depth + 1 < DEPTH && seen.insert(state) {
                open.push((depth + 1, change.payment));
            }
        }
    }
    table
}

#[test]
fn the_document_has_the_statuses_that_can_follow_from_each_fact_and_command() {
    let rows = rows();
    let found = explore(&rows);
    let mut table = "| |".to_owned();
    for (number, status) in (1..).zip(Status::ALL) {
        table += &format!(" {number} {} |", word(status).replace('_', " "));
    }
    table += &format!("\n| --- |{}\n", " --- |".repeat(Status::ALL.len()));
    let number = |status: &Status| {
        let index = Status::ALL.iter().position(|one| one == status).unwrap();
        (index + 1).to_string()
    };
    for (row, (name, _)) in rows.iter().enumerate() {
        table += &format!("| {name} |");
        for status in Status::ALL {
            let cell = found.get(&(row, status));
            let next: Vec<String> = cell.into_iter().flatten().map(number).collect();
            let text = match cell {
                None => "-".to_owned(),
                Some(_) if next.is_empty() => String::new(),
                Some(_) => next.join(" "),
            };
            table += &format!(" {text} |");
        }
        table.push('\n');
    }
    check_block(&document(), "facts", &table).unwrap();
}
