//! Runs every shell command of every document as it is written. `not_run.rs` lists the exceptions with their reasons.
//! Also checks the links and the tables of the documents.

mod commands;
mod files;
mod links;
mod not_run;
mod rules;
mod tables;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use e2e::system::{System, callback_message};
use sandbox::Options;
use sandbox::platform::{DATA_API_KEY, DATA_API_TOKEN};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Shell functions that run the programs under test instead of the programs that the documents name.
const SHELL: &str = r#"
operator() { "$OPERATOR" "$@"; }
cargo() { [ "$1 $2 $3 $4" = "run --bin operator --" ] || exit 9; shift 4; "$OPERATOR" "$@"; }
curl() { "$PYTHON" "$CURL" "$@"; }
"#;

/// Runs the commands of the documents, as a reader of the documents would.
struct Reader {
    system: System,
    folder: PathBuf,
    python: PathBuf,
    documented: BTreeSet<String>,
    run: RefCell<BTreeSet<String>>,
}

fn documented() -> anyhow::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for document in files::documents()? {
        all.extend(commands::of(&files::read(document)?));
    }
    Ok(all)
}

impl Reader {
    async fn start() -> anyhow::Result<Self> {
        let system = System::start(Options::any_ports()).await?;
        let folder = system.sandbox.file("reader");
        let deployed = folder.join(".deployed");
        std::fs::create_dir_all(&deployed)?;
        let stack = serde_json::to_vec(system.sandbox.ready())?;
        for name in ["bancontact-dev.json", "bancontact-prod.json"] {
            std::fs::write(deployed.join(name), &stack)?;
        }
        Ok(Self {
            python: system.sandbox.supervisor().python().to_owned(),
            system,
            folder,
            documented: documented()?,
            run: RefCell::default(),
        })
    }

