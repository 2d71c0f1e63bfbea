//! Tests the sweeper: it publishes the outbox, polls the platform, ends unknown payments and erases customer data.

mod outbox;
mod retention;
mod status_polls;
mod without_key;
mod worker;
