//! Calls a browser over the Chrome DevTools Protocol, <https://chromedevtools.github.io/devtools-protocol>.

use std::sync::Arc;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use e2e::eventually;

/// A connection to a browser. One call runs at a time.
#[derive(Clone)]
pub struct Browser(Arc<Mutex<Connection>>);

struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The id of the last call.
    last_id: u64,
}

impl Browser {
    pub async fn connect(address: &str) -> anyhow::Result<Self> {
        let (socket, _) = connect_async_with_config(address, None, true)
            .await
            .context("Chromium does not answer")?;
        Ok(Self(Arc::new(Mutex::new(Connection {
            socket,
            last_id: 0,
        }))))
    }

    /// Opens an empty tab.
    pub async fn open(&self) -> anyhow::Result<Page> {
        let created = self.call("Target.createTarget", json!({ "url": "about:blank" }), None);
        let target = created.await?["targetId"].clone();
        let attach = json!({ "targetId": target, "flatten": true });
        let attached = self.call("Target.attachToTarget", attach, None).await?;
        let session = attached["sessionId"].as_str().context("no session")?;
        Ok(Page {
            browser: self.clone(),
            session: session.to_owned(),
        })
    }

    async fn call(
        &self,
        method: &str,
        parameters: Value,
        session: Option<&str>,
    ) -> anyhow::Result<Value> {
        let Connection { socket, last_id } = &mut *self.0.lock().await;
        *last_id += 1;
        let mut call = json!({ "id": last_id, "method": method, "params": parameters });
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        socket.send(Message::text(call.to_string())).await?;
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message? else {
                continue;
            };
            let mut message: Value = serde_json::from_str(&text)?;
            // A message without an id is an event.
            if message["id"] == *last_id {
                if let Some(error) = message.get("error") {
                    bail!("{method} failed: {error}");
                }
                return Ok(message["result"].take());
            }
        }
        bail!("Chromium closed the connection during {method}")
    }
}

/// A tab.
pub struct Page {
    browser: Browser,
    session: String,
}

impl Page {
    /// Calls a method of the protocol for this tab.
    pub async fn call(&self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        let session = Some(self.session.as_str());
        self.browser.call(method, parameters, session).await
    }

    /// Opens a URL, and waits until the page is loaded.
    pub async fn goto(&self, address: &str) -> anyhow::Result<()> {
        let opened = self.call("Page.navigate", json!({ "url": address }));
        if let Some(error) = opened.await?["errorText"].as_str() {
            bail!("{address} cannot be opened: {error}");
        }
        eventually(&format!("the page {address}"), async || {
            // The evaluation fails if the page redirects to another page at this moment.
            let state = self.evaluate::<String>("document.readyState").await;
            Ok((state.ok().as_deref() == Some("complete")).then_some(()))
        })
        .await
    }

    /// Returns the value of a JavaScript expression. A promise is awaited.
    pub async fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> anyhow::Result<T> {
        let expression = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true
        });
        let mut answer = self.call("Runtime.evaluate", expression).await?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("The expression failed: {exception}");
        }
        let value = answer["result"]["value"].take();
        serde_json::from_value(value).context("The expression has a value of another type")
    }

    /// Sets the size of the screen in CSS pixels, as on a phone.
    pub async fn set_screen(&self, (width, height): (u32, u32)) -> anyhow::Result<()> {
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true
        });
        let method = "Emulation.setDeviceMetricsOverride";
        self.call(method, screen).await.map(drop)
    }

    /// Returns an image of the whole page, in the format PNG.
    pub async fn screenshot(&self) -> anyhow::Result<Vec<u8>> {
        let metrics = self.call("Page.getLayoutMetrics", json!({})).await?;
        let mut clip = metrics["cssContentSize"].clone();
        clip["scale"] = json!(1);
        let whole = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let image = self.call("Page.captureScreenshot", whole).await?;
        Ok(STANDARD.decode(image["data"].as_str().context("no image")?)?)
    }
}
