//! Every command of README and runbook is run as it stands there, or stands in one of two short lists:
//! of what another test runs, and of what only a real account can run.

mod commands;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use e2e::stage::{Stage, report_of};
use sandbox::platform::{DATA_API_KEY, DATA_API_TOKEN};
use sandbox::{Options, python};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What other tests run, and which.
const ELSEWHERE: [(&str, &str); 15] = [
    ("cargo run", "tests/sandbox/tests/command_line.rs"),
    ("cargo run -- --help", "tests/sandbox/src/options.rs"),
    (
        "cargo run -- --sample-consumer",
        "tests/e2e/tests/end_to_end/consumer.rs",
    ),
    (
        "cargo run -- exec cargo run --bin walk",
        "tests/e2e/tests/end_to_end/walk.rs",
    ),
    (
        "cargo run --release -p bench",
        "tests/bench/src/compare/tests.rs",
    ),
    (
        "cargo run --release -p bench --example load -- --minutes 10",
        "tests/bench/src/load/tests.rs",
    ),
    ("cargo run --bin capacity", "tests/capacity/tests/tables.rs"),
    ("cargo test --workspace", ".ci/run"),
    (
        "export AWS_REGION=eu-west-1",
        "tests/e2e/tests/end_to_end/deployment.rs",
    ),
    (
        "python3 infra/deploy.py deploy dev",
        "tests/sandbox/src/deploy_script.rs",
    ),
    (
        "python3 infra/deploy.py deploy prod --stack bancontact-prod-2",
        "tests/sandbox/src/deploy_script.rs",
    ),
    (
        "python3 infra/deploy.py outputs prod",
        "tests/e2e/tests/end_to_end/deployment.rs",
    ),
    (
        "python3 infra/deploy.py smoke prod",
        "tests/e2e/tests/end_to_end/deployment.rs",
    ),
    (
        "python3 infra/deploy.py rollback prod",
        "tests/e2e/tests/end_to_end/deployment.rs",
    ),
    (
        "python3 infra/deploy.py delete dev",
        "tests/e2e/tests/end_to_end/deployment.rs",
    ),
];

/// What a real account alone can run: the local AWS restores no table and imports none into a stack, and
/// nobody has a profile for it.
const ON_A_REAL_ACCOUNT: [&str; 13] = [
    "aws cloudformation create-change-set",
    "aws cloudformation describe-stacks",
    "aws cloudformation execute-change-set",
    "aws dynamodb delete-table",
    "aws dynamodb restore-table-to-point-in-time",
    "aws dynamodb update-continuous-backups",
    "aws dynamodb update-table",
    "aws dynamodb update-time-to-live",
    "aws dynamodb wait table-exists",
    "aws lambda delete-function-concurrency",
    "aws lambda put-function-concurrency",
    "aws secretsmanager delete-secret",
    "eval \"$(aws configure export-credentials",
];

/// As the shell of whoever follows the documents, but for where programs are.
const SHELL: &str = r#"
operator() { "$OPERATOR" "$@"; }
cargo() { [ "$1 $2 $3 $4" = "run --bin operator --" ] || exit 9; shift 4; "$OPERATOR" "$@"; }
curl() { "$PYTHON" "$CURL" "$@"; }
"#;

/// Whoever follows the documents.
struct Reader {
    stage: Stage,
    folder: PathBuf,
    python: PathBuf,
    documented: BTreeSet<String>,
    run: RefCell<BTreeSet<String>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn documented() -> anyhow::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for document in ["README.md", "infra/runbook.md"] {
        let text = std::fs::read_to_string(root().join(document))?;
        // A table escapes what would divide its cells.
        let commands = commands::of(&text).into_iter();
        all.extend(commands.map(|command| command.replace("\\|", "|")));
    }
    Ok(all)
}

impl Reader {
    async fn start() -> anyhow::Result<Self> {
        let stage = Stage::start(Options::any_ports()).await?;
        let folder = stage.sandbox.file("reader");
        let deployed = folder.join(".deployed");
        std::fs::create_dir_all(&deployed)?;
        let stack = serde_json::to_vec(stage.sandbox.ready())?;
        for name in ["bancontact-dev.json", "bancontact-prod.json"] {
            std::fs::write(deployed.join(name), &stack)?;
        }
        Ok(Self {
            stage,
            folder,
            python: python::find().await?.path,
            documented: documented()?,
            run: RefCell::default(),
        })
    }

