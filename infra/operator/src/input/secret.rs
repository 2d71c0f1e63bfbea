//! Reads keys from standard input. A key is never an argument, because other users of the machine can see arguments,
//! and the shell stores arguments in its history.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use payments::service::project_keys::SecretText;

use crate::output::terminal;

/// Reads a key from the next line of standard input. Leaves the following lines, such as the answer to a question, to
/// later reads. On a terminal, prompts with `name` and hides the input.
pub fn read(name: &str) -> anyhow::Result<SecretText> {
    let mut line = String::new();
    if io::stdin().is_terminal() {
        let hidden = HiddenInput::start()
            .context("the terminal cannot hide the input; pipe the key into the tool")?;
        write!(terminal::stderr(), "{name}: ")?;
        let read = io::stdin().lock().read_line(&mut line);
        drop(hidden);
        writeln!(terminal::stderr())?;
        read?;
    } else {
        io::stdin().lock().read_line(&mut line)?;
    }
    let key = line.strip_suffix('\n').unwrap_or(&line);
    let key = key.strip_suffix('\r').unwrap_or(key);
    Ok(SecretText::read(key)?)
}

/// Hides the input of the terminal until this value is dropped. Holds the settings that are restored then.
///
/// While the input is hidden, Ctrl-C does not end the program, because the input would then stay hidden. Instead,
/// Ctrl-C types a control character, which no key may contain.
struct HiddenInput(Termios);

impl HiddenInput {
    fn start() -> nix::Result<Self> {
        let visible = tcgetattr(io::stdin())?;
        let mut hidden = visible.clone();
        hidden.local_flags -= LocalFlags::ECHO | LocalFlags::ISIG;
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &hidden)?;
        Ok(Self(visible))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}
