//! Query parameters: known ones, each at most once.

use std::borrow::Cow;

use http::Uri;
use symbolon_domain::Refusal;

/// The values of `names`. A parameter that is given twice leaves open which of them counts.
///
/// # Errors
/// `malformed_request` for a repeated parameter. Unknown ones are let be.
pub(super) fn query<const N: usize>(
    uri: &Uri,
    names: [&str; N],
) -> Result<[Option<String>; N], Refusal> {
    let mut values = [const { None }; N];
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let Some(index) = names.iter().position(|known| *known == name) else {
            continue;
        };
        if values[index].replace(value.into_owned()).is_some() {
            let sentence = format!("The parameter {} is given more than once.", names[index]);
            return Err(Refusal::MalformedRequest(sentence));
        }
    }
    Ok(values)
}

/// The same where parameters demand something: one that is not known, or empty, would demand nothing and let all pass.
///
/// # Errors
/// `malformed_request`.
pub(super) fn demands<const N: usize>(
    uri: &Uri,
    names: [&str; N],
) -> Result<[Option<String>; N], Refusal> {
    let query_text = uri.query().unwrap_or_default();
    let is_demand = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        names.contains(&name.as_ref()) && !value.is_empty()
    };
    if !url::form_urlencoded::parse(query_text.as_bytes()).all(is_demand) {
        let sentence = format!("The parameters are {}, not empty.", names.join(", "));
        return Err(Refusal::MalformedRequest(sentence));
    }
    query(uri, names)
}
