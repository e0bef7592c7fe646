//! `/api/admin`

mod pages;
mod roles;
mod users;
