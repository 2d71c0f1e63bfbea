//! The platform's result codes (`operation.code`, error `code`): their messages, the advice that follows from
//! them, and which of them are confidential.
//!
//! One list of 378 codes serves all payment methods. 0 is success. 100 to 999 concern the platform; 2xxx and
//! 3xxx the request and the rules; 10xxx cards; 20xxx alternative methods such as Bancontact; 30xxx the
//! merchant. 9999, 19999 and 29999 mean "wait".
//!
//! Source: Codes.

mod action;
mod result_code;
mod table;

pub use result_code::ResultCode;
