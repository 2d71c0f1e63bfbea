//! Tests of every page in every language.

use std::collections::BTreeSet;

use ecommpay::fields::FieldError;
use ecommpay::report::ClarificationField;
use lambda_http::Response;
use lambda_http::http::header;
use payments::api::problem::ExternalCause;
use payments::model::{Redirect, RedirectMethod};

use crate::form::{self, FormField};
use crate::language::Language;
use crate::pages::{self, FormNotice};

/// A text that no page may contain unescaped.
const HOSTILE: &str = "\"'><script>alert(1)</script>&lt;";

fn redirect(url: &str) -> Redirect {
    Redirect {
        method: RedirectMethod::Post,
        url: url.to_owned(),
        fields: [(HOSTILE.to_owned(), HOSTILE.to_owned())].into(),
    }
}

fn requested<const N: usize>(names: [&str; N]) -> [ClarificationField; N] {
    names.map(|name| ClarificationField {
        name: name.to_owned(),
        required: true,
    })
}

fn hostile_form() -> Vec<FormField> {
    let names = [HOSTILE, "customer.last_name", "customer.phone"];
    let mut fields = form::empty(&requested(names));
    for field in &mut fields {
        field.value = HOSTILE.to_owned();
        field.problem = Some(FieldError::ForbiddenCharacter);
    }
    fields
}

/// Returns all pages, with a hostile text in place of every text from outside.
fn all(language: Language) -> Vec<Response<String>> {
    let url = format!("https://shop.example/{HOSTILE}");
    let url = url.as_str();
    vec![
        pages::hand_off(language, &redirect(url), url),
        pages::waiting(language, url, false, 1),
        pages::waiting_for_result(language, url),
        pages::waiting(language, url, true, 1),
        pages::clarification(
            language,
            url,
            url,
            &form::empty(&requested(["customer.email"])),
            Some(FormNotice::NotSent),
        ),
        pages::clarification(language, url, url, &hostile_form(), None),
        pages::data_missing(language, url),
        pages::being_checked(language, url),
        pages::declined(language, url),
        pages::failed(language, url),
        pages::expired(language, url),
        pages::unknown_token(language),
        pages::unavailable(language, None),
        pages::unavailable(language, Some(url)),
    ]
}

fn all_languages() -> impl Iterator<Item = (Language, Response<String>)> {
    let languages = Language::ALL.into_iter();
    languages.flat_map(|language| all(language).into_iter().map(move |page| (language, page)))
}

fn header(page: &Response<String>, name: header::HeaderName) -> &str {
    page.headers()[name].to_str().unwrap()
}

fn count(page: &Response<String>, part: &str) -> usize {
    page.body().matches(part).count()
}

#[test]
fn every_text_from_outside_is_escaped() {
    for (_, page) in all_languages() {
        assert!(!page.body().contains("<script>"), "{}", page.body());
        assert!(!page.body().contains("\"'>"), "{}", page.body());
        let own_script = usize::from(page.body().contains("HTMLFormElement.prototype"));
        assert_eq!(count(&page, "<script"), own_script);
    }
}

#[test]
fn the_page_that_waits_for_the_result_loads_the_page_of_the_shop() {
    for language in Language::ALL {
        let page = pages::waiting_for_result(language, "https://shop.example/thanks?payment_id=a");
        let expected = "4; url=https://shop.example/thanks?payment_id=a";
        assert_eq!(header(&page, header::REFRESH), expected);
    }
}

#[test]
fn every_page_has_its_language_and_one_heading() {
    for (language, page) in all_languages() {
        let code = language.code();
        let html = format!("<html lang=\"{code}\">");
        assert!(page.body().contains(&html), "{}", page.body());
        assert_eq!(header(&page, header::CONTENT_LANGUAGE), code);
        for part in ["<h1>", "<main>", "<title>", "name=\"viewport\""] {
            assert_eq!(count(&page, part), 1, "{part} in {}", page.body());
        }
    }
}

