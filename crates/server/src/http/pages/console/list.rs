//! Lists of the console: what a page shows of one, the links to the rest, and the whole of it as a file.
//!
//! 1. What is chosen stands in the query, an empty field of a form being none; the cursor is that of `/api/admin`
//!    ([`crate::flows::page`]), bound to the list and what is chosen.
//! 2. A file has every row that is chosen, as `/api/admin` shows it: JSON, or CSV for spreadsheets, in which nothing is a
//!    formula (OWASP, CSV Injection). It is made a page at a time while it is sent, whatever its length.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use minijinja::{Value, context};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

use super::super::form::Form;
use crate::app::App;
use crate::flows::Error;
use crate::flows::page::{Bound, Page};
use crate::transfer::write::push_field;

/// Rows on a page.
pub(in crate::http) const ROWS: u32 = 50;
/// Rows of a file that are read at once.
const BATCH: u32 = 500;
const CURSOR: &str = "cursor";

/// A list as a page asks for it.
pub(in crate::http) struct Listing<P> {
    /// Those behind this one.
    pub(in crate::http) after: Option<P>,
    app: Arc<App>,
    bound: Bound,
    path: &'static str,
    /// Whether it is another part than the first.
    further: bool,
    chosen: Vec<(&'static str, String)>,
}

impl<P: Serialize + DeserializeOwned> Listing<P> {
    /// The list at `path`, below the issuer, of which the fields `names` of the query choose and order rows.
    ///
    /// # Errors
    /// `malformed_request` for a cursor that was not made here for this.
    pub(in crate::http) fn of(
        app: &Arc<App>,
        path: &'static str,
        names: &[&'static str],
        form: &Form,
    ) -> Result<Self, Error> {
        let chosen: Vec<_> = names
            .iter()
            .filter_map(|name| Some((*name, form.text(name)?)))
            .collect();
        let given = chosen.iter().map(|(name, value)| (*name, value.as_str()));
        let bound = Bound::to(path, given);
        let after = form.text(CURSOR);
        let after = after.map(|cursor| bound.open(app, &cursor)).transpose()?;
        Ok(Self {
            further: after.is_some(),
            after,
            app: Arc::clone(app),
            bound,
            path,
            chosen,
        })
    }

    /// For templates: `list.path`, `list.chosen` by name, `list.filtered`, and the queries of other pages, with the question
    /// mark: `list.query` of all that is chosen, `list.next` and `list.first` of other parts, where there are any.
    ///
    /// # Errors
    /// A fault.
    pub(in crate::http) fn facts<T>(&self, page: &Page<T, P>) -> Result<Value, Error> {
        let next = page.next.as_ref();
        let next = next
            .map(|next| self.bound.seal(&self.app, next))
            .transpose()?;
        let own = || self.path.to_owned() + &self.query(&[], None);
        let first = self.further.then(own);
        let chosen = self.chosen.iter();
        let chosen = chosen.map(|(name, value)| (*name, Value::from(value.as_str())));
        Ok(context! {
            path => self.path,
            chosen => Value::from(chosen.collect::<BTreeMap<_, _>>()),
            filtered => self.chosen.iter().any(|(name, _)| *name != "sort"),
            query => self.query(&[], None),
            next => next.map(|next| self.query(&[], Some(&next))).unwrap_or_default(),
            first => first.unwrap_or_default(),
        })
    }

    /// For the head of a column: `order`, which is `ascending` or `descending` where rows are ordered so, and `href` to the
    /// other order, where it can be had. `first` is the order where none is chosen.
    pub(in crate::http) fn sorted(&self, can: bool, name: &str, first: &str) -> Value {
        let chosen = self.chosen.iter().find(|(known, _)| *known == "sort");
        let is = chosen.map_or(first, |(_, value)| value.as_str());
        let down = format!("-{name}");
        let (order, other) = match is {
            _ if !can => ("", None),
            is if is == name => ("ascending", Some(down.as_str())),
            is if is == down => ("descending", Some(name)),
            _ => ("", Some(name)),
        };
        let href = other.map(|other| self.path.to_owned() + &self.query(&[("sort", other)], None));
        context! { order, href => href.unwrap_or_default() }
    }

    /// A query with all that is chosen, but these fields so.
    pub(in crate::http) fn query(&self, other: &[(&str, &str)], cursor: Option<&str>) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .chosen
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .filter(|(name, _)| other.iter().all(|(changed, _)| changed != name))
            .collect();
        pairs.extend(other.iter().filter(|(_, value)| !value.is_empty()));
        pairs.extend(cursor.map(|cursor| (CURSOR, cursor)));
        match pairs.is_empty() {
            true => String::new(),
            false => format!(
                "?{}",
                Serializer::new(String::new()).extend_pairs(pairs).finish()
            ),
        }
    }
}

/// What a file is: what its path ends in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    Csv,
    Json,
}

