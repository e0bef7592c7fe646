//! The pages in Chromium: every one in every look, what people do on them with and without scripts, and by keyboard.

use std::time::Duration;

use super::oauth::program::{CALLBACK, Stage, in_chromium};
use super::place::PASSWORD;

/// For a browser that is driven through all pages.
const PATIENCE: Duration = Duration::from_secs(300);
const ADMIN: &str = "root@example.com";

fn passes(program: &str, more: &[(&str, &str)]) {
    let Some(command) = in_chromium(program) else {
        return;
    };
    let stage = Stage::new();
    let words = ["user", "add", ADMIN, "--role", "admin", "--password-stdin"];
    stage.place.run_with(&words, PASSWORD.as_bytes()).text();
    let words = format!(
        "--type public --redirect-uri {CALLBACK} --scope openid --scope profile --scope email --grant authorization_code"
    );
    stage.client("shop", &words);
    stage.client("own", &format!("{words} --consent trusted"));
    let mut all = vec![("ADMIN_EMAIL", ADMIN), ("ADMIN_PASSWORD", PASSWORD)];
    all.extend(more);
    stage.passes_within(PATIENCE, command, "shop", &all);
}

#[test]
fn every_page_in_every_look() {
    passes("pages/tour.js", &[]);
}

#[test]
fn what_people_do() {
    passes("pages/acts.js", &[]);
}

#[test]
fn what_people_do_without_scripts() {
    passes("pages/acts.js", &[("SCRIPTS", "off")]);
}

#[test]
fn by_keyboard_alone() {
    passes("pages/keyboard.js", &[]);
}
