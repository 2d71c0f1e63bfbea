//! Distinguishes a callback from a Payment Page link, which a project key also signs.
//!
//! The shopper has the link and can post its parameters as JSON. The shopper can also change those parts of the JSON
//! that the signature does not cover. Therefore only the canonical string, which is the signed text, decides.
//!
//! Sources ([list](crate::sources)): Callbacks; Payment Page.

/// The starts of lines of the canonical string that only callbacks have. Each callback has at least one such line.
const LINES_OF_CALLBACKS: [&[u8]; 9] = [
    b"account:",
    b"customer:",
    b"errors:",
    b"general:",
    b"operation:",
    b"operations:",
    b"payment:",
    b"recurring:id:",
    b"token:",
];

/// Returns whether a signed [`canonical`](crate::signature::canonical()) string is the string of a callback.
pub fn is_callback(canonical: &[u8]) -> bool {
    let mut lines = canonical.split(|byte| *byte == b';');
    lines.any(|line| {
        LINES_OF_CALLBACKS
            .iter()
            .any(|start| line.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_a_callback_only_if_it_has_a_line_of_a_callback() {
        for text in [
            "payment:id:order-1;project_id:211",
            "general:payment_id:order-1;general:project_id:211",
            "project_id:211;recurring:id:321;recurring:status:active",
            "customer:id:123;general:project_id:211;token:d44600b",
            "account:number:541333******0001;project_id:211",
        ] {
            assert!(is_callback(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "project_id:211",
            "customer_id:c-1;payment_amount:1000;payment_currency:EUR;payment_id:order-1;project_id:211",
            "operation_type:sale;payment_id:payment:id:1;project_id:211;recurring:{\"register\":true}",
            "account_token:t;force_payment_method:bancontact;redirect_success_url:https://shop.example/?a:b",
        ] {
            assert!(!is_callback(text.as_bytes()), "{text}");
        }
    }
}
