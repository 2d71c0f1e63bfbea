//! Lists the commands of the documents that the test in `mod.rs` does not run, each with the reason.

/// Commands that another test or `.ci/run` runs, each with the file that runs the command.
pub const ELSEWHERE: [(&str, &str); 17] = [
    ("cargo run", "tests/sandbox/tests/command_line.rs"),
    ("cargo run -- --help", "tests/sandbox/src/options.rs"),
    (
        "cargo run -- --sample-consumer",
        "tests/e2e/tests/end_to_end/consumer/setup.rs",
    ),
    (
        "cargo run -- exec cargo run --bin walk",
        "tests/e2e/tests/end_to_end/outcomes/walk.rs",
    ),
    ("cargo run --bin capacity", "tests/capacity/tests/tables.rs"),
    (
        "cargo run -q -p ecommpay --example signature -- verify --key test-secret-key callback.json",
        "shared/ecommpay/tests/tools.rs",
    ),
    (
        "cargo run -q -p ecommpay --example callback -- --key test-secret-key callback.json",
        "shared/ecommpay/tests/tools.rs",
    ),
    (
        "cargo run -q -p ecommpay --example payment_page -- --key test-secret-key parameters.json",
        "shared/ecommpay/tests/tools.rs",
    ),
    ("cargo test --workspace", ".ci/run"),
    (
        "export AWS_REGION=eu-west-1",
        "tests/e2e/tests/end_to_end/deployment/script.rs",
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
        "python3 infra/deploy.py deploy prod --binaries bancontact-0.1.0-linux-x86_64/functions",
        "tests/sandbox/src/deploy_script.rs",
    ),
    (
        "python3 infra/deploy.py outputs prod",
        "tests/e2e/tests/end_to_end/deployment/release.rs",
    ),
    (
        "python3 infra/deploy.py smoke prod",
        "tests/e2e/tests/end_to_end/deployment/release.rs",
    ),
    (
        "python3 infra/deploy.py rollback prod",
        "tests/e2e/tests/end_to_end/deployment/release.rs",
    ),
    (
        "python3 infra/deploy.py delete dev",
        "tests/e2e/tests/end_to_end/deployment/deletion.rs",
    ),
];

const TAKES_HOURS: &str = "the long form takes hours; `cargo test --workspace` runs the short form";
const MEASURES: &str = "a measurement needs a quiet machine and takes minutes";
const NEEDS_AN_ACCOUNT: &str = "the local AWS cannot restore or import a table";
const NO_CODE_DEPLOY: &str = "the local AWS has no CodeDeploy";
const DESTROYS: &str = "the command removes or stops the stack under test";
const SETS_UP: &str = "the test makes this setting itself";

/// The starts of commands that no test runs as they are written, each with the reason.
pub const NOWHERE: [(&str, &str); 30] = [
    ("LONG=1 cargo test", TAKES_HOURS),
    (
        "SEED=7 cargo test",
        "the command repeats a part of the simulation",
    ),
    (
        "UPDATE_SNAPSHOTS=1 cargo test",
        "the command writes files of the repository",
    ),
    ("RUSTC_BOOTSTRAP=1 cargo fuzz", "a fuzzer has no end"),
    ("cargo bench", MEASURES),
    (
        "python3 infra/deploy.py build",
        "a release build takes minutes; `.github/workflows/ci.yml` runs it in a job of its own",
    ),
    ("cargo deny", "the check of advisories downloads a database"),
    (
        "cargo run --bin capacity -- --",
        "tests/capacity/tests/tables.rs runs the program with each option",
    ),
    (
        "cargo run -- rehearse",
        "tests/e2e/tests/end_to_end/consumer/rehearsal.rs rehearses the sample consumer",
    ),
    ("cargo run --release", MEASURES),
    (
        "operator endpoint",
        "infra/operator/tests/end_to_end/administration/endpoints.rs runs each command on tables of its own",
    ),
    ("alias operator='cargo run", SETS_UP),
    ("export BANCONTACT_STACK=.deployed/", SETS_UP),
    (
        "eval \"$(aws configure export-credentials",
        "the local AWS has no profile",
    ),
    ("aws cloudformation create-change-set", NEEDS_AN_ACCOUNT),
    (
        "aws cloudformation deploy --stack-name events-for-accounting",
        "tests/e2e/tests/end_to_end/consumer/event_bus.rs deploys this template",
    ),
    ("aws cloudformation describe-stacks", NEEDS_AN_ACCOUNT),
    ("aws cloudformation execute-change-set", NEEDS_AN_ACCOUNT),
    (
        "aws dynamodb restore-table-to-point-in-time",
        NEEDS_AN_ACCOUNT,
    ),
    ("aws deploy list-deployments", NO_CODE_DEPLOY),
    ("aws deploy stop-deployment", NO_CODE_DEPLOY),
    ("aws dynamodb wait table-exists", NEEDS_AN_ACCOUNT),
    ("aws dynamodb update-continuous-backups", NEEDS_AN_ACCOUNT),
    ("aws dynamodb update-time-to-live", NEEDS_AN_ACCOUNT),
    ("aws dynamodb update-table", NEEDS_AN_ACCOUNT),
    ("aws dynamodb delete-table", DESTROYS),
    ("aws lambda delete-function-concurrency", DESTROYS),
    ("aws lambda put-function-concurrency", DESTROYS),
    (
        "aws pipes list-pipes",
        "the local AWS does not run the pipe",
    ),
    ("aws secretsmanager delete-secret", DESTROYS),
];

/// Returns why the test does not run a command; `None` if it must run the command.
pub fn reason(command: &str) -> Option<&'static str> {
    let elsewhere = ELSEWHERE.iter().find(|(listed, _)| *listed == command);
    let nowhere = NOWHERE.iter().find(|(start, _)| command.starts_with(start));
    elsewhere.or(nowhere).map(|(_, reason)| *reason)
}
