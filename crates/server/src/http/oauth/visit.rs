//! A browser that comes to a page, or sends the form of one.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::HeaderMap;
use symbolon_domain::oauth::Parameters;

use super::super::pages::visitor::is_visit;
use super::browser_cookie as cookie;
use super::form::{of_body, of_query};
use super::pages::View;
use super::reply::Told;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::oauth::Failed;
use crate::flows::oauth::browser::Browser;

/// A visit. What cannot be read is told on a page.
pub(super) struct Visit {
    /// Where it comes from.
    pub(super) origin: Origin,
    /// Its cookies among the rest.
    pub(super) headers: HeaderMap,
    /// Those of the form that is posted, or of the query.
    pub(super) parameters: Parameters,
    /// Who is signed in.
    pub(super) browser: Option<Browser>,
}

impl Visit {
    /// The value of a field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.parameters.get(name).unwrap_or_default()
    }
}

impl FromRequest<Arc<App>> for Visit {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        is_visit(&parts.method)?;
        let Ok(origin) = Origin::from_request_parts(&mut parts, app).await;
        let headers = parts.headers;
        let read = async {
            let parameters = match parts.method.is_safe() {
                true => of_query(&parts.uri)?,
                false => of_body(&headers, body)
                    .await
                    .map_err(|Told(failed)| failed)?,
            };
            Ok::<_, Failed>((parameters, cookie::who(app, &headers).await?))
        };
        match read.await {
            Ok((parameters, browser)) => Ok(Self {
                origin,
                headers,
                parameters,
                browser,
            }),
            Err(failed) => Err(View::new(app, &origin).failed(failed)),
        }
    }
}
