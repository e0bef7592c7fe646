use crate::words::words;

words! {
    /// A language that mail and pages are written in.
    #[derive(Default)]
    pub enum Locale ("language") {
        /// English.
        #[default]
        En => "en",
        /// German.
        De => "de",
        /// French.
        Fr => "fr",
        /// Spanish.
        Es => "es",
        /// Polish.
        Pl => "pl",
        /// Chinese, in simplified characters.
        Zh => "zh",
    }
}

/// Ranges of an `Accept-Language` that are looked at.
const MOST_RANGES: usize = 16;

impl Locale {
    /// The first of the languages of `ui_locales` that there is (OpenID Connect Core 1.0 section 3.1.2.1).
    pub fn of_ui_locales(tags: &str) -> Option<Self> {
        let mut tags = tags.split(' ').take(MOST_RANGES);
        tags.find_map(|tag| primary(tag).parse().ok())
    }

    /// The language of an `Accept-Language` that fits best (RFC 9110 section 12.5.4); of two that are wanted as much, the
    /// one that is named first. English where none fits.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (Self::En, 0);
        for range in accept_language.split(',').take(MOST_RANGES) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
            let weight = thousandths(weight);
            let locale = primary(tag.trim()).parse::<Self>();
            if let (Ok(locale), true) = (locale, weight > best.1) {
                best = (locale, weight);
            }
        }
        best.0
    }
}

/// The language of a tag (RFC 5646 section 2.2.1).
fn primary(tag: &str) -> String {
    let primary = tag.split('-').next().unwrap_or_default();
    primary.to_ascii_lowercase()
}

/// `q=0.8` as 800; 1000 where there is no weight, 0 where it cannot be read.
fn thousandths(parameter: &str) -> u32 {
    let parameter = parameter.trim();
    if parameter.is_empty() {
        return 1000;
    }
    let value = parameter
        .strip_prefix("q=")
        .or_else(|| parameter.strip_prefix("Q="));
    let Some((whole, rest)) = value.map(|value| value.split_once('.').unwrap_or((value, "")))
    else {
        return 0;
    };
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{rest:0<3}").parse::<u32>()) {
        ("1", Ok(0)) if digits => 1000,
        ("0", Ok(thousandths)) if digits => thousandths,
        _ => 0,
    }
}
