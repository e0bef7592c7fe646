//! How long an answer may be kept.

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, HeaderMap};

/// How long an answer may be kept by its `Cache-Control` (RFC 9111 section 5.2.2): nothing where it does not say, says it
/// twice, or says that nobody may keep it.
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let texts = headers.get_all(CACHE_CONTROL).iter();
    let texts: Vec<_> = texts.filter_map(|value| value.to_str().ok()).collect();
    let mut age = None;
    for directive in texts.iter().flat_map(|text| text.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match (name.trim().to_ascii_lowercase().as_str(), age) {
            ("no-store" | "no-cache", _) | ("max-age", Some(_)) => return None,
            ("max-age", None) => age = Some(value.trim().trim_matches('"').parse().ok()?),
            _ => {}
        }
    }
    age.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says() {
        for (said, kept) in [
            ("max-age=3600", Some(3_600)),
            ("public, max-age=\"600\", must-revalidate", Some(600)),
            ("Max-Age=0", Some(0)),
            ("max-age=-1", None),
            ("max-age=1e9", None),
            ("max-age=1, max-age=2", None),
            ("no-store, max-age=3600", None),
            ("max-age=3600, no-cache", None),
            ("", None),
            ("private", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, said.parse().unwrap());
            assert_eq!(max_age(&headers), kept.map(Duration::from_secs), "{said}");
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}
