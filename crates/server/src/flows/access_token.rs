//! The access token of a session (RFC 9068).

use serde::Serialize;
use symbolon_domain::{Session, Timestamp, User};
use symbolon_token::{Typ, encoding};

use super::Error;
use crate::app::App;

/// The scope of our own sign-in: the whole account, as the person behind it has.
const OWN_SCOPE: &str = "openid profile email";

/// A signed access token and its life.
pub struct AccessToken {
    /// The compact JWT.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

/// RFC 9068 section 2.2, in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: uuid::Uuid,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    sid: uuid::Uuid,
    ver: i64,
    client_id: &'a str,
    scope: &'a str,
    roles: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

/// Signs an access token for `session` of `user`; it never outlives the session. Its scope holds the user's permissions and
/// its roles those that they include, for guards ask nobody: `user` must have been read before, so that what was given with
/// newer definitions is judged by them.
///
/// # Errors
/// A fault of the random source, the key or the store.
pub async fn issue(
    app: &App,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    let issuance = app.issuance()?;
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| Error::Fault {
        context: "access token",
        source,
    };
    let id: [u8; 16] = app.rng.bytes().map_err(|error| fault(error.into()))?;
    // A repeated answer does not count as a use, so that the idle life may be shorter than a full one from now.
    let expires = session
        .access_expires_at(now, app.config.tokens.access_ttl)
        .min(session.idle_expires_at());
    let holds = app.role_book().await?.effective(&user.roles);
    let roles: Vec<&str> = holds.roles.iter().map(|role| role.as_str()).collect();
    let mut scope = OWN_SCOPE.to_owned();
    for permission in holds.permissions.names() {
        scope.push(' ');
        scope.push_str(permission);
    }
    let claims = Claims {
        iss: &issuance.issuer,
        sub: user.id.uuid(),
        aud: &issuance.audience,
        exp: expires.seconds(),
        iat: now.seconds(),
        jti: &encoding::encode(&id),
        sid: session.id.uuid(),
        ver: user.token_version,
        client_id: &session.client_id,
        scope: &scope,
        roles: &roles,
        email: app.config.tokens.email.then(|| user.email.as_str()),
    };
    let ring = issuance.ring.load();
    let token = ring
        .signer(now)?
        .sign(Typ::AtJwt, &claims)
        .map_err(|error| fault(error.into()))?;
    Ok(AccessToken {
        token,
        expires_in: (expires.seconds() - now.seconds()).max(0),
    })
}
