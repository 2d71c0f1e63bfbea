//! Opens standard output and standard error. No other module opens them, so that all output is escaped.

use std::io::{self, BufWriter, Write};

use payments::escape::lines_for_terminal;

/// Returns standard output. Invisible characters are escaped, so that no output can control the terminal.
pub fn stdout() -> impl Write {
    Visible::new(BufWriter::new(io::stdout().lock()))
}

/// Returns standard error, with the same escapes as [`stdout`].
pub fn stderr() -> impl Write {
    Visible::new(io::stderr().lock())
}

/// Writes an error to standard error in one line. Line feeds in the message are escaped.
pub fn error(error: &anyhow::Error) {
    let line = format!("{error:#}").replace('\n', "\\n");
    let _ = writeln!(stderr(), "{line}");
}

/// Escapes all invisible characters that are written, except line feeds.
struct Visible<W> {
    out: W,
    /// The bytes of an incomplete character at the end of the last write.
    partial: Vec<u8>,
}

impl<W: Write> Visible<W> {
    fn new(out: W) -> Self {
        let partial = Vec::new();
        Self { out, partial }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let end = match str::from_utf8(&pending) {
            // An error without a length means that the last character is incomplete.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => pending.len(),
        };
        self.partial = pending.split_off(end);
        let text = String::from_utf8_lossy(&pending);
        self.out.write_all(lines_for_terminal(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn all_invisible_characters_but_line_feeds_are_escaped_wherever_the_text_is_split() {
        let text = "a\u{1b}[31m\n\u{9b}\u{202e}\u{e9}\u{10ffff}\\\n";
        let expected = "a\\u{1b}[31m\n\\u{9b}\\u{202e}\u{e9}\\u{10ffff}\\\n";
        for size in 1..=text.len() {
            let mut writer = Visible::new(Vec::new());
            for part in text.as_bytes().chunks(size) {
                writer.write_all(part).unwrap();
            }
            assert_eq!(String::from_utf8(writer.out).unwrap(), expected);
        }
        let mut writer = Visible::new(Vec::new());
        writer.write_all(b"a\xffb\x9b31m").unwrap();
        assert_eq!(writer.out, "a\u{fffd}b\u{fffd}31m".as_bytes());
    }

    fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, files),
                false => files.push(path),
            }
        }
    }

    #[test]
    fn only_this_module_writes_to_the_terminal_and_only_the_table_writes_csv() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        assert!(files.len() > 20, "{files:?}");
        for (pattern, owner) in [
            ("io::stdout()", "output/terminal.rs"),
            ("io::stderr()", "output/terminal.rs"),
            ("println!", "output/terminal.rs"),
            ("print!", "output/terminal.rs"),
            ("dbg!", "output/terminal.rs"),
            (concat!("csv::", "Writer"), "output/table.rs"),
        ] {
            for file in files.iter().filter(|file| !file.ends_with(owner)) {
                let text = std::fs::read_to_string(file).unwrap();
                assert!(!text.contains(pattern), "{}: {pattern}", file.display());
            }
        }
    }
}
