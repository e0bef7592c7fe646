//! `/account/devices`: where one is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use symbolon_domain::{Refusal, Session, SessionId};

use super::super::visitor::Seated;
use crate::app::App;
use crate::flows::login::OWN_CLIENT;
use crate::flows::sessions;
use crate::mail::Device;
use crate::rfc3339::text as rfc3339;

pub(super) async fn show(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let all = match sessions::list(&app, &seated.caller).await {
        Ok(all) => all,
        Err(error) => return seated.failed(error),
    };
    let mut rows: Vec<&Session> = all.iter().collect();
    // The one that is looked from comes first.
    rows.sort_by_key(|session| session.id != seated.caller.session);
    let others = rows.len() > 1;
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|session| row(&seated, session))
        .collect();
    let facts = context! { at => "devices", rows, others };
    seated.show("account/devices.html", facts)
}

fn row(seated: &Seated, session: &Session) -> Value {
    let known = Device::of(session.user_agent.as_deref(), session.address.as_deref());
    context! {
        id => session.id.to_string(),
        device => &session.device,
        browser => known.program(),
        system => known.system(),
        address => &session.address,
        client => (session.client_id != OWN_CLIENT).then_some(&session.client_id),
        created => rfc3339(session.created_at),
        used => rfc3339(session.last_used_at),
        current => session.id == seated.caller.session,
    }
}

pub(super) async fn end(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let ended = async {
        let id = seated.form().get("id").parse::<SessionId>();
        let id = id.map_err(|_| Refusal::NotFound)?;
        sessions::end(&app, &seated.caller, id, seated.origin()).await
    };
    match ended.await {
        Ok(()) => seated.done("/account/devices", "device_signed_out"),
        // It has ended by itself meanwhile: that is what was wanted.
        Err(crate::flows::Error::Refused(Refusal::NotFound)) => {
            seated.done("/account/devices", "device_signed_out")
        }
        Err(error) => seated.failed(error),
    }
}

pub(super) async fn end_others(State(app): State<Arc<App>>, seated: Seated) -> Response {
    match sessions::end_others(&app, &seated.caller, seated.origin()).await {
        Ok(()) => seated.done("/account/devices", "others_signed_out"),
        Err(error) => seated.failed(error),
    }
}
