//! `GET /console/users/{id}`: all that is known of somebody, and what can be done about it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Refusal, Role, RoleBook, Roles, User, UserId};

use super::super::super::super::api::admin::permitted::UsersRead;
use super::super::super::form::Filled;
use super::super::super::visitor::Seated;
use super::super::Permitted;
use super::super::sessions;
use super::{known_id, row};
use crate::app::App;
use crate::flows::actor::{Actor, Authority};
use crate::flows::audit::{self, AuditFilter, AuditRow};
use crate::flows::oauth::consents::{self, Application};
use crate::flows::users::{self, UserRow};
use crate::flows::{Error, roles, upstream};
use crate::rfc3339::text as rfc3339;

/// Applications on the page.
const MOST_APPS: u32 = 100;
/// Events on the page.
const EVENTS: u32 = 10;

/// The forms of the page, each as it stands there.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) status: StatusCode,
    pub(super) profile: Option<Filled>,
    pub(super) roles: Filled,
    pub(super) password: Filled,
    pub(super) delete: Filled,
    /// What was refused of something that has no fields.
    pub(super) trouble: Filled,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersRead>,
) -> Response {
    page(&app, &permitted.seated, &id, &Shown::default()).await
}

pub(super) async fn page(app: &App, seated: &Seated, id: &str, shown: &Shown) -> Response {
    match facts(app, seated, id, shown).await {
        Ok(facts) => seated.show_as(shown.status, "console/user.html", facts),
        Err(error) => seated.failed(error),
    }
}

async fn facts(app: &App, seated: &Seated, id: &str, shown: &Shown) -> Result<Value, Error> {
    // What was refused of a change is no way to see what one may not.
    if !seated.may.allow(users::READ) {
        return Err(Refusal::Forbidden.into());
    }
    let found = users::show(app, known_id(id)?).await?;
    let user = &found.user;
    let authority = authority(app, seated).await?;
    let authority = authority.filter(|authority| authority.may_manage(user).is_ok());
    let book = app.role_book().await?;
    let may = |permission: &str| seated.may.allow(permission);
    let (mut devices, mut apps, mut events) = (None, None, None);
    if may(crate::flows::sessions::READ) {
        devices = Some(devices_of(app, seated, user).await?);
        apps = Some(apps_of(app, user.id).await?);
    }
    if may("audit:read") {
        events = Some(events_of(app, seated, user.id).await?);
    }
    let identities = upstream::list(app, user.id).await?;
    let identities = identities.iter().map(|identity| {
        let issuer = identity.link.identity.issuer();
        context! {
            provider => identity.provider.as_deref().unwrap_or(issuer),
            subject => identity.link.identity.subject(),
            since => rfc3339(identity.link.created_at),
        }
    });
    Ok(context! {
        at => "users",
        user => whole(&found),
        is_self => user.id == seated.caller.user,
        manages => authority.is_some(),
        may_write => may(users::WRITE),
        may_end => may(crate::flows::sessions::WRITE) && authority.is_some(),
        profile => shown.profile.as_ref().map_or_else(|| stored(user).facts(), Filled::facts),
        choices => choices(seated, (&book, authority.as_ref()), &chosen(seated, shown, user)),
        roles_form => shown.roles.facts(),
        password_form => shown.password.facts(),
        delete_form => shown.delete.facts(),
        trouble => shown.trouble.facts(),
        least => app.settings().password.min_length,
        permissions => may(roles::READ).then(|| effective(&book, &user.roles)),
        devices,
        apps,
        events,
        identities => identities.collect::<Vec<_>>(),
    })
}

/// What the person may do about users; none where they may not change any.
pub(super) async fn authority(app: &App, seated: &Seated) -> Result<Option<Authority>, Error> {
    let actor = Actor::from(&seated.caller);
    match actor.authorize(app, users::WRITE).await {
        Ok(authority) => Ok(Some(authority)),
        Err(Error::Refused(Refusal::Forbidden)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The roles that stand in the form: as they were chosen, else as they are.
fn chosen(seated: &Seated, shown: &Shown, user: &User) -> Vec<String> {
    match shown.roles.is_blank() {
        true => user.roles.to_strings(),
        false => seated.form().all("roles").map(str::to_owned).collect(),
    }
}

/// The roles: whether each is chosen, and whether whoever looks may give it. Who may not see roles sees those only that
/// they may give, and those that are chosen.
pub(super) fn choices(
    seated: &Seated,
    (book, authority): (&RoleBook, Option<&Authority>),
    chosen: &[String],
) -> Vec<Value> {
    let sees = seated.may.allow(roles::READ);
    let choice = |role: &Role| {
        let alone = Roles::new(vec![role.name.clone()]);
        let is = chosen.iter().any(|name| name == role.name.as_str());
        let may = authority.is_some_and(|authority| authority.may_grant(&alone).is_ok());
        (sees || is || may).then(|| {
            context! {
                name => role.name.to_string(),
                description => &role.description,
                chosen => is,
                may,
            }
        })
    };
    book.iter().filter_map(choice).collect()
}

/// All that roles come to.
fn effective(book: &RoleBook, roles: &Roles) -> Vec<String> {
    let all = book.effective(roles).permissions;
    all.names().into_iter().map(str::to_owned).collect()
}

fn whole(found: &UserRow) -> Value {
    context! {
        version => found.user.version,
        updated => rfc3339(found.user.updated_at),
        ..row(found)
    }
}

/// The form of the profile as it is stored.
fn stored(user: &User) -> Filled {
    let name = user.name.as_ref().map_or("", |name| name.as_str());
    let username = user.username.as_ref().map_or("", |name| name.as_str());
    Filled::default()
        .with("email", user.email.as_str())
        .with("name", name)
        .with("username", username)
}

async fn devices_of(app: &App, seated: &Seated, user: &User) -> Result<Vec<Value>, Error> {
    let now = app.clock.now();
    let live = users::list_sessions(app, user).await?;
    let each = live.iter().map(|session| {
        context! {
            current => session.id == seated.caller.session,
            ..sessions::row(session, now)
        }
    });
    Ok(each.collect())
}

async fn apps_of(app: &App, user: UserId) -> Result<Vec<Value>, Error> {
    let page = consents::list(app, user, MOST_APPS, None).await?;
    let each = |application: &Application| {
        let consent = &application.consent;
        let client = application.client.as_ref();
        let scopes = consent.agreement.scopes();
        context! {
            id => consent.client.to_string(),
            name => client.map_or(consent.client.as_str(), |client| client.definition.name.as_str()),
            scopes => scopes.iter().map(|scope| scope.as_str().to_owned()).collect::<Vec<_>>(),
            since => rfc3339(consent.created_at),
        }
    };
    Ok(page.items.iter().map(each).collect())
}

async fn events_of(app: &App, seated: &Seated, user: UserId) -> Result<Vec<Value>, Error> {
    let filter = AuditFilter {
        user: Some(user),
        ..AuditFilter::default()
    };
    let page = audit::page(app, &filter, EVENTS, None).await?;
    let each = |line: &AuditRow| {
        let event = &line.event;
        context! {
            kind => event.kind.as_str(),
            failed => event.kind.outcome() == symbolon_domain::audit::Outcome::Failure,
            own => event.actor == Some(user) && event.subject == Some(user),
            by_you => event.actor == Some(seated.caller.user),
            to_others => event.subject != Some(user),
            at_time => rfc3339(event.at),
            address => &event.address,
            detail => &event.detail,
        }
    };
    Ok(page.items.iter().map(each).collect())
}
