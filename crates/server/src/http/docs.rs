//! The API's own description: OpenAPI 3.1, and Swagger UI from files in this binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use symbolon_domain::Refusal;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as OpenApiDocument, RefOr};
use utoipa::{Modify, OpenApi};

use super::oauth::{OAuthBody, UserinfoBody};
use super::problem::Failure;
use crate::app::App;

/// What the document says beside the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Symbolon",
        description = "Sign-in and tokens. Errors are `application/problem+json` (RFC 9457) with a stable `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "sign-in", description = "Register, sign in, refresh, sign out"),
        (name = "account", description = "The signed-in user"),
        (name = "administration", description = "By permission: who may what, and what goes on"),
        (name = "oauth", description = "OAuth 2.1 and OpenID Connect"),
        (name = "discovery", description = "Keys, and where things are"),
        (name = "guards", description = "What resources follow and proxies ask"),
        (name = "operations", description = "Health and metrics")
    ),
    // What only enums of answers name is not found by itself.
    components(schemas(OAuthBody, UserinfoBody)),
    modifiers(&Schemes)
)]
pub(super) struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApiDocument) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let cookie = ApiKey::Cookie(ApiKeyValue::new("refreshToken"));
        let components = document.components.get_or_insert_with(Default::default);
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
        components.add_security_scheme("clientSecret", SecurityScheme::Http(basic));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("refreshCookie", SecurityScheme::ApiKey(cookie));
    }
}

/// Gives problems their media type (RFC 9457 section 3): here for all, so that no operation can forget it.
pub(super) fn name_problems(document: &mut OpenApiDocument) {
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if let (true, RefOr::T(response)) = (status.as_str() >= "400", response) {
                    let content = std::mem::take(&mut response.content);
                    let named = content.into_iter().map(|(kind, content)| {
                        let kind = match is_problem(&content) {
                            true => "application/problem+json".to_owned(),
                            false => kind,
                        };
                        (kind, content)
                    });
                    response.content = named.collect();
                }
            }
        }
    }
}

/// Errors of OAuth have a body of their own.
fn is_problem(content: &RefOr<Content>) -> bool {
    match content {
        RefOr::T(Content {
            schema: Some(RefOr::Ref(schema)),
            ..
        }) => schema.ref_location.ends_with("/Problem"),
        _ => false,
    }
}

/// What Swagger UI needs: its own files, its inline styles, its pictures as data URLs, and our API.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The routes of the description.
pub(super) fn routes(document: &OpenApiDocument) -> Router<Arc<App>> {
    let json: Arc<str> = document.to_json().unwrap_or_default().into();
    Router::new()
        .route(
            "/api/openapi.json",
            get(move || async move { asset("application/json", json.to_string().into_bytes()) }),
        )
        .route(
            "/api/docs",
            get(|| async {
                asset(
                    HTML,
                    include_bytes!("../../assets/swagger/index.html").to_vec(),
                )
            }),
        )
        .route("/api/docs/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Response {
    let (kind, bytes): (_, &'static [u8]) = match name.as_str() {
        "swagger-ui-bundle.js" => (
            SCRIPT,
            include_bytes!("../../assets/swagger/swagger-ui-bundle.js"),
        ),
        "swagger-ui.css" => (STYLE, include_bytes!("../../assets/swagger/swagger-ui.css")),
        "start.js" => (SCRIPT, include_bytes!("../../assets/swagger/start.js")),
        "page.css" => (STYLE, include_bytes!("../../assets/swagger/page.css")),
        _ => return Failure::from(Refusal::NotFound).into_response(),
    };
    asset(kind, bytes)
}

fn asset(kind: &'static str, bytes: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
