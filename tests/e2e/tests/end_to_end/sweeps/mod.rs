//! Tests the sweeper: it publishes the outbox, polls the platform, and erases customer data. It also ends payments that
//! the platform never received.

mod outbox;
mod retention;
mod status_polls;
mod without_key;
mod worker;
