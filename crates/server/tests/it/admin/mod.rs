//! `/api/admin`

mod audit;
mod authority;
mod clients;
mod emergency;
mod pages;
mod roles;
mod secrets;
mod sessions;
mod users;
