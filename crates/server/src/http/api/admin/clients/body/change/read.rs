//! From what a request says of a client to its definition.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::value::RawValue;
use symbolon_domain::{
    AuthMethod, ClientDefinition, ClientJwks, ClientStatus, ClientType, ConsentPolicy, DisplayName,
    FieldError, Grant, Problem as Wrong, Roles, SubjectType,
};
use symbolon_token::Algorithm;

use super::ClientChange;

/// A code, and a sentence with the words that there are.
type Words = (&'static str, &'static str);

pub(super) const TYPES: Words = ("type_unknown", "A client is public or confidential.");
const STATUSES: Words = ("status_unknown", "A client is active or disabled.");
const GRANTS: Words = (
    "grant_unknown",
    "There are authorization_code, refresh_token, client_credentials, device_code and token_exchange.",
);
const METHODS: Words = (
    "auth_method_unknown",
    "There are none, client_secret_basic, client_secret_post and private_key_jwt.",
);
const SUBJECTS: Words = ("subject_type_unknown", "Subjects are public or pairwise.");
const ALGORITHMS: Words = (
    "algorithm_unknown",
    "There are ES256, EdDSA, RS256 and PS256.",
);
const CONSENTS: Words = ("consent_unknown", "Consent is ask or trusted.");

/// What fields have that the request does not name.
pub(in crate::http::api::admin::clients) enum Base<'a> {
    /// Those of a new client of this type.
    New(ClientType),
    /// Those that they had.
    Former(&'a ClientDefinition),
}

impl ClientChange {
    /// The definition that comes of it. Nothing where there is no name.
    pub(in crate::http::api::admin::clients) fn read(
        &self,
        base: Base<'_>,
        faults: &mut Vec<FieldError>,
    ) -> Option<ClientDefinition> {
        let name = match self.name.as_deref().map(DisplayName::parse) {
            Some(Ok(name)) => Some(name),
            Some(Err(problem)) => {
                faults.push(problem.at("/name"));
                None
            }
            None => match base {
                Base::Former(former) => Some(former.name.clone()),
                Base::New(_) => None,
            },
        };
        let base = match base {
            Base::Former(former) => former.clone(),
            Base::New(kind) => ClientDefinition::new(name.clone()?, kind),
        };
        let with_lists = self.read_lists(base, faults);
        let whole = self.read_metadata(with_lists, faults);
        Some(ClientDefinition {
            name: name?,
            ..whole
        })
    }

    fn read_lists(&self, base: ClientDefinition, faults: &mut Vec<FieldError>) -> ClientDefinition {
        let grant = |word: &str| {
            let known = word.parse::<Grant>();
            known.map_err(|_| Wrong::new(GRANTS.0, GRANTS.1))
        };
        let mut set = Sets { faults };
        ClientDefinition {
            redirect_uris: set.of(&self.redirect_uris, "/redirectUris", base.redirect_uris),
            post_logout_redirect_uris: set.of(
                &self.post_logout_redirect_uris,
                "/postLogoutRedirectUris",
                base.post_logout_redirect_uris,
            ),
            origins: set.of(&self.origins, "/origins", base.origins),
            grants: set.by(&self.grants, "/grants", base.grants, grant),
            scopes: set.of(&self.scopes, "/scopes", base.scopes),
            roles: {
                let former = base.roles.iter().cloned().collect();
                Roles::from_iter(set.of(&self.roles, "/roles", former))
            },
            resources: set.of(&self.resources, "/resources", base.resources),
            ..base
        }
    }

    fn read_metadata(
        &self,
        base: ClientDefinition,
        faults: &mut Vec<FieldError>,
    ) -> ClientDefinition {
        let method = word::<AuthMethod>(
            self.auth_method.as_deref(),
            ("/authMethod", METHODS),
            faults,
        );
        let subjects = word::<SubjectType>(
            self.subject_type.as_deref(),
            ("/subjectType", SUBJECTS),
            faults,
        );
        let consent =
            word::<ConsentPolicy>(self.consent.as_deref(), ("/consent", CONSENTS), faults);
        let status = word::<ClientStatus>(self.status.as_deref(), ("/status", STATUSES), faults);
        let algorithm = self.id_token_alg.as_ref().map(|given| {
            let given = given.as_deref();
            word::<Algorithm>(given, ("/idTokenAlg", ALGORITHMS), faults)
        });
        let jwks = self.jwks.as_ref().map(|given| {
            let text = given.as_deref().map(RawValue::get);
            optional::<ClientJwks>(text, "/jwks", faults)
        });
        let mut uri = |given: &Option<Option<String>>, pointer, former| match given {
            Some(given) => optional(given.as_deref(), pointer, faults),
            None => former,
        };
        ClientDefinition {
            auth_method: method.unwrap_or(base.auth_method),
            jwks: jwks.unwrap_or(base.jwks),
            jwks_uri: uri(&self.jwks_uri, "/jwksUri", base.jwks_uri),
            subject_type: subjects.unwrap_or(base.subject_type),
            id_token_alg: algorithm.unwrap_or(base.id_token_alg),
            consent: consent.unwrap_or(base.consent),
            require_pushed: self.require_pushed.unwrap_or(base.require_pushed),
            dpop_bound: self.dpop_bound.unwrap_or(base.dpop_bound),
            backchannel_logout_uri: uri(
                &self.backchannel_logout_uri,
                "/backchannelLogoutUri",
                base.backchannel_logout_uri,
            ),
            status: status.unwrap_or(base.status),
            ..base
        }
    }
}

/// A value that may be there.
fn optional<T: FromStr<Err = Wrong>>(
    given: Option<&str>,
    pointer: &str,
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    let read = given?.parse();
    read.map_err(|problem: Wrong| faults.push(problem.at(pointer)))
        .ok()
}

/// Reads lists, and keeps what is wrong with them.
struct Sets<'f> {
    faults: &'f mut Vec<FieldError>,
}

impl Sets<'_> {
    fn of<T: FromStr<Err = Wrong> + Ord>(
        &mut self,
        given: &Option<Vec<String>>,
        pointer: &str,
        former: BTreeSet<T>,
    ) -> BTreeSet<T> {
        self.by(given, pointer, former, str::parse)
    }

    fn by<T: Ord>(
        &mut self,
        given: &Option<Vec<String>>,
        pointer: &str,
        former: BTreeSet<T>,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> BTreeSet<T> {
        let Some(given) = given else {
            return former;
        };
        let mut found = BTreeSet::new();
        for (index, text) in given.iter().enumerate() {
            match read(text) {
                Ok(one) => drop(found.insert(one)),
                Err(problem) => self.faults.push(problem.at(format!("{pointer}/{index}"))),
            }
        }
        found
    }
}

/// A word that may be there.
pub(super) fn word<T: FromStr>(
    given: Option<&str>,
    (pointer, (code, sentence)): (&str, Words),
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    let read = given?.parse();
    read.map_err(|_| faults.push(Wrong::new(code, sentence).at(pointer)))
        .ok()
}
