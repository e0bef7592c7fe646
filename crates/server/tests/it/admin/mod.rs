//! `/api/admin`

mod audit;
mod pages;
mod roles;
mod users;
