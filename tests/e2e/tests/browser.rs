//! A payment's whole way by clicking in headless Chromium.

#[path = "browser/chromium.rs"]
mod chromium;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use chromiumoxide::Page;
use chromiumoxide::page::ScreenshotParams;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use sandbox::{Options, Sandbox};
use serde_json::json;

use self::chromium::Chromium;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = vec![
        Trial::ignorable_test("a_cup_of_tea_is_bought_by_clicking", || {
            in_chromium(buy_a_cup_of_tea)
        }),
        Trial::ignorable_test("a_posted_form_leads_over_two_origins_to_the_bank", || {
            in_chromium(pay_by_a_posted_form)
        }),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// Runs a test with a sandbox and a browser of its own.
fn in_chromium(
    test: impl AsyncFnOnce(&Sandbox, &Chromium) -> anyhow::Result<()>,
) -> Result<Completion, Failed> {
    chromium::with(async |program| {
        let sandbox = Sandbox::start(Options::any_ports()).await?;
        let profile = sandbox.file("chromium");
        let chromium = Chromium::start(program, sandbox.supervisor(), &profile).await?;
        let outcome = test(&sandbox, &chromium).await;
        chromium.stop().await;
        sandbox.stop().await;
        outcome
    })
}

async fn buy_a_cup_of_tea(sandbox: &Sandbox, chromium: &Chromium) -> anyhow::Result<()> {
    let ready = sandbox.ready();
    let page = chromium.open(&ready.shop).await?;
    ensure!(text(&page, "#price").await? == "10.00 EUR");
    picture(&page, "product").await?;
    click(&page, "#buy").await?;

    // The bank, after whatever waiting the hand-off needs. Below 500 EUR it shows the app's code.
    ensure!(text(&page, "#amount").await?.contains("10.00"));
    ensure!(
        page.find_element("#qr").await.is_ok(),
        "there is no QR code"
    );
    let bank = page.url().await?.unwrap_or_default();
    ensure!(bank.starts_with(&ready.platform), "the bank is at {bank}");
    picture(&page, "bank").await?;
    click(&page, "#pay").await?;

    // Back in the shop, which ships as soon as its consumer has read the event.
    wait_for_text(&page, "#delivery", "on its way").await?;
    ensure!(text(&page, "#payment").await? == "succeeded");
    ensure!(text(&page, "#paid").await? == "10.00 EUR");
    ensure!(text(&page, "h1").await? == "Thank you");
    picture(&page, "thanks").await?;

    // The tea was cold.
    click(&page, "#send-back").await?;
    wait_for_text(&page, "#delivery", "taken back").await?;
    ensure!(text(&page, "#refunded").await? == "10.00 EUR");
    click(&page, "#news").await?;
    let news = text(&page, "#lines").await?;
    for line in ["payment.succeeded", "refunded", "refund.succeeded"] {
        ensure!(news.contains(line), "{line} is missing in {news}");
    }
    picture(&page, "news").await?;
    Ok(())
}

/// The content security policy must let the form through, and the redirect that answers it.
async fn pay_by_a_posted_form(sandbox: &Sandbox, chromium: &Chromium) -> anyhow::Result<()> {
    let ready = sandbox.ready();
    reqwest::Client::builder()
        .no_proxy()
        .build()?
        .put(format!("{}/simulator/faults", ready.platform))
        .json(&json!({ "redirect_method": "POST" }))
        .send()
        .await?
        .error_for_status()?;
    let page = chromium.open(&ready.shop).await?;
    click(&page, "#buy").await?;
    ensure!(text(&page, "#amount").await?.contains("10.00"));
    let bank = page.url().await?.unwrap_or_default();
    ensure!(
        bank.starts_with("http://localhost:"),
        "the bank is at {bank}"
    );
    click(&page, "#pay").await?;
    wait_for_text(&page, "#payment", "succeeded").await
}

/// How long a page may take to show what it must.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The text of an element, once it is there; pages may come and go meanwhile.
async fn text(page: &Page, selector: &str) -> anyhow::Result<String> {
    until(&format!("{selector} being there"), async || {
        try_text(page, selector).await
    })
    .await
}

async fn wait_for_text(page: &Page, selector: &str, expected: &str) -> anyhow::Result<()> {
    let what = format!("{selector} showing {expected}");
    until(&what, async || {
        try_text(page, selector)
            .await
            .filter(|text| text == expected)
    })
    .await?;
    Ok(())
}

async fn try_text(page: &Page, selector: &str) -> Option<String> {
    page.find_element(selector)
        .await
        .ok()?
        .inner_text()
        .await
        .ok()?
}

/// With `SCREENSHOTS=folder` every page that a test names is saved there, to be looked at.
async fn picture(page: &Page, name: &str) -> anyhow::Result<()> {
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        let file = std::path::Path::new(&folder).join(format!("{name}.png"));
        page.save_screenshot(ScreenshotParams::builder().full_page(true).build(), file)
            .await?;
    }
    Ok(())
}

async fn click(page: &Page, selector: &str) -> anyhow::Result<()> {
    text(page, selector).await?;
    let element = page.find_element(selector).await?;
    element
        .click()
        .await
        .with_context(|| format!("{selector} cannot be clicked"))?;
    Ok(())
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking)
        .await
        .with_context(|| format!("{what} did not happen within {} s", PATIENCE.as_secs()))
}
