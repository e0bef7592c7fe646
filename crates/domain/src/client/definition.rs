use std::collections::BTreeSet;

use symbolon_token::Algorithm;

use super::{
    AuthMethod, ClientJwks, ClientOrigin, ClientStatus, ClientType, ConsentPolicy, EndpointUri,
    Grant, RedirectUri, Resource, Scope, SubjectType,
};
use crate::{DisplayName, FieldError, FieldValue, Problem, Roles};

/// How many secrets a client has at most: the one in use, and the one that replaces it.
pub const MOST_SECRETS: usize = 2;
/// How many entries a list has at most.
const MOST_ENTRIES: usize = 20;
/// How many scopes a client may ask for at most.
pub(crate) const MOST_SCOPES: usize = 100;

/// What the owner of a client decides. Lists are sorted, each entry once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDefinition {
    /// The name that people see when they are asked.
    pub name: DisplayName,
    /// Where codes go.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// Where a browser may go after it was signed out.
    pub post_logout_redirect_uris: BTreeSet<RedirectUri>,
    /// Whose pages may call the token endpoint.
    pub origins: BTreeSet<ClientOrigin>,
    /// How it comes to tokens.
    pub grants: BTreeSet<Grant>,
    /// What it may ask for.
    pub scopes: BTreeSet<Scope>,
    /// Its own roles, for when it acts for itself.
    pub roles: Roles,
    /// The APIs that it may ask tokens for.
    pub resources: BTreeSet<Resource>,
    /// How it proves who it is.
    pub auth_method: AuthMethod,
    /// Its public keys, where they are kept here.
    pub jwks: Option<ClientJwks>,
    /// Where its public keys are, where they are not.
    pub jwks_uri: Option<EndpointUri>,
    /// What `sub` it sees of a person.
    pub subject_type: SubjectType,
    /// What its ID tokens are signed with; the server's choice where it has none.
    pub id_token_alg: Option<Algorithm>,
    /// Whether people are asked.
    pub consent: ConsentPolicy,
    /// Whether its requests must be pushed first (RFC 9126 section 6).
    pub require_pushed: bool,
    /// Whether all of its tokens are bound to a key of its own (RFC 9449 section 5.2).
    pub dpop_bound: bool,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout section 2.2).
    pub backchannel_logout_uri: Option<EndpointUri>,
    /// Whether it may get tokens.
    pub status: ClientStatus,
}

