use std::collections::BTreeSet;

use super::{ClientOrigin, ClientStatus, ClientType, Grant, RedirectUri, Resource, Scope};
use crate::{DisplayName, FieldError, FieldValue, Problem, Roles};

/// How many secrets a client has at most: the one in use, and the one that replaces it.
pub const MOST_SECRETS: usize = 2;
/// How many entries a list has at most.
const MOST_ENTRIES: usize = 20;
const MOST_SCOPES: usize = 100;

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
    /// Whether it may get tokens.
    pub status: ClientStatus,
}

impl ClientDefinition {
    /// Every field by the name that files have for it.
    pub fn fields(&self) -> [(&'static str, FieldValue); 9] {
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
            ("status", FieldValue::text(self.status)),
        ]
    }

    /// All that is wrong with it for a client of this type, apart from roles that are not defined.
    pub fn faults(&self, kind: ClientType) -> Vec<FieldError> {
        let mut faults = self.excess();
        let is_public = kind == ClientType::Public;
        if is_public && self.grants.contains(&Grant::ClientCredentials) {
            let problem = Problem::new(
                "grant_needs_secret",
                "Only a confidential client can act for itself: a public one cannot prove who it is.",
            );
            faults.push(problem.at("/grants"));
        }
        if is_public && !self.roles.is_empty() {
            let problem = Problem::new(
                "roles_need_secret",
                "Only a confidential client has roles of its own: a public one cannot prove who it is.",
            );
            faults.push(problem.at("/roles"));
        }
        if self.grants.contains(&Grant::AuthorizationCode) && self.redirect_uris.is_empty() {
            let problem = Problem::new(
                "redirect_uri_required",
                "The grant authorization_code needs a redirect URI.",
            );
            faults.push(problem.at("/redirectUris"));
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
