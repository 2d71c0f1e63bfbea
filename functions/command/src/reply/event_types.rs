//! Converts kinds of events to the types that replies contain.

use payments::events::EventKind;

/// Returns the types of these events.
pub fn event_types(kinds: &[EventKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}
