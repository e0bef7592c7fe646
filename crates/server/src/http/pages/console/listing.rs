//! Lists of the console: which page of which rows a query asks for, and the same rows as a file.
//!
//! A cursor is bound to its list and filter, as those of `/api/admin` are ([`crate::flows::page`]). A file holds at most
//! [`MOST_EXPORTED`] rows, and says so where there are more.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use minijinja::{Value, context};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Cell;
use url::form_urlencoded::Serializer;

use super::super::form::Form;
use crate::app::App;
use crate::flows::Error;
use crate::flows::page::Bound;

/// Rows on a page.
pub(super) const ROWS: u32 = 50;
/// Rows in a file.
pub(super) const MOST_EXPORTED: usize = 10_000;
/// Rows read at once for a file.
pub(super) const EXPORT_ROWS: u32 = 500;
const CURSOR: &str = "cursor";
/// Says that a file is not all there is.
const TRUNCATED: HeaderName = HeaderName::from_static("x-truncated");

/// What a query asks for.
pub(super) struct Listing<'a> {
    app: &'a App,
    form: &'a Form,
    /// The path of the list, below the issuer.
    path: &'static str,
    /// What chooses rows: what is not empty.
    chosen: Vec<(&'static str, String)>,
}

impl<'a> Listing<'a> {
    /// Reads the fields `names` of a query.
    pub(super) fn of(
        app: &'a App,
        form: &'a Form,
        path: &'static str,
        names: &[&'static str],
    ) -> Self {
        let field = |name: &&'static str| Some((*name, form.text(name)?));
        Self {
            app,
            form,
            path,
            chosen: names.iter().filter_map(field).collect(),
        }
    }

    /// A field that chooses rows.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut chosen = self.chosen.iter();
        let found = chosen.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The row behind which the page begins.
    ///
    /// # Errors
    /// `malformed_request` for a cursor that was not made here for this list and filter.
    pub(super) fn after<P: DeserializeOwned>(&self) -> Result<Option<P>, Error> {
        match self.form.get(CURSOR) {
            "" => Ok(None),
            cursor => Ok(Some(self.bound().open(self.app, cursor)?)),
        }
    }

    fn bound(&self) -> Bound {
        let chosen = self.chosen.iter();
        Bound::to(self.path, chosen.map(|(name, value)| (*name, &**value)))
    }

    /// For a template: `filter` by name, `is_filtered`, and the addresses `next`, `first`, `csv` and `json` below the
    /// issuer; those of pages are empty where there is none.
    ///
    /// # Errors
    /// A fault.
    pub(super) fn facts<P: Serialize>(&self, next: Option<&P>) -> Result<Value, Error> {
        let query = |more: Option<&str>| {
            let mut query = Serializer::new(String::new());
            query.extend_pairs(self.chosen.iter());
            if let Some(cursor) = more {
                query.append_pair(CURSOR, cursor);
            }
            match query.finish() {
                empty if empty.is_empty() => empty,
                query => format!("?{query}"),
            }
        };
        let path = self.path;
        let next = match next {
            Some(position) => {
                let cursor = self.bound().seal(self.app, position)?;
                format!("{path}{}", query(Some(&cursor)))
            }
            None => String::new(),
        };
        let is_first = self.form.get(CURSOR).is_empty();
        let all = query(None);
        Ok(context! {
            filter => Value::from_iter(self.chosen.iter().cloned()),
            is_filtered => !self.chosen.is_empty(),
            next,
            first => if is_first { String::new() } else { format!("{path}{all}") },
            csv => format!("{path}/export.csv{all}"),
            json => format!("{path}/export.json{all}"),
        })
    }
}

/// What a list is exported as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// RFC 4180, in UTF-8.
    Csv,
    /// A list of objects.
    Json,
}

impl FileKind {
    /// By the end of a path: `export.csv` or `export.json`.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "export.csv" => Some(Self::Csv),
            "export.json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Rows as a file to be kept.
pub(super) struct File {
    /// Its name, without an ending.
    pub(super) name: &'static str,
    /// The names of the columns.
    pub(super) columns: &'static [&'static str],
    /// The rows, each with as many cells.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Whether there are more than these.
    pub(super) is_cut: bool,
}

impl File {
    /// The answer.
    pub(super) fn response(&self, kind: FileKind) -> Response {
        let (ending, media_type, text) = match kind {
            FileKind::Csv => ("csv", "text/csv; charset=utf-8", self.csv()),
            FileKind::Json => ("json", "application/json", self.json()),
        };
        let mut response = text.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        let name = format!("attachment; filename=\"{}.{ending}\"", self.name);
        if let Ok(name) = HeaderValue::try_from(name) {
            headers.insert(CONTENT_DISPOSITION, name);
        }
        if self.is_cut {
            headers.insert(TRUNCATED, HeaderValue::from_static("true"));
        }
        response
    }

    fn csv(&self) -> String {
        let mut text = self.columns.join(",");
        text.push_str("\r\n");
        for row in &self.rows {
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                match cell {
                    Cell::Null => {}
                    Cell::String(said) => push_text(&mut text, said),
                    other => text.push_str(&other.to_string()),
                }
            }
            text.push_str("\r\n");
        }
        text
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Cell>| {
            let members = self.columns.iter().zip(row);
            let members = members.map(|(name, cell)| ((*name).to_owned(), cell.clone()));
            Cell::Object(members.collect())
        };
        let mut text = Cell::Array(self.rows.iter().map(object).collect()).to_string();
        text.push('\n');
        text
    }
}

/// A text in quotation marks where it needs them. One that a spreadsheet would take for a formula is made a text.
fn push_text(csv: &mut String, said: &str) {
    let formula = said.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let plain = !formula && !said.contains([',', '"', '\n', '\r']);
    if plain {
        csv.push_str(said);
        return;
    }
    csv.push('"');
    if formula {
        csv.push('\'');
    }
    csv.push_str(&said.replace('"', "\"\""));
    csv.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m10_cells_are_texts_and_never_formulas() {
        let file = File {
            name: "rows",
            columns: &["one", "two"],
            rows: vec![
                vec!["plain".into(), 7.into()],
                vec!["a,\"b\"\r\nc".into(), Cell::Null],
                vec!["=1+1".into(), "@x".into()],
                vec!["-2".into(), "+3,\"".into()],
            ],
            is_cut: false,
        };
        let expected = "one,two\r\nplain,7\r\n\"a,\"\"b\"\"\r\nc\",\r\n\"'=1+1\",\"'@x\"\r\n\"'-2\",\"'+3,\"\"\"\r\n";
        assert_eq!(file.csv(), expected);
        let json: Cell = serde_json::from_str(&file.json()).unwrap();
        assert_eq!(json[2], serde_json::json!({"one": "=1+1", "two": "@x"}));
    }
}
