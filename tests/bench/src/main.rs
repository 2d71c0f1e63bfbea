//! Measures the functions as they are deployed. README.md describes the methods.

mod compare;
mod host;
mod http_server;
mod isolated;
mod load;
mod polls;
mod scenario;
mod settings;
mod stubs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

/// Compares the functions with three other implementations of the same work
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: compare::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs checkouts and callbacks for some minutes, then checks every payment, event and message
    Load(load::Arguments),
    /// Measures how fast a shopper is redirected to the bank while many other clients wait
    Waits(load::waits::Arguments),
    /// Measures the status polls per second, and whether each project has its share
    Polls(polls::Arguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let line = CommandLine::parse();
    match line.command {
        // A single thread takes less CPU time from the functions than several threads.
        None => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(compare::run(&line.compare))
        }
        Some(Command::Load(arguments)) => two_threads()?.block_on(load::command(&arguments)),
        Some(Command::Polls(arguments)) => two_threads()?.block_on(polls::command(&arguments)),
        Some(Command::Waits(arguments)) => {
            two_threads()?.block_on(load::waits::command(&arguments))
        }
    }
}

fn two_threads() -> std::io::Result<Runtime> {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_accepts_a_comparison_and_a_load_test() {
        CommandLine::command().debug_assert();
        let line = CommandLine::parse_from(["bench", "--rounds", "2"]);
        assert!(line.command.is_none());
        let line = CommandLine::parse_from(["bench", "load", "--minutes", "10"]);
        assert!(line.command.is_some());
    }
}
