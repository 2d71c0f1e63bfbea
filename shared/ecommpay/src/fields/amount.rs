//! Defines amounts and the currency.
//!
//! Sources ([list](crate::sources)): Bancontact; Gate API.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::FieldError;

/// A currency that Bancontact supports. Bancontact supports only the euro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Currency {
    /// Euro; the minor unit is the cent.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// Parses an ISO 4217 code in capitals.
    pub fn parse(code: &str) -> Result<Self, FieldError> {
        match code {
            "EUR" => Ok(Currency::Eur),
            _ => Err(FieldError::Currency),
        }
    }

    /// Returns the ISO 4217 code.
    pub fn code(self) -> &'static str {
        "EUR"
    }
}

/// An amount in minor units, 1 to 10^13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct MinorUnits(u64);

impl MinorUnits {
    /// The platform's maximum amount.
    pub const MAX: u64 = 10_000_000_000_000;
    /// Bancontact's minimum for a sale: 1.00 EUR.
    pub const BANCONTACT_MIN: u64 = 100;

    /// Checks the amount of a refund: 1 to 10^13.
    pub fn new(amount: u64) -> Result<Self, FieldError> {
        Self::at_least(1, amount)
    }

    /// Checks the amount of a Bancontact sale: 100 to 10^13.
    pub fn for_sale(amount: u64) -> Result<Self, FieldError> {
        Self::at_least(Self::BANCONTACT_MIN, amount)
    }

    fn at_least(min: u64, amount: u64) -> Result<Self, FieldError> {
        match amount {
            _ if amount < min => Err(FieldError::AmountTooSmall(min)),
            _ if amount > Self::MAX => Err(FieldError::AmountTooLarge(Self::MAX)),
            _ => Ok(Self(amount)),
        }
    }

    /// Returns the number of minor units.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Returns whether the Bancontact app (QR code) accepts the amount: below 500.00 EUR.
    pub fn app_payment_available(self) -> bool {
        self.0 < 50_000
    }
}

impl TryFrom<u64> for MinorUnits {
    type Error = FieldError;

    fn try_from(amount: u64) -> Result<Self, FieldError> {
        Self::new(amount)
    }
}

impl From<MinorUnits> for u64 {
    fn from(amount: MinorUnits) -> Self {
        amount.0
    }
}

impl fmt::Display for MinorUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_outside_its_limits_is_refused() {
        assert_eq!(
            MinorUnits::for_sale(99),
            Err(FieldError::AmountTooSmall(100))
        );
        assert_eq!(MinorUnits::for_sale(100).map(MinorUnits::get), Ok(100));
        assert_eq!(MinorUnits::new(0), Err(FieldError::AmountTooSmall(1)));
        assert!(MinorUnits::new(MinorUnits::MAX).is_ok());
        assert!(MinorUnits::new(MinorUnits::MAX + 1).is_err());
    }

    #[test]
    fn the_app_accepts_amounts_below_500_euros() {
        let is_available = |amount| {
            MinorUnits::for_sale(amount)
                .unwrap()
                .app_payment_available()
        };
        assert!(is_available(49_999));
        assert!(!is_available(50_000));
    }

    #[test]
    fn the_only_currency_is_eur_in_capitals() {
        assert_eq!(Currency::parse("EUR"), Ok(Currency::Eur));
        assert_eq!(Currency::parse("eur"), Err(FieldError::Currency));
    }
}
