//! Sales that Gate refuses, fails or does not answer: a repeated checkout request is safe, and the shopper pays once.

mod concurrency;
mod faults;
mod requests;
mod retry;
