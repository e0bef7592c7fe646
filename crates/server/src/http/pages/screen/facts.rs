//! What the templates of the screens, and the words in them, are filled with.

use minijinja::{Value, context};

use super::super::frame::Frame;
use super::{
    Asker, CodeTold, Consent, DeviceCode, DeviceConfirm, Fault, FormPost, Person, Return, Screen,
    SignIn, SignOut, SignedOut, Told, Until,
};
use crate::pages::PagesError;

/// Scopes in the order in which they are shown, before all others.
const FIRST: [&str; 5] = ["openid", "profile", "email", "roles", "offline_access"];

impl Screen<'_> {
    /// Every name that a template or a word may use has a value, if an empty one.
    pub(super) fn facts(
        &self,
        frame: &Frame<'_>,
        request: Option<&str>,
    ) -> Result<Value, PagesError> {
        let own = match self {
            Self::SignIn(screen) => screen.facts(frame),
            Self::Consent(screen) => screen.facts(frame)?,
            Self::DeviceCode(screen) => screen.facts(frame),
            Self::DeviceConfirm(screen) => screen.facts(frame)?,
            Self::DeviceDone(_) => context! {},
            Self::SignOut(screen) => screen.facts(frame),
            Self::SignedOut(screen) => screen.facts(),
            Self::Return(screen) => screen.facts(),
            Self::FormPost(screen) => screen.facts(),
            Self::Fault(screen) => screen.facts(request),
        };
        let common = context! {
            service => frame.service,
            app => "",
            host => "",
            unverified => false,
            person => "",
            code => "",
            told => "",
            detail => "",
            url => "",
            foreign => false,
            request => "",
        };
        // Of two that have a name, the first counts.
        Ok(context! { ..own, ..common })
    }
}

impl SignIn<'_> {
    fn facts(&self, frame: &Frame<'_>) -> Value {
        let upstreams = self.upstreams.iter().map(|upstream| {
            context! { action => frame.path(upstream.action), name => upstream.name }
        });
        context! {
            action => frame.path(self.action),
            interaction => self.interaction,
            identifier => self.identifier,
            remember => self.remember,
            told => self.told.map_or("", Told::word),
            link => self.link,
            at_fields => self.told == Some(Told::WrongCredentials),
            upstreams => upstreams.collect::<Vec<_>>(),
            registered => self.registered,
            ..asker(self.asker)
        }
    }
}

impl Consent<'_> {
    fn facts(&self, frame: &Frame<'_>) -> Result<Value, PagesError> {
        Ok(context! {
            action => frame.path(self.action),
            interaction => self.interaction,
            person => self.user.text(),
            scopes => scopes(frame, self.scopes)?,
            resources => self.resources.iter().map(|one| Value::from(*one)).collect::<Value>(),
            until => self.until.word(),
            ..asker(Some(self.asker))
        })
    }
}

impl DeviceConfirm<'_> {
    fn facts(&self, frame: &Frame<'_>) -> Result<Value, PagesError> {
        let consent = Consent {
            action: self.action,
            interaction: self.interaction,
            asker: self.asker,
            user: self.user,
            scopes: self.scopes,
            resources: self.resources,
            until: self.until,
            leaves: false,
        };
        let consent = consent.facts(frame)?;
        Ok(context! { code => self.code, ..consent })
    }
}

impl DeviceCode<'_> {
    fn facts(&self, frame: &Frame<'_>) -> Value {
        context! {
            action => frame.path(self.action),
            code => self.code,
            told => self.told.map_or("", CodeTold::word),
        }
    }
}

impl SignOut<'_> {
    fn facts(&self, frame: &Frame<'_>) -> Value {
        context! {
            action => frame.path(self.action),
            interaction => self.interaction,
            person => self.user.map(|user| user.text()).unwrap_or_default(),
            ..asker(self.asker)
        }
    }
}

impl SignedOut<'_> {
    fn facts(&self) -> Value {
        context! { url => self.back.filter(|url| is_harmless(url)).unwrap_or_default() }
    }
}

impl Return<'_> {
    fn facts(&self) -> Value {
        let url = Some(self.url).filter(|url| is_harmless(url));
        context! { host => self.host, url => url.unwrap_or_default(), foreign => true }
    }
}

impl FormPost<'_> {
    fn facts(&self) -> Value {
        let action = Some(self.action).filter(|url| is_harmless(url));
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| context! { name => *name, value => *value });
        context! {
            action => action.unwrap_or_default(),
            host => self.host,
            fields => fields.collect::<Value>(),
        }
    }
}

impl Fault<'_> {
    fn facts(&self, request: Option<&str>) -> Value {
        context! {
            code => self.code,
            detail => self.detail,
            request => request.unwrap_or_default(),
        }
    }
}

impl Person<'_> {
    fn text(self) -> String {
        match self.name {
            Some(name) => format!("{name} ({})", self.email),
            None => self.email.to_owned(),
        }
    }
}

impl Told {
    fn word(self) -> &'static str {
        match self {
            Self::WrongCredentials => "wrong_credentials",
            Self::Disabled => "disabled",
            Self::Unconfirmed => "unconfirmed",
            Self::Busy => "busy",
        }
    }
}

impl CodeTold {
    fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Busy => "busy",
        }
    }
}

impl Until {
    fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "until_withdrawn",
            Self::SignedOut => "until_signed_out",
        }
    }
}

fn asker(asker: Option<Asker<'_>>) -> Value {
    let Some(asker) = asker else {
        return context! {};
    };
    context! { app => asker.name, host => asker.host, unverified => asker.unverified }
}

/// Each with its sentence, where we have one; what people know best comes first.
fn scopes(frame: &Frame<'_>, scopes: &[&str]) -> Result<Vec<Value>, PagesError> {
    let sentences = frame.words("scopes", &context! {})?;
    let mut scopes = scopes.to_vec();
    scopes.sort_by_key(|scope| {
        FIRST
            .iter()
            .position(|first| first == scope)
            .unwrap_or(FIRST.len())
    });
    let each = scopes
        .iter()
        .map(|scope| context! { name => *scope, sentence => sentences.get_attr(scope).ok() });
    Ok(each.collect())
}

/// Whether a link may lead there: to the web, or to an app by a scheme of its own, which has a dot (RFC 8252 section 7.1).
fn is_harmless(url: &str) -> bool {
    url.split_once(':')
        .is_some_and(|(scheme, _)| matches!(scheme, "https" | "http") || scheme.contains('.'))
}
