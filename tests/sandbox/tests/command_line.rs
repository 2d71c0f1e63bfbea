//! The program behind `cargo run`, from the outside: how it ends, and that nothing is left.
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

fn refused(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert!(!status.success(), "{told}");
    assert!(status.signal().is_none(), "{told}");
    assert!(stdout.is_empty());
    assert!(!told.contains("panicked"), "{told}");
    told.lines().last().unwrap_or_default().to_owned()
}

/// A sandbox that somebody watches, once it is up.
struct Watched {
    child: Child,
    addresses: BTreeMap<String, String>,
}

impl Watched {
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
        // Whatever it says from now on must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, addresses }
    }

    /// Calls a function, so that one is running.
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
            "supervisor, local AWS and a function, not {family:?}"
        );
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
        let left: Vec<&u32> = family.iter().filter(|process| alive(**process)).collect();
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
    // The name in the second field may hold anything but ends with the last bracket.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn alive(process: u32) -> bool {
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
fn ctrl_c_leaves_nothing() {
    Watched::start().end(Signal::SIGINT);
}

#[test]
#[cfg(target_os = "linux")]
fn sigterm_leaves_nothing() {
    Watched::start().end(Signal::SIGTERM);
}

#[test]
fn exec_gives_back_the_commands_status_and_its_output() {
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
    for name in ["region", "table", "storefront_key", "project_key"] {
        assert!(!ready[name].as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(ready["project_id"], 211);
    assert!(ready["queues"]["fulfilment"].is_string() && ready["queues"]["audit"].is_string());
    assert!(ready["functions"]["callback"].is_string());
}

#[test]
fn a_command_that_cannot_be_started_is_told() {
    let told = refused(sandbox().args(ANY_PORTS).args(["exec", "/no/such/command"]));
    assert!(
        told.contains("/no/such/command cannot be started"),
        "{told}"
    );
}

#[test]
fn a_wrong_option_is_told() {
    let told = refused(sandbox().arg("--prot"));
    assert!(told.contains("--prot"), "{told}");
}

#[test]
fn a_taken_port_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port", "--shop-port", "--platform-port"] {
        let told = refused(sandbox().args(ANY_PORTS).args([option, &port]));
        assert!(told.contains(&port) && told.contains(option), "{told}");
    }
}

#[test]
fn a_missing_python_is_told() {
    let told = refused(sandbox().args(ANY_PORTS).env("PYTHON", "/no/such/python"));
    assert!(told.contains("/no/such/python"), "{told}");
    let told = refused(
        sandbox()
            .args(ANY_PORTS)
            .env_remove("PYTHON")
            .env("PATH", "/no/such/path"),
    );
    assert!(told.contains("Python 3.10"), "{told}");
}

#[test]
fn a_template_that_does_not_deploy_is_told() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    let template = "Parameters: {PublicBaseUrl: {Type: String}, GateUrl: {Type: String}, \
                    PaymentPageUrl: {Type: String}, DataApiUrl: {Type: String}, RequireTls: {Type: String}, OutboxGraceSeconds: {Type: Number}}\n\
                    Resources: {Nothing: {Type: 'AWS::Nothing::AtAll'}}\n";
    std::fs::write(&file, template).unwrap();
    let since = Instant::now();
    let told = refused(
        sandbox()
            .args(ANY_PORTS)
            .arg("--template")
            .arg(&file)
            .args(["exec", "true"]),
    );
    assert!(
        told.starts_with("The deployment failed") && told.contains("AWS::Nothing::AtAll"),
        "{told}"
    );
    assert!(since.elapsed() < Duration::from_secs(120));
}
