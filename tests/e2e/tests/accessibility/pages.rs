//! Makes all pages of a checkout.

use std::collections::BTreeMap;

use axum::http::Response;
use checkout::form::{self, FormField};
use checkout::language::Language;
use checkout::pages::{self, FormNotice};
use ecommpay::report::ClarificationField;
use payments::model::{Redirect, RedirectMethod};

/// Returns each page in each language. A key names the page and the language.
pub fn all(origin: &str) -> BTreeMap<String, Response<String>> {
    let nowhere = format!("{origin}/pages/nowhere");
    let redirect = Redirect {
        method: RedirectMethod::Post,
        url: nowhere.clone(),
        fields: [("session".to_owned(), "1".to_owned())].into(),
    };
    let shop = "https://shop.example/thanks?payment_id=order-1001-1";
    let (empty, invalid) = (form::empty(&fields()), invalid_form());
    let form =
        |language, fields, notice| pages::clarification(language, &nowhere, shop, fields, notice);
    let mut all = BTreeMap::new();
    for language in Language::ALL {
        for (name, page) in [
            ("hand-off", pages::hand_off(language, &redirect, shop)),
            ("waiting", pages::waiting(language, shop, false, 1)),
            (
                "waiting-for-result",
                pages::waiting_for_result(language, shop),
            ),
            ("redirect-missing", pages::waiting(language, shop, true, 1)),
            ("clarification", form(language, &empty, None)),
            ("clarification-invalid", form(language, &invalid, None)),
            (
                "clarification-not-sent",
                form(language, &empty, Some(FormNotice::NotSent)),
            ),
            (
                "clarification-no-answer",
                form(language, &empty, Some(FormNotice::NoAnswer)),
            ),
            ("data-missing", pages::data_missing(language, shop)),
            ("being-checked", pages::being_checked(language, shop)),
            ("declined", pages::declined(language, shop)),
            ("failed", pages::failed(language, shop)),
            ("expired", pages::expired(language, shop)),
            ("unknown-token", pages::unknown_token(language)),
            ("unavailable", pages::unavailable(language, None)),
            (
                "unavailable-of-checkout",
                pages::unavailable(language, Some(shop)),
            ),
        ] {
            all.insert(format!("{name}-{}", language.code()), page);
        }
    }
    all
}

/// Returns all fields for which the form has a label of its own, and an optional field without such a label.
fn fields() -> Vec<ClarificationField> {
    let names = [
        "last_name",
        "first_name",
        "middle_name",
        "email",
        "phone",
        "address",
        "city",
        "state",
        "postal",
        "country",
        "day_of_birth",
        "billing.city",
        "shoe_size",
    ];
    let field = |name| ClarificationField {
        name: format!("customer.{name}"),
        required: name != "shoe_size",
    };
    names.map(field).into()
}

/// Returns the form after invalid values were posted in all fields.
fn invalid_form() -> Vec<FormField> {
    let fields = fields();
    let values = fields.iter().map(|field| format!("{}=%3B", field.name));
    let posted = values.collect::<Vec<_>>().join("&");
    let read = form::read(&fields, posted.as_bytes());
    read.err().unwrap_or_default()
}
