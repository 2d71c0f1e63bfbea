//! Every page that a shopper can see, in every language, looked at by axe-core in Chromium: on a
//! small telephone, and by night.

#[path = "accessibility/axe.rs"]
mod axe;
#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/pictures.rs"]
mod pictures;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use checkout::form::{self, FormField};
use checkout::language::Language;
use checkout::pages;
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams,
};
use ecommpay::report::ClarificationField;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use payments::model::{Redirect, RedirectMethod};
use sandbox::workspace::Folder;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tools::Supervisor;

use self::axe::{Axe, evaluate};
use self::chromium::Chromium;

/// The narrowest screen on which nothing may need scrolling to the side (WCAG 2.2, 1.4.10).
const SMALL_SCREEN: (i64, i64) = (320, 640);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = vec![
        Trial::ignorable_test("every_page_is_accessible", || {
            in_chromium(every_page_is_accessible)
        }),
        Trial::ignorable_test("a_page_with_faults_is_noticed", || {
            in_chromium(a_page_with_faults_is_noticed)
        }),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// Runs a test in a browser window of its own, with the checker.
fn in_chromium(
    test: impl AsyncFnOnce(&Page, &Axe) -> anyhow::Result<()>,
) -> Result<Completion, Failed> {
    let test = async |program: &std::path::Path| {
        let supervisor = Supervisor::new()?;
        let axe = Axe::install(&supervisor).await?;
        let folder = Folder::new()?;
        let chromium = Chromium::start(program, &supervisor, &folder.file("chromium")).await?;
        let outcome = async {
            let page = chromium.open("about:blank").await?;
            test(&page, &axe).await
        }
        .await;
        chromium.stop().await;
        outcome
    };
    chromium::with(|program| Runtime::new()?.block_on(test(program)))
}

async fn every_page_is_accessible(page: &Page, axe: &Axe) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let all = Arc::new(all_pages(&origin));
    let names: Vec<String> = all.keys().cloned().collect();
    let served = move |Path(name): Path<String>| async move {
        all.get(&name).map(still).ok_or(StatusCode::NOT_FOUND)
    };
    let routes = Router::new().route("/pages/{name}", get(served));
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut faults = Vec::new();
    for scheme in ["light", "dark"] {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        page.emulate_media_features(vec![feature]).await?;
        // Words do not change by night.
        for name in names
            .iter()
            .filter(|name| scheme == "light" || name.ends_with("-en"))
        {
            shrink(page).await?;
            let opened = page.goto(format!("{origin}/pages/{name}")).await;
            opened.with_context(|| format!("{name} cannot be opened"))?;
            let found = faults_of(page, axe).await;
            let found = found.with_context(|| format!("{name} cannot be looked at"))?;
            faults.extend(
                found
                    .iter()
                    .map(|fault| format!("{name}, {scheme}: {fault}")),
            );
            pictures::take(page, &format!("{name}-{scheme}")).await?;
        }
    }
    server.abort();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

async fn a_page_with_faults_is_noticed(page: &Page, axe: &Axe) -> anyhow::Result<()> {
    let faulty = "<title>t</title><meta name=viewport content='width=device-width'>\
        <main><img src=x><p style='color:#ccc;min-width:50rem'>words</p></main>";
    shrink(page).await?;
    page.set_content(faulty).await?;
    let faults = faults_of(page, axe).await?.join("\n");
    for fault in [
        "image-alt",
        "color-contrast",
        "html-has-lang",
        "wide",
        "style",
    ] {
        ensure!(faults.contains(fault), "{fault} was not noticed: {faults}");
    }
    Ok(())
}

/// Makes the window as small as a telephone; a picture of a whole page undoes it.
async fn shrink(page: &Page) -> anyhow::Result<()> {
    let (width, height) = SMALL_SCREEN;
    let screen = SetDeviceMetricsOverrideParams::new(width, height, 1.0, true);
    page.execute(screen).await?;
    Ok(())
}

/// What is wrong with the page that is open.
async fn faults_of(page: &Page, axe: &Axe) -> anyhow::Result<Vec<String>> {
    let mut faults = axe.faults(page).await?;
    let wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    if evaluate(page, wide).await? {
        faults.push("too wide for a small telephone".to_owned());
    }
    let plain = "getComputedStyle(document.querySelector('main')).borderRadius === '0px'";
    if evaluate(page, plain).await? {
        faults.push("its style is not applied".to_owned());
    }
    Ok(faults)
}

/// Every page in every language, by a name.
fn all_pages(origin: &str) -> BTreeMap<String, Response<String>> {
    let nowhere = format!("{origin}/pages/nowhere");
    let redirect = Redirect {
        method: RedirectMethod::Post,
        url: nowhere.clone(),
        fields: [("session".to_owned(), "1".to_owned())].into(),
    };
    let back = "https://shop.example/thanks?payment_id=order-1001-1";
    let (empty, wrong) = (empty_form(), wrong_form());
    let mut all = BTreeMap::new();
    for language in Language::ALL {
        for (name, page) in [
            ("hand-off", pages::hand_off(language, &redirect)),
            ("waiting", pages::waiting(language, None)),
            ("redirect-missing", pages::waiting(language, Some(back))),
            (
                "clarification",
                pages::clarification(language, &nowhere, back, &empty),
            ),
            (
                "clarification-wrong",
                pages::clarification(language, &nowhere, back, &wrong),
            ),
            ("data-missing", pages::data_missing(language, back)),
            ("being-checked", pages::being_checked(language, back)),
            ("declined", pages::declined(language, back)),
            ("failed", pages::failed(language, back)),
            ("expired", pages::expired(language, back)),
            ("unknown-token", pages::unknown_token(language)),
            ("unavailable", pages::unavailable(language)),
        ] {
            all.insert(format!("{name}-{}", language.code()), page);
        }
    }
    all
}

/// A form with every field that has a label, and one that has none.
fn empty_form() -> Vec<FormField> {
    form::empty(&asked())
}

/// Every field, the last one optional.
fn asked() -> Vec<ClarificationField> {
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
    let asked = names.map(|name| ClarificationField {
        name: format!("customer.{name}"),
        required: name != "shoe_size",
    });
    asked.into()
}

/// The same as it comes back with something wrong in every field.
fn wrong_form() -> Vec<FormField> {
    let asked = asked();
    let posted = asked.iter().map(|field| format!("{}=%3B", field.name));
    let posted: Vec<String> = posted.collect();
    form::read(&asked, posted.join("&").as_bytes())
        .err()
        .unwrap_or_default()
}

/// A page that holds still: without its wish to be looked at again, and without the script at its
/// end, which would leave it.
fn still(page: &Response<String>) -> Response<Body> {
    let (body, _script) = page
        .body()
        .split_once("<script")
        .unwrap_or((page.body(), ""));
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = page.status();
    *response.headers_mut() = page.headers().clone();
    response.headers_mut().remove(header::REFRESH);
    response
}
