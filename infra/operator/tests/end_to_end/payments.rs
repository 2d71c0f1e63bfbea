//! What an operator does with single payments, with the real binary in a real sandbox.
//!
//! What it writes is held against `tests/snapshots`, in which times, the platform's numbers and
//! what depends on the sweeper's ticks stand still.

use std::path::Path;
use std::process::Output;
use std::sync::Mutex;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::logs;
use e2e::operator::invoke_with;
use e2e::queue::Queue;
use e2e::stage::Stage;
use ecommpay::json::{self as message, Limits};
use ecommpay::{ProjectKey, signature};
use sandbox::Options;
use serde_json::{Value, json};

use crate::binary::operator;

/// Stands in callbacks beside what is needed of them.
const CANARY: &str = "canary.bird@mail.example";

struct Test {
    stage: Stage,
    /// Everything that the binary wrote.
    written: Mutex<String>,
}

/// What the binary wrote and how it ended.
struct Run {
    success: bool,
    out: String,
    told: String,
}

impl Test {
    async fn run_with(&self, args: &[&str], input: &str) -> anyhow::Result<Run> {
        let args = [&["--sandbox"][..], args].concat();
        let Output {
            status,
            stdout,
            stderr,
        } = operator(&self.stage.sandbox, &args, input).await?;
        let run = Run {
            success: status.success(),
            out: String::from_utf8(stdout)?,
            told: String::from_utf8(stderr)?,
        };
        if let Ok(mut written) = self.written.lock() {
            *written += &run.out;
            *written += &run.told;
        }
        Ok(run)
    }

    /// Runs a command that does what it is told, and holds what it writes against what was kept.
    async fn does(&self, name: &str, args: &[&str]) -> anyhow::Result<String> {
        let run = self.run_with(args, "").await?;
        ensure!(run.success && run.told.is_empty(), "{args:?}: {}", run.told);
        snapshots::check(&kept(name), &still(&run.out)?)?;
        Ok(run.out)
    }

    /// Runs a command that is refused with one sentence.
    async fn refuses(&self, args: &[&str], input: &str, why: &str) -> anyhow::Result<String> {
        let run = self.run_with(args, input).await?;
        let one_line = run.told.trim_end().lines().count() <= 2;
        ensure!(
            !run.success && run.told.contains(why) && one_line,
            "{args:?}: {}",
            run.told
        );
        Ok(run.out)
    }

    /// A payment of which the bank takes more than was ordered.
    async fn quarantined(&self, id: &str) -> anyhow::Result<()> {
        let faults = json!({ "wrong_amount": 1100 });
        self.stage.simulator.fault(id, faults).await?;
        let bank = self.stage.at_bank_for(id, id).await?;
        self.stage.shopper.push(&bank, "pay").await?;
        self.stage.storefront.until(id, "quarantined").await?;
        // Before the sweeper asks about it.
        let resync = ["resync", "--project", "211", id, "--yes"];
        ensure!(self.run_with(&resync, "").await?.success);
        Ok(())
    }

    /// A callback about a payment as the platform would send it.
    fn callback(&self, payment_id: &str, key: &str) -> anyhow::Result<Value> {
        let mut body = json!({
            "project_id": 211,
            "payment": { "id": payment_id, "status": "success", "date": "2026-01-01T10:00:00+0000",
                "sum": { "amount": 1000, "currency": "EUR" }, "description": "a cup of tea" },
            "customer": { "id": "c-42", "email": CANARY },
            "operation": { "id": 7, "type": "sale", "status": "success", "date": "2026-01-01T10:00:00+0000",
                "sum_initial": { "amount": 1000, "currency": "EUR" }, "code": "0", "request_id": "by-hand" },
        });
        let text = body.to_string();
        let parsed = message::parse(text.as_bytes(), Limits::CALLBACK)?;
        let signed = ProjectKey::new(key)?.sign(&signature::canonical(&parsed));
        body["signature"] = signed.to_base64().into();
        Ok(body)
    }

    fn save(&self, name: &str, body: &str) -> anyhow::Result<String> {
        let file = self.stage.sandbox.file(name);
        std::fs::write(&file, body)?;
        Ok(file.to_str().context("not UTF-8")?.to_owned())
    }
}

