//! What an operator does with the payments of an account: of a real one, or of the sandbox.

mod account;
mod answer;
mod callback;
mod command;
mod confirm;
mod data_api_token;
mod history;
mod invoke;
mod payment;
mod project_key;
mod quarantine;
mod queues;
mod reconcile;
mod redrive;
mod report;
mod republish;
mod resync;
mod review;
mod session;
mod show;
mod stdin_key;
mod storefront;
mod table;
mod text;
mod values;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::account::AccountArgs;
use crate::callback::CallbackArgs;
use crate::confirm::ConfirmArgs;
use crate::data_api_token::DataApiTokenArgs;
use crate::project_key::ProjectKeyArgs;
use crate::queues::QueuesArgs;
use crate::reconcile::ReconcileArgs;
use crate::redrive::RedriveArgs;
use crate::report::ReportArgs;
use crate::republish::RepublishArgs;
use crate::resync::ResyncArgs;
use crate::review::{ReviewArgs, Verdict};
use crate::session::Session;
use crate::show::ShowArgs;
use crate::storefront::StorefrontArgs;

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
    Show(ShowArgs),
    Callback(CallbackArgs),
    Republish(RepublishArgs),
    Resync(ResyncArgs),
    /// Takes the money of a payment in quarantine as paid.
    Release(ReviewArgs),
    /// Gives back the money that came of a payment in quarantine.
    Reject(ReviewArgs),
    Storefront(StorefrontArgs),
    ProjectKey(ProjectKeyArgs),
    DataApiToken(DataApiTokenArgs),
    Queues(QueuesArgs),
    Redrive(RedriveArgs),
    Reconcile(ReconcileArgs),
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

async fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let account = args.account.open()?;
    let session = Session {
        account: &account,
        confirm: &args.confirm,
        json: args.json,
        out,
    };
    match &args.command {
        Command::Show(show) => show.run(session).await,
        Command::Callback(callback) => callback.run(session).await,
        Command::Republish(republish) => republish.run(session).await,
        Command::Resync(resync) => resync.run(session).await,
        Command::Release(review) => review.run(Verdict::Release, session).await,
        Command::Reject(review) => review.run(Verdict::Reject, session).await,
        Command::Storefront(keys) => keys.run(session).await,
        Command::ProjectKey(keys) => keys.run(session).await,
        Command::DataApiToken(token) => token.run(session).await,
        Command::Queues(queues) => queues.run(session).await,
        Command::Redrive(redrive) => redrive.run(session).await,
        Command::Reconcile(range) => range.run(session).await,
        Command::Report(report) => report.run(session).await,
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
