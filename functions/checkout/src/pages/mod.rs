//! Makes the pages of the shopper. Each public function returns a page, and its comment says when the page is shown.
//!
//! The pages use no external resource, and every value is escaped.

mod clarification;
mod layout;
#[cfg(test)]
mod tests;
pub mod texts;

use lambda_http::Response;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use payments::model::Redirect;

pub use self::clarification::{FormNotice, clarification};
use self::layout::Page;
use self::texts::Notice;
use crate::language::Language;

/// The script that submits the form of the page. It calls the method of the prototype, because a form field with the
/// name `submit` would hide `form.submit()`.
const SUBMIT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

/// Returns a spinner, and a link that loads the page again.
fn retry_link(language: Language) -> Markup {
    html! {
        div.spinner aria-hidden="true" {}
        p { a href="" { (language.texts().waiting_link) } }
    }
}

/// Returns a link to the shop, in the style of a button.
fn shop_button(language: Language, shop_url: &str) -> Markup {
    html! { p { a.button href=(shop_url) { (language.texts().back_to_shop) } } }
}

/// Returns a link to the shop, for pages that have another button.
fn shop_link(language: Language, shop_url: &str) -> Markup {
    html! { p { a href=(shop_url) { (language.texts().back_to_shop) } } }
}

/// Shown if the redirect to the bank is a POST: a form that submits itself, with a button for browsers without scripts.
pub fn hand_off(language: Language, redirect: &Redirect, shop_url: &str) -> Response<String> {
    let texts = language.texts();
    let body = html! {
        form method="post" action=(redirect.url) {
            @for (name, value) in &redirect.fields { input type="hidden" name=(name) value=(value); }
            button { (texts.hand_off_button) }
        }
        (shop_link(language, shop_url))
    };
    Page {
        body,
        script: Some(SUBMIT),
        has_form: true,
        ..Page::new(StatusCode::OK, language, &texts.hand_off)
    }
    .into_response()
}

/// Shown while the redirect URL is unknown. The page reloads itself after `refresh_after` seconds. If the redirect URL
/// is late, the page says that Bancontact has not answered, and the link to the shop is a button.
pub fn waiting(
    language: Language,
    shop_url: &str,
    is_late: bool,
    refresh_after: u32,
) -> Response<String> {
    let texts = language.texts();
    let body = html! {
        (retry_link(language))
        @if is_late {
            p role="status" { (texts.redirect_missing) }
            (shop_button(language, shop_url))
        } @else {
            (shop_link(language, shop_url))
        }
    };
    Page {
        body,
        refresh_after: Some(refresh_after),
        ..Page::new(StatusCode::OK, language, &texts.waiting)
    }
    .into_response()
}

/// Shown to a shopper who returns from the bank, if the request gets no slot to wait for the result. The page does not
/// ask for a slot again: after 4 seconds, the browser loads the shop's page.
pub fn waiting_for_result(language: Language, shop_url: &str) -> Response<String> {
    let body = html! {
        (retry_link(language))
        (shop_button(language, shop_url))
    };
    Page {
        body,
        refresh_after: Some(4),
        next_url: Some(shop_url.to_owned()),
        ..Page::new(
            StatusCode::OK,
            language,
            &language.texts().waiting_for_result,
        )
    }
    .into_response()
}

/// Shown after the platform refused the data from the form, and if the shopper cannot send the requested data.
pub fn data_missing(language: Language, shop_url: &str) -> Response<String> {
    final_page(
        StatusCode::OK,
        language,
        &language.texts().data_missing,
        shop_url,
    )
}

/// Shown if the payment is not decided and the shopper can do nothing for it, for example while it is in quarantine.
pub fn being_checked(language: Language, shop_url: &str) -> Response<String> {
    final_page(
        StatusCode::OK,
        language,
        &language.texts().being_checked,
        shop_url,
    )
}

/// Shown if the payment was declined.
pub fn declined(language: Language, shop_url: &str) -> Response<String> {
    final_page(
        StatusCode::OK,
        language,
        &language.texts().declined,
        shop_url,
    )
}

/// Shown if the payment has failed, so the shopper has not paid.
pub fn failed(language: Language, shop_url: &str) -> Response<String> {
    final_page(StatusCode::OK, language, &language.texts().failed, shop_url)
}

/// Shown if the checkout has expired.
pub fn expired(language: Language, shop_url: &str) -> Response<String> {
    final_page(
        StatusCode::GONE,
        language,
        &language.texts().expired,
        shop_url,
    )
}

/// Returns a page whose only link leads to the shop.
fn final_page(
    status: StatusCode,
    language: Language,
    notice: &'static Notice,
    shop_url: &str,
) -> Response<String> {
    Page {
        body: shop_button(language, shop_url),
        ..Page::new(status, language, notice)
    }
    .into_response()
}

/// Shown if the token is unknown.
pub fn unknown_token(language: Language) -> Response<String> {
    let notice = &language.texts().unknown_token;
    Page::new(StatusCode::NOT_FOUND, language, notice).into_response()
}

/// Shown after a failure of this service. The page reloads itself. `shop_url` is present if the checkout was found.
pub fn unavailable(language: Language, shop_url: Option<&str>) -> Response<String> {
    let notice = &language.texts().unavailable;
    let body = html! {
        (retry_link(language))
        @if let Some(shop_url) = shop_url { (shop_button(language, shop_url)) }
    };
    Page {
        body,
        refresh_after: Some(3),
        ..Page::new(StatusCode::SERVICE_UNAVAILABLE, language, notice)
    }
    .into_response()
}
