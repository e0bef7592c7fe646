//! What is told of a person (OpenID Connect Core 1.0 section 5.1), by scope (section 5.4) and by the parameter `claims`
//! (section 5.5).

use serde_json::{Map, Value, json};
use symbolon_domain::oauth::{ACR, ErrorCode, OAuthError, ROLES, Scopes};
use symbolon_domain::{Client, SubjectType, User, UserId};
use symbolon_token::encoding;

use crate::app::App;
use crate::flows::Error;

/// `sub`: the id of the person, or for a pairwise client one that no client of another host sees (section 8.1).
pub(super) fn subject(app: &App, client: &Client, user: UserId) -> Result<String, Error> {
    if client.definition.subject_type == SubjectType::Public {
        return Ok(user.to_string());
    }
    let text = [client.sector().as_bytes(), b"\0", user.as_bytes()].concat();
    let tag = app.issuance()?.master.mac("pairwise subject", &text);
    let tag = tag.map_err(|error| Error::fault("pairwise subject")(error.into()))?;
    Ok(encoding::encode(&tag))
}

/// The parameter `claims` is a JSON object, and does not insist on a context of the sign-in that there is none of
/// (OpenID Connect Core 1.0 section 5.5.1.1).
///
/// # Errors
/// `invalid_request`, `unmet_authentication_requirements`.
pub(super) fn check(asked: Option<&str>) -> Result<(), OAuthError> {
    let Some(text) = asked else {
        return Ok(());
    };
    let Ok(Value::Object(asked)) = serde_json::from_str(text) else {
        let sentence = "The parameter claims is a JSON object.";
        return Err(OAuthError::invalid_request(sentence));
    };
    let acr = asked.get("id_token").and_then(|claims| claims.get("acr"));
    let insists = acr.filter(|acr| acr.get("essential") == Some(&Value::Bool(true)));
    let is_met = |acr: &Value| {
        let one = acr.get("value").is_none_or(|value| value == ACR);
        let some = |values: &Vec<Value>| values.iter().any(|value| value == ACR);
        one && acr.get("values").and_then(Value::as_array).is_none_or(some)
    };
    match insists.is_none_or(is_met) {
        true => Ok(()),
        false => Err(OAuthError::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "There is no sign-in here of the acr that the client insists on.",
        )),
    }
}

/// The values of `sub` that the parameter `claims` asks for.
pub(super) fn subjects(asked: Option<&str>) -> Vec<String> {
    let asked = asked.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let of = |member| {
        let value = asked.as_ref()?.get(member)?.get("sub")?.get("value")?;
        value.as_str().map(str::to_owned)
    };
    ["id_token", "userinfo"]
        .into_iter()
        .filter_map(of)
        .collect()
}

/// Where claims are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the ID token: those that `claims` asks for there.
    IdToken,
    /// At userinfo: those of the scopes as well.
    Userinfo,
}

/// Which claims a scope brings.
const OF_SCOPES: [(&str, &[&str]); 3] = [
    ("profile", &["name", "preferred_username", "updated_at"]),
    ("email", &["email", "email_verified"]),
    (ROLES, &["roles"]),
];

/// The claims of a person at this place. Claims come with the scope that covers them, wherever they were asked for: who
/// agreed to `email` agreed to that and to nothing else.
pub(super) fn of(
    user: &User,
    scopes: &Scopes,
    asked: Option<&str>,
    place: Place,
) -> Map<String, Value> {
    let asked = asked.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let member = match place {
        Place::IdToken => "id_token",
        Place::Userinfo => "userinfo",
    };
    let named = |claim: &str| {
        let asked = asked.as_ref().and_then(|asked| asked.get(member));
        asked.is_some_and(|asked| asked.get(claim).is_some())
    };
    let mut claims = Map::new();
    for (scope, names) in OF_SCOPES {
        for name in names.iter().filter(|_| scopes.contains(scope)) {
            if place == Place::Userinfo || named(name) {
                claims.extend(value(user, name).map(|value| ((*name).to_owned(), value)));
            }
        }
    }
    claims
}

fn value(user: &User, claim: &str) -> Option<Value> {
    Some(match claim {
        "name" => json!(user.name.as_ref()?.as_str()),
        "preferred_username" => json!(user.username.as_ref()?.as_str()),
        "updated_at" => json!(user.updated_at.seconds()),
        "email" => json!(user.email.as_str()),
        "email_verified" => json!(user.email_verified),
        "roles" => json!(user.roles.to_strings()),
        _ => return None,
    })
}
