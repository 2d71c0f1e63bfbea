//! Tests that the sweeper publishes the outbox, polls the platform, ends payments that the platform does not know, and
//! erases customer data.

mod outbox;
mod retention;
mod status_polls;
mod without_key;
mod worker;
