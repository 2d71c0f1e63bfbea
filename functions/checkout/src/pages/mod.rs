//! The pages a shopper may see. Plain, without anything from elsewhere, every value escaped.

mod clarification;
mod layout;
#[cfg(test)]
mod tests;
pub mod texts;

use lambda_http::Response;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use payments::model::Redirect;

pub use self::clarification::clarification;
use self::layout::Page;
use self::texts::Notice;
use crate::language::Language;

/// Not `form.submit()`: a field of that name would hide the function.
const SUBMIT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

/// This very page once more.
fn try_again(language: Language) -> Markup {
    html! {
        div.turning aria-hidden="true" {}
        p { a href="" { (language.texts().waiting_link) } }
    }
}

/// A form that submits itself, with a button for browsers without scripts.
pub fn hand_off(language: Language, redirect: &Redirect) -> Response<String> {
    let texts = language.texts();
    let body = html! {
        form method="post" action=(redirect.url) {
            @for (name, value) in &redirect.fields { input type="hidden" name=(name) value=(value); }
            button { (texts.hand_off_button) }
        }
    };
    Page {
        body,
        script: Some(SUBMIT),
        form_leads_to: Some(redirect.url.clone()),
        ..Page::new(StatusCode::OK, language, &texts.hand_off)
    }
    .into_response()
}

/// The redirect URL is not there yet; the page looks again by itself. `back` is the way back to the
/// shop, once the redirect URL may be lost.
pub fn waiting(language: Language, back: Option<&str>) -> Response<String> {
    let texts = language.texts();
    let body = html! {
        (try_again(language))
        @if let Some(back) = back {
            p role="status" { (texts.redirect_missing) }
            p { a.button href=(back) { (texts.back_to_shop) } }
        }
    };
    Page {
        body,
        again_after: Some(1),
        ..Page::new(StatusCode::OK, language, &texts.waiting)
    }
    .into_response()
}

/// The platform asks for data, and there is no form for it.
pub fn data_missing(language: Language, back: &str) -> Response<String> {
    end(
        StatusCode::OK,
        language,
        &language.texts().data_missing,
        back,
    )
}

/// The result is not certain.
pub fn being_checked(language: Language, back: &str) -> Response<String> {
    end(
        StatusCode::OK,
        language,
        &language.texts().being_checked,
        back,
    )
}

/// Not paid.
pub fn declined(language: Language, back: &str) -> Response<String> {
    end(StatusCode::OK, language, &language.texts().declined, back)
}

/// The payment was never started.
pub fn failed(language: Language, back: &str) -> Response<String> {
    end(StatusCode::OK, language, &language.texts().failed, back)
}

/// The time for the hand-off is over.
pub fn expired(language: Language, back: &str) -> Response<String> {
    end(StatusCode::GONE, language, &language.texts().expired, back)
}

/// A page from which only the way back to the shop leads on.
fn end(
    status: StatusCode,
    language: Language,
    notice: &'static Notice,
    back: &str,
) -> Response<String> {
    Page {
        body: html! { p { a.button href=(back) { (language.texts().back_to_shop) } } },
        ..Page::new(status, language, notice)
    }
    .into_response()
}

/// Nobody has this token.
pub fn unknown_token(language: Language) -> Response<String> {
    let notice = &language.texts().unknown_token;
    Page::new(StatusCode::NOT_FOUND, language, notice).into_response()
}

/// A failure of ours; the page tries again by itself.
pub fn unavailable(language: Language) -> Response<String> {
    let notice = &language.texts().unavailable;
    Page {
        body: try_again(language),
        again_after: Some(3),
        ..Page::new(StatusCode::SERVICE_UNAVAILABLE, language, notice)
    }
    .into_response()
}
