//! The screens of signing in for other applications: what each says, without any rule of its own. Every one works without
//! a script.
//!
//! Texts that others chose are escaped and isolated from the direction of the text around them (SECURITY C11).

mod facts;
#[cfg(test)]
mod tests;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use minijinja::context;

use super::super::problem::Failure;
use super::frame::{Forms, Frame, answer};
use crate::app::App;
use crate::flows::Origin;
use crate::pages::PagesError;

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A page that somebody sees on the way to another application.
pub(in crate::http) enum Screen<'a> {
    SignIn(SignIn<'a>),
    Consent(Consent<'a>),
    DeviceCode(DeviceCode<'a>),
    DeviceConfirm(DeviceConfirm<'a>),
    /// The end of a device's request: whether it was allowed.
    DeviceDone(bool),
    SignOut(SignOut<'a>),
    SignedOut(SignedOut<'a>),
    Return(Return<'a>),
    FormPost(FormPost<'a>),
    Fault(Fault<'a>),
}

/// The application that asks.
#[derive(Clone, Copy)]
pub(in crate::http) struct Asker<'a> {
    pub(in crate::http) name: &'a str,
    /// The host of the redirect URI, or of the document that the client's id names.
    pub(in crate::http) host: &'a str,
    /// Nobody here knows who is behind it: it registered itself.
    pub(in crate::http) unverified: bool,
}

/// Who is signed in.
#[derive(Clone, Copy)]
pub(in crate::http) struct Person<'a> {
    pub(in crate::http) name: Option<&'a str>,
    pub(in crate::http) email: &'a str,
}

/// What keeps somebody from being signed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Told {
    WrongCredentials,
    Disabled,
    Unconfirmed,
    Busy,
}

/// What is wrong with a device's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum CodeTold {
    Unknown,
    Busy,
}

/// How long an application keeps what it is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Until {
    /// With `offline_access`.
    Withdrawn,
    SignedOut,
}

/// Another place to sign in at.
#[derive(Clone, Copy)]
pub(in crate::http) struct Upstream<'a> {
    /// The path below the issuer that its button posts the interaction to.
    pub(in crate::http) action: &'a str,
    pub(in crate::http) name: &'a str,
}

/// Asks for `identifier`, `password` and `remember` (`true` or absent).
pub(in crate::http) struct SignIn<'a> {
    /// The path below the issuer that the form goes to, as on every screen.
    pub(in crate::http) action: &'a str,
    /// What the form carries, sealed.
    pub(in crate::http) interaction: &'a str,
    /// What stands in the field already.
    pub(in crate::http) identifier: &'a str,
    pub(in crate::http) remember: bool,
    pub(in crate::http) told: Option<Told>,
    /// An identity of another provider that the password links, sealed, for `link`; empty where there is none.
    pub(in crate::http) link: &'a str,
    pub(in crate::http) asker: Option<Asker<'a>>,
    pub(in crate::http) upstreams: &'a [Upstream<'a>],
    /// Where who makes an account goes on, below the issuer; empty where nobody can make one.
    pub(in crate::http) registered: &'a str,
    /// Whether the form may end at another site: at a redirect URI, or at an upstream.
    pub(in crate::http) leaves: bool,
}

/// Asks for `decision`: `allow`, `deny` or `switch` (to another account).
pub(in crate::http) struct Consent<'a> {
    pub(in crate::http) action: &'a str,
    pub(in crate::http) interaction: &'a str,
    pub(in crate::http) asker: Asker<'a>,
    pub(in crate::http) user: Person<'a>,
    pub(in crate::http) scopes: &'a [&'a str],
    pub(in crate::http) resources: &'a [&'a str],
    pub(in crate::http) until: Until,
    pub(in crate::http) leaves: bool,
}

/// Asks for `user_code` (RFC 8628 section 3.3).
pub(in crate::http) struct DeviceCode<'a> {
    pub(in crate::http) action: &'a str,
    /// What stands in the field already.
    pub(in crate::http) code: &'a str,
    pub(in crate::http) told: Option<CodeTold>,
}

/// Asks for `decision` as consent does, with the code to compare (RFC 8628 sections 3.3.1 and 5.4).
pub(in crate::http) struct DeviceConfirm<'a> {
    pub(in crate::http) action: &'a str,
    pub(in crate::http) interaction: &'a str,
    pub(in crate::http) code: &'a str,
    pub(in crate::http) asker: Asker<'a>,
    pub(in crate::http) user: Person<'a>,
    pub(in crate::http) scopes: &'a [&'a str],
    pub(in crate::http) resources: &'a [&'a str],
    pub(in crate::http) until: Until,
}

/// Asks for `decision`: `allow` or `deny` (OpenID Connect RP-Initiated Logout 1.0 section 2).
pub(in crate::http) struct SignOut<'a> {
    pub(in crate::http) action: &'a str,
    pub(in crate::http) interaction: &'a str,
    pub(in crate::http) asker: Option<Asker<'a>>,
    pub(in crate::http) user: Option<Person<'a>>,
    pub(in crate::http) leaves: bool,
}

