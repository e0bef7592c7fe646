//! What a client says of itself: when it registers (RFC 7591), or in a document on the web
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! 1. Redirect URIs are judged one by one, as everywhere. Of a document, those that are not taken here are left out: other
//!    servers may take them, and none is used that is not on the list. Whoever registers is told.
//! 2. Nothing of it gives more than the owner opened: scopes and resources are cut to those that are open to anybody, and
//!    a client that described itself has no roles and never acts for itself.
//! 3. A document holds no secret and knows no method of authentication that needs one: everybody reads it.
//! 4. Names of a kind that is not known here are left out (RFC 7591 section 2); something must be left.

use std::collections::BTreeSet;

use symbolon_token::Algorithm;

use super::{
    AuthMethod, ClientDefinition, ClientId, ClientJwks, ClientOrigin, ClientType, EndpointUri,
    Grant, RedirectUri, Resource, Scope, SubjectType,
};
use crate::DisplayName;

/// Grants that a client may have that nobody here has looked at.
const OPEN_GRANTS: [Grant; 3] = [
    Grant::AuthorizationCode,
    Grant::RefreshToken,
    Grant::DeviceCode,
];

/// The metadata of a client by the names of RFC 7591 section 2 and the registries, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `redirect_uris`
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`
    pub token_endpoint_auth_method: Option<String>,
    /// `grant_types`
    pub grant_types: Option<Vec<String>>,
    /// `response_types`
    pub response_types: Option<Vec<String>>,
    /// `client_name`
    pub client_name: Option<String>,
    /// `scope`, separated by spaces
    pub scope: Option<String>,
    /// `jwks`, in JSON
    pub jwks: Option<String>,
    /// `jwks_uri`
    pub jwks_uri: Option<String>,
    /// `subject_type`
    pub subject_type: Option<String>,
    /// `sector_identifier_uri`, which is not fetched
    pub sector_identifier_uri: Option<String>,
    /// `id_token_signed_response_alg`
    pub id_token_signed_response_alg: Option<String>,
    /// `post_logout_redirect_uris`
    pub post_logout_redirect_uris: Vec<String>,
    /// `backchannel_logout_uri`
    pub backchannel_logout_uri: Option<String>,
    /// `require_pushed_authorization_requests`
    pub require_pushed_authorization_requests: bool,
    /// `dpop_bound_access_tokens`
    pub dpop_bound_access_tokens: bool,
}

/// What the owner opened to clients that describe themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenTerms {
    /// The scopes that they may ask for.
    pub scopes: BTreeSet<Scope>,
    /// The APIs that they may ask tokens for.
    pub resources: BTreeSet<Resource>,
}

/// Why what a client says of itself is not taken (RFC 7591 section 3.2.2). The sentence repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// `invalid_redirect_uri`
    #[error("{0}")]
    RedirectUri(String),
    /// `invalid_client_metadata`
    #[error("{0}")]
    Metadata(String),
}

/// What a client turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Whether it proves who it is.
    pub kind: ClientType,
    /// The rest.
    pub definition: ClientDefinition,
}

/// Where metadata come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source<'a> {
    Registration,
    /// On the web, at this host.
    Document(&'a str),
}

impl ClientMetadata {
    /// The client that registers with these (RFC 7591 section 3.1).
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn register(&self, terms: &OpenTerms) -> Result<Described, MetadataError> {
        self.judge(Source::Registration, terms)
    }

    /// The client that describes itself with these in the document behind `id`. `named` is the `client_id` of the document,
    /// byte for byte the same; `has_secret` whether it has a member `client_secret`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn describe(
        &self,
        id: &ClientId,
        (named, has_secret): (Option<&str>, bool),
        terms: &OpenTerms,
    ) -> Result<Described, MetadataError> {
        if named != Some(id.as_str()) {
            return Err(wrong("The client_id of the document is not its address."));
        }
        if has_secret {
            return Err(wrong(
                "The document holds a client_secret, which is none there.",
            ));
        }
        let host = id.document_host().unwrap_or_default();
        self.judge(Source::Document(host), terms)
    }

    fn judge(&self, source: Source<'_>, terms: &OpenTerms) -> Result<Described, MetadataError> {
        let auth_method = self.auth_method(source)?;
        let kind = match auth_method {
            AuthMethod::None => ClientType::Public,
            _ => ClientType::Confidential,
        };
        let grants = self.grants()?;
        let redirect_uris = redirect_uris(&self.redirect_uris, source)?;
        let definition = ClientDefinition {
            origins: match kind {
                ClientType::Public => redirect_uris.iter().filter_map(origin_of).collect(),
                ClientType::Confidential => BTreeSet::new(),
            },
            redirect_uris,
            post_logout_redirect_uris: redirect_uris_after(
                &self.post_logout_redirect_uris,
                source,
            )?,
            grants,
            scopes: self.scopes(terms)?,
            resources: terms.resources.clone(),
            auth_method,
            jwks: parsed(self.jwks.as_deref(), ClientJwks::parse)?,
            jwks_uri: parsed(self.jwks_uri.as_deref(), EndpointUri::parse)?,
            subject_type: self.subject_type()?,
            id_token_alg: self.id_token_alg()?,
            require_pushed: self.require_pushed_authorization_requests,
            dpop_bound: self.dpop_bound_access_tokens,
            backchannel_logout_uri: parsed(
                self.backchannel_logout_uri.as_deref(),
                EndpointUri::parse,
            )?,
            ..ClientDefinition::new(self.name(source)?, kind)
        };
        match definition.faults(kind).into_iter().next() {
            None => Ok(Described { kind, definition }),
            Some(fault) if fault.pointer == "/redirectUris" => {
                Err(MetadataError::RedirectUri(fault.detail))
            }
            Some(fault) => Err(wrong(&fault.detail)),
        }
    }

    fn auth_method(&self, source: Source<'_>) -> Result<AuthMethod, MetadataError> {
        let method = match (self.token_endpoint_auth_method.as_deref(), source) {
            (Some(word), _) => word.parse().map_err(|_| {
                wrong("The token_endpoint_auth_method is not one of those of this server.")
            })?,
            // RFC 7591 section 2.
            (None, Source::Registration) => AuthMethod::ClientSecretBasic,
            (None, Source::Document(_)) => AuthMethod::None,
        };
        let shared = matches!(
            method,
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost
        );
        match (shared, source) {
            (true, Source::Document(_)) => Err(wrong(
                "A client that describes itself in a document has no secret: its token_endpoint_auth_method is none or \
                 private_key_jwt.",
            )),
            _ => Ok(method),
        }
    }

    /// Step 4 for `grant_types` and `response_types`, which go together (RFC 7591 section 2.1).
    fn grants(&self) -> Result<BTreeSet<Grant>, MetadataError> {
        let words = self.grant_types.iter().flatten();
        let grants = words.filter_map(|word| Grant::of_grant_type(word));
        let grants: BTreeSet<_> = match &self.grant_types {
            Some(_) => grants.filter(|grant| OPEN_GRANTS.contains(grant)).collect(),
            None => BTreeSet::from([Grant::AuthorizationCode]),
        };
        let begins = [Grant::AuthorizationCode, Grant::DeviceCode];
        if !begins.iter().any(|grant| grants.contains(grant)) {
            return Err(wrong(
                "None of the grant_types is one that a client gets here that describes itself.",
            ));
        }
        let types = self.response_types.as_deref();
        let has_code = types.is_none_or(|types| types.iter().any(|one| one == "code"));
        match grants.contains(&Grant::AuthorizationCode) && !has_code {
            true => Err(wrong(
                "The response_types lack code, the only one there is.",
            )),
            false => Ok(grants),
        }
    }

    /// Step 2.
    fn scopes(&self, terms: &OpenTerms) -> Result<BTreeSet<Scope>, MetadataError> {
        let Some(text) = &self.scope else {
            return Ok(terms.scopes.clone());
        };
        let words = text.split(' ').filter(|word| !word.is_empty());
        let asked: Result<BTreeSet<_>, _> = words.map(Scope::parse).collect();
        let asked = asked.map_err(|problem| wrong(&problem.detail))?;
        Ok(asked.intersection(&terms.scopes).cloned().collect())
    }

    fn name(&self, source: Source<'_>) -> Result<DisplayName, MetadataError> {
        let given = self.client_name.as_deref().map(DisplayName::parse);
        match (given, source) {
            (Some(Ok(name)), _) => Ok(name),
            (Some(Err(problem)), Source::Registration) => Err(wrong(&problem.detail)),
            // Its host is what people can know it by.
            (_, Source::Document(host)) => {
                DisplayName::parse(host).map_err(|problem| wrong(&problem.detail))
            }
            (None, Source::Registration) => {
                let first = self.redirect_uris.first();
                let uri = first.and_then(|uri| RedirectUri::parse(uri).ok());
                let name = uri.as_ref().map_or("Unnamed", RedirectUri::host);
                DisplayName::parse(name).map_err(|problem| wrong(&problem.detail))
            }
        }
    }

    fn subject_type(&self) -> Result<SubjectType, MetadataError> {
        let word = self.subject_type.as_deref().unwrap_or("public");
        let subjects = word
            .parse()
            .map_err(|_| wrong("The subject_type is neither public nor pairwise."))?;
        match (subjects, &self.sector_identifier_uri) {
            (SubjectType::Pairwise, Some(_)) => Err(wrong(
                "A sector_identifier_uri is not fetched here: the redirect_uris of a client have one host.",
            )),
            _ => Ok(subjects),
        }
    }

    fn id_token_alg(&self) -> Result<Option<Algorithm>, MetadataError> {
        // What OpenID Connect Dynamic Client Registration 1.0 section 2 has where nothing is said.
        let word = self.id_token_signed_response_alg.as_deref();
        let algorithm = word.unwrap_or(Algorithm::Rs256.as_str()).parse();
        algorithm.map(Some).map_err(|_| {
            wrong("The id_token_signed_response_alg is not one of those of this server.")
        })
    }
}

/// Step 1.
fn redirect_uris(
    texts: &[String],
    source: Source<'_>,
) -> Result<BTreeSet<RedirectUri>, MetadataError> {
    let read = texts.iter().map(|text| RedirectUri::parse(text));
    let read: Result<_, _> = match source {
        Source::Registration => read.collect(),
        Source::Document(_) => read.filter(Result::is_ok).collect(),
    };
    read.map_err(|problem| MetadataError::RedirectUri(problem.detail))
}

fn redirect_uris_after(
    texts: &[String],
    source: Source<'_>,
) -> Result<BTreeSet<RedirectUri>, MetadataError> {
    redirect_uris(texts, source).map_err(|error| wrong(&error.to_string()))
}

/// The pages of a client of browsers call from where it is.
fn origin_of(uri: &RedirectUri) -> Option<ClientOrigin> {
    let (scheme, rest) = uri.as_str().split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    ClientOrigin::parse(&format!("{scheme}://{}", rest.get(..end)?)).ok()
}

fn parsed<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, crate::Problem>,
) -> Result<Option<T>, MetadataError> {
    let read = text.map(parse).transpose();
    read.map_err(|problem| wrong(&problem.detail))
}

fn wrong(sentence: &str) -> MetadataError {
    MetadataError::Metadata(sentence.to_owned())
}
