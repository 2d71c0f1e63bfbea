//! One tab of the browser, which waits for what it looks for.

use std::time::Duration;

use anyhow::{Context, ensure};
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;
use e2e::PATIENCE;

use crate::pictures;

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A tab. Pages may come and go while it looks for something.
pub struct Tab(pub Page);

impl Tab {
    /// Opens an address.
    pub async fn open(&self, address: &str) -> anyhow::Result<()> {
        let opened = self.0.goto(address).await;
        opened.with_context(|| format!("{address} cannot be opened"))?;
        Ok(())
    }

    /// Lets no page run a script from now on.
    pub async fn switch_scripts_off(&self) -> anyhow::Result<()> {
        let off = SetScriptExecutionDisabledParams::new(true);
        self.0.execute(off).await?;
        Ok(())
    }

    /// Where it is.
    pub async fn address(&self) -> anyhow::Result<String> {
        Ok(self.0.url().await?.unwrap_or_default())
    }

    /// The text of an element, once it is there.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        let there = || async { self.try_text(selector).await };
        self.until(&format!("{selector} being there"), there).await
    }

    /// Waits until an element has this text.
    pub async fn shows(&self, selector: &str, expected: &str) -> anyhow::Result<()> {
        let what = format!("{selector} showing {expected}");
        let shown = || async {
            self.try_text(selector)
                .await
                .filter(|text| text == expected)
        };
        self.until(&what, shown).await.map(drop)
    }

    /// Whether an element is there now.
    pub async fn has(&self, selector: &str) -> bool {
        self.0.find_element(selector).await.is_ok()
    }

    /// Waits for an element and clicks on it.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        // The page may have been loaded anew after the element was found.
        let clicked = || async {
            let element = self.0.find_element(selector).await.ok()?;
            element.click().await.ok().map(drop)
        };
        self.until(&format!("clicking {selector}"), clicked).await
    }

    /// Waits for an element and clicks on it where it is: without scripts nothing can be scrolled.
    pub async fn click_in_place(&self, selector: &str) -> anyhow::Result<()> {
        let clicked = || async {
            let element = self.0.find_element(selector).await.ok()?;
            let point = element.clickable_point().await.ok()?;
            self.0.click(point).await.ok().map(drop)
        };
        self.until(&format!("clicking {selector}"), clicked).await
    }

    /// Fills in a field, whatever was in it.
    pub async fn fill(&self, selector: &str, value: &str) -> anyhow::Result<()> {
        let there = || async { self.0.find_element(selector).await.ok() };
        let field = self
            .until(&format!("{selector} being there"), there)
            .await?;
        let empty = "function() { this.value = ''; }";
        field.call_js_fn(empty, false).await?;
        field.focus().await?.type_str(value).await?;
        ensure!(
            self.value(selector).await? == value,
            "{selector} is not {value}"
        );
        Ok(())
    }

    /// What is filled in.
    pub async fn value(&self, selector: &str) -> anyhow::Result<String> {
        let field = self.0.find_element(selector).await?;
        let value = field.property("value").await?.context("no value")?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Saves a picture of the page.
    pub async fn picture(&self, name: &str) -> anyhow::Result<()> {
        pictures::take(&self.0, name).await
    }

    async fn try_text(&self, selector: &str) -> Option<String> {
        let element = self.0.find_element(selector).await.ok()?;
        element.inner_text().await.ok()?
    }

    async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        mut look: impl FnMut() -> F,
    ) -> anyhow::Result<T> {
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(found) => Ok(found),
            Err(_) => {
                let page = self.try_text("body").await.unwrap_or_default();
                anyhow::bail!(
                    "{what} did not happen; {} shows: {page}",
                    self.address().await?
                )
            }
        }
    }
}
