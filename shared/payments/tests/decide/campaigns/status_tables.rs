//! Generates two tables and compares them with the tables in `shared/README.md`. The first table shows how the status
//! is derived. The second table shows which statuses can follow from each fact and command. `UPDATE_SNAPSHOTS=1`
//! updates the tables in the document.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use ecommpay::answer::Answer;
use payments::decide::{Change, Command, Fact, decide, execute};
use payments::model::{Payment, Status, TABLE, Verdict};
use snapshots::check_block;

use crate::fixtures::*;

/// The maximum number of facts and commands in a sequence.
const DEPTH: usize = 3;

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

fn word(status: Status) -> String {
    let name = serde_json::to_value(status).unwrap();
    name.as_str().unwrap().to_owned()
}

#[test]
fn the_readme_shows_the_table_that_yields_the_status() {
    let mut table =
        "| status | condition | what changes the status |\n| --- | --- | --- |\n".to_owned();
    for row in &TABLE {
        let status = word(row.status);
        table += &format!("| `{status}` | {} | {} |\n", row.condition, row.changed_by);
    }
    check_block(&document(), "status table", &table).unwrap();
}

/// The rows about callbacks: the name of the row, and the callback in the corpus.
const CALLBACKS: [(&str, &str); 15] = [
    ("processing", "processing"),
    ("redirect URL", "redirect_get"),
    ("clarification", "clarification_last_name"),
    ("this try is declined", "awaiting_customer"),
    ("sale declined", "sale_decline_customer"),
    ("sale succeeded", "sale_success"),
    ("sale succeeded, another sum", "amount_differs"),
    ("sale succeeded, awaiting confirmation", "confirm_sale_done"),
    ("confirmation succeeded", "confirm_success"),
    ("confirmation declined", "confirm_decline"),
    ("manual change", "manual_change_success"),
    ("partial refund succeeded", "refund_partial_1"),
    ("refund succeeded", "refund_success"),
    ("refund taken back", "refund_reverse_of_full"),
    ("request failed", "error_validation"),
];

/// The rows about signed status answers: the name of the row, and a body of the corpus with the content of the answer.
const ANSWERS: [(&str, &str); 5] = [
    ("sale succeeded", "sale_success"),
    ("sale declined", "sale_decline_customer"),
    ("awaiting confirmation", "status_confirm_waiting"),
    ("confirmation declined", "status_confirm_decline"),
    ("manual change", "status_manual_change"),
];

enum Input {
    Gate(Answer),
    Callback(&'static str),
    StatusAnswer(&'static str),
    NotFound,
    Expire,
    Review(Verdict),
}

fn rows() -> Vec<(String, Input)> {
    let callback = |(name, file)| (format!("callback: {name}"), Input::Callback(file));
    let answer = |(name, file)| (format!("answer: {name}"), Input::StatusAnswer(file));
    let mut rows = vec![
        (
            "Gate accepts the sale".into(),
            Input::Gate(accepted(REQUEST)),
        ),
        ("Gate refuses the sale".into(), Input::Gate(refused("2004"))),
        (
            "no clear answer of Gate".into(),
            Input::Gate(Answer::Unclear),
        ),
    ];
    rows.extend(CALLBACKS.map(callback));
    rows.extend(ANSWERS.map(answer));
    rows.extend([
        ("not found".into(), Input::NotFound),
        ("the checkout ends".into(), Input::Expire),
        (
            "an operator releases".into(),
            Input::Review(Verdict::Released),
        ),
        (
            "an operator rejects".into(),
            Input::Review(Verdict::Rejected),
        ),
    ]);
    rows
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
        Input::StatusAnswer(file) => fact_of_answer(corpus(file), poll)?,
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

/// Returns, for each row and each status, the statuses that can follow.
fn explore(rows: &[(String, Input)]) -> BTreeMap<(usize, Status), BTreeSet<Status>> {
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
fn the_readme_shows_the_statuses_that_can_follow_from_each_fact_and_command() {
    let rows = rows();
    let found = explore(&rows);
    let mut table = "| |".to_owned();
    for (number, status) in (1..).zip(Status::ALL) {
        table += &format!(" {number} {} |", word(status).replace('_', " "));
    }
    table += &format!("\n| --- |{}\n", " --- |".repeat(Status::ALL.len()));
    let number = |status: &Status| {
        let index = Status::ALL
            .iter()
            .position(|other| other == status)
            .unwrap();
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
