//! What the shop sells and what a shopper can choose.

use url::form_urlencoded;

/// One of the goods.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name in the form.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// A few words about it.
    pub text: &'static str,
    /// In cents.
    pub price: u64,
}

/// All goods; the first one is chosen unless the shopper says otherwise.
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
        text: "Just below 500 EUR, the most that Bancontact's app can pay.",
        price: 49_999,
    },
    Product {
        code: "samovar",
        name: "A samovar",
        text: "Above 500 EUR Bancontact's app is not available, the card is.",
        price: 75_000,
    },
];

/// Ways to the bank, as the API names them, with words for them.
pub const CHANNELS: [(&str, &str); 2] = [("gate", "Gate"), ("payment_page", "Payment Page")];

/// Languages of the payment pages; without one, the browser's.
pub const LANGUAGES: [(&str, &str); 5] = [
    ("", "As the browser says"),
    ("nl", "Nederlands"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("en", "English"),
];

/// The last name that the form begins with.
pub const LAST_NAME: &str = "Janssens";

/// What a shopper has chosen.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is bought.
    pub product: &'static Product,
    /// The way to the bank.
    pub channel: &'static str,
    /// The language of the payment pages.
    pub language: Option<&'static str>,
    /// Without one the platform asks for it.
    pub last_name: Option<String>,
}

impl Choice {
    /// Reads the posted form; what is not there is as the form begins.
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
    fn a_form_is_read() {
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
    fn what_is_not_there_is_as_the_form_begins() {
        let tea = Choice::read(b"");
        assert_eq!((tea.product.price, tea.channel), (1_000, "gate"));
        assert_eq!(tea.last_name.as_deref(), Some(LAST_NAME));
        let other = Choice::read(b"product=car&channel=post&language=&last_name=");
        assert_eq!((other.product.code, other.channel), ("tea", "gate"));
        assert_eq!((other.language, other.last_name), (None, None));
    }
}
