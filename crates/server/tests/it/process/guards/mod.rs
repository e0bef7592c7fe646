//! Three guards that follow a real server: the orders examples of `examples/` in Rust, JavaScript and Python.

mod chaos;
mod examples;
mod matrix;
mod walk;
