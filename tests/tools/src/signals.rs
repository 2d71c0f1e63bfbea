//! Receives the signals that usually end a program, and forwards them to a child.

use std::io::IsTerminal;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use tokio::signal::unix::{self, SignalKind};

/// Receives SIGINT, SIGTERM and SIGHUP. From the creation of this value on, these signals no longer end this process.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Starts to receive the signals.
    pub fn new() -> anyhow::Result<Self> {
        let receive = |kind| unix::signal(kind).context("Signals cannot be received");
        Ok(Self {
            interrupt: receive(SignalKind::interrupt())?,
            terminate: receive(SignalKind::terminate())?,
            hangup: receive(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
        }
    }
}

/// Forwards a signal to a child in our process group. In the foreground, the terminal already sends the SIGINT of
/// Ctrl-C to the whole group, so SIGINT is not forwarded.
pub fn pass_on(signal: Signal, child: u32) {
    if signal == Signal::SIGINT && is_in_foreground() {
        return;
    }
    if let Ok(child) = i32::try_from(child) {
        let _ = kill(Pid::from_raw(child), signal);
    }
}

fn is_in_foreground() -> bool {
    let stdin = std::io::stdin();
    stdin.is_terminal() && tcgetpgrp(&stdin).is_ok_and(|group| group == getpgrp())
}
