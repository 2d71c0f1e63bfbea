//! Writes numbers with a fraction or an exponent, as PHP prints them.
//!
//! The platform sends integers only. The platform's documentation does not say how a fraction is signed, and the
//! official SDKs disagree. The documentation refers to the PHP SDK. So the signature of a body can cover a fraction as
//! PHP spells it.

/// A number with more significant digits counts as it is written, because its conversion to floating point can be slow.
/// PHP's `json_encode` writes at most 17 digits.
const MAX_DIGITS: usize = 19;

/// Returns a number with a fraction or an exponent as PHP's `(string)` prints it, with 14 digits by default. Returns
/// `None` for an integer, and for a number with more than 19 significant digits.
pub(super) fn spelling(token: &str) -> Option<String> {
    if !is_fraction(token) {
        return None;
    }
    let whole = token.strip_suffix(".0").unwrap_or(token);
    let (mantissa, _) = whole.split_once(['e', 'E']).unwrap_or((whole, ""));
    let significant = mantissa.trim_start_matches(['-', '0', '.']);
    if significant.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS {
        return None;
    }
    let value: f64 = token.parse().ok()?;
    if value.is_infinite() {
        return Some(if value > 0.0 { "INF" } else { "-INF" }.to_owned());
    }
    // 14 significant digits, correctly rounded: `d.ddddddddddddde<exponent>`.
    let scientific = format!("{:.13e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = match exponent {
        -4..=-1 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).ok()?);
            format!("0.{zeros}{digits}")
        }
        0..=13 => plain(digits, usize::try_from(exponent).ok()? + 1),
        _ => {
            let (first, rest) = digits.split_at(1);
            let rest = if rest.is_empty() { "0" } else { rest };
            format!("{first}.{rest}E{exponent:+}")
        }
    };
    Some(format!("{sign}{text}"))
}

/// Returns whether a number has a fraction or an exponent.
pub(super) fn is_fraction(token: &str) -> bool {
    token.contains(['.', 'e', 'E'])
}

/// Returns the number as PHP prints it, if this spelling differs from `token`.
pub(super) fn respelled(token: &str) -> Option<String> {
    spelling(token).filter(|spelled| spelled != token)
}

/// Returns whether PHP can print the number differently. Returns true for a fraction with too many digits.
pub(super) fn is_respelled(token: &str) -> bool {
    is_fraction(token) && spelling(token).as_deref() != Some(token)
}

/// Returns the digits with a decimal point after the first `whole` digits.
fn plain(digits: &str, whole: usize) -> String {
    match digits.split_at_checked(whole) {
        Some((_, "")) => digits.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits:0<whole$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_respelled, spelling};

    #[test]
    fn fractions_are_spelled_as_php_prints_them() {
        for (token, php) in [
            ("10.0", "10"),
            ("1.50", "1.5"),
            ("100.00", "100"),
            ("1e3", "1000"),
            ("1E-7", "1.0E-7"),
            ("0.00001", "1.0E-5"),
            ("0.0001", "0.0001"),
            ("0.00123", "0.00123"),
            ("1.5e+21", "1.5E+21"),
            ("1234567890123456789.0", "1.2345678901235E+18"),
            ("0.1234567890123456789", "0.12345678901235"),
            ("0.30000000000000004", "0.3"),
            ("99999999999999.0", "99999999999999"),
            ("1e13", "10000000000000"),
            ("1e14", "1.0E+14"),
            ("-2.50", "-2.5"),
            ("0.0", "0"),
            ("-0.0", "-0"),
            ("136.0", "136"),
            ("1e999", "INF"),
            ("-0.00010", "-0.0001"),
            ("0.00000", "0"),
            ("123456789012.5", "123456789012.5"),
            ("1234567890123.50", "1234567890123.5"),
        ] {
            assert_eq!(spelling(token).as_deref(), Some(php), "{token}");
        }
        for as_written in ["0", "-0", "1000", "12345678901234567890"] {
            assert_eq!(spelling(as_written), None, "{as_written}");
            assert!(!is_respelled(as_written));
        }
        assert!(!is_respelled("0.5") && !is_respelled("1.0E-7"));
        assert!(is_respelled("0.50") && is_respelled("1E-7"));
    }

    #[test]
    fn a_number_is_signed_as_written_if_it_has_more_than_19_significant_digits() {
        let digits = "1".repeat(19);
        let exponent = format!("-0.00{digits}e-100");
        assert_eq!(
            spelling(&exponent).as_deref(),
            Some("-1.1111111111111E-103")
        );
        let whole = format!("{digits}.0");
        assert_eq!(spelling(&whole).as_deref(), Some("1.1111111111111E+18"));
        for long in [
            format!("-0.00{digits}1e-100"),
            format!("{digits}0.0"),
            format!("{digits}.0e0"),
        ] {
            assert_eq!(spelling(&long), None, "{long}");
            assert!(is_respelled(&long), "{long}");
        }
    }
}
