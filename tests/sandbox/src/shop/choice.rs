//! Defines the products, and the choices of a shopper.

use url::form_urlencoded;

#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// The value in the form.
    pub code: &'static str,
    pub name: &'static str,
    pub text: &'static str,
    /// In cents.
    pub price: u64,
}

/// The first product is the default.
pub const PRODUCTS: [Product; 3] = [
    Product {
        code: "tea",
        name: "A cup of tea",
        text: "Freshly brewed, delivered before it is cold.",
        price: 1_000,
    },
    Product {
        code: "set",
        name: "A tea set",
        text: "Just below 500 EUR. Bancontact's app can pay it.",
        price: 49_999,
    },
    Product {
        code: "samovar",
        name: "A samovar",
        text: "Above 500 EUR. Bancontact's app cannot pay it, but a card can.",
        price: 75_000,
    },
];

/// The values of the API's field `channel`, and their names. The first is the default.
pub const CHANNELS: [(&str, &str); 2] = [("gate", "Gate"), ("payment_page", "Payment Page")];

/// The languages of the payment pages, and their names. An empty code means the language of the browser.
pub const LANGUAGES: [(&str, &str); 5] = [
    ("", "Language of the browser"),
    ("nl", "Nederlands"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("en", "English"),
];

/// The form first shows this last name.
pub const LAST_NAME: &str = "Janssens";

#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    pub product: &'static Product,
    pub channel: &'static str,
    pub language: Option<&'static str>,
    /// Without a last name, the platform requests it from the shopper.
    pub last_name: Option<String>,
}

impl Choice {
    /// Reads the posted form. A default replaces each missing or unknown value. An empty last name stays empty.
    pub fn read(form: &[u8]) -> Self {
        let field = |wanted: &str| {
            form_urlencoded::parse(form)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.trim().to_owned())
        };
        let [first, ..] = &PRODUCTS;
        let [(gate, _), ..] = CHANNELS;
        let product = field("product").unwrap_or_default();
        let channel = field("channel").unwrap_or_default();
        let language = field("language").unwrap_or_default();
        let last_name = field("last_name").unwrap_or_else(|| LAST_NAME.to_owned());
        Self {
            product: PRODUCTS
                .iter()
                .find(|known| known.code == product)
                .unwrap_or(first),
            channel: code_of(&CHANNELS, &channel).unwrap_or(gate),
            language: code_of(&LANGUAGES, &language).filter(|code| !code.is_empty()),
            last_name: Some(last_name).filter(|name| !name.is_empty()),
        }
    }
}

fn code_of(known: &'static [(&'static str, &'static str)], wanted: &str) -> Option<&'static str> {
    let mut codes = known.iter().map(|(code, _)| *code);
    codes.find(|code| *code == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_choices_are_read_from_the_form() {
        let form = b"product=samovar&channel=payment_page&language=fr&last_name=+Maes+";
        assert_eq!(
            Choice::read(form),
            Choice {
                product: &PRODUCTS[2],
                channel: "payment_page",
                language: Some("fr"),
                last_name: Some("Maes".to_owned()),
            }
        );
    }

    #[test]
    fn missing_and_unknown_values_are_replaced_by_the_defaults() {
        let tea = Choice::read(b"");
        assert_eq!((tea.product.price, tea.channel), (1_000, "gate"));
        assert_eq!(tea.last_name.as_deref(), Some(LAST_NAME));
        let other = Choice::read(b"product=car&channel=post&language=&last_name=");
        assert_eq!((other.product.code, other.channel), ("tea", "gate"));
        assert_eq!((other.language, other.last_name), (None, None));
    }
}
