//! Pictures of pages, to be looked at.

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use chromiumoxide::page::ScreenshotParams;

/// A usual telephone.
const WIDTH: i64 = 390;
const HEIGHT: i64 = 844;

/// With `SCREENSHOTS=1` the page as a telephone shows it is saved in `target/screenshots`.
pub async fn take(page: &Page, name: &str) -> anyhow::Result<()> {
    if std::env::var_os("SCREENSHOTS").is_some() {
        let folder = tools::root().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        page.execute(SetDeviceMetricsOverrideParams::new(
            WIDTH, HEIGHT, 1.0, true,
        ))
        .await?;
        let whole = ScreenshotParams::builder().full_page(true).build();
        page.save_screenshot(whole, folder.join(format!("{name}.png")))
            .await?;
    }
    Ok(())
}
