//! Writes rows as CSV, or as JSON lines.

use std::io::Write;

use payments::escape::{for_spreadsheet, json_for_terminal};
use serde::Serialize;
use serde_json::Value;

pub enum Table<'a> {
    Csv {
        columns: &'static [&'static str],
        writer: Box<csv::Writer<&'a mut dyn Write>>,
    },
    Json(&'a mut dyn Write),
}

impl<'a> Table<'a> {
    /// Starts a table in CSV. Writes the header immediately, so that a table without rows has a header.
    pub fn csv(columns: &'static [&'static str], out: &'a mut dyn Write) -> anyhow::Result<Self> {
        let mut writer = Box::new(csv::Writer::from_writer(out));
        writer.write_record(columns)?;
        Ok(Table::Csv { columns, writer })
    }

    /// Writes a row. In CSV, each column holds the field with the column's name.
    pub fn write(&mut self, row: &impl Serialize) -> anyhow::Result<()> {
        match self {
            Table::Csv { columns, writer } => {
                let row = serde_json::to_value(row)?;
                writer.write_record(columns.iter().map(|column| cell(row.get(column))))?;
            }
            Table::Json(out) => {
                let line = json_for_terminal(serde_json::to_string(row)?);
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }

    /// Writes the rows that are still buffered.
    pub fn end(self) -> anyhow::Result<()> {
        match self {
            Table::Csv { mut writer, .. } => writer.flush()?,
            Table::Json(out) => out.flush()?,
        }
        Ok(())
    }
}

/// Formats a value as a cell. Texts are escaped, because the id of an external payment can look like a formula. Numbers
/// are not escaped, because a negative number is not a formula.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => for_spreadsheet(text),
        Some(Value::Array(values)) => {
            let cells = values.iter().map(|value| cell(Some(value)));
            cells.collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use payments::escape::is_visible;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    use super::*;

    fn written(row: &Value) -> String {
        let mut out = Vec::new();
        let mut table = Table::csv(&["day", "payment_id", "code", "amount"], &mut out).unwrap();
        table.write(row).unwrap();
        table.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_written_in_the_order_of_the_columns() {
        let row = json!({ "amount": 7, "code": null, "day": "2026-01-01", "payment_id": "a,b" });
        let expected = "day,payment_id,code,amount\n2026-01-01,\"a,b\",,7\n";
        assert_eq!(written(&row), expected);
    }

    #[test]
    fn a_list_is_written_as_one_cell() {
        let row = json!({ "day": ["a", "=b"], "payment_id": [], "code": null, "amount": [7, 8] });
        assert!(written(&row).ends_with("a '=b,,,7 8\n"));
    }

    #[test]
    fn an_apostrophe_precedes_an_id_that_looks_like_a_formula_but_not_a_negative_amount() {
        let row = |id: &str| json!({ "day": "d", "payment_id": id, "code": "0", "amount": -7 });
        assert!(written(&row("=1+2")).ends_with("d,'=1+2,0,-7\n"));
        assert!(written(&row("order=1")).ends_with("d,order=1,0,-7\n"));
    }

    #[test]
    fn json_lines_have_the_exact_text_and_only_visible_characters() {
        let mut out = Vec::new();
        let row = json!({ "payment_id": "\u{9b}31m\u{202e}\n=1" });
        let mut table = Table::Json(&mut out);
        table.write(&row).unwrap();
        table.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "{\"payment_id\":\"\\u009b31m\\u202e\\n=1\"}\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), row);
    }

    /// Returns random ids. They are made of parts that attacks on spreadsheets and terminals use.
    fn ids() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            select(
                &[
                    "=",
                    "+",
                    "-",
                    "@",
                    "\u{ff1d}",
                    "1",
                    "a",
                    "HYPERLINK(",
                    ")",
                    "'",
                    "\\"
                ][..]
            )
            .prop_map(str::to_owned),
            select(
                &[
                    ",", ";", "|", "\t", "\"", " ", "\r", "\n", "\u{a0}", "\u{feff}"
                ][..]
            )
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
        vec(part, 1..12).prop_map(|parts| parts.concat())
    }

    /// Whether a spreadsheet could read a cell as a formula. A number is not a formula.
    fn is_formula(cell: &str) -> bool {
        let cell =
            cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{feff}');
        let starts = [
            '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        ];
        cell.starts_with(starts) && cell.parse::<i64>().is_err()
    }

    fn report(id: &str, other: &str) -> String {
        written(&json!({ "day": id, "payment_id": other, "code": [id, other], "amount": -7 }))
    }

    proptest! {
        #[test]
        fn every_row_of_a_csv_report_is_one_line_of_visible_characters(id in ids(), other in ids()) {
            let csv = report(&id, &other);
            prop_assert_eq!(csv.lines().count(), 2);
            prop_assert!(csv.chars().all(|c| c == '\n' || is_visible(c)), "{}", csv);
            prop_assert!(csv.ends_with(",-7\n"));
        }

        #[test]
        fn no_spreadsheet_reads_a_cell_as_a_formula_whatever_separator_it_uses(id in ids(), other in ids()) {
            let csv = report(&id, &other);
            for separator in *b",;|\t" {
                let mut reader = csv::ReaderBuilder::new();
                let reader = reader.delimiter(separator).flexible(true).has_headers(false);
                for record in reader.from_reader(csv.as_bytes()).records() {
                    for cell in &record.unwrap() {
                        prop_assert!(!is_formula(cell), "{:?} with {}", cell, char::from(separator));
                    }
                }
            }
            // A spreadsheet that ignores quotes splits the line at every separator.
            for cell in csv.split([',', ';', '|', '\t', '\n']) {
                prop_assert!(!is_formula(cell), "{}", cell);
            }
        }
    }
}
