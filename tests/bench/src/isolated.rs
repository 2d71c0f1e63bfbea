//! Isolates the functions in a network namespace, in which the hosts that they call resolve to this machine.
//!
//! The functions use the same host names as on AWS, and can reach no other machine. A network namespace needs Linux,
//! and root or user namespaces.

use std::ffi::OsString;

use nix::unistd::Uid;

use crate::settings::HOSTS;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/isolate.py");

/// Returns the command that runs a program in a new namespace.
pub fn command(program: OsString, arguments: &[OsString]) -> Vec<OsString> {
    let mut command: Vec<OsString> = ["unshare", "--mount", "--net"].map(Into::into).into();
    if !Uid::effective().is_root() {
        command.push("--map-root-user".into());
    }
    command.extend(["python3", "-I", SCRIPT].map(Into::into));
    command.push(format!("127.0.0.1 {}", HOSTS.join(" ")).into());
    command.push("--".into());
    command.push(program);
    command.extend_from_slice(arguments);
    command
}
