//! The commands of a document: those of its indented blocks, and those in the middle of a sentence.

/// What a command of ours begins with.
const PROGRAMS: [&str; 9] = [
    "alias", "aws", "cargo", "curl", "eval", "export", "operator", "printf", "python3",
];

/// All commands of a document in Markdown, in their order.
pub fn of(document: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut sentence = String::new();
    let mut block = String::new();
    let mut is_fenced = false;
    for line in document.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced && line.starts_with("    ") {
            take(&mut commands, &mut block, line.trim());
        } else if !is_fenced {
            // A span of code can go on in the next line; a table has one line for each row.
            sentence.push_str(line);
            sentence.push(if line.starts_with('|') { '\n' } else { ' ' });
            block.clear();
        }
    }
    // Backticks come in pairs, so what is between them is every other part.
    let spans = sentence.split('`').skip(1).step_by(2);
    let one_line = |span: &str| span.split_whitespace().collect::<Vec<_>>().join(" ");
    commands.extend(spans.filter(|span| is_command(span)).map(one_line));
    commands
}

/// A command ends where a line neither says that it goes on nor leaves a quote open.
fn take(commands: &mut Vec<String>, block: &mut String, line: &str) {
    if !block.is_empty() {
        block.push('\n');
    }
    block.push_str(line);
    let is_open = line.ends_with('\\') || block.matches('\'').count() % 2 == 1;
    if !is_open {
        let command = std::mem::take(block);
        if is_command(&command) {
            commands.push(command);
        }
    }
}

fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    // One word names a program, or is one without any argument.
    PROGRAMS.contains(&first) && text.contains(' ')
}

#[test]
fn commands_are_found_in_blocks_and_sentences() {
    let document = "
Say `operator show --project 211
   order-1`, or `cargo` alone, or `queues`:

    curl -X POST $API -d '{
      \"a\": 1}'
    {\"no\": \"command\"}

1. Then

       aws one \\
         two

| `printf %s a` | `x` |
```
    cargo run -- not
```
";
    let found = of(document);
    let expected = [
        "curl -X POST $API -d '{\n\"a\": 1}'",
        "aws one \\\ntwo",
        "operator show --project 211 order-1",
        "printf %s a",
    ];
    assert_eq!(found, expected);
}
