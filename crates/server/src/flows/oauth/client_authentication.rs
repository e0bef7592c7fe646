//! Which client asks (RFC 6749 section 2.3; OAuth 2.1 section 2.4).
//!
//! 1. One method only: `Authorization: Basic`, `client_secret` in the body, `client_assertion` (RFC 7523 section 2.2), or
//!    nothing but `client_id`.
//! 2. The client is looked up. Unknown, disabled and unproven are the same answer, after the same comparison.
//! 3. A public client shows nothing; a confidential one proves who it is in the way it registered, and in no other.
//! 4. An assertion is good once: its id is kept until it has expired.

use std::sync::Arc;

use symbolon_domain::oauth::{OAuthError, Parameters};
use symbolon_domain::{AuthMethod, Client, ClientId, ClientStatus, Timestamp};
use symbolon_token::assertion::{ALGORITHMS, ClientAssertion, Expected, LEEWAY};

use super::Failed;
use super::secret_text::sha256;
use crate::app::App;
use crate::flows::clients::{Wanted, proves, public_keys, resolve};
use crate::flows::{Error, Origin, lost_race};

/// `client_assertion_type` (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a request shows of its client.
pub struct Credentials<'a> {
    /// The id and the secret of `Authorization: Basic`, decoded (RFC 6749 section 2.3.1).
    pub basic: Option<(&'a str, &'a str)>,
    /// The parameters of the body.
    pub parameters: &'a Parameters,
}

/// What is shown, in one way.
enum Shown<'a> {
    Nothing,
    Basic(&'a str),
    Post(&'a str),
    Assertion(&'a str),
}

/// The client that a request comes from.
///
/// # Errors
/// `invalid_request` for two methods or none; `invalid_client`; a fault.
pub async fn authenticate(
    app: &App,
    credentials: &Credentials<'_>,
    origin: &Origin,
) -> Result<Arc<Client>, Failed> {
    let (id, shown) = read(credentials)?;
    let client = match ClientId::parse(&id) {
        Ok(id) => resolve(app, &id, origin).await?,
        Err(_) => None,
    };
    let client = client.filter(|client| client.definition.status == ClientStatus::Active);
    let method = client.as_ref().map(|client| client.definition.auth_method);
    let proven = match (shown, &client) {
        (Shown::Nothing, _) => method == Some(AuthMethod::None),
        (Shown::Basic(secret), Some(client)) => {
            proves(client, secret) && method == Some(AuthMethod::ClientSecretBasic)
        }
        (Shown::Post(secret), Some(client)) => {
            proves(client, secret) && method == Some(AuthMethod::ClientSecretPost)
        }
        (Shown::Assertion(text), Some(client)) if method == Some(AuthMethod::PrivateKeyJwt) => {
            is_good(app, client, text, origin).await?
        }
        (Shown::Assertion(_), _) => false,
        // The comparison is done all the same.
        (Shown::Basic(secret) | Shown::Post(secret), None) => {
            sha256(secret.as_bytes()).as_bytes() == &[0; 32]
        }
    };
    let client = client.filter(|_| proven);
    client.ok_or_else(|| OAuthError::invalid_client().into())
}

/// Step 1.
fn read<'a>(credentials: &'a Credentials<'a>) -> Result<(String, Shown<'a>), OAuthError> {
    let parameters = credentials.parameters;
    let named = parameters.get("client_id");
    let assertion = parameters.get("client_assertion");
    let ways = [
        credentials.basic.is_some(),
        parameters.get("client_secret").is_some(),
        assertion.is_some(),
    ];
    if ways.iter().filter(|way| **way).count() > 1 {
        let sentence = "The client shows who it is in more than one way.";
        return Err(OAuthError::invalid_request(sentence));
    }
    let (id, shown) = if let Some((id, secret)) = credentials.basic {
        (id.to_owned(), Shown::Basic(secret))
    } else if let Some(text) = assertion {
        if parameters.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            let sentence = "The parameter client_assertion_type is that of RFC 7523.";
            return Err(OAuthError::invalid_request(sentence));
        }
        let id = ClientAssertion::claimed_client_id(text);
        let id = id.map_err(|_| OAuthError::invalid_client())?;
        (id, Shown::Assertion(text))
    } else {
        let shown = parameters.get("client_secret");
        let id = named.ok_or_else(OAuthError::invalid_client)?;
        (id.to_owned(), shown.map_or(Shown::Nothing, Shown::Post))
    };
    match named.is_some_and(|named| named != id) {
        true => {
            let sentence = "The parameter client_id names another client.";
            Err(OAuthError::invalid_request(sentence))
        }
        false => Ok((id, shown)),
    }
}

/// Step 4.
async fn is_good(app: &App, client: &Client, text: &str, origin: &Origin) -> Result<bool, Error> {
    let now = app.clock.now();
    let expected = Expected {
        client_id: client.id.as_str(),
        issuer: &app.issuance()?.issuer,
        algorithms: &ALGORITHMS,
        now_seconds: now.seconds(),
    };
    let mut wanted = Wanted::Known;
    let assertion = loop {
        let Some(keys) = public_keys(app, client, wanted, origin).await? else {
            return Ok(false);
        };
        match (ClientAssertion::verify(text, &keys, &expected), wanted) {
            (Ok(assertion), _) => break assertion,
            (Err(symbolon_token::Error::UnknownKey), Wanted::Known) => wanted = Wanted::Newer,
            (Err(_), _) => return Ok(false),
        }
    };
    let name = format!("assertion\0{}\0{}", client.id, assertion.jti);
    let until = Timestamp::from_millis((assertion.exp + LEEWAY + 1) * 1000);
    let mut batch = app.store.batch();
    batch.insert_replay(sha256(name.as_bytes()), until);
    let kept = batch.commit().await;
    if lost_race(&kept) {
        return Ok(false);
    }
    kept?;
    Ok(true)
}
