//! What the OpenAPI document says of forms that [`Parameters`](symbolon_domain::oauth::Parameters) reads, and of answers that
//! flows write.
#![expect(
    dead_code,
    reason = "the document is made of the types; values of them are not"
)]

use serde_json::Value;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::reply::OAuthBody;

/// What clients are told that get nothing.
#[derive(IntoResponses)]
pub(super) enum ClientFaults {
    /// What is wrong with the request (RFC 6749 section 5.2)
    #[response(status = 400)]
    Request(OAuthBody<'static>),
    /// `invalid_client`
    #[response(status = 401)]
    Client(OAuthBody<'static>),
    /// `invalid_request`: the body is too long
    #[response(status = 413)]
    Length(OAuthBody<'static>),
    /// `temporarily_unavailable`: too many attempts
    #[response(status = 429)]
    Attempts(OAuthBody<'static>),
    /// `temporarily_unavailable`
    #[response(status = 503)]
    Busy(OAuthBody<'static>),
}

/// What people are shown who get no further.
#[derive(IntoResponses)]
pub(super) enum PageFaults {
    /// A page for the person: what is wrong
    #[response(status = 400, content_type = "text/html")]
    Request(String),
    /// A page for the person
    #[response(status = 413, content_type = "text/html")]
    Length(String),
    /// A page for the person: too many attempts
    #[response(status = 429, content_type = "text/html")]
    Attempts(String),
    /// A page for the person
    #[response(status = 503, content_type = "text/html")]
    Busy(String),
}

/// What an access token is answered with at userinfo.
#[derive(IntoResponses)]
pub(super) enum UserinfoAnswers {
    /// OpenID Connect Core 1.0 section 5.3.2
    #[response(status = 200)]
    Claims(UserinfoBody),
    /// `invalid_request`
    #[response(status = 400)]
    Request(OAuthBody<'static>),
    /// `invalid_token`
    #[response(status = 401)]
    Token(OAuthBody<'static>),
    /// `insufficient_scope`
    #[response(status = 403)]
    Scope(OAuthBody<'static>),
    /// `temporarily_unavailable`
    #[response(status = 503)]
    Busy(OAuthBody<'static>),
}

/// How a client says who it is, where it does so in the body (RFC 6749 section 2.3.1; RFC 7521 section 4.2).
#[derive(ToSchema)]
pub(super) struct ClientForm {
    #[schema(required = false, example = "shop")]
    client_id: String,
    /// Of a client that registered `client_secret_post`.
    #[schema(required = false)]
    client_secret: String,
    /// A JWT, of one that registered `private_key_jwt`.
    #[schema(required = false)]
    client_assertion: String,
    #[schema(
        required = false,
        example = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    )]
    client_assertion_type: String,
}

/// A token request (RFC 6749 section 4; RFC 8628 section 3.4; RFC 8693 section 2.1).
#[derive(ToSchema)]
pub(super) struct TokenForm {
    #[schema(required = false, example = "authorization_code")]
    grant_type: String,
    /// Of `authorization_code`.
    #[schema(required = false)]
    code: String,
    /// Of `authorization_code`: as the authorization request had it.
    #[schema(required = false)]
    redirect_uri: String,
    /// Of `authorization_code` (RFC 7636).
    #[schema(
        required = false,
        example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )]
    code_verifier: String,
    /// Of `refresh_token`.
    #[schema(required = false)]
    refresh_token: String,
    /// Of the device grant.
    #[schema(required = false)]
    device_code: String,
    /// Of token exchange (RFC 8693 section 2.1): whose token the new one is made of.
    #[schema(required = false)]
    subject_token: String,
    #[schema(
        required = false,
        example = "urn:ietf:params:oauth:token-type:access_token"
    )]
    subject_token_type: String,
    /// Of token exchange: who is to act for them.
    #[schema(required = false)]
    actor_token: String,
    #[schema(
        required = false,
        example = "urn:ietf:params:oauth:token-type:access_token"
    )]
    actor_token_type: String,
    /// Separated by spaces.
    #[schema(required = false, example = "openid")]
    scope: String,
    /// Which API the token is for (RFC 8707).
    #[schema(required = false)]
    resource: String,
    /// Of token exchange: the same as `resource`.
    #[schema(required = false)]
    audience: String,
    #[serde(flatten)]
    client: ClientForm,
}

/// A token that something is asked or done about (RFC 7662 section 2.1; RFC 7009 section 2.1).
#[derive(ToSchema)]
pub(super) struct AboutToken {
    /// An access token or a refresh token.
    #[schema(required)]
    token: String,
    /// What it may be; it is found without.
    #[schema(required = false, example = "refresh_token")]
    token_type_hint: String,
    #[serde(flatten)]
    client: ClientForm,
}

/// An authorization request (OAuth 2.1 section 4.1.1; OpenID Connect Core 1.0 section 3.1.2.1).
#[derive(ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuthorizationForm {
    /// The client.
    #[schema(required, example = "shop")]
    #[param(required, example = "shop")]
    client_id: String,
    /// `code`
    #[schema(required = false, example = "code")]
    #[param(required = false)]
    response_type: String,
    /// Where the answer goes, byte for byte as it is registered.
    #[schema(required = false, example = "https://shop.example.com/callback")]
    #[param(required = false)]
    redirect_uri: String,
    /// Separated by spaces.
    #[schema(required = false, example = "openid profile")]
    #[param(required = false)]
    scope: String,
    /// Handed back as it came.
    #[schema(required = false)]
    #[param(required = false)]
    state: String,
    /// Handed on in the ID token.
    #[schema(required = false)]
    #[param(required = false)]
    nonce: String,
    /// SHA-256 of the verifier, in base64url (RFC 7636 section 4.2).
    #[schema(
        required = false,
        example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )]
    #[param(required = false)]
    code_challenge: String,
    /// `S256`
    #[schema(required = false, example = "S256")]
    #[param(required = false)]
    code_challenge_method: String,
    /// `query` or `form_post`
    #[schema(required = false, example = "query")]
    #[param(required = false)]
    response_mode: String,
    /// `none`, or some of `login`, `consent` and `select_account`
    #[schema(required = false, example = "login")]
    #[param(required = false)]
    prompt: String,
    /// How long ago the person may have signed in, in seconds.
    #[schema(required = false, example = "3600")]
    #[param(required = false)]
    max_age: String,
    /// Who is expected to sign in.
    #[schema(required = false)]
    #[param(required = false)]
    login_hint: String,
    /// An ID token that the client got here: whom it expects to be signed in.
    #[schema(required = false)]
    #[param(required = false)]
    id_token_hint: String,
    /// How the person should sign in, the best first.
    #[schema(required = false, example = "1")]
    #[param(required = false)]
    acr_values: String,
    /// The languages of the pages, the best first.
    #[schema(required = false, example = "de en")]
    #[param(required = false)]
    ui_locales: String,
    /// The claims that are asked for, in JSON (OpenID Connect Core 1.0 section 5.5).
    #[schema(required = false)]
    #[param(required = false)]
    claims: String,
    /// Which API the tokens are for (RFC 8707).
    #[schema(required = false)]
    #[param(required = false)]
    resource: String,
    /// The thumbprint of the key that the code is bound to (RFC 9449 section 10).
    #[schema(required = false)]
    #[param(required = false)]
    dpop_jkt: String,
    /// The name of a request that was pushed (RFC 9126).
    #[schema(required = false)]
    #[param(required = false)]
    request_uri: String,
}

