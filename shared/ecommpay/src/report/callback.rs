//! Distinguishes a callback from other texts that a project key signs.
//!
//! A Payment Page link has the signature of the project, and the shopper has the link. The shopper can post the
//! parameters of the link as JSON, and can change the JSON without a change of the signed text. So only the signed text
//! decides.

/// The starts of the lines that only a callback has. Each callback has at least one of these lines: a callback about a
/// payment names the payment, and any other callback is about an account, a token or a recurring payment. A parameter of
/// Payment Page has another name.
///
/// Source: Callbacks; Payment Page, parameters.
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

/// Returns whether a signed [`canonical`](crate::signature::canonical()) string is the string of a callback. The
/// parameters of a Payment Page link are no callback.
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
    fn a_text_without_a_part_of_a_callback_is_no_callback() {
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
