//! Finds the shell commands of a document in its code blocks and code spans.

/// A text counts as a command only if it starts with one of these programs.
const PROGRAMS: [&str; 14] = [
    "alias", "apt-get", "aws", "cargo", "curl", "eval", "export", "git", "node", "npm", "operator",
    "printf", "python3", "rustup",
];
/// A fenced block contains commands only if it has one of these languages.
const SHELLS: [&str; 3] = ["bash", "sh", "shell"];

/// Returns all commands of a document in Markdown: first the commands in code blocks, then the commands in code spans.
pub fn of(document: &str) -> Vec<String> {
    let mut reader = Reader::default();
    for line in document.lines() {
        reader.read(line);
    }
    reader.end_paragraph();
    let Reader {
        mut commands,
        in_spans,
        ..
    } = reader;
    commands.extend(in_spans);
    commands
}

/// A fenced block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fence {
    Commands,
    Other,
}

#[derive(Default)]
struct Reader {
    fence: Option<Fence>,
    /// The lines of the current command in a code block.
    block: String,
    paragraph: String,
    commands: Vec<String>,
    in_spans: Vec<String>,
}

impl Reader {
    fn read(&mut self, line: &str) {
        let text = line.trim();
        if let Some(language) = text.strip_prefix("```") {
            self.end_paragraph();
            self.block.clear();
            let is_shell = SHELLS.contains(&language);
            self.fence = match self.fence {
                Some(_) => None,
                None if is_shell => Some(Fence::Commands),
                None => Some(Fence::Other),
            };
            return;
        }
        match self.fence {
            Some(Fence::Commands) => self.read_block(text),
            Some(Fence::Other) => {}
            None if line.starts_with("    ") => self.read_block(text),
            None => self.read_text(text),
        }
    }

    /// A command continues on the next line after a backslash and inside quotation marks.
    fn read_block(&mut self, line: &str) {
        if !self.block.is_empty() {
            self.block.push('\n');
        }
        self.block.push_str(line);
        let is_open = line.ends_with('\\') || self.block.matches('\'').count() % 2 == 1;
        if !is_open {
            let command = std::mem::take(&mut self.block);
            self.commands
                .extend(Some(command).filter(|text| is_command(text)));
        }
    }

    fn read_text(&mut self, line: &str) {
        self.block.clear();
        let is_row = line.starts_with('|');
        if line.is_empty() || is_row {
            self.end_paragraph();
        }
        self.paragraph.push_str(line);
        self.paragraph.push(' ');
        if is_row {
            self.end_paragraph();
        }
    }

    /// Reads the code spans of a paragraph. A span can continue on the next line.
    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        // Backticks come in pairs, so the parts with an odd index are code spans.
        let spans = paragraph.split('`').skip(1).step_by(2);
        let one_line = |span: &str| span.split_whitespace().collect::<Vec<_>>().join(" ");
        // In a table, `|` is escaped, because it divides the cells.
        let spans = spans.map(|span| one_line(span).replace("\\|", "|"));
        self.in_spans.extend(spans.filter(|span| is_command(span)));
    }
}

/// Whether a text is one of the programs with at least one argument. Assignments of variables can precede the program.
fn is_command(text: &str) -> bool {
    let mut words = text
        .split_whitespace()
        .skip_while(|word| is_assignment(word));
    let program = words.next().unwrap_or_default();
    PROGRAMS.contains(&program) && words.next().is_some()
}

fn is_assignment(word: &str) -> bool {
    let (name, _) = word.split_once('=').unwrap_or_default();
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[test]
fn commands_are_found_in_code_blocks_and_code_spans() {
    let document = "
Run `operator show --project 211
   order-1`, or `cargo` alone, or `queues`, or `LONG=1`, or `LONG=1 cargo test`:

    curl -X POST $API -d '{
      \"a\": 1}'
    {\"no\": \"command\"}

1. Then

   ```sh
   # a comment
   aws one \\
     two
   ```

A paragraph with ` one backtick.

| `printf %s a \\| cat` | `x` |
```text
cargo run -- not
```
";
    let found = of(document);
    let expected = [
        "curl -X POST $API -d '{\n\"a\": 1}'",
        "aws one \\\ntwo",
        "operator show --project 211 order-1",
        "LONG=1 cargo test",
        "printf %s a | cat",
    ];
    assert_eq!(found, expected);
}