fn kept(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name)
}

/// What differs from run to run, the same each time. JSON is set out for who reads it.
fn still(out: &str) -> anyhow::Result<String> {
    let text = match serde_json::from_str::<Value>(out) {
        Ok(mut value) => {
            if value.get("polling").is_some() {
                value["polling"] = json!({
                    "last_answered": 1, "last_not_found": 0, "needs_recheck": false, "polls_sent": 1,
                });
            }
            format!("{value:#}\n")
        }
        Err(_) => out.to_owned(),
    };
    let polls = "status requests: ";
    let lines = text.lines().map(|line| match line.strip_prefix(polls) {
        Some(_) => format!("{polls}1 sent\n"),
        None => format!("{}\n", without_numbers(line)),
    });
    Ok(snapshots::without_timestamps(&lines.collect::<String>()))
}

/// The platform numbers its operations with fourteen digits.
fn without_numbers(line: &str) -> String {
    let mut still = String::new();
    let mut digits = String::new();
    for one in line.chars().chain(['\n']) {
        if one.is_ascii_digit() {
            digits.push(one);
            continue;
        }
        match digits.len() {
            14 => still.push_str("37493000000000"),
            _ => still.push_str(&digits),
        }
        digits.clear();
        still.push(one);
    }
    still.trim_end_matches('\n').to_owned()
}

#[tokio::test]
async fn an_operator_sees_and_settles_what_happens_to_a_payment() -> anyhow::Result<()> {
    let test = Test {
        stage: Stage::start(Options::any_ports()).await?,
        written: Mutex::default(),
    };
    shows(&test).await?;
    takes_in_callbacks(&test).await?;
    sends_again(&test).await?;
    asks(&test).await?;
    decides(&test).await?;
    tells_nothing_private(&test).await?;
    test.stage.sandbox.stop().await;
    Ok(())
}

async fn shows(test: &Test) -> anyhow::Result<()> {
    let bank = test.stage.at_bank_for("paid", "order-1").await?;
    test.stage.shopper.push(&bank, "pay").await?;
    test.stage.storefront.until("paid", "succeeded").await?;
    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    let (status, answer) = test.stage.storefront.refund("paid", &refund).await?;
    ensure!(status == 202, "{answer}");
    let storefront = &test.stage.storefront;
    storefront.until("paid", "partially_refunded").await?;
    let show = ["show", "--project", "211", "PAID"];
    // The mark that the last event is sent comes after its send.
    eventually("the last event being sent", || async {
        let run = test.run_with(&show, "").await?;
        Ok((run.success && !run.out.contains("not sent")).then_some(()))
    })
    .await?;
    test.does("show.txt", &show).await?;
    test.does("show.json", &[&show[..], &["--json"]].concat())
        .await?;
    let unknown = ["show", "--project", "211", "nobody"];
    test.refuses(&unknown, "", "has no such payment").await?;
    Ok(())
}

