//! Implements the operator's tool: shows and repairs payments of a stack, and manages its keys, endpoints, queues and
//! reports.

mod endpoints;
mod input;
mod keys;
mod output;
mod payment;
mod queues;
mod reports;
mod session;
mod stack;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::endpoints::EndpointArgs;
use crate::input::confirm::ConfirmArgs;
use crate::keys::data_api_token::DataApiTokenArgs;
use crate::keys::project_key::ProjectKeyArgs;
use crate::keys::storefront::StorefrontArgs;
use crate::output::terminal;
use crate::payment::callback::CallbackArgs;
use crate::payment::republish::RepublishArgs;
use crate::payment::resync::ResyncArgs;
use crate::payment::review::{ReviewArgs, Verdict};
use crate::payment::show::ShowArgs;
use crate::queues::counts::QueuesArgs;
use crate::queues::redrive::RedriveArgs;
use crate::reports::reconcile::ReconcileArgs;
use crate::reports::report::ReportArgs;
use crate::session::Session;
use crate::stack::StackArgs;

/// Shows and repairs payments of a stack, and manages its keys, endpoints, queues and reports.
///
/// AWS credentials come from the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
#[derive(Parser)]
#[command(name = "operator")]
struct Args {
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    /// Writes JSON instead of text, and JSON lines instead of CSV.
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
    /// Accepts the money of a payment in quarantine as paid.
    ///
    /// Shows the quarantine items first. The decision settles only the items that were shown.
    Release(ReviewArgs),
    /// Refunds the received money that is not refunded yet, for a payment in quarantine.
    ///
    /// Shows the quarantine items and the amount first. The decision settles only the items that were shown.
    Reject(ReviewArgs),
    Storefront(StorefrontArgs),
    Endpoint(EndpointArgs),
    ProjectKey(ProjectKeyArgs),
    DataApiToken(DataApiTokenArgs),
    Queues(QueuesArgs),
    Redrive(RedriveArgs),
    Reconcile(ReconcileArgs),
    Report(ReportArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // The message repeats the arguments, which can contain invisible characters of a copied id.
        Err(error) if error.use_stderr() => {
            let _ = write!(terminal::stderr(), "{}", error.render());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        Err(help) => help.exit(),
    };
    // Adapters log items that cannot be read. Standard output has only the result of the command.
    payments::log::write_to_stderr();
    let mut out = terminal::stdout();
    let done = match run(&args, &mut out).await {
        Ok(()) => out.flush().map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The program that reads the output, such as `head`, needs no more lines.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let stack = args.stack.open()?;
    let session = Session {
        stack: &stack,
        confirm: &args.confirm,
        json: args.json,
        out,
    };
    match &args.command {
        Command::Show(args) => args.run(session).await,
        Command::Callback(args) => args.run(session).await,
        Command::Republish(args) => args.run(session).await,
        Command::Resync(args) => args.run(session).await,
        Command::Release(args) => args.run(Verdict::Release, session).await,
        Command::Reject(args) => args.run(Verdict::Reject, session).await,
        Command::Storefront(args) => args.run(session).await,
        Command::Endpoint(args) => args.run(session).await,
        Command::ProjectKey(args) => args.run(session).await,
        Command::DataApiToken(args) => args.run(session).await,
        Command::Queues(args) => args.run(session).await,
        Command::Redrive(args) => args.run(session).await,
        Command::Reconcile(args) => args.run(session).await,
        Command::Report(args) => args.run(session).await,
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