    /// Runs a command of the documents and returns its standard output. First replaces parts of the command, such as an
    /// id: each pair in `replaced` has the old and the new text.
    async fn follow(
        &self,
        command: &str,
        input: &str,
        replaced: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        ensure!(
            self.documented.contains(command),
            "no document has {command}"
        );
        self.run.borrow_mut().insert(command.to_owned());
        let mut script = command.to_owned();
        for (from, to) in replaced {
            ensure!(script.contains(from), "{command} has no {from}");
            script = script.replace(from, to);
        }
        let ready = self.system.sandbox.ready();
        let curl = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/documents/curl.py");
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", &format!("{SHELL}\n{script}")])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("OPERATOR", env!("CARGO_BIN_EXE_operator"))
            .env("PYTHON", &self.python)
            .env("CURL", curl)
            .env("BANCONTACT_STACK", ".deployed/bancontact-dev.json")
            .env("SANDBOX_READY", ".deployed/bancontact-dev.json")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("API", &ready.api)
            .env("PLATFORM", &ready.platform)
            .env("PublicBaseUrl", &ready.api)
            .env("STOREFRONT_KEY", &ready.storefront_key)
            .env("key", &ready.project_key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut shell = shell.spawn()?;
        if let Some(mut stdin) = shell.stdin.take() {
            // A command that reads nothing may have ended already.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = shell.wait_with_output().await?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command as it is written, and answers its question with yes.
    async fn run(&self, command: &str) -> anyhow::Result<String> {
        self.follow(command, "y\n", &[]).await
    }

    /// Returns the first command that starts with this text.
    fn named(&self, start: &str) -> anyhow::Result<String> {
        let mut found = self.documented.iter();
        let found = found.find(|command| command.starts_with(start));
        Ok(found
            .with_context(|| format!("no document has {start}"))?
            .clone())
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.folder.join(name), text)?)
    }
}

/// Runs the commands that call the API.
async fn a_storefront(reader: &Reader) -> anyhow::Result<()> {
    let create = reader.named("curl -X POST $API/checkouts")?;
    let created: Value = serde_json::from_str(&reader.run(&create).await?)?;
    let system = &reader.system;
    let bank = system.shopper.bank_page(&created).await?;
    system.shopper.press(&bank, "pay").await?;
    system.storefront.until("order-1001-1", "succeeded").await?;
    let payment = reader.named("curl $API/payments/order-1001-1")?;
    let payment: Value = serde_json::from_str(&reader.run(&payment).await?)?;
    ensure!(payment["paid_amount"] == 1000, "{payment}");
    let refund = reader.named("curl -X POST $API/payments/order-1001-1/refunds")?;
    let refund: Value = serde_json::from_str(&reader.run(&refund).await?)?;
    ensure!(refund["amount"] == 400, "{refund}");
    let refused = reader.named("curl -s -o /dev/null")?;
    let refused = reader.run(&refused).await?;
    ensure!(
        refused == "401",
        "a callback without a signature: {refused}"
    );
    Ok(())
}

/// Runs the commands that show and repair payments.
async fn payments(reader: &Reader) -> anyhow::Result<()> {
    let tool = "cargo run --bin operator --";
    let stack = "--stack .deployed/bancontact-prod.json";
    let shown = reader
        .run(&format!("{tool} {stack} show --project 211 order-1001-1"))
        .await?;
    ensure!(shown.contains("payment.succeeded"), "{shown}");
    for command in [
        "operator show --project 211 order-1001-1",
        "operator resync --project 211 order-1001-1",
        "operator republish --project 211 order-1001-1 --by anna --yes",
    ] {
        reader.run(command).await?;
    }

    let wrong_amount = reader.named("curl -X PUT $PLATFORM/simulator/payments/")?;
    for (verdict, status) in [("release", "succeeded"), ("reject", "refunded")] {
        let payment = format!("quarantined-{verdict}");
        let replaced = [("order-1002-1", payment.as_str())];
        reader.follow(&wrong_amount, "", &replaced).await?;
        let bank = reader.system.bank_page(&payment).await?;
        reader.system.shopper.press(&bank, "pay").await?;
        let storefront = &reader.system.storefront;
        storefront.until(&payment, "quarantined").await?;
        let command = format!("operator {verdict} --project 211 order-1001-1 --by anna");
        let replaced = [("order-1001-1", payment.as_str())];
        reader.follow(&command, "y\n", &replaced).await?;
        storefront.until(&payment, status).await?;
    }

    let message = callback_message("saved", 61, "sale", "success", 1000);
    reader.write("saved.json", &reader.system.signed(&message)?)?;
    reader.run("operator callback verify saved.json").await?;
    let apply = "operator callback apply saved.json --by anna";
    reader.follow(apply, "y\n", &[]).await?;
    reader.system.storefront.until("saved", "unmatched").await?;
    Ok(())
}

/// Runs the commands that redrive queues, compare the platform's records and write reports.
async fn records(reader: &Reader) -> anyhow::Result<()> {
    let tool = "cargo run --bin operator --";
    let days = "--project 211 --from 2026-01-01 --to 2026-01-31";
    for command in [
        "operator queues",
        "operator redrive fulfilment --yes",
        &format!("operator report payments {days} --json"),
        &format!("{tool} report totals {days}"),
        &format!("{tool} report payments {days} --json"),
        &format!("{tool} --sandbox report operations {days}"),
    ] {
        reader.run(command).await?;
    }
    let range = "--project 211 --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z";
    let compared = reader
        .run(&format!("operator reconcile {range} --yes"))
        .await?;
    ensure!(compared.contains("2026-01-02"), "{compared}");
    let reconcile = format!("{tool} reconcile {range}");
    reader.follow(&reconcile, "y\n", &[]).await?;
    Ok(())
}

/// Runs the commands that replace keys. The project's key is replaced last, because the simulated platform keeps the
/// old key.
async fn keys(reader: &Reader) -> anyhow::Result<()> {
    let tool = "cargo run --bin operator --";
    let shop = "storefront add shop --project 211 --scope checkout,read,refund --origin https://shop.example";
    reader.follow(&format!("{tool} {shop}"), "y\n", &[]).await?;
    let key = reader.run(&format!("operator {shop} --yes")).await?;
    let key = key.split_whitespace().find(|word| word.starts_with("sk_"));
    let key_id = key.and_then(payments::service::storefront::key_id);
    let key_id = key_id.context("no key was shown")?;
    let listed = reader.run("operator storefront list --project 211").await?;
    ensure!(listed.contains(key_id), "{listed}");
    let revoke = "operator storefront revoke KEY_ID --yes";
    reader.follow(revoke, "", &[("KEY_ID", key_id)]).await?;

    let token = format!("{DATA_API_TOKEN}\n{DATA_API_KEY}\n");
    let store = format!("{tool} data-api-token");
    reader.follow(&store, &format!("{token}y\n"), &[]).await?;
    reader
        .follow("operator data-api-token", &format!("{token}y\n"), &[])
        .await?;

    let fingerprint = r#"printf %s "$key" | sha256sum | cut -c1-12"#;
    let fingerprint = reader.run(fingerprint).await?;
    let listed = reader.run("operator project-key list").await?;
    ensure!(listed.contains(fingerprint.trim()), "{listed}");
    let first = format!("{tool} project-key add --project 211");
    reader
        .follow(&first, "a-first-key\ny\n", &[("211", "212")])
        .await?;
    let rotate = "operator project-key rotate --project 211";
    reader
        .follow(rotate, "another-project-key\ny\n", &[])
        .await?;
    reader
        .run("operator project-key retire --project 211 --yes")
        .await?;
    Ok(())
}

#[tokio::test]
async fn every_command_of_the_documents_works_as_written() -> anyhow::Result<()> {
    let reader = Reader::start().await?;
    a_storefront(&reader).await?;
    payments(&reader).await?;
    records(&reader).await?;
    keys(&reader).await?;
    let run = reader.run.borrow().clone();
    let missing: Vec<&String> = reader
        .documented
        .iter()
        // A document can show only the start of a command that another document shows in full.
        .filter(|command| !run.iter().any(|one| one.starts_with(command.as_str())))
        .filter(|command| not_run::reason(command).is_none())
        .collect();
    ensure!(missing.is_empty(), "no test runs {missing:#?}");
    reader.system.sandbox.stop().await;
    Ok(())
}

#[test]
fn the_lists_of_commands_that_are_not_run_name_existing_commands_and_files() -> anyhow::Result<()> {
    let documented = documented()?;
    for (command, file) in not_run::ELSEWHERE {
        ensure!(documented.contains(command), "no document has {command}");
        let text = files::read(file)?;
        let of_script = command.strip_prefix("python3 infra/deploy.py ");
        let word = of_script.and_then(|rest| rest.split(' ').next());
        let is_there = word.is_none_or(|word| text.contains(&format!("\"{word}\"")));
        ensure!(is_there, "{file} does not run {command}");
    }
    for (start, _) in not_run::NOWHERE {
        let is_there = documented.iter().any(|one| one.starts_with(start));
        ensure!(is_there, "no document has {start}");
    }
    Ok(())
}
