//! One JSON line per thing that happened, on standard output, where Lambda collects it.
//!
//! Only what is named here reaches the log: ids, outcomes and our own words. No key, token, body
//! or personal data is ever passed in.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A log line in the making.
#[derive(Debug)]
pub struct Line(Map<String, Value>);

impl Line {
    /// A line about a normal event.
    pub fn info(what: &str) -> Self {
        Self::new("INFO", what)
    }

    /// A line that somebody should look at.
    pub fn warn(what: &str) -> Self {
        Self::new("WARN", what)
    }

    /// A line about a failure of ours.
    pub fn error(what: &str) -> Self {
        Self::new("ERROR", what)
    }

    fn new(level: &str, what: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("level".into(), json!(level));
        fields.insert("message".into(), json!(what));
        Self(fields)
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.0.insert(name.into(), json!(value));
        self
    }

    /// Writes the line.
    pub fn write(self) {
        println!("{}", Value::Object(self.0));
    }
}
