//! Pages: `?limit=&cursor=` in, `{items, nextCursor}` out. What a cursor says is the business of
//! [`crate::flows::page`].

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_domain::Refusal;
use utoipa::ToSchema;

use super::super::super::body::Answer;
use super::parameters::{CURSOR, Parameters};
use crate::app::App;
use crate::flows::Error;
use crate::flows::page::{Bound, Page};

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct PageBody<T> {
    /// The rows.
    items: Vec<T>,
    /// What to ask for the next page with, the other parameters being the same; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Which page of a list is wanted.
pub(in crate::http) struct Paging<'a, P> {
    /// How many rows.
    pub(in crate::http) limit: u32,
    /// Those behind this one.
    pub(in crate::http) after: Option<P>,
    app: &'a App,
    bound: Bound,
}

impl<'a, P: Serialize + DeserializeOwned> Paging<'a, P> {
    /// Reads `limit` and `cursor`; `list` names the list, of which the cursor must be.
    ///
    /// # Errors
    /// `malformed_request` for a cursor that was not made here for this list, filter and order.
    pub(in crate::http) fn of(
        app: &'a App,
        list: &'static str,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        let limit = parameters.limit()?;
        let bound = Bound::to(list, parameters.chosen());
        let after = match parameters.text(CURSOR) {
            Some(cursor) => Some(bound.open(app, cursor)?),
            None => None,
        };
        Ok(Self {
            limit,
            after,
            app,
            bound,
        })
    }

    /// The answer that shows `page`.
    ///
    /// # Errors
    /// A fault.
    pub(in crate::http) fn answer<T, B: Serialize>(
        &self,
        page: &'a Page<T, P>,
        show: impl FnMut(&'a T) -> B,
    ) -> Result<Response, Error> {
        let next = page.next.as_ref();
        let body = PageBody {
            next_cursor: next
                .map(|position| self.bound.seal(self.app, position))
                .transpose()?,
            items: page.items.iter().map(show).collect(),
        };
        Ok(Answer(StatusCode::OK, body).into_response())
    }
}

/// A list that is never long has one page.
///
/// # Errors
/// `malformed_request` for a cursor: there is none to have come from here.
pub(in crate::http) fn only_page<B: Serialize>(
    parameters: &Parameters,
    items: Vec<B>,
) -> Result<Response, Refusal> {
    if parameters.text(CURSOR).is_some() {
        return Err(crate::flows::page::not_ours());
    }
    let body = PageBody {
        items,
        next_cursor: None,
    };
    Ok(Answer(StatusCode::OK, body).into_response())
}
