//! Starts a headless Chromium for a test.

use std::path::{Path, PathBuf};

use e2e::eventually;
use libtest_mimic::{Completion, Failed};
use tools::supervised::log_to;
use tools::{Supervised, Supervisor};

use crate::devtools::{Browser, Page};

/// The possible names of Chromium.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Returns the program in the variable `CHROMIUM`, or else the first Chromium on the search path.
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

/// Runs a test with the Chromium of this machine. Without Chromium, the test fails if `REQUIRE_BROWSER=1`. Otherwise,
/// it is ignored.
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

pub struct Chromium {
    process: Supervised,
    browser: Browser,
}

impl Chromium {
    /// Starts Chromium with an empty profile in the folder `profile`. The log is beside this folder.
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
                // The pages must not depend on the machine's language.
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
        let browser = Browser::connect(&address).await?;
        Ok(Self { process, browser })
    }

    /// Opens an empty tab.
    pub async fn open(&self) -> anyhow::Result<Page> {
        self.browser.open().await
    }

    /// Stops Chromium, and waits for its end.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// Waits until Chromium has written the port and the path of its control connection into `file`.
async fn address(file: &Path) -> anyhow::Result<String> {
    eventually("the start of Chromium", async || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let address = text.trim().split_once('\n');
        Ok(address.map(|(port, path)| format!("ws://127.0.0.1:{port}{path}")))
    })
    .await
}
