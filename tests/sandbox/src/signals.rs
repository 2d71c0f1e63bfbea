//! The signals that end a run.

use std::io::IsTerminal;

use anyhow::Context;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::signal::unix::{self, SignalKind};

/// Listens for SIGINT, SIGTERM and SIGHUP from its making on.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Starts to listen; from now on these signals do not end the process by themselves.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn new() -> anyhow::Result<Self> {
        let listen = |kind| unix::signal(kind).context("Signals cannot be listened for");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
        }
    }
}

/// Passes a signal on to a child in our process group. What the terminal sends, it sends to the whole group, so a
/// Ctrl-C has reached the child already and must not come twice.
pub fn pass_on(signal: Signal, child: u32) {
    if signal == Signal::SIGINT && we_are_in_the_foreground() {
        return;
    }
    if let Ok(child) = i32::try_from(child) {
        let _ = nix::sys::signal::kill(Pid::from_raw(child), signal);
    }
}

fn we_are_in_the_foreground() -> bool {
    let stdin = std::io::stdin();
    stdin.is_terminal()
        && nix::unistd::tcgetpgrp(&stdin).is_ok_and(|group| group == nix::unistd::getpgrp())
}
