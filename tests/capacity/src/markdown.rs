//! Writes Markdown tables.

/// Returns a table whose columns of figures are aligned to the right.
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
    let mut characters = cell.chars();
    characters.all(|character| character.is_ascii_digit() || ".,".contains(character))
}

/// Formats a number with commas between thousands. A number with a fraction has two decimals below 10, one decimal
/// below 100, and otherwise none.
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
mod tests {
    use super::*;

    #[test]
    fn a_larger_number_has_fewer_decimals() {
        let shown = [0.0, 0.125, 12.25, 123.4, 1234.5, 1_000_000.0].map(number);
        assert_eq!(shown, ["0", "0.12", "12.2", "123", "1,234", "1,000,000"]);
    }

    #[test]
    fn a_column_of_figures_is_aligned_to_the_right() {
        let row = ["a", "1.5", "x"].map(str::to_owned).to_vec();
        let expected = "| A | B | C |\n| --- | ---: | --- |\n| a | 1.5 | x |\n";
        assert_eq!(table(&["A", "B", "C"], &[row]), expected);
    }
}