/// What a client pushes: an authorization request, and who it is (RFC 9126 section 2.1).
#[derive(ToSchema)]
pub(super) struct PushedForm {
    #[serde(flatten)]
    request: AuthorizationForm,
    /// Of a client that registered `client_secret_post`.
    #[schema(required = false)]
    client_secret: String,
    /// A JWT, of one that registered `private_key_jwt`.
    #[schema(required = false)]
    client_assertion: String,
    #[schema(required = false)]
    client_assertion_type: String,
}

/// A device begins (RFC 8628 section 3.1).
#[derive(ToSchema)]
pub(super) struct DeviceForm {
    /// Separated by spaces.
    #[schema(required = false, example = "openid")]
    scope: String,
    /// Which API the tokens are for (RFC 8707).
    #[schema(required = false)]
    resource: String,
    #[serde(flatten)]
    client: ClientForm,
}

/// A client asks for a sign-out (OpenID Connect RP-Initiated Logout 1.0 section 2).
#[derive(ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogoutForm {
    /// An ID token that the client has got, of whatever age.
    #[schema(required = false)]
    #[param(required = false)]
    id_token_hint: String,
    /// The client, where there is no hint.
    #[schema(required = false, example = "shop")]
    #[param(required = false)]
    client_id: String,
    /// Where the browser goes then, as it is registered.
    #[schema(required = false, example = "https://shop.example.com/goodbye")]
    #[param(required = false)]
    post_logout_redirect_uri: String,
    /// Handed back as it came.
    #[schema(required = false)]
    #[param(required = false)]
    state: String,
}

/// A request that is kept (RFC 9126 section 2.2).
#[derive(ToSchema)]
pub(super) struct PushedBody {
    #[schema(example = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c")]
    request_uri: String,
    /// Seconds.
    expires_in: u64,
}

/// A device that waits (RFC 8628 section 3.2).
#[derive(ToSchema)]
pub(super) struct DeviceBody {
    device_code: String,
    /// What the person types.
    #[schema(example = "WDJB-MJHT")]
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    expires_in: u64,
    /// Seconds between two questions.
    interval: u64,
}

/// What is known of a token (RFC 7662 section 2.2); of one that is not alive nothing but that.
#[derive(ToSchema)]
pub(super) struct IntrospectionBody {
    active: bool,
    scope: Option<String>,
    client_id: Option<String>,
    /// `Bearer` or `DPoP`
    token_type: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
    sub: Option<String>,
    /// One audience, or a list.
    aud: Option<Value>,
    iss: Option<String>,
    jti: Option<String>,
    sid: Option<String>,
    /// The key that it is bound to (RFC 9449 section 6.2).
    cnf: Option<Value>,
    roles: Option<Vec<String>>,
    /// When the person signed in, in seconds since 1970 (RFC 9470 section 6.2).
    auth_time: Option<i64>,
    /// How they signed in.
    acr: Option<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    act: Option<Value>,
}

/// What is told of a person (OpenID Connect Core 1.0 section 5.3.2), by what they agreed to.
#[derive(ToSchema)]
pub(in crate::http) struct UserinfoBody {
    sub: String,
    name: Option<String>,
    preferred_username: Option<String>,
    /// Seconds since 1970.
    updated_at: Option<i64>,
    email: Option<String>,
    email_verified: Option<bool>,
    roles: Option<Vec<String>>,
}
