//! Checks each page of a checkout with axe-core in Chromium, on the screen of a small phone. With light colors, the
//! test checks all languages. With dark colors, it checks only English.
#![allow(clippy::indexing_slicing)]

mod axe;
#[path = "../browser/chromium.rs"]
mod chromium;
#[path = "../browser/devtools.rs"]
mod devtools;
mod pages;
#[path = "../browser/screenshots.rs"]
mod screenshots;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use sandbox::workspace::Folder;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tools::Supervisor;

use self::axe::Axe;
use self::chromium::Chromium;
use self::devtools::Page;

/// A small phone in CSS pixels. With this width, a page must not scroll sideways (WCAG 2.2, 1.4.10).
const SMALL_SCREEN: (u32, u32) = (320, 640);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = vec![
        Trial::ignorable_test("every_page_is_accessible", || {
            in_chromium(every_page_is_accessible)
        }),
        Trial::ignorable_test("each_fault_of_a_page_is_found", || {
            in_chromium(each_fault_of_a_page_is_found)
        }),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn in_chromium(
    test: impl AsyncFnOnce(&Page, &Axe) -> anyhow::Result<()>,
) -> Result<Completion, Failed> {
    let test = async |program: &std::path::Path| {
        let supervisor = Supervisor::new()?;
        let axe = Axe::install(&supervisor).await?;
        let folder = Folder::new()?;
        let chromium = Chromium::start(program, &supervisor, &folder.file("chromium")).await?;
        let outcome = async {
            let page = chromium.open().await?;
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
    let all = Arc::new(pages::all(&origin));
    let names: Vec<String> = all.keys().cloned().collect();
    let served = move |Path(name): Path<String>| async move {
        all.get(&name).map(still).ok_or(StatusCode::NOT_FOUND)
    };
    let routes = Router::new().route("/pages/{name}", get(served));
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut faults = Vec::new();
    for scheme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        let features = json!({ "features": [feature] });
        page.call("Emulation.setEmulatedMedia", features).await?;
        // Dark colors do not change the text, so one language is enough.
        let is_checked = |name: &&String| scheme == "light" || name.ends_with("-en");
        for name in names.iter().filter(is_checked) {
            // A screenshot changes the size.
            page.set_screen(SMALL_SCREEN).await?;
            let opened = page.goto(&format!("{origin}/pages/{name}")).await;
            opened.with_context(|| format!("{name} cannot be opened"))?;
            let found = faults_of(page, axe).await;
            let found = found.with_context(|| format!("{name} cannot be checked"))?;
            let found = found.iter();
            faults.extend(found.map(|fault| format!("{name}, {scheme}: {fault}")));
            screenshots::save(page, &format!("{name}-{scheme}")).await?;
        }
    }
    server.abort();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

async fn each_fault_of_a_page_is_found(page: &Page, axe: &Axe) -> anyhow::Result<()> {
    let faulty = "<title>t</title><meta name=viewport content='width=device-width'>\
        <main><img src=x><p style='color:#ccc;min-width:50rem'>words</p></main>";
    page.set_screen(SMALL_SCREEN).await?;
    let tree = page.call("Page.getFrameTree", json!({})).await?;
    let content = json!({ "frameId": tree["frameTree"]["frame"]["id"], "html": faulty });
    page.call("Page.setDocumentContent", content).await?;
    let faults = faults_of(page, axe).await?.join("\n");
    for fault in [
        "image-alt",
        "color-contrast",
        "html-has-lang",
        "wide",
        "style",
    ] {
        ensure!(faults.contains(fault), "{fault} was not found: {faults}");
    }
    Ok(())
}

async fn faults_of(page: &Page, axe: &Axe) -> anyhow::Result<Vec<String>> {
    let mut faults = axe.faults(page).await?;
    let wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    if page.evaluate(wide).await? {
        faults.push("too wide for a small phone".to_owned());
    }
    let unstyled = "getComputedStyle(document.querySelector('main')).borderRadius === '0px'";
    if page.evaluate(unstyled).await? {
        faults.push("the style sheet is not applied".to_owned());
    }
    Ok(faults)
}

/// Removes the refresh header and the script, so that the page stays open.
fn still(page: &Response<String>) -> Response<Body> {
    let body = page.body();
    let (body, _script) = body.split_once("<script").unwrap_or((body, ""));
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = page.status();
    *response.headers_mut() = page.headers().clone();
    response.headers_mut().remove(header::REFRESH);
    response
}
