//! Tests that the sweeper publishes the outbox, polls the platform, ends unused links and erases customer data.

mod outbox;
mod retention;
mod status_polls;
