//! `/api/admin`

mod audit;
mod authority;
mod clients;
mod consents;
mod emergency;
mod pages;
mod roles;
mod secrets;
mod sessions;
mod users;
