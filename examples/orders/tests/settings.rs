//! The service as a process. What it does behind a guard is tested beside the server, with the same in other languages.

use std::process::Command;

#[test]
fn it_says_what_is_missing() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orders"));
    let ended = command.env_remove("ISSUER").output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("--issuer"),
        "{said}"
    );
    // Nobody listens on the discard port: the first step of the guard fails, and says which.
    let ended = command
        .env("ISSUER", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("http://127.0.0.1:9"),
        "{said}"
    );
}
