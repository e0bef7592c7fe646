//! Access tokens (RFC 9068): of our own sign-in, of a client for a person, of a client for itself, of one on behalf of
//! another's (RFC 8693).

use serde::Serialize;
use symbolon_domain::oauth::{ACR, Authorization, Exchange, OPENID, ROLES, Scopes};
use symbolon_domain::{Client, Effective, Resource, RoleBook, Session, SessionId, Timestamp, User};
use symbolon_token::{AccessClaims, Actor, Typ, encoding};

use super::{Error, opaque};
use crate::app::App;

/// The scope of our own sign-in: the whole account, as the person behind it has.
const OWN_SCOPE: &str = "openid profile email";

/// A signed access token and its life.
pub struct AccessToken {
    /// The compact JWT; for some resources sealed, so that only this server can read it.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

/// What a token says, apart from who issues it and when.
struct Draft<'a> {
    sub: &'a str,
    /// The APIs that it is for; our own where none is named.
    resources: &'a [Resource],
    expires: Timestamp,
    session: Option<(SessionId, i64)>,
    client_id: &'a str,
    scope: &'a str,
    roles: &'a [&'a str],
    email: Option<&'a str>,
    auth_time: Option<Timestamp>,
    acr: Option<&'a str>,
    /// The thumbprint of the key that it is bound to (RFC 9449 section 6).
    jkt: Option<&'a str>,
    act: Option<&'a Actor>,
}

/// What a client was given in exchange for a token.
pub(super) struct Exchanged<'a> {
    /// On whose behalf, with what that one has at this moment.
    pub(super) user: &'a User,
    pub(super) holds: &'a Effective,
    /// The token that was brought.
    pub(super) subject: &'a AccessClaims,
    pub(super) given: &'a Exchange,
    /// Those of `given` that the person has.
    pub(super) scopes: &'a Scopes,
    pub(super) client: &'a Client,
    pub(super) jkt: Option<&'a str>,
}

/// RFC 9068 section 2.2, in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    exp: i64,
    iat: i64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<uuid::Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ver: Option<i64>,
    client_id: &'a str,
    scope: &'a str,
    roles: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// RFC 9068 section 2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
    /// RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Actor>,
}

/// RFC 7519 section 4.1.3.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Many(Vec<&'a str>),
}

/// RFC 9449 section 6.1.
#[derive(Serialize)]
struct Confirmation<'a> {
    jkt: &'a str,
}

/// Signs an access token for `session` of `user`; it never outlives the session. Its scope holds the user's permissions and
/// its roles those that they include, for guards ask nobody: `user` must not have been read after `book`, so that what was
/// given with newer definitions is judged by them.
///
/// # Errors
/// A fault of the random source or the key.
pub fn issue(
    app: &App,
    (user, book): (&User, &RoleBook),
    session: &Session,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    let holds = book.effective(&user.roles);
    let mut scope = OWN_SCOPE.to_owned();
    for permission in holds.permissions.names() {
        scope.push(' ');
        scope.push_str(permission);
    }
    let draft = Draft {
        sub: &user.id.to_string(),
        resources: &[],
        expires: expiry(app, session, now),
        session: Some((session.id, user.token_version)),
        client_id: &session.client_id,
        scope: &scope,
        roles: &names(&holds),
        email: app.config.tokens.email.then(|| user.email.as_str()),
        auth_time: None,
        acr: None,
        jkt: None,
        act: None,
    };
    sign(app, &draft, now)
}

/// The same for the session of a client: with what was granted and the person has at this moment, and without their roles
/// unless the scope `roles` was granted. Returns the scopes that the token has.
///
/// # Errors
/// The same.
pub(super) fn issue_for_client(
    app: &App,
    (user, book): (&User, &RoleBook),
    session: &Session,
    (granted, now): (&Authorization, Timestamp),
) -> Result<(AccessToken, Scopes), Error> {
    let holds = book.effective(&user.roles);
    let scopes = granted.scopes.held_by(&holds.permissions);
    let roles = told_roles(&scopes, &holds);
    let draft = Draft {
        sub: &user.id.to_string(),
        resources: &granted.resources,
        expires: expiry(app, session, now),
        session: Some((session.id, user.token_version)),
        client_id: &session.client_id,
        scope: &scopes.to_string(),
        roles: &roles,
        email: None,
        auth_time: Some(granted.auth_time).filter(|_| session.method.is_new()),
        acr: Some(ACR),
        jkt: granted.jkt.as_deref(),
        act: None,
    };
    Ok((sign(app, &draft, now)?, scopes))
}

