//! Tests refunds: amounts, unknown outcomes, refunds in the platform's Dashboard, returned refunds and clarifications.

mod amounts;
mod clarification;
mod concurrency;
mod platform;
mod returned;
mod steps;
mod unknown;
