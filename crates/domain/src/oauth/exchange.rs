use super::{ErrorCode, OAuthError, OFFLINE_ACCESS, Parameters, Scopes, targets_of};
use crate::{Client, Resource, Scope, Timestamp};

/// Actors of one token at most: who hands tokens on in a circle comes to an end.
pub const MOST_ACTORS: usize = symbolon_token::Actor::MOST;
/// `issued_token_type` of every exchange, and the `requested_token_type` that there is (RFC 8693 section 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The other name of an access token of ours: it is a JWT (RFC 8693 section 3).
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The tokens that an exchange brings (RFC 8693 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRequest<'a> {
    /// `subject_token`: on whose behalf.
    pub subject_token: &'a str,
    /// `actor_token`: who is to act; the client itself where there is none.
    pub actor_token: Option<&'a str>,
}

impl<'a> ExchangeRequest<'a> {
    /// Reads the parameters of RFC 8693 section 2.1, save `scope`, `resource` and `audience`, which [`exchange`] judges.
    ///
    /// # Errors
    /// `invalid_request` for what is missing, and for types of tokens that are neither given nor taken.
    pub fn read(parameters: &'a Parameters) -> Result<Self, OAuthError> {
        let subject_token = parameters.required("subject_token")?;
        must_be_ours("subject_token_type", parameters)?;
        let actor_token = parameters.get("actor_token");
        if actor_token.is_some() {
            must_be_ours("actor_token_type", parameters)?;
        } else if parameters.get("actor_token_type").is_some() {
            let sentence = "The parameter actor_token_type comes with an actor_token.";
            return Err(OAuthError::invalid_request(sentence));
        }
        match parameters.get("requested_token_type") {
            None | Some(ACCESS_TOKEN_TYPE) => Ok(Self {
                subject_token,
                actor_token,
            }),
            Some(_) => Err(OAuthError::invalid_request(
                "The parameter requested_token_type is that of access tokens: others are not given.",
            )),
        }
    }
}

fn must_be_ours(name: &'static str, parameters: &Parameters) -> Result<(), OAuthError> {
    match parameters.required(name)? {
        ACCESS_TOKEN_TYPE | JWT_TYPE => Ok(()),
        _ => Err(OAuthError::invalid_request(format!(
            "The parameter {name} is that of access tokens, or of JWTs: others are not taken."
        ))),
    }
}

/// What a token that was checked says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `client_id`
    pub issued_to: &'a str,
    /// `scope`
    pub scope: &'a str,
    /// `aud`
    pub audience: Vec<&'a str>,
    /// `exp`
    pub expires_at: Timestamp,
    /// Who acts already, who acts now first (RFC 8693 section 4.1).
    pub actors: Vec<&'a str>,
}

/// Whether a token is this client's business: it was given to it, or is for a resource of it (RFC 7662 section 4).
pub fn concerns<'a>(
    client: &Client,
    issued_to: &str,
    mut audience: impl Iterator<Item = &'a str>,
) -> bool {
    issued_to == client.id.as_str() || audience.any(|one| lists(client, one))
}

fn lists(client: &Client, audience: &str) -> bool {
    let mut own = client.definition.resources.iter();
    own.any(|resource| resource.as_str() == audience)
}

/// What an exchange gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `scope`
    pub scopes: Scopes,
    /// `aud`
    pub targets: Vec<Resource>,
    /// `exp`
    pub expires_at: Timestamp,
    /// `act`, who acts now first.
    pub actors: Vec<String>,
}

/// What a client gets for a token that [`concerns`] it. `actor` is who is to act, and until when.
///
/// 1. `scope` is within what the token has and within what the client may ask for (RFC 8693 section 2.1); without it, both
///    have it. A token to go on with is not given, so `offline_access` is never among them.
/// 2. `resource` and `audience` are resources of the client (section 2.2.2). Without them it is for whom the token was, as
///    far as that concerns the client.
/// 3. The actor stands before those who acted already (section 4.1).
/// 4. It ends no later than the token, and than the token of the actor.
///
/// # Errors
/// `invalid_scope`, `invalid_target`; `invalid_request` where too many have handed it on.
pub fn exchange(
    client: &Client,
    parameters: &Parameters,
    subject: &Subject<'_>,
    actor: (&str, Timestamp),
) -> Result<Exchange, OAuthError> {
    let scopes = narrowed(client, parameters, subject.scope)?;
    let mut targets = named(client, parameters)?;
    if targets.is_empty() {
        targets = inherited(client, subject)?;
    }
    if subject.actors.len() >= MOST_ACTORS {
        let sentence = "The subject_token was handed on too often.";
        return Err(OAuthError::invalid_request(sentence));
    }
    let before = subject.actors.iter().copied();
    Ok(Exchange {
        scopes,
        targets,
        expires_at: subject.expires_at.min(actor.1),
        actors: std::iter::once(actor.0)
            .chain(before)
            .map(str::to_owned)
            .collect(),
    })
}

/// Step 1.
fn narrowed(client: &Client, parameters: &Parameters, held: &str) -> Result<Scopes, OAuthError> {
    let is_out = |scope: &Scope| {
        let is_held = held.split(' ').any(|one| one == scope.as_str());
        !is_held || scope.as_str() == OFFLINE_ACCESS
    };
    let both = Scopes::from(client.definition.scopes.clone()).without(is_out);
    let Some(text) = parameters.get("scope") else {
        return Ok(both);
    };
    let wanted = Scopes::parse(text)?;
    if !both.cover(&wanted) {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "The client may not ask for all of these scopes, or the subject_token does not have them.",
        ));
    }
    Ok(wanted)
}

/// Step 2: both say for what the token is, the one as a URI, the other by whichever name (RFC 8693 section 2.1).
fn named(client: &Client, parameters: &Parameters) -> Result<Vec<Resource>, OAuthError> {
    let mut targets = targets_of(client, parameters)?;
    for text in parameters.audiences() {
        let own = client.definition.resources.iter();
        let target = own.clone().find(|one| one.as_str() == text);
        let target = target.ok_or_else(|| {
            let sentence = "The client may not ask for tokens for one of these audiences.";
            OAuthError::new(ErrorCode::InvalidTarget, sentence)
        })?;
        if !targets.contains(target) {
            targets.push(target.clone());
        }
    }
    Ok(targets)
}

/// Step 2, where nothing is named.
fn inherited(client: &Client, subject: &Subject<'_>) -> Result<Vec<Resource>, OAuthError> {
    let own = subject.issued_to == client.id.as_str();
    let audience = subject.audience.iter();
    let kept = audience.filter(|one| own || lists(client, one));
    let targets: Vec<_> = kept.filter_map(|one| Resource::parse(one).ok()).collect();
    if targets.is_empty() {
        let sentence = "It does not follow from the subject_token what the new one is for: name it by resource or audience.";
        return Err(OAuthError::new(ErrorCode::InvalidTarget, sentence));
    }
    Ok(targets)
}
