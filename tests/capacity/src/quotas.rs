//! Reads AWS quotas from `quotas.csv`.

use anyhow::Context;
use serde::Deserialize;

/// The default quotas of an AWS account.
#[derive(Debug, Clone)]
pub struct Quotas(Vec<Quota>);

/// One quota.
#[derive(Debug, Clone, Deserialize)]
pub struct Quota {
    name: String,
    /// In the unit that `what` names.
    pub value: f64,
    /// The limited quantity.
    pub what: String,
    /// The documentation page, without `https://`.
    pub source: String,
    /// `yes` if the page `source` was read, or `quoted` if only a quotation of the page was read.
    pub confirmed: String,
}

impl Quotas {
    /// Reads `quotas.csv`.
    pub fn read() -> anyhow::Result<Self> {
        let mut reader = csv::Reader::from_reader(include_str!("../quotas.csv").as_bytes());
        Ok(Self(reader.deserialize().collect::<Result<_, _>>()?))
    }

    /// Returns all quotas in the order of the file.
    pub fn all(&self) -> &[Quota] {
        &self.0
    }

    /// Returns the value of a quota.
    pub fn of(&self, name: &str) -> anyhow::Result<f64> {
        let quota = self.0.iter().find(|quota| quota.name == name);
        Ok(quota
            .with_context(|| format!("quotas.csv has no {name}"))?
            .value)
    }
}
