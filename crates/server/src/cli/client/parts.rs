//! What a client is, as options.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use symbolon_domain::{ClientDefinition, DisplayName, Grant, Problem, RoleName, Roles};

use super::super::{Failed, wrong};
use super::metadata::Metadata;

/// What is not given stays as it is.
#[derive(Args)]
pub(in crate::cli) struct Parts {
    /// The name that people see
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where codes go; may be given several times, as may all that follow
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a browser may go after it was signed out
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Whose pages may call the token endpoint
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// How it comes to tokens: authorization_code, refresh_token, client_credentials, device_code or token_exchange
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    /// What it may ask for
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A role of its own, for when it acts for itself
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// An API that it may ask tokens for
    #[arg(long = "resource", value_name = "NAME")]
    resources: Vec<String>,
    #[command(flatten)]
    metadata: Box<Metadata>,
}

impl Parts {
    /// Whether it is to prove who it is without a secret.
    pub(super) fn has_keys(&self) -> bool {
        self.metadata.has_keys()
    }
}

/// What can be taken away from a client: lists, and what it need not have.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Empty {
    RedirectUris,
    PostLogoutRedirectUris,
    Origins,
    Grants,
    Scopes,
    Roles,
    Resources,
    Jwks,
    JwksUri,
    IdTokenAlg,
    RequirePushed,
    DpopBound,
    BackchannelLogoutUri,
}

impl Parts {
    /// The definition that comes of it.
    pub(super) fn apply(
        &self,
        former: ClientDefinition,
        empty: &[Empty],
    ) -> Result<ClientDefinition, Failed> {
        let name = match &self.name {
            Some(name) => DisplayName::parse(name).map_err(wrong)?,
            None => former.name.clone(),
        };
        let grant = |word: &str| {
            let known = word.parse::<Grant>();
            known.map_err(|_| {
                Problem::new(
                    "grant_unknown",
                    "There are authorization_code, refresh_token, client_credentials, device_code and token_exchange.",
                )
            })
        };
        let former = self.metadata.apply(former, empty)?;
        let is_emptied = |list| empty.contains(&list);
        let roles: BTreeSet<RoleName> = former.roles.iter().cloned().collect();
        Ok(ClientDefinition {
            name,
            redirect_uris: set(
                &self.redirect_uris,
                is_emptied(Empty::RedirectUris),
                former.redirect_uris,
            )?,
            post_logout_redirect_uris: set(
                &self.post_logout_redirect_uris,
                is_emptied(Empty::PostLogoutRedirectUris),
                former.post_logout_redirect_uris,
            )?,
            origins: set(&self.origins, is_emptied(Empty::Origins), former.origins)?,
            grants: set_by(
                &self.grants,
                is_emptied(Empty::Grants),
                former.grants,
                grant,
            )?,
            scopes: set(&self.scopes, is_emptied(Empty::Scopes), former.scopes)?,
            roles: Roles::from_iter(set(&self.roles, is_emptied(Empty::Roles), roles)?),
            resources: set(
                &self.resources,
                is_emptied(Empty::Resources),
                former.resources,
            )?,
            ..former
        })
    }
}

fn set<T: FromStr<Err = Problem> + Ord>(
    given: &[String],
    is_emptied: bool,
    former: BTreeSet<T>,
) -> Result<BTreeSet<T>, Failed> {
    set_by(given, is_emptied, former, str::parse)
}

fn set_by<T: Ord>(
    given: &[String],
    is_emptied: bool,
    former: BTreeSet<T>,
    read: impl Fn(&str) -> Result<T, Problem>,
) -> Result<BTreeSet<T>, Failed> {
    if given.is_empty() && !is_emptied {
        return Ok(former);
    }
    let read = given.iter().map(|text| read(text));
    read.collect::<Result<_, _>>().map_err(wrong)
}
