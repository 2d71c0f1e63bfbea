//! The start page explains everything that can be switched or called.

use super::stage::*;
use crate::platform::faults::Faults;

#[tokio::test]
async fn the_start_page_names_every_switch() {
    let stage = Stage::new(0).await;
    let page = stage.client.get(stage.platform.address()).send().await;
    let page = page.unwrap().text().await.unwrap();
    let switches = serde_json::to_value(Faults::default()).unwrap();
    for name in switches.as_object().unwrap().keys() {
        let cell = format!("<code>{name}</code>");
        assert!(page.contains(&cell), "{name} is not explained");
    }
    for call in [
        "/refunds",
        "/refunds/{operation}/reverse",
        "/confirmation",
        "/manual-change",
        "/sales",
        "/sales/{operation}",
        "/operations",
        "/simulator/links",
        "/link",
    ] {
        assert!(page.contains(call), "{call} is not explained");
    }
}
