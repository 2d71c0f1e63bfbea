//! The demo shop: a few goods, a checkout button, a thank-you page, and what happened meanwhile.
//!
//! It is a storefront like any other: it has a key, calls the public API, and learns what to ship
//! from the `fulfilment` queue, or from the sample consumer where that one reads the queue.

mod api;
mod choice;
pub mod delivery;
pub mod fulfilment;
pub mod history;
mod pages;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::api::{Api, PaymentStatus};
use self::choice::Choice;
use self::delivery::Delivery;
use self::fulfilment::Shipment;
use self::history::History;

/// What the shop needs to be a storefront.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The public address of the payment API.
    pub api: String,
    /// The storefront's key.
    pub storefront_key: String,
    /// The shop's own address.
    pub address: String,
}

/// A running shop; dropping it closes its port.
#[derive(Debug)]
pub struct Shop {
    server: JoinHandle<()>,
}

struct Shared {
    settings: Settings,
    api: Api,
    delivery: Delivery,
    history: Arc<History>,
    /// When the shop was opened, so that its order numbers are new in every run.
    opened: u64,
    /// Where each order is paid.
    checkouts: Mutex<BTreeMap<String, String>>,
}

impl Shop {
    /// Opens the shop.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be set up.
    pub fn start(
        listener: TcpListener,
        settings: Settings,
        delivery: Delivery,
        history: Arc<History>,
    ) -> anyhow::Result<Self> {
        let opened = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let shared = Shared {
            api: Api::new(&settings)?,
            settings,
            delivery,
            history,
            opened: opened.context("The clock is before 1970")?.as_secs(),
            checkouts: Mutex::default(),
        };
        let routes = Router::new()
            .route("/", get(products))
            .route("/buy", post(buy))
            .route("/thanks", get(thanks))
            .route("/send-back", post(send_back))
            .route("/news", get(news))
            .with_state(Arc::new(shared));
        let server = tokio::spawn(async move {
            // Serving ends with the task, not by itself.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { server })
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An order as far as the shop knows.
struct Seen {
    payment: PaymentStatus,
    shipment: Shipment,
}

impl Shared {
    fn checkouts(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.checkouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn next_payment_id(&self) -> String {
        let mut checkouts = self.checkouts();
        let payment_id = format!("shop-{}-{}", self.opened, checkouts.len() + 1);
        checkouts.insert(payment_id.clone(), String::new());
        payment_id
    }

    /// Asks how an order stands, and has the queue looked at if there must be news in it.
    async fn look(&self, payment_id: &str) -> anyhow::Result<Option<Seen>> {
        let Some(payment) = self.api.payment(payment_id).await? else {
            return Ok(None);
        };
        self.history
            .asked(&payment.payment_id, &payment.status, payment.is_settled());
        let shipment = self.delivery.shipment(payment_id).await;
        let awaited = if payment.is_given_back() {
            Shipment::TakenBack
        } else {
            Shipment::Shipped
        };
        if payment.is_paid() && shipment != awaited {
            self.delivery.look();
        }
        Ok(Some(Seen { payment, shipment }))
    }
}

async fn products() -> Response {
    pages::products().into_response()
}

async fn buy(State(shop): State<Arc<Shared>>, form: Bytes) -> Response {
    let choice = Choice::read(&form);
    let payment_id = shop.next_payment_id();
    let return_url = format!("{}/thanks", shop.settings.address);
    let created = shop
        .api
        .create_checkout(&payment_id, &choice, &return_url)
        .await;
    match created {
        Ok(checkout) => {
            shop.history.asked(&payment_id, &checkout.status, false);
            let address = checkout.checkout_url;
            shop.checkouts().insert(payment_id, address.clone());
            Redirect::to(&address).into_response()
        }
        Err(error) => failure(&error),
    }
}

async fn thanks(
    State(shop): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(payment_id) = query.get("payment_id") else {
        let page = pages::failure("This address names no order.");
        return (StatusCode::BAD_REQUEST, page).into_response();
    };
    match shop.look(payment_id).await {
        Ok(Some(seen)) => {
            let checkout_url = shop.checkouts().get(payment_id).cloned();
            pages::thanks(&seen.payment, seen.shipment, checkout_url.as_deref()).into_response()
        }
        Ok(None) => {
            let page = pages::failure("There is no such order.");
            (StatusCode::NOT_FOUND, page).into_response()
        }
        Err(error) => failure(&error),
    }
}

async fn send_back(
    State(shop): State<Arc<Shared>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let Some(payment_id) = form.get("payment_id") else {
        let page = pages::failure("The form names no order.");
        return (StatusCode::BAD_REQUEST, page).into_response();
    };
    match shop.api.refund(payment_id).await {
        Ok(()) => Redirect::to(&pages::order_address(payment_id)).into_response(),
        Err(error) => failure(&error),
    }
}

/// What happened; asks anew about the orders that are under way.
async fn news(State(shop): State<Arc<Shared>>) -> Response {
    for payment_id in shop.history.open() {
        // What is not answered now is asked again at the next look.
        let _ = shop.look(&payment_id).await;
    }
    pages::news(&shop.history.lines()).into_response()
}

fn failure(error: &anyhow::Error) -> Response {
    let page = pages::failure(&format!("{error:#}"));
    (StatusCode::BAD_GATEWAY, page).into_response()
}
