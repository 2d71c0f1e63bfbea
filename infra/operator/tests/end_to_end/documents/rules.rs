//! Tests that the code and the test of each rule in `shared/rules.md` exist.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::files;
use super::tables::cells;

const DOCUMENT: &str = "shared/rules.md";

/// A name, and the file that must contain the name.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    /// The path starts at the root of the repository.
    file: PathBuf,
}

impl Target {
    /// Reads a cell with links, separated by commas. The text of each link is a name in a code span.
    fn read_all(cell: &str) -> anyhow::Result<Vec<Self>> {
        cell.split(", ").map(Self::read).collect()
    }

    fn read(link: &str) -> anyhow::Result<Self> {
        let inner = link
            .strip_prefix("[`")
            .and_then(|link| link.strip_suffix(')'));
        let (name, file) = inner
            .and_then(|inner| inner.split_once("`]("))
            .with_context(|| format!("{link} is not a link with a name"))?;
        let folder = Path::new(DOCUMENT).parent().unwrap_or(Path::new(""));
        Ok(Self {
            name: name.to_owned(),
            file: folder.join(file),
        })
    }
}

/// The code and the tests of a rule.
type Rule = (Vec<Target>, Vec<Target>);

fn rules(document: &str) -> anyhow::Result<Vec<Rule>> {
    let rows = document.lines().filter(|line| line.starts_with('|'));
    let rows = rows.map(cells);
    let is_rule = |row: &Vec<String>| {
        let first = row.first().map_or("", String::as_str);
        first != "rule" && first != "---"
    };
    rows.filter(is_rule)
        .map(|row| match row.as_slice() {
            [_, code, test] => Ok((Target::read_all(code)?, Target::read_all(test)?)),
            _ => anyhow::bail!("a rule has no code or no test: {row:?}"),
        })
        .collect()
}

/// Whether a text contains a name, and not only as a part of a longer name.
fn has_name(text: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(name).any(|(start, _)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let rest = text.get(start + name.len()..);
        let after = rest.and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn the_code_and_the_test_of_every_rule_exist() -> anyhow::Result<()> {
    let rules = rules(&files::read(DOCUMENT)?)?;
    ensure!(!rules.is_empty(), "{DOCUMENT} has no rules");
    let mut missing = Vec::new();
    for (code, tests) in &rules {
        let code = code.iter().map(|target| (target, target.name.clone()));
        let tests = tests
            .iter()
            .map(|target| (target, format!("fn {}", target.name)));
        for (target, name) in code.chain(tests) {
            let is_there = files::read(&target.file).is_ok_and(|text| has_name(&text, &name));
            if !is_there {
                missing.push(format!("{}: {name}", target.file.display()));
            }
        }
    }
    ensure!(missing.is_empty(), "{missing:#?}");
    Ok(())
}

#[test]
fn a_rule_is_read_with_its_code_and_its_test() -> anyhow::Result<()> {
    let target = |name: &str, file: &str| Target {
        name: name.to_owned(),
        file: file.into(),
    };
    let heading = "| rule | code | test |\n| --- | --- | --- |\n";
    let found = rules(&format!("{heading}| A. | [`a`](b.rs) | [`c`](d.rs) |\n"))?;
    let a = target("a", "shared/b.rs");
    let expected = (vec![a], vec![target("c", "shared/d.rs")]);
    ensure!(found == [expected], "{found:?}");
    let found = rules("| A. | [`a`](b.rs), [`e`](f.rs) | [`c`](d.rs) |\n")?;
    ensure!(found.first().is_some_and(|(code, _)| code.len() == 2));
    for row in ["| A. | [`a`](b.rs) |", "| A. | `a` | [`c`](d.rs) |"] {
        ensure!(rules(&format!("{heading}{row}\n")).is_err(), "{row}");
    }
    Ok(())
}

#[test]
fn a_name_is_found_only_as_a_whole() {
    assert!(has_name("async fn a_b() {}", "fn a_b"));
    assert!(has_name("fn a_b_c() {} fn a_b() {}", "fn a_b"));
    assert!(!has_name("fn a_b_c() {}", "fn a_b"));
    assert!(!has_name("xfn a_b() {}", "fn a_b"));
}
