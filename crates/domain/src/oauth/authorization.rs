use super::{
    Asked, Challenge, Destination, ErrorCode, OAuthError, OFFLINE_ACCESS, Parameters, Prompt,
    Scopes,
};
use crate::words::words;
use crate::{Client, Grant, Resource};

/// Longest values that are handed on, in bytes.
const MOST_NONCE: usize = 512;
const MOST_STATE: usize = 4_096;
const MOST_HINT: usize = 320;

words! {
    /// How the answer travels (OAuth 2.0 Multiple Response Type Encoding Practices; OAuth 2.0 Form Post Response Mode).
    pub enum ResponseMode ("response mode") {
        /// In the query of the redirect URI.
        Query => "query",
        /// In a form that the browser posts.
        FormPost => "form_post",
    }
}

/// What an authorization request asks for, once it is known to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub destination: Destination,
    /// How it goes there.
    pub response_mode: ResponseMode,
    /// Handed back as it came.
    pub state: Option<String>,
    /// What for.
    pub scopes: Scopes,
    /// At which APIs.
    pub resources: Vec<Resource>,
    /// What the exchange of the code must prove.
    pub challenge: Challenge,
    /// Handed on in the ID token.
    pub nonce: Option<String>,
    /// What the person is to be asked.
    pub asked: Asked,
    /// Who is expected to sign in, for the form.
    pub login_hint: Option<String>,
    /// An ID token that tells who is expected to be signed in.
    pub id_token_hint: Option<String>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// The parameter `claims` as it came.
    pub claims: Option<String>,
}

/// What a request asks for. The order of checks:
///
/// 1. what is not supported is said first: `request`, `request_uri`, `registration` (OpenID Connect Core sections 6, 7.2.1);
/// 2. `response_type` is `code` (OAuth 2.1 section 4.1.1), `response_mode` is known;
/// 3. `code_challenge` with S256, for every client (RFC 7636 section 4.3; RFC 9700 section 2.1.1);
/// 4. `scope`, `resource` (RFC 8707 section 2);
/// 5. `prompt`, `max_age`, `nonce` and the rest (OpenID Connect Core section 3.1.2.1).
///
/// # Errors
/// The error that the destination is told.
pub fn judge(
    client: &Client,
    destination: Destination,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, OAuthError> {
    for (name, code) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if parameters.get(name).is_some() {
            let sentence = format!("The parameter {name} is not supported.");
            return Err(OAuthError::new(code, sentence));
        }
    }
    must_be_code(parameters)?;
    let response_mode = response_mode(parameters)?;
    let challenge = challenge(parameters)?;
    let scopes = scopes_of(client, parameters)?;
    let resources = targets_of(client, parameters)?;
    Ok(AuthorizationRequest {
        destination,
        response_mode,
        state: bounded(parameters, "state", MOST_STATE)?,
        scopes,
        resources,
        challenge,
        nonce: bounded(parameters, "nonce", MOST_NONCE)?,
        asked: Asked {
            prompt: Prompt::of(parameters)?,
            max_age_s: max_age(parameters)?,
        },
        login_hint: bounded(parameters, "login_hint", MOST_HINT)?,
        id_token_hint: bounded(parameters, "id_token_hint", MOST_STATE)?,
        dpop_jkt: bounded(parameters, "dpop_jkt", 43)?,
        claims: bounded(parameters, "claims", MOST_STATE)?,
    })
}

fn must_be_code(parameters: &Parameters) -> Result<(), OAuthError> {
    match parameters.required("response_type")? {
        "code" => Ok(()),
        _ => Err(OAuthError::new(
            ErrorCode::UnsupportedResponseType,
            "The parameter response_type is code; tokens are never in the answer.",
        )),
    }
}

/// How the answer travels; in the query where nothing is said.
///
/// # Errors
/// `invalid_request` for another word.
pub fn response_mode(parameters: &Parameters) -> Result<ResponseMode, OAuthError> {
    match parameters.get("response_mode") {
        None => Ok(ResponseMode::Query),
        Some(word) => word.parse().map_err(|_| {
            OAuthError::invalid_request("The parameter response_mode is query or form_post.")
        }),
    }
}

fn challenge(parameters: &Parameters) -> Result<Challenge, OAuthError> {
    let challenge = Challenge::parse(parameters.required("code_challenge")?)?;
    match parameters.get("code_challenge_method") {
        Some("S256") => Ok(challenge),
        _ => Err(OAuthError::invalid_request(
            "The parameter code_challenge_method is S256.",
        )),
    }
}

/// The scopes that a request is about: those that it names, each of which the client may ask for, or all that it may ask
/// for, but not to outlive the sign-in.
///
/// # Errors
/// `invalid_scope`.
pub fn scopes_of(client: &Client, parameters: &Parameters) -> Result<Scopes, OAuthError> {
    let allowed = Scopes::from(client.definition.scopes.clone());
    let Some(text) = parameters.get("scope") else {
        let mut all = client.definition.scopes.clone();
        all.retain(|scope| scope.as_str() != OFFLINE_ACCESS);
        return Ok(all.into());
    };
    let scopes = Scopes::parse(text)?;
    if !allowed.cover(&scopes) {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "The client may not ask for all of these scopes.",
        ));
    }
    Ok(scopes)
}

/// The APIs that a request is about: absolute URIs without a fragment (RFC 8707 section 2), each of which the client may
/// ask tokens for.
///
/// # Errors
/// `invalid_target`.
pub fn targets_of(client: &Client, parameters: &Parameters) -> Result<Vec<Resource>, OAuthError> {
    let mut targets = Vec::new();
    for text in parameters.resources() {
        let known = Resource::parse(text)
            .ok()
            .filter(|one| one.is_uri() && client.definition.resources.contains(one));
        let refused = || {
            let sentence = "The client may not ask for tokens for one of these resources, or it is no absolute URI.";
            OAuthError::new(ErrorCode::InvalidTarget, sentence)
        };
        let target = known.ok_or_else(refused)?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

fn max_age(parameters: &Parameters) -> Result<Option<u32>, OAuthError> {
    let Some(text) = parameters.get("max_age") else {
        return Ok(None);
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.map(Some).ok_or_else(|| {
        OAuthError::invalid_request("The parameter max_age is a whole number of seconds.")
    })
}

fn bounded(
    parameters: &Parameters,
    name: &'static str,
    most: usize,
) -> Result<Option<String>, OAuthError> {
    match parameters.get(name) {
        Some(text) if text.len() > most => Err(OAuthError::invalid_request(format!(
            "The parameter {name} is too long."
        ))),
        text => Ok(text.map(str::to_owned)),
    }
}

impl AuthorizationRequest {
    /// Whether a refresh token comes with it.
    pub fn goes_on(&self, client: &Client) -> bool {
        client.definition.grants.contains(&Grant::RefreshToken)
    }
}
