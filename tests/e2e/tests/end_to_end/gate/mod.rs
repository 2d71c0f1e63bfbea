//! Tests sales that Gate refuses or does not answer clearly. A checkout request can be repeated, and the shopper pays
//! once.

mod concurrency;
mod faults;
mod requests;
mod retry;
