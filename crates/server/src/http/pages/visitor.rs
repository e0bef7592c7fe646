//! Who comes to one of our own pages, and the page that they get.
//!
//! 1. [`Visitor`]: anybody, with what the form or the query holds.
//! 2. [`Seated`]: somebody who is signed in. Whoever is not is asked to, and goes on where they wanted to be; what they
//!    had typed is kept, passwords excepted.
//! 3. A form belongs to the session that its page was made for. One of a former session of the same person is shown again,
//!    to be sent again; of somebody else's nothing is.
//! 4. [`super::console::Permitted`]: somebody whose roles have a permission, asked anew for each request.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use minijinja::{Value, context};
use symbolon_domain::Refusal;

use super::super::oauth::browser_cookie as cookie;
use super::super::problem::{Failure, OnAPage};
use super::form::{self, Filled, Form, Whose};
use super::frame::{Forms, Frame, refusing};
use super::hosted;
use crate::app::App;
use crate::flows::authenticate::Caller;
use crate::flows::oauth::browser::Browser;
use crate::flows::{Error, Origin};

/// Boxes of the console's forms, of which several may be ticked.
const LISTS: &[&str] = &["grants", "roles", "permissions", "includes"];

/// Anybody.
pub(in crate::http) struct Visitor {
    pub(in crate::http) app: Arc<App>,
    pub(in crate::http) origin: Origin,
    /// Who is signed in at the browser.
    pub(in crate::http) browser: Option<Browser>,
    /// The fields of the form that was sent, else of the query.
    pub(in crate::http) form: Form,
    /// Path and query, below the issuer.
    pub(in crate::http) here: String,
    /// Whether a form was sent.
    pub(in crate::http) is_sent: bool,
}

impl FromRequest<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        is_visit(&parts.method)?;
        let Ok(origin) = Origin::from_request_parts(&mut parts, app).await;
        let (headers, is_sent) = (parts.headers.clone(), !parts.method.is_safe());
        let here = parts.uri.path_and_query().map(ToString::to_string);
        let browser = cookie::who(app, &headers).await;
        let form = match is_sent {
            false => Form::of_query(&parts.uri),
            true => Form::of_body(Request::from_parts(parts, body)).await,
        };
        let read = browser.and_then(|browser| Ok((browser, form?)));
        match read {
            Ok((browser, form)) => Ok(Self {
                app: Arc::clone(app),
                origin,
                browser,
                form,
                here: here.unwrap_or_default(),
                is_sent,
            }),
            Err(error) => Err(trouble(app, &origin, error)),
        }
    }
}

impl Visitor {
    /// Somebody who is shown a page of another door's.
    pub(in crate::http) fn of_page(app: &Arc<App>, origin: Origin) -> Self {
        Self {
            app: Arc::clone(app),
            origin,
            browser: None,
            form: Form::default(),
            here: String::new(),
            is_sent: true,
        }
    }

    /// # Errors
    /// A fault.
    pub(in crate::http) fn frame(&self) -> Result<Frame<'_>, Error> {
        Frame::of(&self.app, self.origin.locale)
    }

    /// A page for anybody.
    pub(in crate::http) fn show(
        &self,
        status: StatusCode,
        template: &str,
        facts: Value,
        forms: Forms,
    ) -> Response {
        match self.frame() {
            Ok(frame) => {
                let facts = context! { ..facts, ..self.facts(&frame) };
                frame.respond(status, template, facts, forms)
            }
            Err(error) => Failure(error).into_response(),
        }
    }

    fn facts(&self, frame: &Frame<'_>) -> Value {
        // What was done before this page: one of the words for that, and nothing else that stands in a link.
        let done = self.form.get("done");
        let notice = frame.has_word("done", done).then_some(done);
        context! {
            here => if self.is_sent { "" } else { self.here.as_str() },
            notice => notice.unwrap_or_default(),
        }
    }

    /// On to a place of ours (RFC 9110 section 15.4.4). `path` begins with a slash.
    pub(in crate::http) fn sent_on(&self, path: &str) -> Response {
        let to = self.frame().map(|frame| frame.path(path));
        let header = to.map(HeaderValue::try_from);
        let Ok(Ok(to)) = header else {
            return Failure::from(Refusal::NotFound).into_response();
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        response.headers_mut().insert(LOCATION, to);
        response
    }

    /// What went wrong, on a page.
    pub(in crate::http) fn failed(&self, error: impl Into<Error>) -> Response {
        trouble(&self.app, &self.origin, error.into())
    }
}

/// Somebody who is signed in.
pub(in crate::http) struct Seated {
    pub(in crate::http) visitor: Visitor,
    pub(in crate::http) browser: Browser,
    pub(in crate::http) caller: Caller,
    /// What the roles of the person allow, by the names of permissions; everything for `*`.
    pub(in crate::http) may: symbolon_domain::Permissions,
    token: String,
    /// Why what was asked is not done, where a form is shown again.
    refusal: OnceLock<Refusal>,
}

