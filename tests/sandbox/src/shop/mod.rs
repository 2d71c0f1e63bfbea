//! Serves the demo shop: products, a checkout button, order pages, and a page with the activity of all orders.
//!
//! The shop is a storefront with a key for the public API. It ships an order after an event from the queue
//! `fulfilment`. If the sample consumer reads this queue, the shop reads the consumer's table instead. With
//! `--webhook-shop`, it ships an order after an event that is posted to its endpoint.

mod api;
mod choice;
pub mod delivery;
pub mod fulfilment;
pub mod history;
mod orders;
mod pages;
pub mod webhooks;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use payments::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::api::{Api, PaymentStatus};
use self::choice::Choice;
use self::delivery::Delivery;
use self::history::History;
use self::orders::Shipment;

/// The settings of the shop.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The base URL of the payment API.
    pub api: String,
    /// The storefront's key.
    pub storefront_key: String,
    /// The base URL of the shop.
    pub address: String,
}

/// A running shop. Dropping this value stops it.
#[derive(Debug)]
pub struct Shop {
    server: JoinHandle<()>,
}

struct Shared {
    settings: Settings,
    api: Api,
    delivery: Delivery,
    history: Arc<History>,
    /// The start of the shop in Unix seconds, a part of each payment id. Therefore the ids of different runs differ.
    started: u64,
    /// The checkout URLs by payment id.
    checkouts: Mutex<BTreeMap<String, String>>,
}

impl Shop {
    /// Starts the shop.
    pub fn start(
        listener: TcpListener,
        settings: Settings,
        delivery: Delivery,
        history: Arc<History>,
    ) -> anyhow::Result<Self> {
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let shared = Shared {
            api: Api::new(&settings.api, &settings.storefront_key)?,
            settings,
            delivery,
            history,
            started: started.context("The clock is before 1970")?.as_secs(),
            checkouts: Mutex::default(),
        };
        let routes = Router::new()
            .route("/", get(|| async { pages::products() }))
            .route("/buy", post(buy))
            .route("/thanks", get(thanks))
            .route("/send-back", post(send_back))
            .route("/activity", get(activity))
            .route("/webhooks", post(webhooks))
            .with_state(Arc::new(shared));
        let server = tokio::spawn(async move {
            // `axum::serve` retries a failed accept and never returns an error.
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

struct Order {
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
        let payment_id = format!("shop-{}-{}", self.started, checkouts.len() + 1);
        checkouts.insert(payment_id.clone(), String::new());
        payment_id
    }

    /// Reads an order. If an expected event is missing, makes the shop's consumer read the queue.
    async fn order(&self, payment_id: &str) -> anyhow::Result<Option<Order>> {
        let Some(payment) = self.api.payment(payment_id).await? else {
            return Ok(None);
        };
        self.history
            .add_status(&payment.payment_id, &payment.status, payment.is_settled());
        let shipment = self.delivery.shipment(payment_id).await;
        let expected = match payment.is_refunded() {
            true => Shipment::TakenBack,
            false => Shipment::Shipped,
        };
        if payment.is_paid() && shipment != expected {
            self.delivery.check_queue();
        }
        Ok(Some(Order { payment, shipment }))
    }
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
            shop.history
                .add_status(&payment_id, &checkout.status, false);
            let url = checkout.checkout_url;
            shop.checkouts().insert(payment_id, url.clone());
            Redirect::to(&url).into_response()
        }
        Err(error) => api_failed(&error),
    }
}

async fn thanks(
    State(shop): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(payment_id) = query.get("payment_id") else {
        return failed(StatusCode::BAD_REQUEST, "This URL names no order.");
    };
    match shop.order(payment_id).await {
        Ok(Some(order)) => {
            let checkout_url = shop.checkouts().get(payment_id).cloned();
            pages::order(&order.payment, order.shipment, checkout_url.as_deref()).into_response()
        }
        Ok(None) => failed(StatusCode::NOT_FOUND, "This order does not exist."),
        Err(error) => api_failed(&error),
    }
}

async fn send_back(
    State(shop): State<Arc<Shared>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let Some(payment_id) = form.get("payment_id") else {
        return failed(StatusCode::BAD_REQUEST, "The form names no order.");
    };
    match shop.api.refund(payment_id).await {
        Ok(()) => Redirect::to(&pages::order_path(payment_id)).into_response(),
        Err(error) => api_failed(&error),
    }
}

/// Reads the newest unsettled orders again, and shows the activity of all orders.
async fn activity(State(shop): State<Arc<Shared>>) -> Html<String> {
    for payment_id in shop.history.open() {
        // The next visit repeats a failed request.
        let _ = shop.order(&payment_id).await;
    }
    pages::activity(&shop.history.lines())
}

async fn webhooks(State(shop): State<Arc<Shared>>, headers: HeaderMap, body: String) -> StatusCode {
    match &shop.delivery {
        Delivery::Webhooks(webhooks) => webhooks.receive(&headers, &body, Timestamp::now()),
        _ => StatusCode::NOT_FOUND,
    }
}

fn api_failed(error: &anyhow::Error) -> Response {
    failed(StatusCode::BAD_GATEWAY, &format!("{error:#}"))
}

fn failed(status: StatusCode, reason: &str) -> Response {
    (status, pages::failure(reason)).into_response()
}
