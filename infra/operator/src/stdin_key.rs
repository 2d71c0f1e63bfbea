//! A key from stdin: as an argument, others could see it and the shell would remember it.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use payments::service::project_keys::SecretText;

/// Reads a key from the next line; what follows is left for the answer to a question. A
/// terminal is asked for it and does not show it.
pub fn read(what: &str) -> anyhow::Result<SecretText> {
    let mut line = String::new();
    if io::stdin().is_terminal() {
        let hidden = Hidden::begin().context("the terminal cannot hide the key: pipe it in")?;
        write!(io::stderr(), "{what}: ")?;
        let read = io::stdin().lock().read_line(&mut line);
        drop(hidden);
        writeln!(io::stderr())?;
        read?;
    } else {
        io::stdin().lock().read_line(&mut line)?;
    }
    let key = line.strip_suffix('\n').unwrap_or(&line);
    let key = key.strip_suffix('\r').unwrap_or(key);
    Ok(SecretText::read(key)?)
}

/// While it lives, the terminal shows nothing of what is typed. Nor does Ctrl-C end the program
/// then, which would leave the terminal so; it is a character that no key has.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> nix::Result<Self> {
        let shown = tcgetattr(io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_flags -= LocalFlags::ECHO | LocalFlags::ISIG;
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}
