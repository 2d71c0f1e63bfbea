//! How the browser gets from the merchant to the bank.
//!
//! A posted form arrives at one host name, and the browser continues at another host name of the same server. This is
//! how real banks redirect a browser to a second origin.

use std::collections::{BTreeMap, HashMap};

use crate::platform::faults::RedirectMethod;
use crate::platform::messages::RedirectData;
use crate::platform::records::Payment;
use crate::platform::shared::Shared;

/// The `redirect_data` of a callback.
pub fn redirect_data(shared: &Shared, payment: &Payment, method: RedirectMethod) -> RedirectData {
    let page = page_url(shared, payment);
    let (method, body, url) = match method {
        RedirectMethod::Get => ("GET", BTreeMap::new(), page),
        RedirectMethod::Post => ("POST", form(shared, payment), format!("{page}/enter")),
    };
    RedirectData {
        method,
        body,
        encrypted: [],
        url,
    }
}

/// The URL of the page where a payment is paid.
pub fn page_url(shared: &Shared, payment: &Payment) -> String {
    format!("{}/bank/{}", shared.address(), payment.token)
}

/// The URL of the same page at the second origin.
pub fn second_origin_url(shared: &Shared, payment: &Payment) -> String {
    format!("http://localhost:{}/bank/{}", shared.port, payment.token)
}

/// The fields of the form. They contain characters that must be escaped in HTML and in the posted form.
fn form(shared: &Shared, payment: &Payment) -> BTreeMap<&'static str, String> {
    let session = shared.project.key.sign(payment.token.as_bytes());
    BTreeMap::from([
        ("session", session.to_base64()),
        ("reference", payment.order.payment_id.clone()),
        ("note", "\"Caf\u{e9} & Fils\" <1+1>".to_owned()),
    ])
}

/// Whether a posted form is the form that the platform issued.
pub fn is_own_form(shared: &Shared, payment: &Payment, posted: &HashMap<String, String>) -> bool {
    let expected = form(shared, payment);
    let mut fields = expected.iter();
    posted.len() == expected.len() && fields.all(|(name, value)| posted.get(*name) == Some(value))
}
