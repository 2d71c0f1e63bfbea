//! The pages a shopper may see. Plain, without anything from elsewhere, every value escaped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Response;
use lambda_http::http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use payments::payment::Redirect;

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}a,button{display:inline-block;font:inherit;padding:.6rem 1.2rem;border:0;\
border-radius:.4rem;background:#005498;color:#fff;text-decoration:none;cursor:pointer}";
/// Not `form.submit()`: a field of that name would hide the function.
const SUBMIT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

struct Page {
    status: StatusCode,
    title: &'static str,
    /// Seconds after which the browser looks again.
    again_after: Option<u32>,
    body: Markup,
    script: Option<&'static str>,
    /// Where forms may go. Browsers apply it to the redirects that follow a form as well, so the
    /// bank's own origin would be too narrow.
    form_action: &'static str,
}

impl Page {
    fn new(status: StatusCode, title: &'static str, body: Markup) -> Self {
        Self {
            status,
            title,
            again_after: None,
            body,
            script: None,
            form_action: "'none'",
        }
    }

    fn into_response(self) -> Response<String> {
        let mut random = [0u8; 16];
        // Without a nonce neither style nor script runs; the button still works.
        let nonce = match getrandom::fill(&mut random) {
            Ok(()) => STANDARD.encode(random),
            Err(_) => String::new(),
        };
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if let Some(seconds) = self.again_after { meta http-equiv="refresh" content=(seconds); }
                    title { (self.title) }
                    style nonce=(nonce) { (PreEscaped(STYLE)) }
                }
                body {
                    main { h1 { (self.title) } (self.body) }
                    @if let Some(script) = self.script { script nonce=(nonce) { (PreEscaped(script)) } }
                }
            }
        };
        let mut response = Response::new(markup.into_string());
        *response.status_mut() = self.status;
        let form_action = self.form_action;
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        );
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn back_to_shop(address: &str) -> Markup {
    html! { p { a href=(address) { "Back to the shop" } } }
}

/// A form that submits itself, with a button for browsers without scripts.
pub fn post_form(redirect: &Redirect) -> Response<String> {
    let body = html! {
        form method="post" action=(redirect.url) {
            @for (name, value) in &redirect.fields { input type="hidden" name=(name) value=(value); }
            p { "You are being taken to your bank." }
            button { "Continue to the bank" }
        }
    };
    let page = Page::new(StatusCode::OK, "To your bank", body);
    Page {
        script: Some(SUBMIT),
        form_action: if redirect.url.starts_with("https:") {
            "https:"
        } else {
            "https: http:"
        },
        ..page
    }
    .into_response()
}

/// The bank's address is not there yet; the page looks again by itself.
pub fn waiting() -> Response<String> {
    let body = html! { p { "The connection to your bank is being prepared. This page continues by itself." } };
    let page = Page::new(StatusCode::OK, "One moment, please", body);
    Page {
        again_after: Some(1),
        ..page
    }
    .into_response()
}

/// The platform asks for data that a page cannot take yet.
pub fn data_missing(back: &str) -> Response<String> {
    let body = html! {
        p { "The bank needs more data to start this payment. Please go back to the shop." }
        (back_to_shop(back))
    };
    Page::new(StatusCode::OK, "More data is needed", body).into_response()
}

/// The result is not certain.
pub fn being_checked(back: &str) -> Response<String> {
    let body = html! {
        p { "Your payment is being checked. Please do not pay again; the shop will let you know." }
        (back_to_shop(back))
    };
    Page::new(StatusCode::OK, "Your payment is being checked", body).into_response()
}

/// Not paid.
pub fn declined(back: &str) -> Response<String> {
    let body = html! {
        p { "This payment was not made. You can try again in the shop." }
        (back_to_shop(back))
    };
    Page::new(StatusCode::OK, "The payment was declined", body).into_response()
}

/// The time for the hand-off is over.
pub fn expired(back: &str) -> Response<String> {
    let body = html! {
        p { "This payment link is no longer valid. You can order again in the shop." }
        (back_to_shop(back))
    };
    Page::new(StatusCode::GONE, "This link has expired", body).into_response()
}

/// Nobody has this token.
pub fn unknown_token() -> Response<String> {
    let body = html! { p { "This payment link is not known. Please go back to the shop." } };
    Page::new(StatusCode::NOT_FOUND, "Unknown link", body).into_response()
}

/// A failure of ours.
pub fn unavailable() -> Response<String> {
    let body =
        html! { p { "This page is not available at the moment. It tries again by itself." } };
    let page = Page::new(StatusCode::SERVICE_UNAVAILABLE, "One moment, please", body);
    Page {
        again_after: Some(3),
        ..page
    }
    .into_response()
}
