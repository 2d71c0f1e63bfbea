//! Refunds.

mod answers;
mod attribution;
mod reserve;

use payments::events::Event;

use super::story::{Story, data};

/// The events about refunds: the merchant's or the platform's id, and the status.
fn emitted(story: &Story) -> Vec<String> {
    let about_refund = |event: &Event| {
        let data = data(event);
        let refund = &data["refund"];
        let id = refund["refund_id"]
            .as_str()
            .or(refund["operation_id"].as_str())?;
        let corrects = match data["corrects"].as_str() {
            Some(corrected) => format!(" corrects {corrected}"),
            None => String::new(),
        };
        Some(format!("{id} {}{corrects}", refund["status"].as_str()?))
    };
    story.events.iter().filter_map(about_refund).collect()
}
