//! Where the parts of a provider are: discovered (OpenID Connect Discovery 1.0 section 4) and kept for a while, or written
//! down by the owner.

use std::sync::Arc;

use serde::Deserialize;
use symbolon_domain::EndpointUri;

use super::NotLanded;
use crate::app::App;
use crate::config::{UpstreamConfig, UpstreamKind};

/// Longest document, in bytes.
const MOST: usize = 64 * 1024;

/// A provider.
#[derive(Debug)]
pub struct Provider {
    pub(super) authorization: String,
    pub(super) token: String,
    /// Of OpenID Connect alone.
    pub(super) keys: Option<String>,
    /// Whether the secret goes into the body: it is not taken elsewhere.
    pub(super) secret_in_body: bool,
    /// Whether its answers say whose they are (RFC 9207 section 3).
    pub(super) tells_issuer: bool,
}

/// As much of the document as is used.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// Where a provider's parts are.
pub(super) async fn of(app: &App, config: &UpstreamConfig) -> Result<Arc<Provider>, NotLanded> {
    if let UpstreamKind::Profile(profile) = &config.kind {
        return Ok(Arc::new(Provider {
            authorization: profile.authorization.to_string(),
            token: profile.token.to_string(),
            keys: None,
            secret_in_body: true,
            tells_issuer: false,
        }));
    }
    let now = app.clock.now();
    if let Some((provider, _)) = app.providers.find(&config.issuer, now) {
        return Ok(provider);
    }
    // Section 4.1: a slash at the end is taken away before the path is put behind.
    let base = config.issuer.trim_end_matches('/');
    let url = format!("{base}/.well-known/openid-configuration");
    let answer = app.outbound.fetch(&url, MOST).await?;
    if answer.status >= 500 {
        return Err(NotLanded::Unreachable);
    }
    let provider = match answer.status {
        200 => read(&answer.body, &config.issuer),
        _ => None,
    };
    let untrusted = NotLanded::Untrusted("its metadata are none");
    let provider = provider.ok_or(untrusted)?;
    Ok(app
        .providers
        .keep(&config.issuer, provider, answer.max_age, now))
}

fn read(body: &[u8], issuer: &str) -> Option<Provider> {
    let metadata: Metadata = serde_json::from_slice(body).ok()?;
    // Section 4.3: exactly the one that was asked.
    if metadata.issuer != issuer {
        return None;
    }
    let endpoint = |text: String| EndpointUri::parse(&text).map(|_| text).ok();
    // Basic is what is taken where nothing is said (section 3).
    let methods = metadata.token_endpoint_auth_methods_supported;
    let takes = |method: &str| {
        let methods = methods.as_ref();
        methods.is_some_and(|methods| methods.iter().any(|one| one == method))
    };
    Some(Provider {
        secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        authorization: endpoint(metadata.authorization_endpoint)?,
        token: endpoint(metadata.token_endpoint)?,
        keys: Some(endpoint(metadata.jwks_uri)?),
        tells_issuer: metadata
            .authorization_response_iss_parameter_supported
            .unwrap_or_default(),
    })
}
