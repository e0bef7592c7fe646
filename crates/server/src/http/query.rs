//! Query parameters: known ones, each at most once.

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
