//! Nothing is changed without a yes.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::bail;
use clap::Args;

#[derive(Args)]
pub struct ConfirmArgs {
    /// Does not ask before it changes anything.
    #[arg(long, global = true)]
    yes: bool,
}

impl ConfirmArgs {
    /// Asks whether this is to be done; fails if it is not.
    pub fn ask(&self, what: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let mut told = io::stderr().lock();
        write!(told, "{what} [y/N] ")?;
        told.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if !io::stdin().is_terminal() {
            writeln!(told)?;
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was changed"),
        }
    }
}
