//! `/account/apps`: applications that have access, and other providers at which one signs in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{ClientId, Refusal};

use super::super::form::Filled;
use super::super::visitor::{Seated, refused};
use super::typed;
use crate::app::App;
use crate::flows::Error;
use crate::flows::oauth::consents::{self, Application};
use crate::flows::upstream::{self, Identity};
use crate::rfc3339::text as rfc3339;

/// Applications on the page.
const MOST: u32 = 200;

pub(super) async fn show(State(app): State<Arc<App>>, seated: Seated) -> Response {
    page(&app, &seated, StatusCode::OK, &Filled::default()).await
}

async fn page(app: &App, seated: &Seated, status: StatusCode, form: &Filled) -> Response {
    let found = async {
        let apps = consents::list(app, seated.caller.user, MOST, None).await?;
        Ok::<_, Error>((apps, upstream::list(app, seated.caller.user).await?))
    };
    match found.await {
        Ok((apps, links)) => {
            let facts = context! {
                at => "apps",
                apps => apps.items.iter().map(application).collect::<Vec<_>>(),
                identities => links.iter().map(identity).collect::<Vec<_>>(),
                form => form.facts(),
            };
            seated.show_as(status, "account/apps.html", facts)
        }
        Err(error) => seated.failed(error),
    }
}

fn application(application: &Application) -> Value {
    let consent = &application.consent;
    let name = application.client.as_ref();
    context! {
        id => consent.client.to_string(),
        name => name.map_or(consent.client.as_str(), |client| client.definition.name.as_str()),
        scopes => consent.agreement.scopes().iter().map(|scope| scope.as_str().to_owned()).collect::<Vec<_>>(),
        since => rfc3339(consent.created_at),
    }
}

fn identity(identity: &Identity) -> Value {
    context! {
        id => &identity.id,
        provider => identity.provider.as_deref().unwrap_or_else(|| identity.link.identity.issuer()),
        since => rfc3339(identity.link.created_at),
    }
}

pub(super) async fn withdraw(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let withdrawn = async {
        let id = ClientId::parse(seated.form().get("id")).map_err(|_| Refusal::NotFound)?;
        consents::withdraw(&app, &seated.caller, &id, seated.origin()).await
    };
    match withdrawn.await {
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => {
            seated.done("/account/apps", "access_withdrawn")
        }
        Err(error) => seated.failed(error),
    }
}

pub(super) async fn unlink(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let password = match seated.form().get("password") {
        "" => Ok(None),
        _ => typed(&seated, "password").map(Some),
    };
    let unlinked = async {
        let wanted = (seated.form().get("id"), password?);
        upstream::unlink(&app, &seated.caller, wanted, seated.origin()).await
    };
    match unlinked.await {
        Ok(()) => seated.done("/account/apps", "identity_unlinked"),
        Err(error) => match refused(&seated, error) {
            Ok((status, filled)) => page(&app, &seated, status, &filled).await,
            Err(response) => response,
        },
    }
}
