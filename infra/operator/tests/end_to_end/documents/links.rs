//! Tests the links between documents, and that folders have a README.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::ensure;

use super::files;

/// The maximum number of lines of the root's README.
const MAX_LINES: usize = 150;

/// Returns the targets of the links in a document. Ignores code.
fn links(document: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in document.lines() {
        is_code ^= line.trim_start().starts_with("```");
        if is_code {
            continue;
        }
        // Backticks come in pairs, so the parts with an even index are outside of code spans.
        for text in line.split('`').step_by(2) {
            let targets = text.split("](").skip(1);
            found.extend(targets.filter_map(|rest| Some(rest.split_once(')')?.0)));
        }
    }
    found
}

/// Returns the anchors that GitHub derives from a document's headings.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_code = false;
    for line in document.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let text = line.trim_start_matches('#');
        let Some(title) = text.strip_prefix(' ').filter(|_| !is_code && text != line) else {
            continue;
        };
        let title = title.to_lowercase();
        let in_anchor = title
            .chars()
            .filter(|character| character.is_alphanumeric() || " -_".contains(*character));
        found.insert(
            in_anchor
                .map(|character| if character == ' ' { '-' } else { character })
                .collect(),
        );
    }
    found
}

#[test]
fn the_file_and_the_heading_of_every_link_exist() -> anyhow::Result<()> {
    let mut broken = Vec::new();
    for path in files::documents()? {
        let document = files::read(&path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for link in links(&document) {
            if link.contains("://") || link.starts_with("crate::") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => folder.join(file),
            };
            let is_there = match anchor {
                "" => files::root().join(&target).exists(),
                anchor => files::read(&target).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !is_there {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    ensure!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_folder_of_the_first_two_levels_has_a_readme() -> anyhow::Result<()> {
    let mut without = Vec::new();
    for first in files::folders(Path::new(""))? {
        let second = files::folders(&first)?;
        for folder in [first].into_iter().chain(second) {
            if !files::root().join(&folder).join("README.md").exists() {
                without.push(folder);
            }
        }
    }
    ensure!(without.is_empty(), "{without:#?}");
    Ok(())
}

#[test]
fn the_readme_of_the_root_is_short() -> anyhow::Result<()> {
    let lines = files::read("README.md")?.lines().count();
    ensure!(lines <= MAX_LINES, "{lines} lines");
    Ok(())
}

#[test]
fn links_and_anchors_are_found_outside_of_code() {
    let document =
        "## One `two`: *three*\n[a](b.md#c), `[x](y)` and [d](e)\n```sh\n# no [f](g)\n```\n";
    assert_eq!(links(document), ["b.md#c", "e"]);
    assert_eq!(anchors(document), ["one-two-three".to_owned()].into());
}
