//! Token exchange (RFC 8693): a client that was called with somebody's token gets one of its own, to call others with.
//!
//! 1. Only a confidential client can (section 5: whoever holds a token could make more of it).
//! 2. `subject_token`, and `actor_token` where there is one, are access tokens of ours; what comes out is one
//!    (sections 2.1 and 3).
//! 3. Each of them is alive, and is this client's business by the rule of introspection: it was given to it, or is for a
//!    resource of it (section 2.1: "the authorization server MUST perform the appropriate validation"). One that is bound
//!    to a key is taken from who proves that key (RFC 9449 section 5). What fails is one answer (section 2.2.2;
//!    SECURITY row A21).
//! 4. The subject is a person whose session is alive: a client that acts for itself asks for its own token.
//! 5. What comes out is never more than both have (`domain::oauth::exchange`): scopes, targets, life. Permissions are those
//!    that the person has at this moment.
//! 6. It is delegation, never impersonation (section 1.1): `act` names the client, or the `sub` of the actor's token, and
//!    within it who acted before (section 4.1). `sub`, `sid`, `ver` and `auth_time` are those of the subject's token, so
//!    that what ends the session ends this token at every guard.
//! 7. The session is alive in the commit that writes this down. No refresh token: the client exchanges again.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::oauth::{
    ACCESS_TOKEN_TYPE, ErrorCode, Exchange, ExchangeRequest, OAuthError, Subject, concerns,
    exchange as decide,
};
use symbolon_domain::{ClientType, Life, Session, SessionId, Timestamp, User, UserId};
use symbolon_token::{AccessClaims, Actor};

use super::super::Failed;
use super::super::introspect::alive;
use super::super::token::{Asked, Tokens};
use crate::app::App;
use crate::flows::{ROUNDS, access_token, audit_id, lost_race, overloaded};

pub(in super::super) async fn exchange(app: &App, asked: &Asked<'_>) -> Result<Tokens, Failed> {
    if asked.client.kind == ClientType::Public {
        let sentence = "Only a confidential client can exchange tokens.";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, sentence).into());
    }
    let parameters = asked.request.credentials.parameters;
    let request = ExchangeRequest::read(parameters)?;
    let subject = usable(app, asked, request.subject_token)?;
    let actor = match request.actor_token {
        Some(token) => Some(actor(usable(app, asked, token)?)?),
        None => None,
    };
    let latest = asked.now.plus(app.config.tokens.access_ttl);
    let (who, until) = match &actor {
        Some(claims) => (
            &*claims.sub,
            latest.min(Timestamp::from_seconds(claims.exp)),
        ),
        None => (asked.client.id.as_str(), latest),
    };
    let given = decide(&asked.client, parameters, &told(&subject), (who, until))?;
    for _ in 0..ROUNDS {
        let (user, session) = person(app, asked, &subject).await?;
        if let Some(tokens) = give(app, asked, (&user, &session), (&subject, &given)).await? {
            return Ok(tokens);
        }
    }
    Err(overloaded().into())
}

/// Step 3.
fn usable(app: &App, asked: &Asked<'_>, token: &str) -> Result<AccessClaims, Failed> {
    let claims = alive(app, token, asked.now)?;
    let usable = claims.filter(|claims| {
        let bound_to = claims.cnf.as_ref().map(|cnf| cnf.jkt.to_string());
        concerns(&asked.client, &claims.client_id, claims.aud.iter())
            && (bound_to.is_none() || bound_to == asked.request.jkt)
    });
    Ok(usable.ok_or_else(unusable)?)
}

fn unusable() -> OAuthError {
    OAuthError::invalid_request(
        "One of the tokens is not good for this: it is unknown, expired, revoked, not for this client, or bound to another key.",
    )
}

/// An actor acts for itself: whoever acts for somebody is not that one.
fn actor(claims: AccessClaims) -> Result<AccessClaims, OAuthError> {
    match claims.act {
        None => Ok(claims),
        Some(_) => Err(OAuthError::invalid_request(
            "The actor_token was itself given for an exchange: its subject is not who acts.",
        )),
    }
}

fn told(claims: &AccessClaims) -> Subject<'_> {
    let actors = claims.act.as_ref().map(Actor::iter);
    Subject {
        issued_to: &claims.client_id,
        scope: &claims.scope,
        audience: claims.aud.iter().collect(),
        expires_at: Timestamp::from_seconds(claims.exp),
        actors: actors.into_iter().flatten().collect(),
    }
}

/// Step 4.
async fn person(
    app: &App,
    asked: &Asked<'_>,
    subject: &AccessClaims,
) -> Result<(User, Session), Failed> {
    let Some(session) = &subject.sid else {
        let sentence = "The subject_token has no session: a client that acts for itself asks for its own token.";
        return Err(OAuthError::invalid_request(sentence).into());
    };
    let session: SessionId = session.parse().map_err(|_| unusable())?;
    let id: UserId = subject.sub.parse().map_err(|_| unusable())?;
    let found = app.store.find_refresh(session).await?;
    let found = found.filter(|(session, user)| {
        let fresh = Some(user.token_version) == subject.ver && user.is_active();
        user.id == id && fresh && session.life(asked.now) == Life::Live
    });
    let (session, user) = found.ok_or_else(unusable)?;
    Ok((user, session))
}

/// Steps 5 to 7. Nothing where something of this changed meanwhile.
async fn give(
    app: &App,
    asked: &Asked<'_>,
    (user, session): (&User, &Session),
    (subject, given): (&AccessClaims, &Exchange),
) -> Result<Option<Tokens>, Failed> {
    let holds = app.role_book().await?.effective(&user.roles);
    let scopes = given.scopes.held_by(&holds.permissions);
    let mut event = asked.origin.event(AuditKind::TokenExchanged, asked.now);
    event.subject = Some(user.id);
    event.session = Some(session.id);
    event.detail = Some(format!("{}, from {}", asked.client.id, subject.client_id));
    let mut batch = app.store.batch();
    batch.require_user(user.id, user.version);
    batch.require_live_session(session.id, asked.now);
    batch.insert_audit(audit_id(app, asked.now)?, &event);
    let committed = app.commit(batch, &[]).await;
    if lost_race(&committed) {
        return Ok(None);
    }
    committed?;
    let jkt = asked.request.jkt.as_deref();
    let exchanged = access_token::Exchanged {
        user,
        subject,
        given,
        holds: &holds,
        scopes: &scopes,
        client: &asked.client,
        jkt,
    };
    Ok(Some(Tokens {
        access: access_token::issue_for_exchange(app, &exchanged, asked.now)?,
        token_type: if jkt.is_some() { "DPoP" } else { "Bearer" },
        issued_token_type: Some(ACCESS_TOKEN_TYPE),
        refresh_token: None,
        id_token: None,
        scopes,
    }))
}
