//! Money on its way back.

mod answers;
mod attribution;
mod reserve;

use payments::event::Event;
use serde_json::Value;

use super::story::Story;

/// How each refund was announced, by the id of the merchant or of the platform.
fn told(story: &Story) -> Vec<String> {
    let about_refund = |event: &Event| {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let refund = &body["data"]["refund"];
        let id = refund["refund_id"]
            .as_str()
            .or(refund["operation_id"].as_str())?;
        let corrects = body["data"]["corrects"]
            .as_str()
            .map_or("", |_| " after all");
        Some(format!("{id} {}{corrects}", refund["status"].as_str()?))
    };
    story.events.iter().filter_map(about_refund).collect()
}