#[test]
fn no_page_can_be_cached_or_framed_or_load_external_resources() {
    for (_, page) in all_languages() {
        let policy = header(&page, header::CONTENT_SECURITY_POLICY);
        let nonce = policy.split("'nonce-").nth(1).unwrap();
        let nonce = nonce.split('\'').next().unwrap();
        assert_eq!(nonce.len(), 24);
        assert!(page.body().contains(&format!("<style nonce=\"{nonce}\">")));
        for part in [
            "default-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        let has_form = count(&page, "<form") > 0;
        assert_eq!(policy.contains("form-action"), !has_form, "{policy}");
        assert_eq!(policy.contains("form-action 'none';"), !has_form);
        assert_eq!(header(&page, header::CACHE_CONTROL), "no-store");
        assert_eq!(header(&page, header::REFERRER_POLICY), "no-referrer");
        assert_eq!(header(&page, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        let kind = header(&page, header::CONTENT_TYPE);
        assert_eq!(kind, "text/html; charset=utf-8");
    }
}

#[test]
fn no_two_pages_have_the_same_text() {
    let mut titles = BTreeSet::new();
    for language in Language::ALL {
        let texts = language.texts();
        for notice in [
            &texts.hand_off,
            &texts.waiting,
            &texts.clarification,
            &texts.data_missing,
            &texts.being_checked,
            &texts.declined,
            &texts.failed,
            &texts.expired,
            &texts.unknown_token,
            &texts.unavailable,
        ] {
            assert!(titles.insert(notice.text), "{}", notice.text);
            assert!(notice.text.ends_with('.') && !notice.title.ends_with('.'));
        }
        for text in [
            texts.redirect_missing,
            texts.clarification_problems,
            texts.clarification_not_sent,
            texts.clarification_no_answer,
        ] {
            assert!(titles.insert(text) && text.ends_with('.'), "{text}");
        }
        for text in [texts.problems.too_short, texts.problems.too_long] {
            assert_eq!(text.matches("{}").count(), 1, "{text}");
        }
    }
}

#[test]
fn the_hand_off_page_works_with_and_without_scripts() {
    let page = pages::hand_off(Language::En, &redirect("http://127.0.0.1:1/enter"), "/");
    let policy = header(&page, header::CONTENT_SECURITY_POLICY);
    assert!(!policy.contains("form-action"), "{policy}");
    for part in [
        "<form method=\"post\" action=\"http://127.0.0.1:1/enter\">",
        "<input type=\"hidden\" name=\"&quot;'&gt;&lt;script&gt;",
        "<button>Continue to Bancontact</button>",
    ] {
        assert!(page.body().contains(part), "{part} in {}", page.body());
    }
}

#[test]
fn the_pages_for_waiting_and_failures_reload_themselves() {
    for page in [
        pages::waiting(Language::Nl, "/", false, 1),
        pages::unavailable(Language::Nl, None),
    ] {
        let seconds: u32 = header(&page, header::REFRESH).parse().unwrap();
        assert!((1..=5).contains(&seconds));
    }
}

#[test]
fn a_form_has_labels_and_types_and_the_browser_can_fill_it_in() {
    let names = [
        "customer.last_name",
        "customer.billing.city",
        "customer.day_of_birth",
        "customer.phone",
        "customer.shoe_size",
    ];
    let fields = form::empty(&requested(names));
    let page = pages::clarification(Language::Nl, "https://own/checkouts/t", "/", &fields, None);
    assert_eq!(page.status(), 200);
    for part in [
        "<form method=\"post\" action=\"https://own/checkouts/t\">",
        "<label for=\"field-0\">Achternaam</label>",
        "name=\"customer.last_name\" type=\"text\" value=\"\" required maxlength=\"100\" \
         autocomplete=\"family-name\">",
        "<label for=\"field-1\">Gemeente (factuuradres)</label>",
        "autocomplete=\"billing address-level2\"",
        "type=\"date\" value=\"\" required autocomplete=\"bday\">",
        "type=\"tel\" value=\"\" required maxlength=\"40\" autocomplete=\"tel\" \
         aria-describedby=\"hint-3\">",
        "<label for=\"field-4\">customer.shoe_size</label>",
    ] {
        assert!(page.body().contains(part), "{part} in {}", page.body());
    }
    assert_eq!(count(&page, "aria-invalid="), 0);
}

#[test]
fn a_problem_is_shown_beside_its_field() {
    let mut fields = form::empty(&requested(["customer.email", "customer.last_name"]));
    fields[0].value = "els@shop.example".to_owned();
    fields[1].value = "Li".to_owned();
    fields[1].problem = Some(FieldError::TooShort(3));
    let page = pages::clarification(Language::En, "https://own/checkouts/t", "/", &fields, None);
    assert_eq!(page.status(), 422);
    for part in [
        "role=\"alert\">Please check the fields that are marked.</p>",
        "value=\"els@shop.example\" required maxlength=\"255\" autocomplete=\"email\">",
        "<p class=\"problem\" id=\"problem-1\">Please enter at least 3 characters.</p>",
        "value=\"Li\" required maxlength=\"100\" autocomplete=\"family-name\" \
         aria-describedby=\"problem-1\" aria-invalid=\"true\" autofocus>",
    ] {
        assert!(page.body().contains(part), "{part} in {}", page.body());
    }
    assert_eq!(count(&page, "aria-invalid="), 1);
}

#[test]
fn every_page_of_a_known_checkout_has_a_link_to_the_shop() {
    let shop = "href=\"https://shop.example/";
    for (language, page) in all_languages() {
        let texts = language.texts();
        let is_unknown = page.body().contains(texts.unknown_token.title);
        let is_unavailable = page.body().contains(texts.unavailable.title);
        let count = count(&page, shop);
        assert!(
            count == 1 || is_unknown || is_unavailable,
            "{}",
            page.body()
        );
        assert_eq!(page.body().contains(texts.back_to_shop), count == 1);
    }
    let page = pages::unavailable(Language::En, Some("https://shop.example/"));
    assert_eq!(count(&page, shop), 1);
}

#[test]
fn a_waiting_page_says_that_bancontact_has_not_answered_if_the_redirect_url_is_late() {
    for language in Language::ALL {
        let text = language.texts().redirect_missing;
        for is_late in [true, false] {
            let page = pages::waiting(language, "https://shop.example/", is_late, 1);
            assert_eq!(page.body().contains(text), is_late, "{}", page.body());
            assert!(page.headers().contains_key(header::REFRESH));
        }
    }
}

#[test]
fn a_form_whose_data_was_not_accepted_keeps_the_values_and_says_what_became_of_the_data() {
    let mut fields = form::empty(&requested(["customer.last_name"]));
    fields[0].value = "Maes".to_owned();
    for language in Language::ALL {
        let texts = language.texts();
        for (notice, status, text) in [
            (FormNotice::NotSent, 200, texts.clarification_not_sent),
            (FormNotice::NoAnswer, 503, texts.clarification_no_answer),
        ] {
            let page = pages::clarification(language, "/t", "/", &fields, Some(notice));
            assert_eq!(page.status(), status);
            let cause = page.extensions().get::<ExternalCause>();
            assert_eq!(cause.is_some(), notice == FormNotice::NoAnswer);
            let alert = format!("role=\"alert\">{text}</p>");
            assert!(page.body().contains(&alert), "{}", page.body());
            assert!(page.body().contains("value=\"Maes\""), "{}", page.body());
            assert!(text.contains(texts.clarification_button), "{text}");
        }
    }
}

#[test]
fn an_optional_field_is_labelled_as_optional_and_the_browser_does_not_require_it() {
    for (language, word) in [
        (Language::Nl, "optioneel"),
        (Language::Fr, "facultatif"),
        (Language::De, "optional"),
        (Language::En, "optional"),
    ] {
        let mut requested = requested(["customer.last_name", "customer.email"]);
        requested[1].required = false;
        let page = pages::clarification(
            language,
            "https://own/checkouts/t",
            "/",
            &form::empty(&requested),
            None,
        );
        let label = format!("{} ({word})</label>", language.texts().labels.email);
        assert!(page.body().contains(&label), "{label} in {}", page.body());
        assert_eq!(count(&page, " required"), 1);
        assert!(page.body().contains("type=\"email\" value=\"\" maxlength"));
    }
}
