//! `/account/activity`: what happened with the account lately.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use symbolon_domain::Refusal;
use uuid::Uuid;

use super::super::visitor::Seated;
use crate::app::App;
use crate::flows::Error;
use crate::flows::activity;
use crate::flows::audit::AuditRow;
use crate::mail::Device;
use crate::rfc3339::text as rfc3339;

pub(super) async fn show(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let found = async {
        let after = match seated.form().get("after") {
            "" => None,
            text => Some(text.parse::<Uuid>().map_err(|_| Refusal::NotFound)?),
        };
        let page = activity::page(&app, &seated.caller, after).await?;
        Ok::<_, Error>((page, after))
    };
    match found.await {
        Ok((page, after)) => {
            let facts = context! {
                at => "activity",
                rows => page.items.iter().map(|line| row(&seated, line)).collect::<Vec<_>>(),
                next => page.next.map(|next| next.to_string()),
                first => after.is_none(),
            };
            seated.show("account/activity.html", facts)
        }
        Err(error) => seated.failed(error),
    }
}

fn row(seated: &Seated, line: &AuditRow) -> Value {
    let event = &line.event;
    let by_other = event.actor.is_some_and(|actor| actor != seated.caller.user);
    // Where an administrator sits is nobody else's business.
    let address = event.address.as_deref().filter(|_| !by_other);
    let known = match by_other {
        true => Device::of(None, None),
        false => Device::of(event.user_agent.as_deref(), address),
    };
    context! {
        kind => event.kind.as_str(),
        failed => event.kind.outcome() == symbolon_domain::audit::Outcome::Failure,
        by_other,
        at_time => rfc3339(event.at),
        browser => known.program(),
        system => known.system(),
        address,
    }
}
