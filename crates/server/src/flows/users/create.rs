//! Make an account for somebody.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{
    Email, FieldError, Problem, Refusal, RoleName, Roles, User, UserId, UserStatus,
};
use zeroize::Zeroizing;

use super::fields::{Edit, Fields};
use super::{WRITE, must_be_known, show};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::once::Once;
use crate::flows::password::choose_for;
use crate::flows::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};

/// An account to be made.
#[derive(Default)]
pub struct New {
    /// Its fields; the address is needed, and `user` is the role where none is given.
    pub fields: Fields,
    /// The password as typed. Without one nobody can sign in yet.
    pub password: Option<Zeroizing<String>>,
}

/// Makes an account. With `once`, what was made under the same key is returned as it is now.
///
/// # Errors
/// `forbidden` when the actor does not hold all that the roles allow, `validation_failed` with every field at fault,
/// `conflict`, `not_found` when what was made once is gone, `overloaded`, or a fault.
pub async fn add(
    app: &App,
    actor: Actor,
    new: &New,
    once: Option<&Once>,
    origin: &Origin,
) -> Result<User, Error> {
    let authority = actor.authorize(app, WRITE).await?;
    if let Some(made) = made(app, once).await? {
        return Ok(made);
    }
    let (user, password) = read(app, new)?;
    must_be_known(app, &user.roles).await?;
    authority.may_grant(&user.roles)?;
    let hash = match password {
        Some(password) => Some(app.hasher.hash(password).await?),
        None => None,
    };
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        authority.may_grant(&user.roles)?;
        let now = user.created_at;
        let mut batch = app.store.batch();
        if let Some(once) = once {
            once.bind(&mut batch, *user.id.as_bytes(), now);
        }
        authority.bind(&mut batch);
        batch.insert_user(&user, hash.as_deref());
        let mut event = origin.event(AuditKind::UserCreated, now);
        authority.stamp(&mut event);
        event.subject = Some(user.id);
        event.detail = Some(user.roles.to_string());
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = app.commit(batch, &[]).await;
        if matches!(committed, Err(symbolon_store::Error::Conflict("creation"))) {
            // The same request was quicker: what it made is what this one was to make.
            let made = made(app, once).await?;
            return made.ok_or_else(|| overloaded().into());
        }
        if !lost_race(&committed) {
            committed?;
            return Ok(user);
        }
    }
    Err(overloaded().into())
}

async fn made(app: &App, once: Option<&Once>) -> Result<Option<User>, Error> {
    let Some(once) = once else {
        return Ok(None);
    };
    match once.made(app).await? {
        Some(id) => Ok(Some(show(app, UserId::from_bytes(id)).await?.user)),
        None => Ok(None),
    }
}

/// Reads every field and names all that is wrong at once.
fn read(app: &App, new: &New) -> Result<(User, Option<symbolon_domain::Password>), Error> {
    let mut errors = Vec::new();
    let edit = new.fields.read();
    let edit = edit.unwrap_or_else(|found| {
        errors = found;
        Edit::default()
    });
    if new.fields.email.is_none() {
        errors.push(FieldError {
            pointer: "/email".to_owned(),
            code: "required",
            detail: "This field is required.".to_owned(),
        });
    }
    let username = new.fields.username.as_ref().and_then(Option::as_deref);
    let context: Vec<&str> = [new.fields.email.as_deref(), username]
        .into_iter()
        .flatten()
        .collect();
    let password = new.password.as_ref();
    let password = password
        .map(|text| choose_for(app, text, &context))
        .transpose();
    let password = password.map_err(|problem: Problem| errors.push(problem.at("/password")));
    match (&edit.email, password, errors.is_empty()) {
        (Some(email), Ok(password), true) => Ok((edit.onto(&blank(app, email.clone())?), password)),
        _ => Err(Refusal::Validation(errors).into()),
    }
}

/// An account of which nothing but the address is known.
fn blank(app: &App, email: Email) -> Result<User, Error> {
    let now = app.clock.now();
    let id = app.rng.uuid_v7(now).map_err(|error| Error::Fault {
        context: "random source",
        source: error.into(),
    })?;
    Ok(User {
        id: UserId::new(id),
        email,
        username: None,
        name: None,
        roles: Roles::new(vec![RoleName::USER]),
        status: UserStatus::Active,
        email_verified: false,
        token_version: 1,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}
