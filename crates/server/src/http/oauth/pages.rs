//! What a browser is shown or sent to, for each step of a request.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use symbolon_domain::oauth::{Misdirected, ResponseMode};
use symbolon_domain::{Client, Refusal, User};
use url::form_urlencoded;

use super::super::pages::hosted::own_place;
use super::super::pages::screen::{
    self, Asker, Consent, Fault, FormPost, Person, Return, Screen, SignIn, Told, Trouble, Until,
    Upstream,
};
use super::super::problem::{Failure, OnAPage};
use super::authorize::{CONSENT, SIGN_IN};
use super::upstream;
use crate::app::App;
use crate::config::RegistrationMode;
use crate::flows::oauth::Failed;
use crate::flows::oauth::authorize::{Asking, Reply, Step, Wanted};
use crate::flows::{Error, Origin};

/// What stands in the form of somebody who was not signed in.
pub(super) struct Typed<'a> {
    pub(super) identifier: &'a str,
    pub(super) remember: bool,
    pub(super) told: Option<Told>,
    /// The identity that the password links, sealed; empty where there is none.
    pub(super) link: &'a str,
}

/// For whom pages are rendered.
pub(super) struct View<'a> {
    app: &'a App,
    origin: &'a Origin,
}

impl<'a> View<'a> {
    pub(super) fn new(app: &'a App, origin: &'a Origin) -> Self {
        Self { app, origin }
    }

    /// Where the browser comes from.
    pub(super) fn origin(&self) -> &'a Origin {
        self.origin
    }

    /// A page.
    pub(super) fn show(&self, status: StatusCode, screen: &Screen<'_>) -> Response {
        screen.response(self.app, self.origin, status)
    }

    /// A page in the language that the client wishes for, before that of the browser.
    fn show_asked(&self, asking: &Asking, screen: &Screen<'_>) -> Response {
        let origin = Origin {
            locale: asking.locale.unwrap_or(self.origin.locale),
            ..self.origin.clone()
        };
        screen.response(self.app, &origin, StatusCode::OK)
    }

    /// The step that a request has come to.
    pub(super) fn of(&self, step: Result<Step, Failed>, typed: Option<&Typed<'_>>) -> Response {
        match step {
            Ok(Step::SignIn(asking)) => self.sign_in(&asking, typed),
            Ok(Step::Consent(asking, wanted)) => self.consent(&asking, &wanted),
            Ok(Step::Answer(reply)) => self.answer(&reply),
            Ok(Step::Nowhere(misdirected)) => self.nowhere(misdirected),
            Err(failed) => self.failed(failed),
        }
    }

    fn sign_in(&self, asking: &Asking, typed: Option<&Typed<'_>>) -> Response {
        let hint = asking.login_hint.as_deref().unwrap_or_default();
        let actions = upstream::actions(self.app);
        let upstreams: Vec<_> = actions
            .iter()
            .map(|(action, name)| Upstream { action, name })
            .collect();
        let registered = self.registered(SIGN_IN, ("interaction", &asking.interaction));
        let screen = Screen::SignIn(SignIn {
            action: SIGN_IN,
            interaction: &asking.interaction,
            identifier: typed.map_or(hint, |typed| typed.identifier),
            remember: typed.is_some_and(|typed| typed.remember),
            told: typed.and_then(|typed| typed.told),
            link: typed.map_or("", |typed| typed.link),
            asker: asker(asking),
            upstreams: &upstreams,
            registered: &registered,
            leaves: true,
        });
        self.show_asked(asking, &screen)
    }

    /// Where who makes an account first goes on; nowhere if nobody can make one, or the way back would be too long.
    pub(super) fn registered(&self, path: &str, pair: (&str, &str)) -> String {
        let is_open = self.app.settings().registration.mode == RegistrationMode::Open;
        let back = with_query(path, [pair].into_iter());
        match is_open && own_place(&back).is_some() {
            true => back,
            false => String::new(),
        }
    }

    fn consent(&self, asking: &Asking, wanted: &Wanted) -> Response {
        let Some(asker) = asker(asking) else {
            return self.nowhere(Misdirected::Client);
        };
        let scopes: Vec<&str> = wanted.scopes.iter().map(|scope| scope.as_str()).collect();
        let resources: Vec<&str> = wanted.resources.iter().map(String::as_str).collect();
        let screen = Screen::Consent(Consent {
            action: CONSENT,
            interaction: &asking.interaction,
            asker,
            user: person(&wanted.user),
            scopes: &scopes,
            resources: &resources,
            until: until(wanted.offline),
            leaves: true,
        });
        self.show_asked(asking, &screen)
    }

    /// The answer goes to the client: in the query by a redirect that never repeats a form (303), or in a form.
    fn answer(&self, reply: &Reply) -> Response {
        let pairs: Vec<(&str, &str)> = reply
            .parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        if reply.mode == ResponseMode::FormPost && !reply.held {
            let screen = Screen::FormPost(FormPost {
                action: reply.uri.as_str(),
                host: reply.uri.host(),
                fields: &pairs,
            });
            return self.show(StatusCode::OK, &screen);
        }
        let to = with_query(reply.uri.as_str(), pairs.into_iter());
        if reply.held {
            let screen = Screen::Return(Return {
                host: reply.uri.host(),
                url: &to,
            });
            return self.show(StatusCode::OK, &screen);
        }
        redirect(&to)
    }

    /// On to a place of ours.
    pub(super) fn sent_on<'b>(
        &self,
        path: &str,
        pairs: impl Iterator<Item = (&'b str, &'b str)>,
    ) -> Response {
        let issuer = self.app.issuance().map(|issuance| issuance.issuer.as_str());
        match issuer {
            Ok(issuer) => redirect(&with_query(&format!("{}{path}", base(issuer)), pairs)),
            Err(error) => Failure(error).into_response(),
        }
    }

    fn nowhere(&self, misdirected: Misdirected) -> Response {
        let (trouble, detail) = match misdirected {
            Misdirected::Client => (
                Trouble::Client,
                "There is no active client of this client_id that may ask for codes.",
            ),
            Misdirected::RedirectUri => (
                Trouble::Redirect,
                "The redirect_uri is missing, or is none of the client's, byte for byte.",
            ),
        };
        let screen = Screen::Fault(Fault {
            trouble,
            code: "invalid_request",
            detail,
        });
        self.show(StatusCode::BAD_REQUEST, &screen)
    }

    /// What went wrong, on a page.
    pub(super) fn failed(&self, failed: Failed) -> Response {
        let (trouble, status, code, detail) = match failed {
            Failed::OAuth(error) => (
                Trouble::Request,
                StatusCode::BAD_REQUEST,
                error.code.as_str(),
                error.description,
            ),
            Failed::Expired => (
                Trouble::Expired,
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "The page is too old, or is none of this server's.".into(),
            ),
            Failed::Other(error) => return self.failed_otherwise(error),
        };
        let screen = Screen::Fault(Fault {
            trouble,
            code,
            detail: &detail,
        });
        self.show(status, &screen)
    }

    fn failed_otherwise(&self, error: Error) -> Response {
        let (trouble, code) = match &error {
            Error::Refused(
                refusal @ (Refusal::Overloaded { .. } | Refusal::RateLimited { .. }),
            ) => (Trouble::Busy, refusal.code()),
            Error::Refused(refusal) => (Trouble::Request, refusal.code()),
            Error::Store(_) => (Trouble::Busy, "overloaded"),
            Error::Fault { .. } => (Trouble::Internal, "internal_error"),
        };
        let screen = Screen::Fault(Fault {
            trouble,
            code,
            detail: "",
        });
        // The status, the log and `Retry-After` are those of every other answer; only the body is a page.
        let failure = Failure(error).into_response();
        let mut page = self.show(failure.status(), &screen);
        *page.extensions_mut() = failure.extensions().clone();
        page.extensions_mut().insert(OnAPage);
        page
    }
}