async fn takes_in_callbacks(test: &Test) -> anyhow::Result<()> {
    let key = test.stage.sandbox.ready().project_key.clone();
    test.stage.simulator.keep_quiet_about("by-hand").await?;
    test.stage.storefront.create("by-hand").await?;
    let callback = test.callback("by-hand", &key)?;
    let file = test.save("saved.json", &format!("{callback:#}\n"))?;
    let verify = ["callback", "verify", &file];
    test.does("verify.txt", &verify).await?;
    test.does("verify.json", &[&verify[..], &["--json"]].concat())
        .await?;

    let apply = ["callback", "apply", &file, "--by", "anna"];
    test.refuses(&apply, "n\n", "nothing was changed").await?;
    test.does("apply.txt", &[&apply[..], &["--yes"]].concat())
        .await?;
    let paid = test.stage.storefront.until("by-hand", "succeeded").await?;
    ensure!(paid["paid_amount"] == 1000, "{paid}");
    let from_input = ["callback", "apply", "-", "--by", "anna", "--yes", "--json"];
    let again = test.run_with(&from_input, &callback.to_string()).await?;
    ensure!(again.success, "{}", again.told);
    ensure!(serde_json::from_str::<Value>(&again.out)?["outcome"] == "duplicate");

    // What does not verify is told with its reason, and changes nothing.
    let mut changed = callback.clone();
    changed["received_at"] = "2026-01-01".into();
    let changed = test.save("changed.json", &changed.to_string())?;
    let foreign = test.callback("by-hand", "another key")?.to_string();
    let foreign = test.save("foreign.json", &foreign)?;
    let verify = ["callback", "verify", &changed, "--json"];
    let told = test.refuses(&verify, "", "did not sign it").await?;
    snapshots::check(&kept("verify_changed.json"), &still(&told)?)?;
    for (file, why) in [(&changed, "did not sign it"), (&foreign, "did not sign it")] {
        test.refuses(&["callback", "verify", file], "", why).await?;
        let apply = ["callback", "apply", file, "--by", "anna", "--yes"];
        test.refuses(&apply, "", why).await?;
    }
    let verify = ["callback", "verify", "-"];
    test.refuses(&verify, "{\"a\": 1,", "line 1, column 9")
        .await?;
    test.refuses(&verify, "{}", "has no signature").await?;
    test.refuses(&["callback", "verify", "nowhere"], "", "cannot be read")
        .await?;
    let nameless = ["callback", "apply", &file, "--by", " ", "--yes"];
    test.refuses(&nameless, "", "by is not a name").await?;
    Ok(())
}

async fn sends_again(test: &Test) -> anyhow::Result<()> {
    let queue = Queue::new(test.stage.sandbox.ready(), "fulfilment")?;
    let first = queue.until("paid", "refund.succeeded").await?;
    queue.drain().await?;
    let republish = [
        "republish",
        "--project",
        "211",
        "paid",
        "--by",
        "anna",
        "--yes",
    ];
    test.does("republish.txt", &republish).await?;
    // The queue would drop an event with the same deduplication id for five minutes.
    let again = queue.until("paid", "refund.succeeded").await?;
    ensure!(first == again, "{first:?}\n{again:?}");
    let last = ["--from", "5", "--json"];
    test.does("republish.json", &[&republish[..], &last].concat())
        .await?;
    let again = queue.until("paid", "refund.succeeded").await?;
    ensure!(again.len() == 1, "{again:?}");
    let beyond = [&republish[..], &["--to", "9"]].concat();
    test.refuses(&beyond, "", "has the events 1 to 5").await?;
    let unknown = ["republish", "--project", "211", "nobody", "--by", "anna"];
    let sure = [&unknown[..], &["--yes"]].concat();
    test.refuses(&sure, "", "no such payment").await?;
    test.refuses(&unknown, "\n", "nothing was changed").await?;
    Ok(())
}

async fn asks(test: &Test) -> anyhow::Result<()> {
    test.stage.simulator.keep_quiet_about("silent").await?;
    test.stage.storefront.create("silent").await?;
    let bank = eventually("the bank's page", || async {
        let books = test.stage.simulator.books("silent").await?;
        let is_there = books["status"] == "awaiting redirect result";
        let page = books["bank_page"].as_str().filter(|_| is_there);
        Ok(page.map(str::to_owned))
    });
    test.stage.shopper.push(&bank.await?, "pay").await?;
    let resync = ["resync", "--project", "211", "silent"];
    test.refuses(&resync, "no\n", "nothing was changed").await?;
    eventually("the platform's word", || async {
        let books = test.stage.simulator.books("silent").await?;
        Ok((books["status"] == "success").then_some(()))
    })
    .await?;
    test.does("resync.json", &[&resync[..], &["--yes", "--json"]].concat())
        .await?;
    test.does("resync.txt", &[&resync[..], &["--yes"]].concat())
        .await?;
    let unknown = ["resync", "--project", "211", "nobody", "--yes"];
    test.does("resync_unknown.txt", &unknown).await?;
    let keyless = ["resync", "--project", "999", "nobody", "--yes"];
    test.refuses(&keyless, "", "no key of its project").await?;
    Ok(())
}

