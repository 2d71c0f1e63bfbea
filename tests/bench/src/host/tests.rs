//! Tests the host with small functions in Python.

use std::ffi::OsString;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Instance, Program};
use crate::isolated;

/// Answers with the event and the environment. Reports an error for the event `fail`, and ends for the event `exit`.
const ECHO: &str = r#"
import json, os, sys, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def post(path, value):
    data = json.dumps(value).encode()
    urllib.request.urlopen(urllib.request.Request(api + path, data, {"content-type": "application/json"})).read()
while True:
    with urllib.request.urlopen(api + "invocation/next") as next:
        id, event = next.headers["Lambda-Runtime-Aws-Request-Id"], json.load(next)
    if event == "exit":
        print("last line of the log", flush=True)
        sys.exit(3)
    if event == "fail":
        post(f"invocation/{id}/error", {"errorMessage": "reported error"})
    else:
        post(f"invocation/{id}/response", {"event": event, "environment": dict(os.environ)})
"#;

fn echo() -> Program {
    let mut program = Program::new("echo", "/usr/bin/env").with("COLOUR", "blue");
    program.arguments = ["python3", "-I", "-c", ECHO].map(Into::into).into();
    // Python can be in any folder, so the program gets this process's search path.
    program.with("PATH", std::env::var("PATH").unwrap())
}

#[tokio::test]
async fn each_instance_answers_its_own_events_one_after_another() {
    let program = echo();
    let (one, other) = tokio::join!(Instance::start(&program), Instance::start(&program));
    let (mut one, mut other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.pid(), other.pid());
    for number in 0..3 {
        let (first, second) = tokio::join!(
            one.invoke(json!({ "one": number }).to_string()),
            other.invoke(json!({ "other": number }).to_string()),
        );
        let reply = |reply: &[u8]| serde_json::from_slice::<Value>(reply).unwrap();
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(reply(&first.reply)["event"], json!({ "one": number }));
        assert_eq!(reply(&second.reply)["event"], json!({ "other": number }));
        assert!(!first.took.is_zero());
        let environment = reply(&first.reply)["environment"].clone();
        assert_eq!(environment["COLOUR"], "blue");
        assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "echo");
        assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None);
    }
    assert!(one.usage().unwrap().memory > 1 << 20);
    assert!(!one.usage().unwrap().cpu.is_zero());
    one.stop().await.unwrap();
}

#[tokio::test]
async fn an_error_shows_the_message_of_the_function() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = echo();
    program.log = Some(folder.path().join("log"));
    for (event, message) in [("fail", "reported error"), ("exit", "last line of the log")] {
        let mut instance = Instance::start(&program).await.unwrap();
        let failed = instance.invoke(json!(event).to_string()).await.unwrap_err();
        assert!(failed.to_string().contains(message), "{failed}");
        let again = instance.invoke("{}").await.unwrap_err();
        assert!(again.to_string().contains("not ready"), "{again}");
    }
}

#[tokio::test]
async fn a_dropped_instance_ends_its_process() {
    let instance = Instance::start(&echo()).await.unwrap();
    let process = format!("/proc/{}/stat", instance.pid());
    assert!(std::fs::exists(&process).unwrap());
    drop(instance);
    // A zombie has ended, although its parent has not read the exit status yet.
    let has_ended = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    let end = async {
        while !has_ended() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), end).await;
    assert!(waited.is_ok(), "the process still runs");
}

fn run(command: &[OsString]) -> Output {
    let (program, arguments) = command.split_first().unwrap();
    let mut command = std::process::Command::new(program);
    command.args(arguments).output().unwrap()
}

/// Runs a Python script in the isolated network.
fn isolated_python(script: &str) -> Output {
    let arguments = ["python3", "-c", script].map(Into::into);
    run(&isolated::command("/usr/bin/env".into(), &arguments))
}

#[test]
fn an_isolated_program_reaches_only_this_machine() {
    let probe = ["unshare", "--mount", "--net", "--map-root-user", "true"];
    if !run(&probe.map(Into::into)).status.success() {
        // Without the permission for a namespace, the program must not run in the machine's own network.
        let refused = isolated_python("");
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && error.contains("unshare"),
            "{error}"
        );
        return;
    }
    let resolved = isolated_python(
        "import socket; print(*{a[4][0] for a in socket.getaddrinfo('sqs.eu-west-1.amazonaws.com', 443)})",
    );
    assert_eq!(
        String::from_utf8_lossy(&resolved.stdout).trim(),
        "127.0.0.1"
    );
    let connected =
        isolated_python("import socket; socket.create_connection(('192.0.2.1', 443), 5)");
    let error = String::from_utf8_lossy(&connected.stderr);
    assert!(error.contains("unreachable"), "{error}");
}