    /// Runs a command of the documents, about other things where that is needed, and gives what it
    /// writes.
    async fn follow(
        &self,
        command: &str,
        input: &str,
        instead: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        ensure!(
            self.documented.contains(command),
            "no document has {command}"
        );
        self.run.borrow_mut().insert(command.to_owned());
        let mut script = command.to_owned();
        for (said, meant) in instead {
            ensure!(script.contains(said), "{command} has no {said}");
            script = script.replace(said, meant);
        }
        let ready = self.stage.sandbox.ready();
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
            .env("PublicBaseUrl", &ready.api)
            .env("STOREFRONT_KEY", &ready.storefront_key)
            .env("key", &ready.project_key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut shell = shell.spawn()?;
        if let Some(mut stdin) = shell.stdin.take() {
            // Who reads nothing may have ended before.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = shell.wait_with_output().await?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command}: {told}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// As it stands there, with a yes to what it asks.
    async fn run(&self, command: &str) -> anyhow::Result<String> {
        self.follow(command, "y\n", &[]).await
    }

    /// The command with this beginning; there is one.
    fn named(&self, beginning: &str) -> anyhow::Result<String> {
        let mut found = self.documented.iter();
        let found = found.find(|command| command.starts_with(beginning));
        Ok(found
            .with_context(|| format!("no document has {beginning}"))?
            .clone())
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.folder.join(name), text)?)
    }
}

/// README: calling it.
async fn a_storefront(reader: &Reader) -> anyhow::Result<()> {
    let create = reader.named("curl -X POST $API/checkouts")?;
    let created: Value = serde_json::from_str(&reader.run(&create).await?)?;
    let address = created["checkout_url"].as_str().context("no address")?;
    let stage = &reader.stage;
    let bank = stage.shopper.bank_of(address).await?;
    stage.shopper.push(&bank, "pay").await?;
    stage.storefront.until("order-1001-1", "succeeded").await?;
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

/// What is wrong with payments.
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

    for (verdict, status) in [("release", "succeeded"), ("reject", "refunded")] {
        let payment = format!("quarantined-{verdict}");
        let wrong = json!({ "wrong_amount": 1100 });
        reader.stage.simulator.fault(&payment, wrong).await?;
        let bank = reader.stage.at_bank(&payment).await?;
        reader.stage.shopper.push(&bank, "pay").await?;
        let storefront = &reader.stage.storefront;
        storefront.until(&payment, "quarantined").await?;
        let command = format!("operator {verdict} --project 211 order-1001-1 --by anna");
        let instead = [("order-1001-1", payment.as_str())];
        reader.follow(&command, "y\n", &instead).await?;
        storefront.until(&payment, status).await?;
    }

    let message = report_of("saved", 61, "sale", "success", 1000);
    reader.write("saved.json", &reader.stage.signed(&message)?)?;
    reader.run("operator callback verify saved.json").await?;
    let apply = "operator callback apply saved.json --by anna";
    reader.follow(apply, "y\n", &[]).await?;
    reader.stage.storefront.until("saved", "unmatched").await?;
    Ok(())
}

/// Queues, books and reports.
async fn books(reader: &Reader) -> anyhow::Result<()> {
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
    let asked = format!("{tool} reconcile {range}");
    reader.follow(&asked, "y\n", &[]).await?;
    Ok(())
}

/// Keys; those of the project come last, as the functions learn new ones only after five minutes.
async fn keys(reader: &Reader) -> anyhow::Result<()> {
    let tool = "cargo run --bin operator --";
    let shop = "storefront add shop --project 211 --scope checkout,read,refund --origin https://shop.example";
    reader.follow(&format!("{tool} {shop}"), "y\n", &[]).await?;
    let key = reader.run(&format!("operator {shop} --yes")).await?;
    let key = key.split_whitespace().find(|word| word.starts_with("sk_"));
    let key_id = key.and_then(payments::storefront::key_id);
    let key_id = key_id.context("no key was shown")?;
    let listed = reader.run("operator storefront list --project 211").await?;
    ensure!(listed.contains(key_id), "{listed}");
    let revoke = "operator storefront revoke KEY_ID --yes";
    reader.follow(revoke, "", &[("KEY_ID", key_id)]).await?;

    let token = format!("{DATA_API_TOKEN}\n{DATA_API_KEY}\n");
    let asked = format!("{tool} data-api-token");
    reader.follow(&asked, &format!("{token}y\n"), &[]).await?;
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
async fn every_command_does_what_is_said() -> anyhow::Result<()> {
    let reader = Reader::start().await?;
    a_storefront(&reader).await?;
    payments(&reader).await?;
    books(&reader).await?;
    keys(&reader).await?;
    let run = reader.run.borrow().clone();
    for command in &reader.documented {
        // Where only a command's name is mentioned, whoever begins like it was run.
        let is_run = run.iter().any(|one| one.starts_with(command.as_str()));
        let is_elsewhere = ELSEWHERE.iter().any(|(one, _)| one == command);
        let mut of_account = ON_A_REAL_ACCOUNT.iter();
        let is_of_account = of_account.any(|one| command.starts_with(one));
        let is_setting = command == "export BANCONTACT_STACK=.deployed/bancontact-dev.json"
            || command == "export BANCONTACT_STACK=.deployed/bancontact-prod.json"
            || command == "alias operator='cargo run --quiet --bin operator --'";
        ensure!(
            is_run || is_elsewhere || is_of_account || is_setting,
            "nobody runs {command}"
        );
    }
    reader.stage.sandbox.stop().await;
    Ok(())
}

#[test]
fn the_lists_name_what_is_there() -> anyhow::Result<()> {
    let documented = documented()?;
    for (command, file) in ELSEWHERE {
        ensure!(documented.contains(command), "no document has {command}");
        let text = std::fs::read_to_string(root().join(file));
        let text = text.with_context(|| file.to_owned())?;
        let of_script = command.strip_prefix("python3 infra/deploy.py ");
        let word = of_script.and_then(|rest| rest.split(' ').next());
        let is_there = word.is_none_or(|word| text.contains(&format!("\"{word}\"")));
        ensure!(is_there, "{file} does not run {command}");
    }
    for beginning in ON_A_REAL_ACCOUNT {
        let is_there = documented.iter().any(|one| one.starts_with(beginning));
        ensure!(is_there, "no document has {beginning}");
    }
    Ok(())
}
