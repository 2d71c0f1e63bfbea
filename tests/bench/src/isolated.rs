//! A network of its own for what is measured: in it the hosts that the functions call are this machine.
//!
//! The functions then run exactly as deployed: to each host they have connections of its own, with the host's name and
//! certificate. They can reach nothing else. It takes Linux, and root or user namespaces.

use std::ffi::OsString;

use nix::unistd::Uid;

use crate::world::{AWS_HOSTS, GATE_HOST};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/isolate.py");

/// The command that runs a program in such a network.
pub fn command(program: OsString, arguments: &[OsString]) -> Vec<OsString> {
    let mut command: Vec<OsString> = ["unshare", "--mount", "--net"].map(Into::into).into();
    if !Uid::effective().is_root() {
        command.push("--map-root-user".into());
    }
    command.extend(["python3", "-I", SCRIPT].map(Into::into));
    command.push(format!("127.0.0.1 {}", AWS_HOSTS.join(" ")).into());
    command.push(format!("127.0.0.2 {GATE_HOST}").into());
    command.push("--".into());
    command.push(program);
    command.extend_from_slice(arguments);
    command
}
