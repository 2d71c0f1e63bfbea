//! Saves screenshots of the shopper's pages for a reviewer.

use crate::devtools::Page;

/// The screen of a usual phone in CSS pixels.
const PHONE: (u32, u32) = (390, 844);

/// If the variable `SCREENSHOTS` is set, saves a screenshot in `target/screenshots`. The screenshot shows the whole
/// page, with the width of a phone.
pub async fn save(page: &Page, name: &str) -> anyhow::Result<()> {
    if std::env::var_os("SCREENSHOTS").is_some() {
        let folder = tools::root().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        page.set_screen(PHONE).await?;
        let image = page.screenshot().await?;
        std::fs::write(folder.join(format!("{name}.png")), image)?;
    }
    Ok(())
}
