//! Orders in memory, each of one owner: nobody learns that another's exists.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symbolon_guard::Bearer;

use crate::{App, problem::Problem};

const MOST_ORDERS: usize = 100_000;
const LONGEST_ITEM: usize = 200;
const MOST_OF_ONE: u32 = 1_000_000;
const LARGEST_BODY: usize = 16 * 1024;

#[derive(Clone, Serialize)]
pub struct Order {
    id: String,
    owner: String,
    item: String,
    quantity: u32,
}

#[derive(Deserialize)]
struct Wish {
    item: String,
    quantity: u32,
}

#[derive(Clone, Default)]
pub struct Orders(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    last: u64,
    orders: BTreeMap<u64, Order>,
}

impl Orders {
    pub fn len(&self) -> usize {
        self.shelf().orders.len()
    }

    pub fn all(&self) -> Vec<Order> {
        self.shelf().orders.values().cloned().collect()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// An order of that owner.
    fn find(&mut self, id: &str, owner: &str) -> Result<&mut Order, Problem> {
        let order = id.parse().ok().and_then(|id: u64| self.orders.get_mut(&id));
        order
            .filter(|order| order.owner == owner && order.id == id)
            .ok_or_else(|| Problem::not_found("There is no such order."))
    }
}

/// To be put behind the guard: the owner is who the token says.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders", get(list).post(create))
        .route("/orders/{id}", get(show).put(replace).delete(cancel))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn list(State(app): State<App>, Bearer(claims): Bearer) -> Json<Value> {
    let mut own = app.orders.all();
    own.retain(|order| order.owner == claims.sub);
    Json(json!({ "items": own }))
}

async fn create(
    State(app): State<App>,
    Bearer(claims): Bearer,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Response, Problem> {
    let Wish { item, quantity } = checked(wish)?;
    let mut shelf = app.orders.shelf();
    if shelf.orders.len() >= MOST_ORDERS {
        return Err(Problem::full());
    }
    shelf.last += 1;
    let number = shelf.last;
    let order = Order {
        id: number.to_string(),
        owner: claims.sub,
        item,
        quantity,
    };
    shelf.orders.insert(number, order.clone());
    let location = [(LOCATION, format!("/orders/{number}"))];
    Ok((StatusCode::CREATED, location, Json(order)).into_response())
}

async fn show(
    State(app): State<App>,
    Bearer(claims): Bearer,
    Path(id): Path<String>,
) -> Result<Json<Order>, Problem> {
    let mut shelf = app.orders.shelf();
    Ok(Json(shelf.find(&id, &claims.sub)?.clone()))
}

async fn replace(
    State(app): State<App>,
    Bearer(claims): Bearer,
    Path(id): Path<String>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Order>, Problem> {
    let mut shelf = app.orders.shelf();
    let order = shelf.find(&id, &claims.sub)?;
    let Wish { item, quantity } = checked(wish)?;
    (order.item, order.quantity) = (item, quantity);
    Ok(Json(order.clone()))
}

async fn cancel(
    State(app): State<App>,
    Bearer(claims): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut shelf = app.orders.shelf();
    shelf.find(&id, &claims.sub)?;
    shelf.orders.retain(|_, order| order.id != id);
    Ok(StatusCode::NO_CONTENT)
}

fn checked(wish: Result<Json<Wish>, JsonRejection>) -> Result<Wish, Problem> {
    let Json(wish) = wish?;
    if wish.item.trim().is_empty() || wish.item.chars().count() > LONGEST_ITEM {
        return Err(Problem::invalid(
            "/item",
            "Must be a text of 1 to 200 characters.",
        ));
    }
    if !(1..=MOST_OF_ONE).contains(&wish.quantity) {
        return Err(Problem::invalid(
            "/quantity",
            "Must be a whole number from 1 to 1,000,000.",
        ));
    }
    Ok(wish)
}
