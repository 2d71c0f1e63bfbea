//! What all pages have in common: their frame, their style and their headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Response;
use lambda_http::http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::texts::Notice;
use crate::language::Language;

const STYLE: &str = include_str!("style.css");

/// One page. Nothing on it comes from elsewhere, and it works without its script.
pub struct Page {
    pub status: StatusCode,
    pub language: Language,
    pub notice: &'static Notice,
    /// Below the notice.
    pub body: Markup,
    pub script: Option<&'static str>,
    /// Where its form leads; without one, no form works.
    pub form_leads_to: Option<String>,
    /// Seconds after which the browser looks again.
    pub again_after: Option<u32>,
}

impl Page {
    /// A page that says one thing.
    pub fn new(status: StatusCode, language: Language, notice: &'static Notice) -> Self {
        Self {
            status,
            language,
            notice,
            body: Markup::default(),
            script: None,
            form_leads_to: None,
            again_after: None,
        }
    }

    /// The page as an HTTP answer.
    pub fn into_response(self) -> Response<String> {
        let mut random = [0u8; 16];
        // Without a nonce neither style nor script runs; links and buttons still work.
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
        if let Some(seconds) = self.again_after {
            headers.insert(header::REFRESH, seconds.into());
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
        // Browsers apply it to the redirects that follow a form as well, so the bank's own origin
        // would be too narrow. Without https only where everything is local.
        let form_action = match self.form_leads_to.as_deref() {
            None => "'none'",
            Some(address) if address.starts_with("https:") => "https:",
            Some(_) => "https: http:",
        };
        format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        )
    }
}
