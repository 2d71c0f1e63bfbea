//! Tests refunds: amounts, unknown outcomes, refunds from the platform's Dashboard, returned refunds, clarifications.

mod amounts;
mod clarification;
mod concurrency;
mod platform;
mod returned;
mod steps;
mod unknown;
