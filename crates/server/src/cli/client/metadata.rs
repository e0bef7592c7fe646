//! How a client proves who it is and what it wants of tokens, as options.

use std::fs;
use std::str::FromStr;

use clap::Args;
use symbolon_domain::{AuthMethod, ClientDefinition, Problem};

use super::super::{Failed, wrong};
use super::parts::Empty;

/// What is not given stays as it is.
#[derive(Args)]
pub(in crate::cli) struct Metadata {
    /// How it proves who it is: none, client_secret_basic, client_secret_post or private_key_jwt
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,
    /// A file with its public keys: a JWK set
    #[arg(long = "jwks-file", value_name = "PATH")]
    jwks: Option<String>,
    /// Where its public keys are, in the place of a file
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// What `sub` it sees of a person: public or pairwise
    #[arg(long, value_name = "TYPE")]
    subject_type: Option<String>,
    /// What its ID tokens are signed with: ES256, EdDSA, RS256 or PS256
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<String>,
    /// Whether people are asked: ask, or trusted for an app of your own
    #[arg(long, value_name = "POLICY")]
    consent: Option<String>,
    /// Its requests must be pushed first (RFC 9126)
    #[arg(long)]
    require_pushed: bool,
    /// All of its tokens are bound to a key of its own (RFC 9449)
    #[arg(long)]
    dpop_bound: bool,
    /// Where it is told that a session has ended
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
}

impl Metadata {
    pub(super) fn has_keys(&self) -> bool {
        self.auth_method.as_deref() == Some(AuthMethod::PrivateKeyJwt.as_str())
    }

    /// The definition that comes of it.
    pub(super) fn apply(
        &self,
        former: ClientDefinition,
        empty: &[Empty],
    ) -> Result<ClientDefinition, Failed> {
        let is_emptied = |part| empty.contains(&part);
        let jwks = match &self.jwks {
            Some(path) => Some(read(path)?),
            None => None,
        };
        Ok(ClientDefinition {
            auth_method: word(
                &self.auth_method,
                former.auth_method,
                "none, client_secret_basic, client_secret_post and private_key_jwt",
            )?,
            jwks: optional(&jwks, is_emptied(Empty::Jwks), former.jwks)?,
            jwks_uri: optional(&self.jwks_uri, is_emptied(Empty::JwksUri), former.jwks_uri)?,
            subject_type: word(
                &self.subject_type,
                former.subject_type,
                "public and pairwise",
            )?,
            id_token_alg: match (&self.id_token_alg, is_emptied(Empty::IdTokenAlg)) {
                (None, true) => None,
                (None, false) => former.id_token_alg,
                (Some(text), _) => Some(known(text, "ES256, EdDSA, RS256 and PS256")?),
            },
            consent: word(&self.consent, former.consent, "ask and trusted")?,
            require_pushed: self.require_pushed
                || (former.require_pushed && !is_emptied(Empty::RequirePushed)),
            dpop_bound: self.dpop_bound || (former.dpop_bound && !is_emptied(Empty::DpopBound)),
            backchannel_logout_uri: optional(
                &self.backchannel_logout_uri,
                is_emptied(Empty::BackchannelLogoutUri),
                former.backchannel_logout_uri,
            )?,
            ..former
        })
    }
}

fn read(path: &str) -> Result<String, Failed> {
    let unreadable = |error| {
        let sentence = format!("the file {path} cannot be read: {error}");
        Failed::said("cannot_read", sentence)
    };
    fs::read_to_string(path).map_err(unreadable)
}

fn optional<T: FromStr<Err = Problem>>(
    given: &Option<String>,
    is_emptied: bool,
    former: Option<T>,
) -> Result<Option<T>, Failed> {
    match given {
        Some(text) => text.parse().map(Some).map_err(wrong),
        None if is_emptied => Ok(None),
        None => Ok(former),
    }
}

fn word<T: FromStr>(given: &Option<String>, former: T, words: &str) -> Result<T, Failed> {
    given
        .as_deref()
        .map_or(Ok(former), |text| known(text, words))
}

fn known<T: FromStr>(text: &str, words: &str) -> Result<T, Failed> {
    let unknown = |_| wrong(Problem::new("unknown_word", format!("There are {words}.")));
    text.parse().map_err(unknown)
}
