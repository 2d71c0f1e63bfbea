//! Tables in Markdown, and the places for them in a document.

use anyhow::{Context, ensure};

/// A table; columns of figures stand to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let titles: Vec<String> = header.iter().map(|title| (*title).to_owned()).collect();
    let rule = |column: usize| {
        let mut cells = rows.iter().filter_map(|row: &Vec<String>| row.get(column));
        if cells.all(|cell| is_figure(cell)) {
            "---:"
        } else {
            "---"
        }
        .to_owned()
    };
    let rules: Vec<String> = (0..header.len()).map(rule).collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&titles) + &line(&rules) + &rows
}

fn is_figure(cell: &str) -> bool {
    cell.chars()
        .all(|one| one.is_ascii_digit() || "*.,".contains(one))
}

/// Puts a text into its place: between the comments `<!-- NAME -->` and `<!-- end of NAME -->`.
///
/// # Errors
///
/// When the document has no such place.
pub fn put(document: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = document
        .split_once(&begin)
        .with_context(|| format!("no place for {name}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("the place for {name} has no end"))?;
    ensure!(!after.contains(&begin), "two places for {name}");
    Ok(format!("{before}{begin}\n{text}\n{end}{after}"))
}

/// A number with as many digits as tell something, thousands apart.
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        _ if value == value.trunc() => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits: Vec<char> = whole.chars().rev().collect();
    let groups: Vec<String> = digits
        .chunks(3)
        .map(|group| group.iter().collect())
        .collect();
    let whole: String = groups.join(",").chars().rev().collect();
    whole + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.125, 12.25, 123.4, 1234.5, 1_000_000.0].map(number);
        assert_eq!(shown, ["0", "0.12", "12.2", "123", "1,234", "1,000,000"]);
    }

    #[test]
    fn a_text_gets_into_its_place_again_and_again() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = put(document, "x", "| 1 |\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\n| 1 |\n\n<!-- end of x -->\nb\n");
        assert_eq!(put(&new, "x", "| 1 |\n").unwrap(), new);
        assert!(put(document, "y", "").is_err());
        assert!(put("<!-- x -->\n", "x", "").is_err());
    }
}
