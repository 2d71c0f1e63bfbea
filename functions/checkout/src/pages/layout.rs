//! Makes the layout of all pages: HTML, style and headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Response;
use lambda_http::http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::texts::Notice;
use crate::language::Language;

const STYLE: &str = include_str!("style.css");

/// A page. A page uses no external resource and works without its script.
pub struct Page {
    pub status: StatusCode,
    pub language: Language,
    pub notice: &'static Notice,
    /// The part below the notice.
    pub body: Markup,
    pub script: Option<&'static str>,
    /// Whether the page has a form. On any other page, the policy forbids forms.
    pub has_form: bool,
    /// The number of seconds after which the browser reloads the page, or loads `next_url`.
    pub refresh_after: Option<u32>,
    /// The URL that the browser loads after `refresh_after` seconds. `None` reloads the page.
    pub next_url: Option<String>,
}

impl Page {
    /// Creates a page that has only a notice.
    pub fn new(status: StatusCode, language: Language, notice: &'static Notice) -> Self {
        Self {
            status,
            language,
            notice,
            body: Markup::default(),
            script: None,
            has_form: false,
            refresh_after: None,
            next_url: None,
        }
    }

    pub fn into_response(self) -> Response<String> {
        let mut random = [0u8; 16];
        // If the nonce is empty, the browser applies no style and no script. Links and buttons still work.
        let nonce = match getrandom::fill(&mut random) {
            Ok(()) => STANDARD.encode(random),
            Err(_) => String::new(),
        };
        let mut response = Response::new(self.markup(&nonce).into_string());
        *response.status_mut() = self.status;
        let policy = self.policy(&nonce);
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        if let Some(seconds) = self.refresh_after {
            let next = self.next_url.map(|url| format!("{seconds}; url={url}"));
            let refresh = next.and_then(|text| HeaderValue::from_str(&text).ok());
            headers.insert(header::REFRESH, refresh.unwrap_or_else(|| seconds.into()));
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_LANGUAGE, self.language.code()),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn markup(&self, nonce: &str) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (self.notice.title) }
                    style nonce=(nonce) { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (self.notice.title) }
                        p { (self.notice.text) }
                        (self.body)
                    }
                    @if let Some(script) = self.script {
                        script nonce=(nonce) { (PreEscaped(script)) }
                    }
                }
            }
        }
    }

    fn policy(&self, nonce: &str) -> String {
        // Browsers also apply `form-action` to the redirects that follow a submitted form. Such a redirect can lead to
        // any site, and into the app of a bank, which has its own scheme. So a page with a form has no `form-action`.
        let form_action = if self.has_form {
            ""
        } else {
            "form-action 'none'; "
        };
        format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             {form_action}base-uri 'none'; frame-ancestors 'none'"
        )
    }
}
