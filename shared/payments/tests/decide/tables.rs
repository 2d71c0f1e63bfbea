//! The tables of `shared/README.md`: the one that yields the status, and what each fact and command can
//! do in each status. `UPDATE_SNAPSHOTS=1` writes them as they are now.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use ecommpay::answer::Answer;
use payments::decide::{Change, Command, Fact, decide};
use payments::model::{Channel, Order, Payment, Status, TABLE, Verdict};
use snapshots::check_block;

use super::story::*;

/// How many facts and commands follow each other at most.
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

/// What happens to a payment; each row of the table.
const ROWS: [&str; 27] = [
    "Gate accepts the sale",
    "Gate refuses the sale",
    "no clear answer of Gate",
    "callback: processing",
    "callback: redirect URL",
    "callback: clarification",
    "callback: this try is declined",
    "callback: sale declined",
    "callback: sale succeeded",
    "callback: sale succeeded, another sum",
    "callback: sale succeeded, awaiting confirmation",
    "callback: confirmation succeeded",
    "callback: confirmation declined",
    "callback: manual change",
    "callback: partial refund succeeded",
    "callback: refund succeeded",
    "callback: refund taken back",
    "callback: request failed",
    "answer: sale succeeded",
    "answer: sale declined",
    "answer: awaiting confirmation",
    "answer: confirmation declined",
    "answer: manual change",
    "not found",
    "the checkout ends",
    "an operator releases",
    "an operator rejects",
];

fn happen(payment: &Payment, row: &str) -> Option<Change> {
    let callback = |file: &str| decide(Some(payment), corpus(file).fact(), NOW);
    let poll = payment.polling().polls_sent();
    let answer = |file: &str| {
        let fact = answer_with(corpus(file), poll)?;
        decide(Some(payment), fact, NOW)
    };
    let gate = |answer: &Answer| {
        let attempt = payment.attempt().number();
        decide(Some(payment), Fact::SaleAnswer { attempt, answer }, NOW)
    };
    let review = |verdict: Verdict| {
        let items = payment.quarantine();
        let (by, items) = ("anna", &items);
        let command = Command::Review { verdict, by, items };
        payments::decide::execute(Some(payment), command, NOW).unwrap_or_default()
    };
    match row {
        "Gate accepts the sale" => gate(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c")),
        "Gate refuses the sale" => gate(&refused("2004")),
        "no clear answer of Gate" => gate(&Answer::Unclear),
        "callback: processing" => callback("processing"),
        "callback: redirect URL" => callback("redirect_get"),
        "callback: clarification" => callback("clarification_last_name"),
        "callback: this try is declined" => callback("awaiting_customer"),
        "callback: sale declined" => callback("sale_decline_customer"),
        "callback: sale succeeded" => callback("sale_success"),
        "callback: sale succeeded, another sum" => callback("amount_differs"),
        "callback: sale succeeded, awaiting confirmation" => callback("confirm_sale_done"),
        "callback: confirmation succeeded" => callback("confirm_success"),
        "callback: confirmation declined" => callback("confirm_decline"),
        "callback: manual change" => callback("manual_change_success"),
        "callback: partial refund succeeded" => callback("refund_partial_1"),
        "callback: refund succeeded" => callback("refund_success"),
        "callback: refund taken back" => callback("refund_reverse_of_full"),
        "callback: request failed" => callback("error_validation"),
        "answer: sale succeeded" => answer("sale_success"),
        "answer: sale declined" => answer("sale_decline_customer"),
        "answer: awaiting confirmation" => answer("status_confirm_waiting"),
        "answer: confirmation declined" => answer("status_confirm_decline"),
        "answer: manual change" => answer("status_manual_change"),
        "not found" => {
            let fact = Fact::NotFound { poll, signed: true };
            decide(Some(payment), fact, NOW)
        }
        "the checkout ends" => {
            let end = payment.order()?.expires_at;
            run(Some(payment), Command::Expire, end)
        }
        "an operator releases" => review(Verdict::Released),
        "an operator rejects" => review(Verdict::Rejected),
        other => panic!("{other} is no row"),
    }
}

/// The states that the search starts from.
fn starts() -> Vec<Payment> {
    let link = Order {
        channel: Channel::PaymentPage,
        ..order()
    };
    let external = decide(None, corpus("processing").fact(), NOW).unwrap();
    vec![
        create(&order(), NOW).payment,
        create(&link, NOW).payment,
        external.payment,
    ]
}

/// For each row and status: the statuses that followed.
fn explore() -> BTreeMap<(usize, Status), BTreeSet<Status>> {
    let mut table: BTreeMap<(usize, Status), BTreeSet<Status>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(usize, Payment)> = starts().into_iter().map(|one| (0, one)).collect();
    while let Some((depth, payment)) = open.pop() {
        let before = payment.status();
        for (row, name) in ROWS.iter().enumerate() {
            let cell = table.entry((row, before)).or_default();
            let Some(change) = happen(&payment, name) else {
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
fn the_document_has_what_each_fact_and_command_can_do_in_each_status() {
    let found = explore();
    let mut table = "| |".to_owned();
    for (number, status) in (1..).zip(Status::ALL) {
        table += &format!(" {number} {} |", word(status).replace('_', " "));
    }
    table += &format!("\n| --- |{}\n", " --- |".repeat(Status::ALL.len()));
    let number = |status: &Status| {
        let at = Status::ALL.iter().position(|one| one == status).unwrap();
        (at + 1).to_string()
    };
    for (row, name) in ROWS.iter().enumerate() {
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
