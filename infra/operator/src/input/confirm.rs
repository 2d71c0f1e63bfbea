//! Asks the operator for confirmation before a change.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::bail;
use clap::Args;

use crate::output::terminal;

#[derive(Args)]
pub struct ConfirmArgs {
    /// Answers yes to every question.
    #[arg(long, global = true)]
    yes: bool,
}

impl ConfirmArgs {
    /// Asks a question on standard error. Fails if the answer is not yes.
    pub fn ask(&self, question: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let mut stderr = terminal::stderr();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        // On a terminal, the Enter key has already ended the line of the question. Piped input does not end the line.
        if !io::stdin().is_terminal() {
            writeln!(stderr)?;
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was changed"),
        }
    }
}
