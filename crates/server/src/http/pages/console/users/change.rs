//! What the forms of `/console/users/{id}` do. Each goes to the flow that `/api/admin` goes to; what that refuses is told at
//! the form.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::context;
use symbolon_domain::{ClientId, Refusal, SessionId};

use super::super::super::super::api::admin::permitted::{SessionsWrite, UsersWrite};
use super::super::super::form::{Filled, Form};
use super::super::super::visitor::{Seated, refused};
use super::super::Permitted;
use super::one::{Shown, page};
use super::{PATH, known_id};
use crate::app::App;
use crate::flows::Error;
use crate::flows::actor::Actor;
use crate::flows::oauth::consents;
use crate::flows::sessions;
use crate::flows::users::{self, Fields};

/// Saves the profile.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let form = permitted.seated.form();
    let fields = Fields {
        email: Some(form.get("email").trim().to_owned()),
        username: Some(form.text("username")),
        name: Some(form.text("name")),
        ..Fields::default()
    };
    let saved = edit(&app, &permitted.seated, &id, &fields).await;
    let place = |profile| Shown {
        profile: Some(profile),
        ..Shown::default()
    };
    ended((&app, &permitted.seated, &id), saved, "user_saved", place).await
}

/// Says that the address is known to be the user's, or that it is not. Not a part of the profile: another address is a
/// stranger until it is confirmed.
pub(super) async fn verified(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let is = permitted.seated.form().get("verified") == "true";
    let fields = Fields {
        email_verified: Some(is),
        ..Fields::default()
    };
    let saved = edit(&app, &permitted.seated, &id, &fields).await;
    ended(
        (&app, &permitted.seated, &id),
        saved,
        "user_saved",
        at_the_top,
    )
    .await
}

/// Gives other roles.
pub(super) async fn roles(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let chosen = permitted.seated.form().all("roles").map(str::to_owned);
    let fields = Fields {
        roles: Some(chosen.collect()),
        ..Fields::default()
    };
    let saved = edit(&app, &permitted.seated, &id, &fields).await;
    let place = |roles| Shown {
        roles,
        ..Shown::default()
    };
    ended((&app, &permitted.seated, &id), saved, "roles_saved", place).await
}

/// Disables or enables.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let wanted = permitted.seated.form().get("status").to_owned();
    let done = match wanted.as_str() {
        "disabled" => "user_disabled",
        _ => "user_enabled",
    };
    let fields = Fields {
        status: Some(wanted),
        ..Fields::default()
    };
    let saved = edit(&app, &permitted.seated, &id, &fields).await;
    ended((&app, &permitted.seated, &id), saved, done, at_the_top).await
}

/// Sets a password.
pub(super) async fn password(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let seated = &permitted.seated;
    let set = async {
        let user = users::show(&app, known_id(&id)?).await?.user;
        let password = seated.form().get("password");
        users::set_password(&app, permitted.actor(), user, password, seated.origin()).await
    };
    let set = set.await;
    let place = |password| Shown {
        password,
        ..Shown::default()
    };
    ended((&app, seated, &id), set, "password_set", place).await
}

/// Ends every session.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let seated = &permitted.seated;
    let ended_all = async {
        let user = users::show(&app, known_id(&id)?).await?.user;
        let actor = (permitted.actor(), users::WRITE);
        users::revoke_sessions(&app, actor, user, seated.origin()).await
    };
    let all = ended_all.await;
    ended((&app, seated, &id), all, "user_signed_out", at_the_top).await
}

/// Ends one session.
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<SessionsWrite>,
) -> Response {
    let seated = &permitted.seated;
    let end = async {
        let user = known_id(&id)?;
        let Ok(session) = seated.form().get("session").parse::<SessionId>() else {
            return Ok(());
        };
        let actor = (permitted.actor(), sessions::WRITE);
        users::revoke_session_of(&app, actor, (user, session), seated.origin()).await
    };
    let end = end.await;
    ended((&app, seated, &id), end, "session_ended", at_the_top).await
}

/// Takes back what the user let an application do.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<SessionsWrite>,
) -> Response {
    let seated = &permitted.seated;
    let taken = async {
        let client = ClientId::parse(seated.form().get("client"));
        let client = client.map_err(|_| Refusal::NotFound)?;
        let whose = (known_id(&id)?, &client);
        consents::withdraw_from(&app, permitted.actor(), whose, seated.origin()).await
    };
    let taken = already(taken.await);
    ended((&app, seated, &id), taken, "consent_withdrawn", at_the_top).await
}

/// Deletes, once the address is typed.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let seated = &permitted.seated;
    let deleted = async {
        let id = known_id(&id)?;
        let user = users::show(&app, id).await?.user;
        let typed = seated.form().get("confirm").trim().to_lowercase();
        if typed != user.email.as_str().to_lowercase() {
            return Ok(false);
        }
        let which = (id, version(seated.form())?);
        users::delete(&app, permitted.actor(), which, seated.origin()).await?;
        Ok::<_, Error>(true)
    };
    let place = |delete| Shown {
        delete,
        ..Shown::default()
    };
    match deleted.await {
        Ok(true) => seated.done(PATH, "user_deleted"),
        Ok(false) => mistyped((&app, seated, &id)).await,
        Err(error) => again((&app, seated, &id), error, place).await,
    }
}

async fn mistyped((app, seated, id): (&App, &Seated, &str)) -> Response {
    let frame = seated.visitor.frame();
    let said = frame.and_then(|frame| frame.word("faults.confirm_differs", context! {}));
    match said {
        Ok(said) => {
            let shown = Shown {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                delete: Filled::again(seated.form(), &[]).wrong("confirm", said),
                ..Shown::default()
            };
            page(app, seated, id, &shown).await
        }
        Err(error) => seated.failed(error),
    }
}

async fn edit(app: &App, seated: &Seated, id: &str, fields: &Fields) -> Result<(), Error> {
    let change = (known_id(id)?, &fields.parse()?, version(seated.form())?);
    let actor = Actor::from(&seated.caller);
    users::edit(app, actor, change, seated.origin()).await?;
    Ok(())
}

/// The version that the form was made for, where it says one.
pub(in crate::http) fn version(form: &Form) -> Result<Option<i64>, Error> {
    let version = form.text("version").map(|text| text.parse());
    let version = version.transpose();
    Ok(version.map_err(|_| Refusal::PreconditionFailed)?)
}

/// What is gone already need not be taken.
fn already(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Refused(Refusal::NotFound)) => Ok(()),
        other => other,
    }
}

fn at_the_top(trouble: Filled) -> Shown {
    Shown {
        trouble,
        ..Shown::default()
    }
}

async fn ended(
    (app, seated, id): (&App, &Seated, &str),
    result: Result<(), Error>,
    done: &str,
    place: impl FnOnce(Filled) -> Shown,
) -> Response {
    match result {
        Ok(()) => seated.done(&format!("{PATH}/{id}"), done),
        Err(error) => again((app, seated, id), error, place).await,
    }
}

/// The page with what was refused, at its place.
async fn again(
    (app, seated, id): (&App, &Seated, &str),
    error: Error,
    place: impl FnOnce(Filled) -> Shown,
) -> Response {
    match refused(seated, error) {
        Ok((status, filled)) => {
            let shown = Shown {
                status,
                ..place(filled)
            };
            page(app, seated, id, &shown).await
        }
        Err(response) => response,
    }
}
