//! The platform: takes sales, and signs the callbacks about them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::plan::{AMOUNT, Plan};
use crate::scenario::sign;
use crate::world::PROJECT;

/// The platform and its books.
#[derive(Debug, Default)]
pub struct Platform {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// How often each payment was to be made.
    sales: Vec<u8>,
    /// Who waits for a sale.
    waiting: BTreeMap<u32, oneshot::Sender<()>>,
}

/// What a callback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The bank's address.
    Address,
    /// The payment's end.
    End,
}

#[derive(Deserialize)]
struct Sale {
    general: General,
}

#[derive(Deserialize)]
struct General {
    payment_id: String,
}

impl Platform {
    /// Tells when the sale of a payment arrives.
    pub fn sale_of(&self, plan: Plan) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.books().waiting.insert(plan.0, sender);
        receiver
    }

    /// How many sales of a payment have arrived.
    pub fn sales(&self, plan: Plan) -> u8 {
        let books = self.books();
        books.sales.get(plan.0 as usize).copied().unwrap_or(0)
    }

    /// The answer to a sale; `None` if it is none of ours.
    pub fn take_sale(&self, body: &[u8]) -> Option<Value> {
        let sale: Sale = serde_json::from_slice(body).ok()?;
        let payment_id = sale.general.payment_id;
        let plan = Plan::of(&payment_id)?;
        let place = plan.0 as usize;
        let mut books = self.books();
        if books.sales.len() <= place {
            books.sales.resize(place + 1, 0);
        }
        if let Some(count) = books.sales.get_mut(place) {
            *count = count.saturating_add(1);
        }
        if let Some(waiting) = books.waiting.remove(&plan.0) {
            // Nobody listens where the order of things does not matter.
            let _ = waiting.send(());
        }
        Some(json!({
            "status": "success",
            "request_id": request_id(plan),
            "project_id": PROJECT,
            "payment_id": payment_id,
        }))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signed callback.
///
/// # Errors
///
/// When it cannot be signed.
pub fn callback(plan: Plan, news: News) -> anyhow::Result<String> {
    sign(message(plan, news))
}

fn message(plan: Plan, news: News) -> Value {
    let (status, code, text) = match (news, plan.is_declined()) {
        (News::Address, _) => ("awaiting redirect result", "9999", "Awaiting processing"),
        (News::End, false) => ("success", "0", "Success"),
        (News::End, true) => ("decline", "20301", "Account owner cancelled operation"),
    };
    let date = Timestamp::now().to_seconds_with_offset();
    let date = date.replace("+00:00", "+0000");
    let sum = json!({ "amount": AMOUNT, "currency": "EUR" });
    let mut message = json!({
        "project_id": PROJECT,
        "payment": {
            "id": plan.payment_id(), "type": "purchase", "status": status, "date": date,
            "method": "bancontact", "sum": sum, "description": format!("Order {}", plan.0),
        },
        "customer": { "id": "c-42", "last_name": "Janssens", "ip_address": "192.0.2.10" },
        "operation": {
            "id": 37_493_000_000_000_u64 + u64::from(plan.0), "type": "sale", "status": status,
            "date": date, "created_date": date, "request_id": request_id(plan),
            "sum_initial": sum, "sum_converted": sum,
            "provider": {
                "id": 1241, "payment_id": format!("GG-{:06}", plan.0), "auth_code": "",
                "date": date, "endpoint_id": 1241,
            },
            "code": code, "message": text, "eci": "",
        },
    });
    if let Some(fields) = message.as_object_mut() {
        let url = format!("https://bank.example/pay?tx={}", plan.0);
        match news {
            News::Address => fields.insert(
                "redirect_data".to_owned(),
                json!({ "method": "GET", "body": [], "encrypted": [], "url": url }),
            ),
            News::End => fields.insert(
                "account".to_owned(),
                json!({ "number": "BE**********1000", "type": "bancontact" }),
            ),
        };
    }
    message
}

/// The platform's name for the request that made a payment.
fn request_id(plan: Plan) -> String {
    format!("{:040x}", plan.0)
}
