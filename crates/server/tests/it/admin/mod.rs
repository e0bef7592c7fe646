//! `/api/admin`

mod pages;
