//! What templates can call beside what the engine brings.
//!
//! - `t("devices.title", name=…)`: a word in the language of the page.
//! - `has("faults.conflict")`: whether there is such a word.
//! - `asset("page.css")`: the address of something that the page loads, to be kept for ever by browsers.
//! - `n|number`: a number with thin spaces between thousands.
//! - `text|when`: a time in RFC 3339 as an element that scripts put into the zone of the person.

use std::sync::Arc;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, State, Value, context};
use symbolon_domain::mail::Locale;

use super::assets::Assets;
use super::words::Words;

pub(super) fn add(environment: &mut Environment<'static>, words: &Arc<Words>, assets: &Assets) {
    let known = Arc::clone(words);
    environment.add_function(
        "t",
        move |state: &State<'_, '_>, name: &str, facts: Kwargs| -> Result<Value, Error> {
            let service = state.lookup("service");
            let facts = context! { service, ..Value::from(facts) };
            known.say(state.env(), language(state), name, facts)
        },
    );
    let known = Arc::clone(words);
    environment.add_function("has", move |name: &str| known.has(name));
    let addresses = assets.addresses();
    environment.add_function("asset", move |name: &str| -> Result<Value, Error> {
        let missing = || {
            let said = format!("there is nothing named `{name}`");
            Error::new(minijinja::ErrorKind::InvalidOperation, said)
        };
        let address = addresses.get(name).cloned();
        address.map(Value::from_safe_string).ok_or_else(missing)
    });
    environment.add_filter("number", |number: i64| grouped(number));
    environment.add_filter("when", |time: &str| Value::from_safe_string(when(time)));
}

/// The language of the page.
fn language(state: &State<'_, '_>) -> Locale {
    let lang = state.lookup("lang");
    lang.and_then(|lang| lang.as_str()?.parse().ok())
        .unwrap_or_default()
}

/// To the minute; the times are our own, and nobody else's text.
fn when(time: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.');
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(minute)) if time.bytes().all(plain) => {
            format!("<time datetime=\"{time}\">{day} {minute} UTC</time>")
        }
        _ => String::new(),
    }
}

/// With narrow spaces that do not break, as ISO 80000-1 section 7.3.1 has it.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('\u{2212}');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