/// Says that somebody is signed out, or stayed signed in.
pub(in crate::http) struct SignedOut<'a> {
    pub(in crate::http) signed_out: bool,
    /// Where the application that asked wants them to go.
    pub(in crate::http) back: Option<&'a str>,
}

/// Where one goes, with a link and no redirect: for applications that nobody vouches for (RFC 9700 section 4.11.2).
pub(in crate::http) struct Return<'a> {
    pub(in crate::http) host: &'a str,
    /// With the answer in it.
    pub(in crate::http) url: &'a str,
}

/// Carries an answer by a form that sends itself off (OAuth 2.0 Form Post Response Mode).
pub(in crate::http) struct FormPost<'a> {
    /// The redirect URI, registered.
    pub(in crate::http) action: &'a str,
    pub(in crate::http) host: &'a str,
    pub(in crate::http) fields: &'a [(&'a str, &'a str)],
}

/// What went wrong where no application is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Trouble {
    /// The request is not a valid one.
    Request,
    /// There is no such client, or it is disabled.
    Client,
    /// The redirect URI is not one of the client's.
    Redirect,
    Expired,
    Busy,
    Internal,
}

/// An error that goes to nobody but the person in front of it.
pub(in crate::http) struct Fault<'a> {
    pub(in crate::http) trouble: Trouble,
    /// A word for programs: the error of RFC 6749 section 4.1.2.1 or of CONTRACT section 3.5.
    pub(in crate::http) code: &'a str,
    /// A sentence for whoever runs the application, in English.
    pub(in crate::http) detail: &'a str,
}

/// Lets an application show the answer in a window that it opened, which at the end tells its opener how it went. A
/// redirect between pages cuts that bond as a page would.
pub(in crate::http) fn in_a_window(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(OPENER, HeaderValue::from_static("unsafe-none"));
}

impl Screen<'_> {
    /// The page, with its content security policy.
    pub(in crate::http) fn response(
        &self,
        app: &App,
        origin: &Origin,
        status: StatusCode,
    ) -> Response {
        let frame = match Frame::of(app, origin.locale) {
            Ok(frame) => frame,
            Err(error) => return Failure(error).into_response(),
        };
        let mut response = answer(status, self.page(&frame, origin.request_id.as_deref()));
        in_a_window(&mut response);
        response
    }

    fn page(
        &self,
        frame: &Frame<'_>,
        request: Option<&str>,
    ) -> Result<(String, HeaderValue), PagesError> {
        let facts = self.facts(frame, request)?;
        let common = frame.words("common", &facts)?;
        let own = frame.words(self.section(), &facts)?;
        let title = own.get_attr("title").unwrap_or_default();
        let words = context! { ..own, ..common };
        let forms = match self.leaves() {
            true => Forms::Leave,
            false => Forms::Stay,
        };
        frame.page(self.template(), context! { title, words, ..facts }, forms)
    }

    /// The words that it has of its own.
    fn section(&self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign_in",
            Self::Consent(_) => "consent",
            Self::DeviceCode(_) => "device_code",
            Self::DeviceConfirm(_) => "device_confirm",
            Self::DeviceDone(true) => "device_allowed",
            Self::DeviceDone(false) => "device_denied",
            Self::SignOut(_) => "sign_out",
            Self::SignedOut(end) if end.signed_out => "signed_out",
            Self::SignedOut(_) => "stayed",
            Self::Return(_) => "return",
            Self::FormPost(_) => "form_post",
            Self::Fault(fault) => match fault.trouble {
                Trouble::Request => "fault_request",
                Trouble::Client => "fault_client",
                Trouble::Redirect => "fault_redirect",
                Trouble::Expired => "fault_expired",
                Trouble::Busy => "fault_busy",
                Trouble::Internal => "fault_internal",
            },
        }
    }

    fn template(&self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign-in.html",
            Self::Consent(_) | Self::DeviceConfirm(_) => "consent.html",
            Self::DeviceCode(_) => "device-code.html",
            Self::SignOut(_) => "sign-out.html",
            Self::FormPost(_) => "form-post.html",
            Self::DeviceDone(_) | Self::SignedOut(_) | Self::Return(_) | Self::Fault(_) => {
                "outcome.html"
            }
        }
    }

    /// Whether a form of it may end at another site.
    fn leaves(&self) -> bool {
        match self {
            Self::SignIn(screen) => screen.leaves || !screen.upstreams.is_empty(),
            Self::Consent(screen) => screen.leaves,
            Self::SignOut(screen) => screen.leaves,
            Self::FormPost(_) => true,
            Self::DeviceCode(_)
            | Self::DeviceConfirm(_)
            | Self::DeviceDone(_)
            | Self::SignedOut(_)
            | Self::Return(_)
            | Self::Fault(_) => false,
        }
    }
}