impl<S: Send + Sync> FromRequestParts<S> for Kind {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match parts.uri.path().ends_with(".csv") {
            true => Self::Csv,
            false => Self::Json,
        })
    }
}

/// A file of every row. `read` gives a page of them behind a place; `columns` are the members of a row that CSV has.
pub(in crate::http) async fn file<T, P, F, Fut>(
    kind: Kind,
    name: &str,
    columns: &'static [&'static str],
    mut read: F,
) -> Result<Response, Error>
where
    T: Serialize + Send + 'static,
    P: Send + 'static,
    F: FnMut(u32, Option<P>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page<T, P>, Error>> + Send,
{
    // What is refused is refused before anything is sent.
    let first = read(BATCH, None).await?;
    let mut begun = opening(kind, columns);
    let mut follows = false;
    write(&mut begun, (kind, columns), &first.items, &mut follows)?;
    let state = Some((first.next, read, follows));
    let head = futures_util::stream::iter([Ok::<_, Error>(begun)]);
    let rest = unfold(state, move |state| async move {
        let (next, mut read, mut follows) = state?;
        let Some(next) = next else {
            let end = if kind == Kind::Json { "\n]\n" } else { "" };
            return Some((Ok(end.as_bytes().to_vec()), None));
        };
        let page = match read(BATCH, Some(next)).await {
            Ok(page) => page,
            // The file ends without its end: whoever saves it is told so.
            Err(error) => return Some((Err(error), None)),
        };
        let mut text = Vec::new();
        match write(&mut text, (kind, columns), &page.items, &mut follows) {
            Ok(()) => Some((Ok(text), Some((page.next, read, follows)))),
            Err(error) => Some((Err(error), None)),
        }
    });
    let (media, ending) = match kind {
        Kind::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Kind::Json => ("application/json", "json"),
    };
    let body = Body::from_stream(futures_util::StreamExt::chain(head, rest));
    let saved = format!("attachment; filename=\"{name}.{ending}\"");
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, saved),
    ];
    Ok((headers, body).into_response())
}

fn opening(kind: Kind, columns: &[&str]) -> Vec<u8> {
    match kind {
        Kind::Csv => format!("{}\r\n", columns.join(",")).into_bytes(),
        Kind::Json => b"[".to_vec(),
    }
}

fn write<T: Serialize>(
    text: &mut Vec<u8>,
    (kind, columns): (Kind, &[&str]),
    rows: &[T],
    follows: &mut bool,
) -> Result<(), Error> {
    let fault = |error: serde_json::Error| Error::fault("a row of a file")(error.into());
    for row in rows {
        match kind {
            Kind::Csv => {
                let row = serde_json::to_value(row).map_err(fault)?;
                text.extend_from_slice(line(&row, columns).as_bytes());
            }
            Kind::Json => {
                text.extend_from_slice(if *follows { b",\n" } else { b"\n" });
                serde_json::to_writer(&mut *text, row).map_err(fault)?;
            }
        }
        *follows = true;
    }
    Ok(())
}

/// RFC 4180 section 2.
fn line(row: &serde_json::Value, columns: &[&str]) -> String {
    let mut line = String::new();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        push_field(&mut line, &cell(&row[*column]), true);
    }
    line.push_str("\r\n");
    line
}

fn cell(value: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(all) => all.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn m10_a_cell_is_no_formula_and_ends_where_it_ends() {
        let cells = [
            ("x;=1+1", "x;'=1+1"),
            ("x; \"=1+1\"", "\"x; \"\"'=1+1\"\"\""),
            ("x\t@y", "x\t'@y"),
            ("x\n-y", "\"x\n'-y\""),
            (" +1", "\" '+1\""),
            ("＝1", "'＝1"),
            ("a-b;c=d", "a-b;c=d"),
        ];
        for (text, cell) in cells {
            let row = json!({ "a": text });
            assert_eq!(line(&row, &["a"]), format!("{cell}\r\n"), "{text:?}");
        }
        let row = json!({"a": "=1+1", "b": "x,\"y\"", "c": ["p", "q"], "d": null, "e": true, "f": "@x, y"});
        let columns = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(
            line(&row, &columns),
            "'=1+1,\"x,\"\"y\"\"\",p q,,true,\"'@x, y\"\r\n"
        );
    }

    #[test]
    fn json_is_one_list_whatever_its_length() {
        let mut follows = false;
        let mut text = opening(Kind::Json, &[]);
        for rows in [&[1, 2][..], &[], &[3]] {
            write(&mut text, (Kind::Json, &[]), rows, &mut follows).unwrap();
        }
        text.extend_from_slice(b"\n]\n");
        assert_eq!(
            serde_json::from_slice::<Vec<i32>>(&text).unwrap(),
            [1, 2, 3]
        );
    }
}
