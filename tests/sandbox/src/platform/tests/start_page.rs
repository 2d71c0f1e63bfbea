//! Tests the explanations on the start page.

use super::stage::*;
use crate::platform::faults::Faults;

#[tokio::test]
async fn the_start_page_explains_every_switch_and_every_call() {
    let stage = Stage::new().await;
    let (_, page) = stage.open(&stage.platform.address()).await;
    let switches = serde_json::to_value(Faults::default()).unwrap();
    for name in switches.as_object().unwrap().keys() {
        let cell = format!("<td><code>{name}</code></td>");
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
