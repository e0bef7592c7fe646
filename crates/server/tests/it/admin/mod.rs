//! `/api/admin`

mod pages;
mod roles;
