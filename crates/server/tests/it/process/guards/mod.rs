//! Three guards that follow a real server: the orders services of `examples/` in Rust, JavaScript and Python.

mod chaos;
mod matrix;
mod services;
mod walk;
