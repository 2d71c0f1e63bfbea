//! Makes the HTML that the pages of the platform and the pages of the shop share.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// If `refresh_after` is set, the browser reloads the page after this number of seconds.
pub fn document(title: &str, style: &str, refresh_after: Option<u8>, body: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if let Some(seconds) = refresh_after { meta http-equiv="refresh" content=(seconds); }
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    document.into_string()
}

pub fn euros(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_are_shown_in_euros() {
        assert_eq!(super::euros(5), "0.05 EUR");
        assert_eq!(super::euros(123_456), "1234.56 EUR");
    }
}