/// The same for a client that acts for itself: `sub` is its id, and there is no session.
///
/// # Errors
/// A fault of the random source or the key.
pub(super) fn issue_to_client(
    app: &App,
    client: &Client,
    (scopes, holds, resources): (&Scopes, &Effective, &[Resource]),
    (jkt, now): (Option<&str>, Timestamp),
) -> Result<AccessToken, Error> {
    let draft = Draft {
        sub: client.id.as_str(),
        resources,
        expires: now.plus(app.config.tokens.access_ttl),
        session: None,
        client_id: client.id.as_str(),
        scope: &scopes.to_string(),
        roles: &names(holds),
        email: None,
        auth_time: None,
        acr: None,
        jkt,
        act: None,
    };
    sign(app, &draft, now)
}

/// The same for a client that acts on behalf of the person whose token it brought: with the session of that one, and the
/// version of the person as it was then.
///
/// # Errors
/// The same.
pub(super) fn issue_for_exchange(
    app: &App,
    exchanged: &Exchanged<'_>,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    let Exchanged { subject, given, .. } = exchanged;
    let session = subject.sid.as_deref().and_then(|sid| sid.parse().ok());
    let act = Actor::chain(given.actors.iter().cloned());
    let draft = Draft {
        sub: &exchanged.user.id.to_string(),
        resources: &given.targets,
        expires: given.expires_at,
        session: session.zip(subject.ver),
        client_id: exchanged.client.id.as_str(),
        scope: &exchanged.scopes.to_string(),
        roles: &told_roles(exchanged.scopes, exchanged.holds),
        email: None,
        auth_time: subject.auth_time.map(Timestamp::from_seconds),
        acr: subject.acr.as_deref(),
        jkt: exchanged.jkt,
        act: act.as_ref(),
    };
    sign(app, &draft, now)
}

/// The names of roles, where the scope for them was granted.
fn told_roles<'h>(scopes: &Scopes, holds: &'h Effective) -> Vec<&'h str> {
    match scopes.contains(ROLES) {
        true => names(holds),
        false => Vec::new(),
    }
}

fn expiry(app: &App, session: &Session, now: Timestamp) -> Timestamp {
    // A repeated answer does not count as a use, so that the idle life may be shorter than a full one from now.
    session
        .access_expires_at(now, app.config.tokens.access_ttl)
        .min(session.idle_expires_at())
}

fn names(holds: &Effective) -> Vec<&str> {
    holds.roles.iter().map(|role| role.as_str()).collect()
}

fn sign(app: &App, draft: &Draft<'_>, now: Timestamp) -> Result<AccessToken, Error> {
    let issuance = app.issuance()?;
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| Error::Fault {
        context: "access token",
        source,
    };
    let id: [u8; 16] = app.rng.bytes().map_err(|error| fault(error.into()))?;
    let own = &*issuance.audience;
    let mut audience: Vec<&str> = draft.resources.iter().map(Resource::as_str).collect();
    // For userinfo, which is ours.
    let asks_us = draft.scope.split(' ').any(|scope| scope == OPENID);
    if (audience.is_empty() || asks_us) && !audience.contains(&own) {
        audience.push(own);
    }
    let is_opaque = audience.iter().any(|one| opaque::is_for(app, one));
    let claims = Claims {
        iss: &issuance.issuer,
        sub: draft.sub,
        aud: match audience[..] {
            [one] => Audience::One(one),
            _ => Audience::Many(audience),
        },
        exp: draft.expires.seconds(),
        iat: now.seconds(),
        jti: &encoding::encode(&id),
        sid: draft.session.map(|(session, _)| session.uuid()),
        ver: draft.session.map(|(_, version)| version),
        client_id: draft.client_id,
        scope: draft.scope,
        roles: draft.roles,
        email: draft.email,
        auth_time: draft.auth_time.map(Timestamp::seconds),
        acr: draft.acr,
        cnf: draft.jkt.map(|jkt| Confirmation { jkt }),
        act: draft.act,
    };
    let ring = issuance.ring.load();
    let token = ring
        .signer(now)?
        .sign(Typ::AtJwt, &claims)
        .map_err(|error| fault(error.into()))?;
    let token = match is_opaque {
        true => opaque::seal(issuance, &app.rng, &token)?,
        false => token,
    };
    Ok(AccessToken {
        token,
        expires_in: (draft.expires.seconds() - now.seconds()).max(0),
    })
}
