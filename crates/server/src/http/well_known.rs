//! What everybody may know: public keys (RFC 7517 section 5), and where things are (RFC 8414).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use symbolon_domain::oauth::ACR;
use symbolon_domain::{Grant, Refusal};
use symbolon_token::{encoding, feed_key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Failure;
use crate::app::App;
use crate::flows::Error;
use crate::flows::keys::published;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(jwks))
        .routes(routes!(metadata))
        .routes(routes!(openid))
        .routes(routes!(resource))
}

/// The public keys that verify our tokens: a JSON Web Key Set.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "keys", tag = "discovery",
    responses((status = 200, description = "RFC 7517 section 5", body = serde_json::Value, content_type = "application/jwk-set+json"), (status = 304, description = "Not changed since `If-None-Match`")))]
async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    let keys = published(&app)?;
    Ok(tagged(
        &headers,
        keys.json,
        keys.etag,
        "application/jwk-set+json",
    ))
}

/// Where the parts of this server are, and what it supports.
#[derive(Serialize, ToSchema)]
struct Metadata {
    /// The `iss` of every token.
    #[schema(example = "https://login.example.com")]
    issuer: String,
    /// Where a browser is sent.
    authorization_endpoint: String,
    /// Where tokens are given.
    token_endpoint: String,
    /// The public keys.
    jwks_uri: String,
    /// What is known of a person.
    userinfo_endpoint: String,
    /// What is known of a token (RFC 7662).
    introspection_endpoint: String,
    /// Where tokens are revoked (RFC 7009).
    revocation_endpoint: String,
    /// Where requests are pushed (RFC 9126).
    pushed_authorization_request_endpoint: String,
    /// Where devices begin (RFC 8628).
    device_authorization_endpoint: String,
    /// Where clients register themselves (RFC 7591), where that is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    /// Whether the URL of a document is a `client_id` (draft-ietf-oauth-client-id-metadata-document section 5).
    client_id_metadata_document_supported: bool,
    /// Where a browser is sent to be signed out (OpenID Connect RP-Initiated Logout 1.0).
    end_session_endpoint: String,
    /// Clients are told that a session has ended (OpenID Connect Back-Channel Logout 1.0 section 2.1).
    backchannel_logout_supported: bool,
    /// And which one: logout tokens have `sid`.
    backchannel_logout_session_supported: bool,
    /// `code`
    response_types_supported: [&'static str; 1],
    /// How answers travel.
    response_modes_supported: [&'static str; 2],
    /// The grants.
    grant_types_supported: Vec<&'static str>,
    /// How clients show who they are.
    token_endpoint_auth_methods_supported: &'static [&'static str],
    /// The algorithms of their assertions.
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// The algorithms of proofs of possession (RFC 9449).
    dpop_signing_alg_values_supported: [&'static str; 4],
    /// The same.
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    /// The same.
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    /// `S256` (RFC 7636)
    code_challenge_methods_supported: [&'static str; 1],
    /// The scopes of people; a permission such as `orders:read` is one as well.
    scopes_supported: [&'static str; 5],
    /// What is told of a person.
    claims_supported: [&'static str; 15],
    /// The parameter `claims` is heeded.
    claims_parameter_supported: bool,
    /// What `sub` clients see.
    subject_types_supported: [&'static str; 2],
    /// What is told of how somebody signed in.
    acr_values_supported: [&'static str; 1],
    /// What ID tokens are signed with.
    id_token_signing_alg_values_supported: [&'static str; 4],
    /// The values of `prompt`.
    prompt_values_supported: [&'static str; 4],
    /// The languages of the pages.
    ui_locales_supported: [&'static str; 5],
    /// Every answer says who gave it (RFC 9207).
    authorization_response_iss_parameter_supported: bool,
    /// Requests are not signed.
    request_parameter_supported: bool,
    /// Nor fetched from elsewhere.
    request_uri_parameter_supported: bool,
    /// The list of revocations.
    revocation_feed_uri: String,
    /// The stream of revocations.
    revocation_stream_uri: String,
    /// Forward authentication.
    verification_uri: String,
}

const METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];
const PROVEN_METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];
const GRANTS: [Grant; 5] = [
    Grant::AuthorizationCode,
    Grant::RefreshToken,
    Grant::ClientCredentials,
    Grant::DeviceCode,
    Grant::TokenExchange,
];
/// What is told of a person and a sign-in.
const CLAIMS: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "name",
    "preferred_username",
    "updated_at",
    "email",
    "email_verified",
    "roles",
];
/// Of ID tokens, assertions and proofs: none with a secret that both sides know.
const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "RS256", "PS256"];

impl Metadata {
    fn of(app: &App) -> Result<Self, Error> {
        let issuance = app.issuance()?;
        let at = |path: &str| format!("{}{path}", issuance.issuer);
        let open = &app.config.oauth;
        Ok(Self {
            issuer: issuance.issuer.clone(),
            authorization_endpoint: at("/oauth/authorize"),
            token_endpoint: at("/oauth/token"),
            jwks_uri: at("/.well-known/jwks.json"),
            userinfo_endpoint: at("/oauth/userinfo"),
            introspection_endpoint: at("/oauth/introspect"),
            revocation_endpoint: at("/oauth/revoke"),
            pushed_authorization_request_endpoint: at("/oauth/par"),
            device_authorization_endpoint: at("/oauth/device"),
            registration_endpoint: open.registration.then(|| at("/oauth/register")),
            client_id_metadata_document_supported: open.client_documents,
            end_session_endpoint: at("/oauth/logout"),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: GRANTS.map(Grant::grant_type).to_vec(),
            token_endpoint_auth_methods_supported: METHODS,
            token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
            dpop_signing_alg_values_supported: ALGORITHMS,
            introspection_endpoint_auth_methods_supported: PROVEN_METHODS,
            revocation_endpoint_auth_methods_supported: METHODS,
            code_challenge_methods_supported: ["S256"],
            scopes_supported: ["openid", "profile", "email", "roles", "offline_access"],
            claims_supported: CLAIMS,
            claims_parameter_supported: true,
            subject_types_supported: ["public", "pairwise"],
            acr_values_supported: [ACR],
            id_token_signing_alg_values_supported: ALGORITHMS,
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            ui_locales_supported: ["en", "de", "fr", "es", "pl"],
            authorization_response_iss_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            revocation_feed_uri: at("/api/revocations"),
            revocation_stream_uri: at("/api/revocations/stream"),
            verification_uri: at("/api/verify"),
        })
    }
}

/// Where everything is, and what is supported (RFC 8414 section 3).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", operation_id = "metadata", tag = "discovery",
    responses((status = 200, description = "RFC 8414 section 3.2", body = Metadata), (status = 304, description = "Not changed since `If-None-Match`")))]
async fn metadata(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    document(&headers, &Metadata::of(&app)?)
}

/// The same for clients of OpenID Connect (OpenID Connect Discovery 1.0 section 4).
#[utoipa::path(get, path = "/.well-known/openid-configuration", operation_id = "openidConfiguration", tag = "discovery",
    responses((status = 200, description = "OpenID Connect Discovery 1.0 section 4.2", body = Metadata), (status = 304, description = "Not changed since `If-None-Match`")))]
async fn openid(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    document(&headers, &Metadata::of(&app)?)
}

/// Our own API as a resource.
#[derive(Serialize, ToSchema)]
struct ResourceMetadata {
    /// Its name.
    resource: String,
    /// Whose tokens it takes.
    authorization_servers: [String; 1],
    /// Where tokens are looked for.
    bearer_methods_supported: [&'static str; 1],
    /// The public keys.
    jwks_uri: String,
}

/// Which tokens our own API takes (RFC 9728 section 3).
#[utoipa::path(get, path = "/.well-known/oauth-protected-resource", operation_id = "resourceMetadata", tag = "discovery",
    responses((status = 200, description = "RFC 9728 section 3.2", body = ResourceMetadata), (status = 304, description = "Not changed since `If-None-Match`")))]
async fn resource(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    let issuer = &app.issuance()?.issuer;
    let metadata = ResourceMetadata {
        resource: issuer.clone(),
        authorization_servers: [issuer.clone()],
        bearer_methods_supported: ["header"],
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
    };
    document(&headers, &metadata)
}

/// A document with a tag that changes with it.
fn document(headers: &HeaderMap, metadata: &impl Serialize) -> Result<Response, Failure> {
    let json = serde_json::to_string(metadata);
    let json = json.map_err(|error| Error::fault("metadata")(error.into()))?;
    let tag = format!("\"{}\"", encoding::encode(&feed_key("metadata", &json)));
    Ok(tagged(headers, json, tag, "application/json"))
}

fn tagged(headers: &HeaderMap, json: String, etag: String, media_type: &'static str) -> Response {
    let same = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|given| given.as_bytes() == etag.as_bytes());
    let mut response = match same {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => json.into_response(),
    };
    for_everybody(&mut response, media_type);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// The metadata of an issuer with a path: behind the well-known part (RFC 8414 section 3.1), and for clients of OpenID
/// Connect before it as well (OpenID Connect Discovery 1.0 section 4.1). Not in the OpenAPI document: the path is the owner's.
pub(super) fn of_issuer_with_path() -> Router<Arc<App>> {
    let handler = |State(app): State<Arc<App>>, Path(path): Path<String>, headers: HeaderMap| async move {
        let issuer = &app.issuance()?.issuer;
        let own = url::Url::parse(issuer).is_ok_and(|issuer| issuer.path() == format!("/{path}"));
        match own {
            true => document(&headers, &Metadata::of(&app)?),
            false => Err(Failure::from(Refusal::NotFound)),
        }
    };
    Router::new()
        .route(
            "/.well-known/oauth-authorization-server/{*path}",
            get(handler),
        )
        .route("/.well-known/openid-configuration/{*path}", get(handler))
}

/// Pages of other origins may read it, and caches keep it for five minutes.
fn for_everybody(response: &mut Response, media_type: &'static str) {
    let fixed = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "public, max-age=300"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
