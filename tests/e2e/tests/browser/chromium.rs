//! A headless Chromium that certainly ends with the test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chromiumoxide::{Browser, Page};
use futures_util::StreamExt;
use libtest_mimic::{Completion, Failed};
use tools::supervised::log_to;
use tools::{Supervised, Supervisor};

/// The names under which a Chromium may be installed.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The Chromium of this machine, if there is one: `CHROMIUM`, else the first on the path.
fn find() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("CHROMIUM") {
        return Some(program.into()).filter(|program: &PathBuf| program.is_file());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}

/// Runs a test with the Chromium of this machine; without one the test is ignored, unless
/// `REQUIRE_BROWSER=1`.
pub fn with(test: impl FnOnce(&Path) -> anyhow::Result<()>) -> Result<Completion, Failed> {
    let Some(program) = find() else {
        let why = "Chromium is not installed (Debian: apt-get install chromium)";
        return match std::env::var("REQUIRE_BROWSER").as_deref() {
            Ok("1") => Err(why.into()),
            _ => Ok(Completion::ignored_with(why)),
        };
    };
    match test(&program) {
        Ok(()) => Ok(Completion::Completed),
        Err(error) => Err(format!("{error:#}").into()),
    }
}

/// A running Chromium.
pub struct Chromium {
    process: Supervised,
    browser: Browser,
    events: tokio::task::JoinHandle<()>,
}

impl Chromium {
    /// Starts it with an empty profile, and its log beside that.
    pub async fn start(
        program: &Path,
        supervisor: &Supervisor,
        profile: &Path,
    ) -> anyhow::Result<Self> {
        let log = profile.with_extension("log");
        let mut command = supervisor.command(program);
        command
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                // Pages speak it, whatever this machine speaks.
                "--accept-lang=en",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--window-size=1000,800",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank");
        log_to(&mut command, &log)?;
        let process = supervisor.start(command)?;
        let address = address(&profile.join("DevToolsActivePort")).await?;
        let (browser, mut handler) = Browser::connect(address)
            .await
            .context("Chromium does not answer")?;
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Ok(Self {
            process,
            browser,
            events,
        })
    }

    /// Opens a page.
    pub async fn open(&self, address: &str) -> anyhow::Result<Page> {
        Ok(self.browser.new_page(address).await?)
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(self) {
        self.events.abort();
        drop(self.browser);
        self.process.stop().await;
    }
}

/// Chromium writes its port and path into this file when it is ready.
async fn address(file: &Path) -> anyhow::Result<String> {
    for _ in 0..300 {
        if let Ok(text) = std::fs::read_to_string(file)
            && let Some((port, path)) = text.trim().split_once('\n')
        {
            return Ok(format!("ws://127.0.0.1:{port}{path}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("Chromium did not start within 30 s")
}