impl FromRequest<Arc<App>> for Seated {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let mut visitor = Visitor::from_request(request, app).await?;
        let Some(browser) = visitor.browser.take() else {
            return Err(hosted::ask_to_sign_in(&visitor));
        };
        let sent = visitor.form.get(form::TOKEN);
        // The page of a form that is at fault is the one that the form was on.
        let page = match visitor.is_sent {
            true => form::page_of(sent),
            false => visitor.here.clone(),
        };
        let known = async {
            let whose = match visitor.is_sent {
                true => form::whose(app, &browser, sent)?,
                false => Whose::Ours,
            };
            let book = app.role_book().await?;
            let may = book.effective(&browser.user.roles).permissions;
            Ok::<_, Error>((whose, form::token(app, &browser, &page)?, may))
        };
        let (whose, token, may) = known.await.map_err(|error| visitor.failed(error))?;
        let seated = Self {
            caller: Caller {
                user: browser.user.id,
                session: browser.session.id,
                is_own: true,
            },
            visitor,
            browser,
            may,
            token,
            refusal: OnceLock::new(),
        };
        let form = seated.form();
        match whose {
            Whose::Ours => Ok(seated),
            // What was only asked is asked again.
            Whose::Former if form.has(form::ASKED) => Err(seated.visitor.sent_on(&page)),
            Whose::Former => {
                let facts = resumed(form, &seated.visitor.here);
                Err(seated.show("resume.html", facts))
            }
            Whose::Foreign => Err(seated.failed(Refusal::CsrfRejected)),
        }
    }
}

/// A visit may use something up, sign somebody out or note that a session is used: it is not for looking (SECURITY row C9).
#[expect(
    clippy::result_large_err,
    reason = "the answer is what is sent, and is made once"
)]
pub(in crate::http) fn is_visit(method: &Method) -> Result<(), Response> {
    if method != Method::HEAD {
        return Ok(());
    }
    let mut refused = Failure::from(Refusal::MethodNotAllowed).into_response();
    let allowed = HeaderValue::from_static("GET, POST");
    refused.headers_mut().insert(ALLOW, allowed);
    Err(refused)
}

/// A form to be sent again, with all that it held. Step 3.
pub(super) fn resumed(form: &Form, to: &str) -> Value {
    let fields = form.shown().map(|(name, value)| context! { name, value });
    context! { fields => fields.collect::<Vec<_>>(), to }
}

impl Seated {
    pub(in crate::http) fn app(&self) -> &App {
        &self.visitor.app
    }

    pub(in crate::http) fn form(&self) -> &Form {
        &self.visitor.form
    }

    pub(in crate::http) fn origin(&self) -> &Origin {
        &self.visitor.origin
    }

    /// A page.
    pub(in crate::http) fn show(&self, template: &str, facts: Value) -> Response {
        self.show_as(StatusCode::OK, template, facts)
    }

    /// The same with a status.
    pub(in crate::http) fn show_as(
        &self,
        status: StatusCode,
        template: &str,
        facts: Value,
    ) -> Response {
        let user = &self.browser.user;
        let nav = super::console::places(&self.may);
        let own = context! {
            wide => true,
            person => context! {
                name => user.name.as_ref().map(|name| name.as_str()),
                email => user.email.as_str(),
                id => user.id.to_string(),
            },
            form_token => &self.token,
            may => !nav.is_empty(),
            console_nav => nav,
        };
        let facts = context! { ..facts, ..own };
        let show = |status| self.visitor.show(status, template, facts, Forms::Stay);
        match self.refusal.get() {
            Some(refusal) => refusing(refusal, show),
            None => show(status),
        }
    }

    /// After something was done: the page at `path` with the words for it, `done.{done}`.
    pub(in crate::http) fn done(&self, path: &str, done: &str) -> Response {
        let joint = if path.contains('?') { '&' } else { '?' };
        self.visitor.sent_on(&format!("{path}{joint}done={done}"))
    }

    /// What went wrong, on a page.
    pub(in crate::http) fn failed(&self, error: impl Into<Error>) -> Response {
        self.visitor.failed(error)
    }
}

/// What a flow refused, at the fields of a form.
///
/// # Errors
/// The page that says what is no refusal.
#[expect(
    clippy::result_large_err,
    reason = "the page is what is sent, and is made once"
)]
pub(super) fn refused(seated: &Seated, error: Error) -> Result<(StatusCode, Filled), Response> {
    let Error::Refused(refusal) = &error else {
        return Err(seated.failed(error));
    };
    let status = Failure::from(refusal.clone()).into_response().status();
    let _first = seated.refusal.set(refusal.clone());
    let filled = seated
        .visitor
        .frame()
        .and_then(|frame| Filled::again(seated.form(), LISTS).refused(&frame, error));
    filled
        .map(|filled| (status, filled))
        .map_err(|error| seated.failed(error))
}

/// What went wrong, on a page. The status, the log and `Retry-After` are those of every other answer; only the body is a
/// page.
pub(super) fn trouble(app: &App, origin: &Origin, error: Error) -> Response {
    let (section, code, detail) = match &error {
        Error::Refused(refusal) => {
            let section = match refusal {
                Refusal::NotFound => "fault_not_found",
                Refusal::Forbidden => "fault_forbidden",
                Refusal::RateLimited { .. } | Refusal::Overloaded { .. } => "fault_busy",
                _ => "fault_refused",
            };
            (section, refusal.code(), refusal.detail().into_owned())
        }
        Error::Store(_) => ("fault_busy", "overloaded", String::new()),
        Error::Fault { .. } => ("fault_internal", "internal_error", String::new()),
    };
    let failure = Failure(error).into_response();
    let Ok(frame) = Frame::of(app, origin.locale) else {
        return failure;
    };
    let said = match detail.is_empty() {
        true => Value::from(""),
        false => frame.fault(code, &detail),
    };
    let request = origin.request_id.as_deref().unwrap_or_default();
    let facts = context! { section, code, detail => said, request };
    let mut page = frame.respond(failure.status(), "trouble.html", facts, Forms::Stay);
    *page.extensions_mut() = failure.extensions().clone();
    page.extensions_mut().insert(OnAPage);
    page
}