impl ClientDefinition {
    /// Every field by the name that files have for it.
    pub fn fields(&self) -> [(&'static str, FieldValue); 18] {
        [
            ("name", FieldValue::text(&self.name)),
            ("redirect_uris", FieldValue::list(&self.redirect_uris)),
            (
                "post_logout_redirect_uris",
                FieldValue::list(&self.post_logout_redirect_uris),
            ),
            ("origins", FieldValue::list(&self.origins)),
            ("grants", FieldValue::list(&self.grants)),
            ("scopes", FieldValue::list(&self.scopes)),
            ("roles", FieldValue::list(&self.roles)),
            ("resources", FieldValue::list(&self.resources)),
            ("auth_method", FieldValue::text(self.auth_method)),
            ("jwks", FieldValue::optional(self.jwks.as_ref())),
            ("jwks_uri", FieldValue::optional(self.jwks_uri.as_ref())),
            ("subject_type", FieldValue::text(self.subject_type)),
            ("id_token_alg", FieldValue::optional(self.id_token_alg)),
            ("consent", FieldValue::text(self.consent)),
            ("require_pushed", FieldValue::Switch(self.require_pushed)),
            ("dpop_bound", FieldValue::Switch(self.dpop_bound)),
            (
                "backchannel_logout_uri",
                FieldValue::optional(self.backchannel_logout_uri.as_ref()),
            ),
            ("status", FieldValue::text(self.status)),
        ]
    }

    /// The one host that all of its redirect URIs have, if they have one (OpenID Connect Core section 8.1).
    pub fn sector(&self) -> Option<&str> {
        let mut hosts = self.redirect_uris.iter().map(RedirectUri::host);
        let first = hosts.next()?;
        hosts.all(|host| host == first).then_some(first)
    }

    /// All that is wrong with it for a client of this type, apart from roles that are not defined.
    pub fn faults(&self, kind: ClientType) -> Vec<FieldError> {
        let mut faults = self.excess();
        if kind == ClientType::Public {
            faults.extend(self.faults_of_public());
        }
        if self.grants.contains(&Grant::AuthorizationCode) && self.redirect_uris.is_empty() {
            let problem = Problem::new(
                "redirect_uri_required",
                "The grant authorization_code needs a redirect URI.",
            );
            faults.push(problem.at("/redirectUris"));
        }
        faults.extend(self.proof_faults(kind));
        if self.subject_type == SubjectType::Pairwise
            && !self.redirect_uris.is_empty()
            && self.sector().is_none()
        {
            let problem = Problem::new(
                "sector_ambiguous",
                "A client with pairwise subjects has redirect URIs of one host.",
            );
            faults.push(problem.at("/subjectType"));
        }
        if self.id_token_alg.is_some_and(Algorithm::is_symmetric) {
            let problem = Problem::new(
                "id_token_alg_symmetric",
                "An ID token is signed with a key whose public half the client can have: not with HS256.",
            );
            faults.push(problem.at("/idTokenAlg"));
        }
        faults
    }

    /// What only one that can prove who it is may have.
    fn faults_of_public(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let alone = [Grant::ClientCredentials, Grant::TokenExchange];
        if alone.iter().any(|grant| self.grants.contains(grant)) {
            let problem = Problem::new(
                "grant_needs_secret",
                "Only a confidential client can act for itself or exchange tokens: a public one cannot prove who it is.",
            );
            faults.push(problem.at("/grants"));
        }
        if !self.roles.is_empty() {
            let problem = Problem::new(
                "roles_need_secret",
                "Only a confidential client has roles of its own: a public one cannot prove who it is.",
            );
            faults.push(problem.at("/roles"));
        }
        faults
    }

    /// What is wrong with how it proves who it is.
    fn proof_faults(&self, kind: ClientType) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let is_public = kind == ClientType::Public;
        if is_public && self.auth_method != AuthMethod::None {
            let problem = Problem::new(
                "auth_method_needs_secret",
                "A public client cannot prove who it is: its method is none.",
            );
            faults.push(problem.at("/authMethod"));
        }
        if !is_public && self.auth_method == AuthMethod::None {
            let problem = Problem::new(
                "auth_method_required",
                "A confidential client proves who it is: with client_secret_basic, client_secret_post or private_key_jwt.",
            );
            faults.push(problem.at("/authMethod"));
        }
        let keys = (self.jwks.is_some(), self.jwks_uri.is_some());
        if self.auth_method == AuthMethod::PrivateKeyJwt && keys == (false, false) {
            let sentence = "The method private_key_jwt needs public keys, or where they are.";
            faults.push(Problem::new("keys_required", sentence).at("/jwks"));
        }
        if keys == (true, true) {
            let sentence =
                "The keys of a client are kept here or there, not both (RFC 7591 section 2).";
            faults.push(Problem::new("keys_twice", sentence).at("/jwksUri"));
        }
        faults
    }

    fn excess(&self) -> Vec<FieldError> {
        let lengths = [
            (self.redirect_uris.len(), MOST_ENTRIES, "/redirectUris"),
            (
                self.post_logout_redirect_uris.len(),
                MOST_ENTRIES,
                "/postLogoutRedirectUris",
            ),
            (self.origins.len(), MOST_ENTRIES, "/origins"),
            (self.scopes.len(), MOST_SCOPES, "/scopes"),
            (self.roles.as_slice().len(), MOST_ENTRIES, "/roles"),
            (self.resources.len(), MOST_ENTRIES, "/resources"),
        ];
        let excessive = lengths.iter().filter(|(length, most, _)| length > most);
        excessive
            .map(|(_, most, pointer)| {
                let sentence = format!("There are too many of these: {most} are the most.");
                Problem::new("too_many", sentence).at(*pointer)
            })
            .collect()
    }
}
