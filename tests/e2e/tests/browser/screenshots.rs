//! Saves screenshots of the shopper's pages for a reviewer.

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use chromiumoxide::page::ScreenshotParams;

/// A usual phone in CSS pixels.
const WIDTH: i64 = 390;
const HEIGHT: i64 = 844;

/// If the variable `SCREENSHOTS` is set, saves a screenshot in `target/screenshots`. The screenshot shows the whole
/// page, with the width of a phone.
pub async fn save(page: &Page, name: &str) -> anyhow::Result<()> {
    if std::env::var_os("SCREENSHOTS").is_some() {
        let folder = tools::root().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        let phone = SetDeviceMetricsOverrideParams::new(WIDTH, HEIGHT, 1.0, true);
        page.execute(phone).await?;
        let full = ScreenshotParams::builder().full_page(true).build();
        let file = folder.join(format!("{name}.png"));
        page.save_screenshot(full, file).await?;
    }
    Ok(())
}
