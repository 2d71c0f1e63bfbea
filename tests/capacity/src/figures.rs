//! Prices and quotas: one file each, with a source for every figure.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

/// When the figures were looked up.
pub const LOOKED_UP: &str = "November 2026";
/// Where the prices are paid.
pub const REGION: &str = "us-east-1";

/// List prices in dollars, without any free tier.
#[derive(Debug, Clone)]
pub struct Prices(BTreeMap<String, Price>);

#[derive(Debug, Clone, Deserialize)]
struct Price {
    name: String,
    usd: f64,
    per: f64,
}

/// What AWS lets one account do unless asked for more.
#[derive(Debug, Clone)]
pub struct Quotas(Vec<Quota>);

/// One quota.
#[derive(Debug, Clone, Deserialize)]
pub struct Quota {
    name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub what: String,
    /// The page that says so.
    pub source: String,
    /// Whether its text was seen, or what somebody says of it.
    pub confirmed: String,
}

impl Prices {
    /// Reads `prices.csv`.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        let rows: Vec<Price> = rows(include_str!("../prices.csv"))?;
        let named = rows.into_iter().map(|price| (price.name.clone(), price));
        Ok(Self(named.collect()))
    }

    /// What so many of something cost.
    ///
    /// # Errors
    ///
    /// When its price is not known.
    pub fn of(&self, name: &str, count: f64) -> anyhow::Result<f64> {
        let price = self
            .0
            .get(name)
            .with_context(|| format!("no price of {name}"))?;
        Ok(count * price.usd / price.per)
    }
}

impl Quotas {
    /// Reads `quotas.csv`.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self(rows(include_str!("../quotas.csv"))?))
    }

    /// All of them.
    pub fn all(&self) -> &[Quota] {
        &self.0
    }

    /// How much of something is granted.
    ///
    /// # Errors
    ///
    /// When that is not known.
    pub fn of(&self, name: &str) -> anyhow::Result<f64> {
        let found = self.0.iter().find(|quota| quota.name == name);
        let found = found.with_context(|| format!("no quota of {name}"))?;
        Ok(found.value)
    }
}

fn rows<T: for<'de> Deserialize<'de>>(text: &str) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}
