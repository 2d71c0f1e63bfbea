//! Writes rows as CSV, or as JSON lines.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

/// A table that is being written.
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
                let line = serde_json::to_string(row)?;
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }

    /// Writes the buffered rows.
    pub fn end(self) -> anyhow::Result<()> {
        match self {
            Table::Csv { mut writer, .. } => writer.flush()?,
            Table::Json(out) => out.flush()?,
        }
        Ok(())
    }
}

/// Formats a value as a cell. An apostrophe prevents a spreadsheet from
/// [running a value as a formula](https://owasp.org/www-community/attacks/CSV_Injection), because the id of an external
/// payment can be any text.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Some(Value::String(text)) => text.clone(),
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
    fn an_apostrophe_precedes_an_id_that_looks_like_a_formula() {
        let row = |id: &str| json!({ "day": "d", "payment_id": id, "code": "0", "amount": 7 });
        assert!(written(&row("=1+2")).ends_with("d,'=1+2,0,7\n"));
        assert!(written(&row("order=1")).ends_with("d,order=1,0,7\n"));
    }
}