/// The application that asks, as people know it, beside where the answer goes.
fn asker(asking: &Asking) -> Option<Asker<'_>> {
    let (client, leads_to) = (asking.client.as_ref()?, asking.leads_to.as_ref()?);
    let known = asker_of(client);
    Some(match known.unverified {
        true => known,
        false => Asker {
            host: leads_to.host(),
            ..known
        },
    })
}

/// An application, as people know it: one that describes itself, by the host that does.
pub(super) fn asker_of(client: &Client) -> Asker<'_> {
    Asker {
        name: client.definition.name.as_str(),
        host: client.id.document_host().unwrap_or(client.id.as_str()),
        unverified: client.id.is_document(),
    }
}

pub(super) fn person(user: &User) -> Person<'_> {
    Person {
        name: user.name.as_ref().map(|name| name.as_str()),
        email: user.email.as_str(),
    }
}

pub(super) const fn until(offline: bool) -> Until {
    match offline {
        true => Until::Withdrawn,
        false => Until::SignedOut,
    }
}

/// The path of the issuer, behind which ours stand.
fn base(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}

pub(super) fn with_query<'a>(uri: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs = pairs.peekable();
    if pairs.peek().is_none() {
        return uri.to_owned();
    }
    let joint = match uri.contains('?') {
        true => '&',
        false => '?',
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{uri}{joint}{query}")
}

pub(super) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::try_from(to) {
        Ok(mut to) => {
            to.set_sensitive(true);
            response.headers_mut().insert(LOCATION, to);
            response.headers_mut().remove(CONTENT_TYPE);
            screen::in_a_window(&mut response);
            response
        }
        Err(_) => Failure::from(Refusal::MalformedRequest(
            "The answer cannot be sent there.".to_owned(),
        ))
        .into_response(),
    }
}
