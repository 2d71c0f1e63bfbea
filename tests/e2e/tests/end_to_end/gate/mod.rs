//! Tests sales that Gate refuses or does not answer clearly: a repeated checkout request is safe, and the shopper pays
//! once.

mod concurrency;
mod faults;
mod requests;
mod retry;
