//! Makes the redirect to the bank: a URL that the browser opens, or a form that the browser posts.
//!
//! The form is posted to 127.0.0.1. The answer redirects the browser to `localhost`, a second origin of the same
//! server, because real banks also redirect to a second origin.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use crate::platform::faults::RedirectMethod;
use crate::platform::messages::Object;
use crate::platform::records::Payment;
use crate::platform::shared::Shared;

pub fn redirect_data(shared: &Shared, payment: &Payment, method: RedirectMethod) -> Object {
    let page = page_url(shared, payment);
    // The platform's PHP writes an empty object as an empty array.
    let (method, body, url) = match method {
        RedirectMethod::Get => ("GET", json!([]), page),
        RedirectMethod::Post => (
            "POST",
            json!(form(shared, payment)),
            format!("{page}/enter"),
        ),
    };
    Object::default()
        .with("method", method)
        .with("body", body)
        .with("encrypted", json!([]))
        .with("url", url)
}

pub fn page_url(shared: &Shared, payment: &Payment) -> String {
    format!("{}/bank/{}", shared.address(), payment.token)
}

/// Returns the URL of the payment's page at the second origin.
pub fn second_origin_url(shared: &Shared, payment: &Payment) -> String {
    format!("http://localhost:{}/bank/{}", shared.port, payment.token)
}

/// The note has characters that must be escaped in HTML and in the posted form.
fn form(shared: &Shared, payment: &Payment) -> BTreeMap<&'static str, String> {
    let session = shared.project.key.sign(payment.token.as_bytes());
    BTreeMap::from([
        ("session", session.to_base64()),
        ("reference", payment.order.payment_id.clone()),
        ("note", "\"Caf\u{e9} & Fils\" <1+1>".to_owned()),
    ])
}

pub fn is_own_form(shared: &Shared, payment: &Payment, posted: &HashMap<String, String>) -> bool {
    let expected = form(shared, payment);
    let mut fields = expected.iter();
    posted.len() == expected.len() && fields.all(|(name, value)| posted.get(*name) == Some(value))
}
