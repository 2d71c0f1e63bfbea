//! Defines the languages of the shopper's pages, and the choice of a language by `Accept-Language`.

use lambda_http::http::{HeaderMap, header};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Nl,
    /// French.
    Fr,
    /// German.
    De,
    /// English.
    En,
}

impl Language {
    /// All languages. The first is the default.
    pub const ALL: [Language; 4] = [Language::En, Language::Nl, Language::Fr, Language::De];

    /// Returns the language's code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Language::Nl => "nl",
            Language::Fr => "fr",
            Language::De => "de",
            Language::En => "en",
        }
    }

    /// Returns the language with this code, or `None` if the pages do not have that language.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// Returns the language that the browser prefers (RFC 9110, 12.5.4), or else the default.
    pub fn of_browser(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let ranges: Vec<Range<'_>> = values
            .iter()
            .flat_map(|value| value.split(','))
            .filter_map(Range::read)
            .collect();
        let [default, ..] = Self::ALL;
        let mut best = (default, 0, usize::MAX);
        for language in Self::ALL {
            let Some((position, range)) = Range::of(language, &ranges) else {
                continue;
            };
            if range.quality > best.1 || (range.quality == best.1 && position < best.2) {
                best = (language, range.quality, position);
            }
        }
        if best.1 == 0 { default } else { best.0 }
    }
}

/// An entry of `Accept-Language`, for example `fr-BE;q=0.8`.
struct Range<'a> {
    /// The primary language subtag, or `*` for any language.
    language: &'a str,
    /// The weight in thousandths; 0 means that the language is not acceptable.
    quality: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (range, weight) = match text.split_once(';') {
            Some((range, weight)) => (range, Some(weight)),
            None => (text, None),
        };
        Some(Self {
            language: range
                .trim()
                .split('-')
                .next()
                .filter(|tag| !tag.is_empty())?,
            quality: weight.map_or(Some(1000), thousandths)?,
        })
    }

    /// Returns the entry with the greatest weight for a language, and its position in the header. If no entry names the
    /// language, the entries with `*` apply.
    fn of(language: Language, ranges: &'a [Self]) -> Option<(usize, &'a Self)> {
        let named = |name: &str| {
            let found = ranges.iter().enumerate();
            found
                .filter(|(_, range)| range.language.eq_ignore_ascii_case(name))
                .max_by_key(|(position, range)| (range.quality, usize::MAX - position))
        };
        named(language.code()).or_else(|| named("*"))
    }
}

/// Parses a weight: `q=0.8` is 800. Returns `None` if the text is not a valid weight.
fn thousandths(weight: &str) -> Option<u16> {
    let (name, value) = weight.trim().split_once('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        _ if !name.eq_ignore_ascii_case("q") || !digits => None,
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    fn preferred(accepted: &[&'static str]) -> &'static str {
        let mut headers = HeaderMap::new();
        for value in accepted {
            headers.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
        }
        Language::of_browser(&headers).code()
    }

    #[test]
    fn the_language_with_the_greatest_weight_is_preferred() {
        for (accepted, language) in [
            ("fr-BE, nl;q=0.9, en;q=0.8", "fr"),
            ("nl;q=0.8,fr;q=0.9", "fr"),
            ("FR", "fr"),
            ("de-CH-1996", "de"),
            ("nl, fr", "nl"),
            ("fr;q=0.5, nl;q=0.5", "fr"),
            ("pt-BR, pt;q=0.9, de;q=0.1", "de"),
            ("pt, ja", "en"),
            ("nl;q=0, *", "en"),
            ("en;q=0, nl;q=0, *;q=0.2", "fr"),
            ("en;q=0", "en"),
            ("*;q=0.5, fr;q=0.1", "en"),
            ("fr ; q=0.8 , nl ; Q=0.9", "nl"),
            ("nl;q=2, fr;q=0.1", "fr"),
            ("nl;q=0.12345, fr;q=0.1", "fr"),
            ("nl;level=1, fr;q=0.1", "fr"),
            ("nl;q=1.000", "nl"),
            (",;q=1,--,fr", "fr"),
            ("", "en"),
        ] {
            assert_eq!(preferred(&[accepted]), language, "{accepted}");
        }
        assert_eq!(preferred(&["pt", "nl"]), "nl");
        assert_eq!(preferred(&[]), "en");
        assert_eq!(Language::of_code("de"), Some(Language::De));
        assert_eq!(Language::of_code("pt"), None);
    }
}
