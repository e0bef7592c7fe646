//! `/console/invitations`: who is invited and has not come yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Refusal, UserId};
use uuid::Uuid;

use super::super::super::api::admin::invitations::InvitationBody;
use super::super::super::api::admin::permitted::{Needed, UsersRead, UsersWrite};
use super::super::form::Filled;
use super::super::visitor::refused;
use super::Permitted;
use super::list::{Kind, Listing, ROWS, file};
use crate::app::App;
use crate::flows::invitations::{self, Invitation};
use crate::flows::{Error, users};
use crate::rfc3339::text as rfc3339;

const PATH: &str = "/console/invitations";
const COLUMNS: [&str; 7] = [
    "id",
    "email",
    "name",
    "roles",
    "inviter",
    "createdAt",
    "expiresAt",
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PATH, get(list))
        .route("/console/invitations/export.csv", get(as_file))
        .route("/console/invitations/export.json", get(as_file))
        .route("/console/invitations/{id}/withdraw", post(withdraw))
}

async fn list(State(app): State<Arc<App>>, permitted: Permitted<UsersRead>) -> Response {
    page(&app, &permitted, StatusCode::OK, &Filled::default()).await
}

async fn page<P: Needed>(
    app: &Arc<App>,
    permitted: &Permitted<P>,
    status: StatusCode,
    trouble: &Filled,
) -> Response {
    let found = async {
        // What was refused of a change is no way to see what one may not.
        if !permitted.may(users::READ) {
            return Err(Refusal::Forbidden.into());
        }
        let mut listing = Listing::of(app, PATH, &[], permitted.seated.form())?;
        let page = invitations::list(app, ROWS, listing.after.take()).await?;
        let inviters = page.items.iter().filter_map(|one| one.inviter);
        let names = users::names(app, inviters).await?;
        Ok::<_, Error>(context! {
            at => "invitations",
            list => listing.facts(&page)?,
            rows => page.items.iter().map(|one| row(one, &names)).collect::<Vec<_>>(),
            trouble => trouble.facts(),
            may_write => permitted.may(users::WRITE),
        })
    };
    match found.await {
        Ok(facts) => permitted
            .seated
            .show_as(status, "console/invitations.html", facts),
        Err(error) => permitted.seated.failed(error),
    }
}

fn row(invitation: &Invitation, names: &BTreeMap<UserId, String>) -> Value {
    let inviter = invitation.inviter.map(|id| {
        context! { id => id.to_string(), email => names.get(&id) }
    });
    context! {
        id => invitation.id.to_string(),
        email => invitation.email.as_str(),
        name => invitation.name.as_ref().map(|name| name.as_str()),
        roles => invitation.roles.to_strings(),
        inviter,
        created => rfc3339(invitation.created_at),
        expires => rfc3339(invitation.expires_at),
    }
}

async fn withdraw(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let seated = &permitted.seated;
    let withdrawn = async {
        let id = Uuid::try_parse(&id).map_err(|_| Refusal::NotFound)?;
        invitations::withdraw(&app, permitted.actor(), id, seated.origin()).await
    };
    match withdrawn.await {
        // Accepted or withdrawn meanwhile: there is nothing to withdraw.
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => {
            seated.done(PATH, "invitation_withdrawn")
        }
        Err(error) => match refused(seated, error) {
            Ok((status, trouble)) => page(&app, &permitted, status, &trouble).await,
            Err(response) => response,
        },
    }
}

/// All of them as a file.
async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<UsersRead>,
) -> Response {
    let read = move |rows, after| {
        let app = Arc::clone(&app);
        async move {
            let page = invitations::list(&app, rows, after).await?;
            Ok(page.map(|one| InvitationBody::from(&one)))
        }
    };
    let file = file(kind, "invitations", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}
