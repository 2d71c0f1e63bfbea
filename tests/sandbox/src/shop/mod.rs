//! The demo shop: one product, a checkout button, and a thank-you page.
//!
//! It is a storefront like any other: it has a key, calls the public API, and learns what to ship
//! from the `fulfilment` queue, or from the sample consumer where that one reads the queue.

mod api;
pub mod delivery;
pub mod fulfilment;
mod pages;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::api::Api;
use self::delivery::Delivery;
use self::fulfilment::Shipment;

/// The shop's only product, in cents.
const PRICE: u64 = 1000;

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
    /// When the shop was opened, so that its order numbers are new in every run.
    opened: u64,
    orders: Mutex<u64>,
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
    ) -> anyhow::Result<Self> {
        let opened = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let shared = Shared {
            api: Api::new(&settings)?,
            settings,
            delivery,
            opened: opened.context("The clock is before 1970")?.as_secs(),
            orders: Mutex::new(0),
        };
        let routes = Router::new()
            .route("/", get(product))
            .route("/buy", post(buy))
            .route("/thanks", get(thanks))
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

impl Shared {
    fn next_payment_id(&self) -> String {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        *orders += 1;
        format!("shop-{}-{}", self.opened, *orders)
    }
}

async fn product() -> Response {
    pages::product(PRICE).into_response()
}

async fn buy(State(shop): State<Arc<Shared>>) -> Response {
    let payment_id = shop.next_payment_id();
    let return_url = format!("{}/thanks", shop.settings.address);
    match shop
        .api
        .create_checkout(&payment_id, PRICE, &return_url)
        .await
    {
        Ok(checkout_url) => Redirect::to(&checkout_url).into_response(),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            pages::failure(&format!("{error:#}")),
        )
            .into_response(),
    }
}

async fn thanks(
    State(shop): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(payment_id) = query.get("payment_id") else {
        return (
            StatusCode::BAD_REQUEST,
            pages::failure("This address names no order."),
        )
            .into_response();
    };
    let payment = match shop.api.payment(payment_id).await {
        Ok(Some(payment)) => payment,
        Ok(None) => {
            return (
                StatusCode::NOT_FOUND,
                pages::failure("There is no such order."),
            )
                .into_response();
        }
        Err(error) => {
            return (
                StatusCode::BAD_GATEWAY,
                pages::failure(&format!("{error:#}")),
            )
                .into_response();
        }
    };
    let shipment = shop.delivery.shipment(payment_id).await;
    let awaited = if payment.is_given_back() {
        Shipment::TakenBack
    } else {
        Shipment::Shipped
    };
    if payment.is_paid() && shipment != awaited {
        shop.delivery.look();
    }
    pages::thanks(&payment, shipment).into_response()
}
