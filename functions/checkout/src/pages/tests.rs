//! Every page in every language.

use std::collections::BTreeSet;

use ecommpay::fields::FieldError;
use ecommpay::report::ClarificationField;
use lambda_http::Response;
use lambda_http::http::header;
use payments::model::{Redirect, RedirectMethod};

use crate::clarification::{FormField, form};
use crate::language::Language;
use crate::pages;

/// What must never stand in a page as it is.
const HOSTILE: &str = "\"'><script>alert(1)</script>&lt;";

fn redirect(url: &str) -> Redirect {
    Redirect {
        method: RedirectMethod::Post,
        url: url.to_owned(),
        fields: [(HOSTILE.to_owned(), HOSTILE.to_owned())].into(),
    }
}

fn asked<const N: usize>(names: [&str; N]) -> [ClarificationField; N] {
    names.map(|name| ClarificationField {
        name: name.to_owned(),
        required: true,
    })
}

fn hostile_form() -> Vec<FormField> {
    let names = [HOSTILE, "customer.last_name", "customer.phone"];
    let mut fields = form(&asked(names));
    for field in &mut fields {
        field.value = HOSTILE.to_owned();
        field.problem = Some(FieldError::ForbiddenCharacter);
    }
    fields
}

/// All pages, with hostile words wherever words come from elsewhere.
fn all(language: Language) -> Vec<Response<String>> {
    let address = format!("https://shop.example/{HOSTILE}");
    let back = address.as_str();
    vec![
        pages::hand_off(language, &redirect(back)),
        pages::waiting(language, None),
        pages::waiting(language, Some(back)),
        pages::clarification(language, back, back, &form(&asked(["customer.email"]))),
        pages::clarification(language, back, back, &hostile_form()),
        pages::data_missing(language, back),
        pages::being_checked(language, back),
        pages::declined(language, back),
        pages::failed(language, back),
        pages::expired(language, back),
        pages::unknown_token(language),
        pages::unavailable(language),
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
fn nothing_hostile_is_let_through() {
    for (_, page) in all_languages() {
        assert!(!page.body().contains("<script>"), "{}", page.body());
        assert!(!page.body().contains("\"'>"), "{}", page.body());
        let own_script = usize::from(page.body().contains("HTMLFormElement.prototype"));
        assert_eq!(count(&page, "<script"), own_script);
    }
}

#[test]
fn every_page_names_its_language_and_its_heading() {
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
fn no_page_can_be_stored_framed_or_enriched() {
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
        let with_form = match count(&page, "<form") {
            0 => "form-action 'none';",
            _ => "form-action https:;",
        };
        assert!(policy.contains(with_form), "{policy}");
        assert_eq!(header(&page, header::CACHE_CONTROL), "no-store");
        assert_eq!(header(&page, header::REFERRER_POLICY), "no-referrer");
        assert_eq!(header(&page, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        let kind = header(&page, header::CONTENT_TYPE);
        assert_eq!(kind, "text/html; charset=utf-8");
    }
}

#[test]
fn every_language_has_its_own_words() {
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
        assert!(titles.insert(texts.redirect_missing) && texts.redirect_missing.ends_with('.'));
        for text in [texts.problems.too_short, texts.problems.too_long] {
            assert_eq!(text.matches("{}").count(), 1, "{text}");
        }
    }
}

#[test]
fn the_hand_off_works_with_and_without_scripts() {
    let page = pages::hand_off(Language::En, &redirect("http://127.0.0.1:1/enter"));
    let policy = header(&page, header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("form-action https: http:;"), "{policy}");
    for part in [
        "<form method=\"post\" action=\"http://127.0.0.1:1/enter\">",
        "<input type=\"hidden\" name=\"&quot;'&gt;&lt;script&gt;",
        "<button>Continue to Bancontact</button>",
    ] {
        assert!(page.body().contains(part), "{part} in {}", page.body());
    }
}

#[test]
fn waiting_pages_look_again_by_themselves() {
    for page in [
        pages::waiting(Language::Nl, None),
        pages::unavailable(Language::Nl),
    ] {
        let seconds: u32 = header(&page, header::REFRESH).parse().unwrap();
        assert!((1..=5).contains(&seconds));
    }
}

#[test]
fn a_form_is_labelled_and_filled_in_by_the_browser() {
    let names = [
        "customer.last_name",
        "customer.billing.city",
        "customer.day_of_birth",
        "customer.phone",
        "customer.shoe_size",
    ];
    let fields = form(&asked(names));
    let page = pages::clarification(Language::Nl, "https://own/checkouts/t", "/", &fields);
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
fn what_is_wrong_is_said_beside_its_field() {
    let mut fields = form(&asked(["customer.email", "customer.last_name"]));
    fields[0].value = "els@shop.example".to_owned();
    fields[1].value = "Li".to_owned();
    fields[1].problem = Some(FieldError::TooShort(3));
    let page = pages::clarification(Language::En, "https://own/checkouts/t", "/", &fields);
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
fn a_waiting_page_offers_the_way_back_once_the_redirect_may_be_lost() {
    for language in Language::ALL {
        let texts = language.texts();
        let page = pages::waiting(language, Some("https://shop.example/?payment_id=p"));
        for part in [
            texts.redirect_missing,
            texts.back_to_shop,
            "href=\"https://shop.example/?payment_id=p\"",
        ] {
            assert!(page.body().contains(part), "{part} in {}", page.body());
        }
        assert!(page.headers().contains_key(header::REFRESH));
        let page = pages::waiting(language, None);
        assert!(!page.body().contains(texts.back_to_shop));
    }
}

#[test]
fn an_optional_field_is_labelled_so_and_not_required_by_the_browser() {
    for (language, word) in [
        (Language::Nl, "optioneel"),
        (Language::Fr, "facultatif"),
        (Language::De, "optional"),
        (Language::En, "optional"),
    ] {
        let mut asked = asked(["customer.last_name", "customer.email"]);
        asked[1].required = false;
        let page = pages::clarification(language, "https://own/checkouts/t", "/", &form(&asked));
        let label = format!("{} ({word})</label>", language.texts().labels.email);
        assert!(page.body().contains(&label), "{label} in {}", page.body());
        assert_eq!(count(&page, " required"), 1);
        assert!(page.body().contains("type=\"email\" value=\"\" maxlength"));
    }
}
