//! Tests the scripts in `infra/tools`, and the deployment's rules in `infra/deployment`.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn scripts() -> PathBuf {
    tools::root().join("infra/tools")
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(i32::try_from(process).unwrap())
}

#[test]
fn a_program_is_stopped_when_a_signal_ends_the_python_process_that_runs_it() {
    let caller = "
import sys
sys.path.insert(0, sys.argv[1])
from supervise import interruptible, run
interruptible()
run(['sh', '-c', 'echo $$; exec sleep 300'])";
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mut caller = Command::new("python3")
            .args(["-B", "-c", caller])
            .arg(scripts())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(caller.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let program = pid(line.trim().parse().unwrap());
        kill(pid(caller.id()), signal).unwrap();
        caller.wait().unwrap();
        // The read ends when no process is left that could write to the output.
        assert_eq!(output.read_line(&mut line).unwrap(), 0);
        assert_eq!(kill(program, None), Err(Errno::ESRCH), "{signal}");
    }
}

fn install(pins: &Path) -> Child {
    Command::new("python3")
        .arg(scripts().join("install.py"))
        .arg(pins)
        .env("PIP_NO_INDEX", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn pins(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// Removes an installation from `.tools`.
fn remove(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    let _ = std::fs::remove_file(folder.with_extension("log"));
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap().trim_end()
}

#[test]
fn packages_are_installed_once_by_processes_that_start_together() {
    let file = pins("none.txt", &format!("# {}\n", std::process::id()));
    let processes = [install(&file), install(&file)];
    let outputs = processes.map(|process| process.wait_with_output().unwrap());
    let [first, second] = &outputs;
    let folder = Path::new(text(&first.stdout));
    let is_complete = folder.join("complete").exists() && folder.join("bin/python").exists();
    remove(folder);
    assert!(is_complete, "{outputs:?}");
    assert_eq!(first.stdout, second.stdout);
    let messages = outputs.iter().map(|output| text(&output.stderr));
    let installed = messages.filter(|message| message.contains("Installing"));
    assert_eq!(installed.count(), 1, "{outputs:?}");
}

#[test]
fn a_failed_installation_prints_its_reason_in_one_sentence_and_leaves_no_usable_folder() {
    let file = pins("missing.txt", "no-such-package==1 --hash=sha256:00\n");
    let Output {
        status,
        stdout,
        stderr,
    } = install(&file).wait_with_output().unwrap();
    let last = text(&stderr).lines().last().unwrap_or_default();
    let (reason, log) = last.split_once("; the log is ").unwrap();
    let folder = Path::new(log.trim_end_matches('.')).with_extension("");
    let is_usable = folder.join("complete").exists();
    remove(&folder);
    assert!(!status.success() && stdout.is_empty());
    assert!(reason.contains("no-such-package"), "{last}");
    assert!(!is_usable);
}

/// The program can import the scripts in `infra`.
fn python(program: &str) -> Output {
    let infra = tools::root().join("infra");
    let mut python = Command::new("python3");
    python.args(["-B", "-c", program]).arg(infra);
    python.output().unwrap()
}

#[test]
fn text_of_any_characters_is_printed_as_one_line_of_visible_characters() {
    assert_succeeds(
        r#"
import random, sys, unicodedata
sys.path.insert(0, sys.argv[1])
from tools.output import visible
assert visible("order-1 \u00e9\u20ac") == "order-1 \u00e9\u20ac"
assert visible("a\x1b[31m\n\x9b\u202e\u200b\\") == r"a\u{1b}[31m\n\u{9b}\u{202e}\u{200b}\\"
shown = {}
for number in [*range(0xD800), *range(0xE000, 0x110000)]:
    character = chr(number)
    escaped = visible(character)
    assert all(each.isprintable() and unicodedata.category(each)[0] != "M" for each in escaped), hex(number)
    assert shown.setdefault(escaped, character) == character
choice = random.Random(1).choice
for _ in range(20000):
    text = "".join(choice("\\nu{}1b\n\x1b\u202ea") for _ in range(6))
    assert shown.setdefault(visible(text), text) == text"#,
    );
}

fn assert_succeeds(program: &str) {
    let output = python(program);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

#[test]
fn a_deployment_is_refused_if_the_account_cannot_reserve_what_the_stage_asks_for() {
    assert_succeeds(
        r#"
import sys
sys.path.insert(0, sys.argv[1])
from deployment.concurrency import must_suffice, reserved
from tools.failure import Failure

def function(name):
    def choice(value):
        return {"Fn::If": ["Condition", value, {"Ref": "AWS::NoValue"}]}
    provisioned = {"ProvisionedConcurrentExecutions": {"Ref": name + "Provisioned"}}
    return {
        "ReservedConcurrentExecutions": choice({"Ref": name + "Concurrency"}),
        "ProvisionedConcurrencyConfig": choice(provisioned),
    }

functions = [function("Shopper"), function("Callback"), {"Timeout": 60}]
none = {"ShopperConcurrency": "0", "ShopperProvisioned": 0, "CallbackConcurrency": 0, "CallbackProvisioned": "0"}
assert reserved(functions, none) == {}
both = none | {"ShopperConcurrency": 50, "ShopperProvisioned": 20, "CallbackProvisioned": "30"}
# Provisioned concurrency is a part of the reserved concurrency of the same function.
assert reserved(functions, both) == {"ShopperConcurrency": 50, "CallbackProvisioned": 30}

class Account:
    calls = 0
    def __init__(self, limit, unreserved):
        self.limit = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
    def get_account_settings(self):
        self.calls += 1
        return {"AccountLimit": self.limit}

def refusal(account, current, planned):
    try:
        must_suffice(account, functions, current, planned)
    except Failure as failure:
        return str(failure)

for account, current, planned, message in [
    (Account(1000, 1000), none, both, None),
    (Account(180, 180), none, both, None),
    (Account(179, 179), none, both, "79 more"),
    (Account(10, 10), none, both, "0 more"),
    (Account(1000, 150), none, both, "50 more"),
    # The account has already reserved the executions of the deployed stack.
    (Account(180, 100), both, both, None),
    (Account(180, 100), both, none, None),
    (Account(180, 130), none | {"ShopperConcurrency": 50}, both, None),
    (Account(180, 129), none | {"ShopperConcurrency": 50}, both, "29 more"),
]:
    why = refusal(account, current, planned)
    assert (why is None) == (message is None), (account.limit, why)
    if message:
        assert message in why, why
        assert "CallbackProvisioned=30, ShopperConcurrency=50" in why, why
account = Account(10, 10)
assert refusal(account, none, none) is None and account.calls == 0"#,
    );
}

#[test]
fn a_release_has_a_new_name_if_its_content_changes_and_whenever_it_is_deployed_again() {
    assert_succeeds(
        r#"
import sys
sys.path.insert(0, sys.argv[1])
from deployment import release_names
from deployment.release_names import before, deployed_now, name_of

clock = iter(range(1796032801, 1796039999))
release_names.time.time = lambda: next(clock)
settings = {"GateUrl": "https://api.ecommpay.com", "RouteRate": "1000", "CheckoutProvisioned": "0", "Deployment": "AllAtOnce"}
first = name_of("template", settings, {"refund": b"1"}, "none")
assert name_of("template", settings, {"refund": b"1"}, first) == first
unversioned = settings | {"RouteRate": "1", "CheckoutProvisioned": "5", "Deployment": "Canary10Percent10Minutes"}
assert name_of("template", unversioned, {"refund": b"1"}, first) == first
changes = [
    ("other", settings, {"refund": b"1"}),
    ("template", settings | {"GateUrl": "https://other.example"}, {"refund": b"1"}),
    ("template", settings, {"refund": b"2"}),
]
names = [first, *(name_of(*change, first) for change in changes)]
assert len({name[:10] for name in names}) == 4, names
assert [before(name, names) for name in names] == [None, *names[:3]]

# After a rollback, the next rollback returns to a still earlier release.
again = deployed_now(names[2])
assert before(again, names) == names[1]
assert name_of(*changes[1], again) == again
assert before(deployed_now(names[1]), names) == first
# An old content can be deployed again as a new release. A release with the same content is not an earlier release.
repeated = name_of(*changes[1], names[3])
assert repeated != names[2] and before(repeated, [*names, repeated]) == names[3]
same = name_of(*changes[1], "none")
assert before(same, [*names[:3], same]) == names[1]
# A deployment that is no release, and a deployment by another tool.
assert before(deployed_now("0123456789abcdef"), names) == names[3]
assert before("none", names) == names[3]"#,
    );
}

#[test]
fn a_parameter_that_makes_no_release_is_in_no_version_of_a_function() {
    assert_succeeds(
        r#"
import re, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from deployment.release_names import UNVERSIONED

template = (Path(sys.argv[1]) / "template.yaml").read_text(encoding="utf-8")
def named(start, end):
    return {name for name in re.findall(r"[A-Za-z]+", template.split(start)[1].split(end)[0]) if UNVERSIONED.search(name)}

assert not named("\nGlobals:", "\nResources:")
for name in ("Checkout", "Shopper", "Callback", "Refund"):
    found = named(f"\n  {name}Function:\n", f"\n  {name}Role:\n")
    # Reserved and provisioned concurrency belong to a function or to an alias. A deployment moves an alias.
    assert found <= {f"{name}Concurrency", f"{name}Provisioned", "Deployment"}, found"#,
    );
}

#[test]
fn the_file_of_a_stack_with_the_same_name_in_a_second_region_has_the_region_in_its_name() {
    assert_succeeds(
        r#"
import sys, tempfile
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from deployment.outputs import file

with tempfile.TemporaryDirectory() as folder:
    usual = Path(folder) / "bancontact-prod.json"
    names = [file(SimpleNamespace(file=usual, region="eu-west-1")).name]
    for text in ["{", "{}", '{"region": "eu-west-1"}']:
        usual.write_text(text)
        names += [file(SimpleNamespace(file=usual, region=region)).name for region in ("eu-west-1", "eu-central-1")]
    second = names.pop()
    assert set(names) == {usual.name}, names
    assert second == "bancontact-prod.eu-central-1.json", second"#,
    );
}

#[test]
fn the_deployment_prints_only_escaped_text() {
    let folder = tools::root().join("infra");
    for folder in [folder.join("deployment"), folder] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "py") {
                let text = std::fs::read_to_string(&path).unwrap();
                for pattern in [
                    "print(",
                    "sys.stdout",
                    "sys.stderr",
                    "exit(str",
                    "exit(sentence",
                ] {
                    assert!(!text.contains(pattern), "{}: {pattern}", path.display());
                }
            }
        }
    }
}