async fn decides(test: &Test) -> anyhow::Result<()> {
    for id in ["more", "back"] {
        test.quarantined(id).await?;
    }
    test.does("quarantined.txt", &["show", "--project", "211", "more"])
        .await?;
    let release = ["release", "--project", "211", "more", "--by", "anna"];
    let asked = test.run_with(&release, "n\n").await?;
    let told = asked.told;
    let is_shown = told.contains("amount differs") && told.contains("nothing was changed");
    ensure!(!asked.success && is_shown, "{told}");
    // A decision about items that are not in quarantine settles nothing.
    let unseen = json!({
        "command": "release", "project_id": 211, "payment_id": "more", "by": "anna",
        "items": [{
            "operation_id": "7", "reason": "paid_twice",
            "reported": { "amount": 999, "currency": "EUR" },
        }],
    });
    let refused = invoke_with(&test.stage.sandbox, "command", &unseen).await?;
    ensure!(refused["refused"]["reason"] == "other_items", "{refused}");
    let sure = [&release[..], &["--yes"]].concat();
    test.does("release.txt", &sure).await?;
    test.stage.storefront.until("more", "succeeded").await?;
    test.refuses(&sure, "", "is not in quarantine").await?;
    test.does("released.txt", &["show", "--project", "211", "more"])
        .await?;

    let hold = json!({ "hold": true });
    test.stage.simulator.fault("back", hold).await?;
    let reject = ["reject", "--project", "211", "back", "--by", "anna"];
    let asked = test.run_with(&reject, "n\n").await?;
    let question = "11.00 EUR came. Give 11.00 EUR back?";
    ensure!(
        !asked.success && asked.told.contains(question),
        "{}",
        asked.told
    );
    let sure = [&reject[..], &["--yes", "--json"]].concat();
    test.does("reject.json", &sure).await?;
    test.stage.simulator.fault("back", json!({})).await?;
    let back = test.stage.storefront.until("back", "refunded").await?;
    // What came goes back, not what was ordered.
    ensure!(back["refunded_amount"] == 1100, "{back}");
    test.refuses(&sure, "", "its money went back").await?;
    for verdict in ["release", "reject"] {
        let paid = [verdict, "--project", "211", "paid", "--by", "anna", "--yes"];
        test.refuses(&paid, "", "is not in quarantine").await?;
        let unknown = [
            verdict,
            "--project",
            "211",
            "nobody",
            "--by",
            "anna",
            "--yes",
        ];
        test.refuses(&unknown, "", "has no such payment").await?;
    }
    Ok(())
}

/// Neither what the binary wrote nor what the function logged has anything private or secret.
async fn tells_nothing_private(test: &Test) -> anyhow::Result<()> {
    let ready = test.stage.sandbox.ready();
    let log = eventually("the function's log", || async {
        let log = logs::of_functions(&test.stage.sandbox).await?;
        let has = |name: &&str| {
            let command = format!("\"command\":\"{name}\"");
            let mut lines = log.lines();
            lines.any(|line| line.contains(&command) && line.contains("\"outcome\":\"done\""))
        };
        let all = ["republish", "resync", "release", "reject"];
        Ok(all.iter().all(has).then_some(log))
    })
    .await?;
    let mut commands = log.lines().filter(|line| line.contains("\"command\":"));
    let applied = commands.find(|line| line.contains("\"outcome\":\"applied\""));
    let applied = applied.context("the callback left no line")?;
    ensure!(
        applied.contains("\"by\":\"anna\"") && applied.contains("211/by-hand"),
        "{applied}"
    );
    let written = test.written.lock().map(|written| written.clone());
    let written = written.unwrap_or_default();
    let secrets = [
        "Janssens",
        "192.0.2.",
        "c-42",
        CANARY,
        "a cup of tea",
        &ready.project_key,
        &ready.storefront_key,
        &ready.platform,
        "/checkouts/",
    ];
    for secret in secrets {
        ensure!(!written.contains(secret), "{secret} was written");
    }
    for secret in ["Janssens", "192.0.2.", CANARY, "a cup of tea"] {
        ensure!(!log.contains(secret), "{secret} was logged");
    }
    Ok(())
}
