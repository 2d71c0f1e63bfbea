//! Handles the control calls that read and set the switches of new payments or of one payment.

use axum::Json;
use axum::extract::{Path, State};

use super::request::Body;
use crate::platform::faults::Faults;
use crate::platform::shared::App;

pub async fn get(State(shared): App) -> Json<Faults> {
    Json(shared.state().faults.defaults.clone())
}

pub async fn put(State(shared): App, Body(faults): Body<Faults>) -> Json<Faults> {
    shared.state().faults.defaults = faults.clone();
    Json(faults)
}

pub async fn get_of(State(shared): App, Path(id): Path<String>) -> Json<Faults> {
    Json(shared.state().faults.of(&id).clone())
}

pub async fn put_of(
    State(shared): App,
    Path(id): Path<String>,
    Body(faults): Body<Faults>,
) -> Json<Faults> {
    shared.state().faults.set(&id, faults.clone());
    Json(faults)
}
