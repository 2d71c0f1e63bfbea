//! What an operator does with the payments of an account: of a real one, or of the sandbox.

mod account;
mod confirm;
// Nothing of it is called yet.
#[allow(dead_code)]
mod invoke;
mod report;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::account::AccountArgs;
use crate::confirm::ConfirmArgs;
use crate::report::ReportArgs;

/// What an operator does with the payments of an account.
///
/// Whoever runs it is known by the usual AWS variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
/// AWS_SESSION_TOKEN.
#[derive(Parser)]
#[command(name = "operator")]
struct Args {
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Writes JSON, a line for each thing.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(ReportArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match run(&args, &mut out).await {
        Ok(()) => out.flush().map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let account = args.account.open()?;
    match &args.command {
        Command::Report(report) => report.write(&account, args.json, out).await,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| {
        let of_csv = || match cause.downcast_ref::<csv::Error>()?.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        };
        cause.downcast_ref::<io::Error>().or_else(of_csv)
    });
    let mut kinds = causes.map(io::Error::kind);
    kinds.any(|kind| kind == io::ErrorKind::BrokenPipe)
}
