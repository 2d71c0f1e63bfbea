//! Converts kinds of events to the types in replies.

use payments::events::EventKind;

pub fn event_types(kinds: &[EventKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}
