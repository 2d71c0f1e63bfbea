//! Tests the exit statuses and messages of `cargo run`, and that it ends all its processes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const ANY_PORTS: [&str; 6] = ["--port", "0", "--shop-port", "0", "--platform-port", "0"];

fn sandbox() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.stdin(Stdio::null());
    command
}

/// Runs a command that must fail, and returns the last line of its standard error.
fn refused(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!status.success(), "{stderr}");
    assert!(status.signal().is_none(), "{stderr}");
    assert!(stdout.is_empty());
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr.lines().last().unwrap_or_default().to_owned()
}

/// A running sandbox without `exec`.
struct Interactive {
    child: Child,
    addresses: BTreeMap<String, String>,
}

impl Interactive {
    fn start() -> Self {
        let mut child = sandbox()
            .args(ANY_PORTS)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut addresses = BTreeMap::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        for line in lines.by_ref() {
            if let Some((name, address)) = line.trim().split_once(char::is_whitespace)
                && address.trim().starts_with("http://")
            {
                addresses.insert(name.to_owned(), address.trim().to_owned());
            }
            if addresses.contains_key("AWS") {
                break;
            }
        }
        assert_eq!(addresses.len(), 4, "{addresses:?}");
        // Without a reader, a full pipe would block the sandbox.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, addresses }
    }

    /// Starts a function's process.
    fn call_a_function(&self) {
        use std::io::{Read, Write};
        let host = self.addresses["API"].strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "POST /callbacks HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }

    fn end(mut self, signal: Signal) {
        self.call_a_function();
        let family = descendants(self.child.id());
        assert!(
            family.len() >= 3,
            "at least the supervisor, the local AWS and a function must run, not only {family:?}"
        );
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
        let left: Vec<&u32> = family
            .iter()
            .filter(|process| is_alive(**process))
            .collect();
        assert!(left.is_empty(), "{signal} left {left:?}");
        for (name, address) in &self.addresses {
            let host = address.strip_prefix("http://").unwrap();
            assert!(
                TcpStream::connect(host).is_err(),
                "{signal} left {name} open at {host}"
            );
        }
    }
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in brackets. The last `)` ends it, because the name can contain brackets.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn is_alive(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}

fn descendants(ancestor: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((process, parent_of(process)?)))
        .collect();
    let mut family = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            all.iter()
                .filter(|(_, of)| *of == parent)
                .map(|(process, _)| *process),
        );
        next += 1;
    }
    family.split_off(1)
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_leaves_no_process() {
    Interactive::start().end(Signal::SIGINT);
}

#[test]
#[cfg(target_os = "linux")]
fn sigterm_leaves_no_process() {
    Interactive::start().end(Signal::SIGTERM);
}

#[test]
fn exec_returns_the_status_and_the_output_of_the_command() {
    let script = r#"test -s "$SANDBOX_READY" && cat "$SANDBOX_READY" && exit 7"#;
    let output = sandbox()
        .args(ANY_PORTS)
        .args(["exec", "sh", "-c", script])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    let ready: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for name in ["api", "shop", "platform", "aws_endpoint"] {
        let host = ready[name]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap();
        assert!(host.starts_with("127.0.0.1:"), "{name} is at {host}");
        assert!(TcpStream::connect(host).is_err(), "{name} is still open");
    }
    for name in [
        "region",
        "table",
        "storefront_keys_table",
        "storefront_key",
        "project_key",
    ] {
        assert!(!ready[name].as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(ready["project_id"], 211);
    for queue in ["fulfilment", "audit", "work", "daily"] {
        for kind in ["queues", "dead_letters"] {
            assert!(ready[kind][queue].is_string(), "{kind}: {queue}");
        }
    }
    assert!(ready["functions"]["callback"].is_string());
}

#[test]
fn the_message_names_a_command_that_cannot_be_started() {
    let message = refused(sandbox().args(ANY_PORTS).args(["exec", "/no/such/command"]));
    assert!(
        message.contains("/no/such/command cannot be started"),
        "{message}"
    );
}

#[test]
fn the_message_names_an_unknown_option() {
    let message = refused(sandbox().arg("--prot"));
    assert!(message.contains("--prot"), "{message}");
}

#[test]
fn the_message_names_a_port_in_use_and_its_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port", "--shop-port", "--platform-port"] {
        let message = refused(sandbox().args(ANY_PORTS).args([option, &port]));
        assert!(
            message.contains(&port) && message.contains(option),
            "{message}"
        );
    }
}

#[test]
fn the_message_says_which_python_is_missing() {
    let message = refused(sandbox().args(ANY_PORTS).env("PYTHON", "/no/such/python"));
    assert!(message.contains("/no/such/python"), "{message}");
    let message = refused(
        sandbox()
            .args(ANY_PORTS)
            .env_remove("PYTHON")
            .env("PATH", "/no/such/path"),
    );
    assert!(message.contains("Python 3.10"), "{message}");
}

#[test]
fn the_message_names_the_type_of_the_resource_that_the_local_aws_refused() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    let template = include_str!("../../../infra/template.yaml").replace(
        "\nResources:\n",
        "\nResources:\n  Nothing: {Type: 'AWS::Nothing::AtAll'}\n",
    );
    std::fs::write(&file, template).unwrap();
    let since = Instant::now();
    let message = refused(
        sandbox()
            .args(ANY_PORTS)
            .arg("--template")
            .arg(&file)
            .args(["exec", "true"]),
    );
    assert!(
        message.starts_with("The deployment failed") && message.contains("AWS::Nothing::AtAll"),
        "{message}"
    );
    assert!(since.elapsed() < Duration::from_secs(120));
}
