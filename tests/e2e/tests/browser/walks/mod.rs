//! Ways from the shop to the bank and back.

pub mod data;
pub mod outcomes;
pub mod payment_page;
pub mod usual;
pub mod waiting;
