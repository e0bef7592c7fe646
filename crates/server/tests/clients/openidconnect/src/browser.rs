//! A browser without scripts, which agrees to everything: cookies, redirects, the first form of a page.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context as _, Result, bail};
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use url::{Url, form_urlencoded};

use crate::exchange::exchange;

const MOST_REQUESTS: usize = 30;

#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Does what the pages ask for until the URL begins with `stop`, which is not asked for.
    pub fn passes(&mut self, mut url: Url, stop: &str) -> Result<Url> {
        let mut form = None;
        for _ in 0..MOST_REQUESTS {
            if url.as_str().starts_with(stop) {
                return Ok(url);
            }
            let answer = self.ask(&url, form.take())?;
            if let Some(location) = answer.headers().get(LOCATION) {
                url = url.join(location.to_str()?)?;
                continue;
            }
            let page = String::from_utf8_lossy(answer.body()).into_owned();
            let (action, fields) = filled(&page)
                .with_context(|| format!("{url} answers {}: {page}", answer.status()))?;
            url = url.join(&action)?;
            form = Some(fields);
        }
        bail!("it does not end, at {url}")
    }

    fn ask(&mut self, url: &Url, form: Option<String>) -> Result<http::Response<Vec<u8>>> {
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder().method(method).uri(url.as_str());
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        let answer = exchange(request.body(form.unwrap_or_default().into_bytes())?)?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str()?;
            let pair = cookie
                .split("; ")
                .next()
                .and_then(|pair| pair.split_once('='));
            let (name, value) = pair.context("a cookie without a value")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }
}

/// Where the first form of a page goes, and what it sends.
fn filled(page: &str) -> Option<(String, String)> {
    let (_, rest) = page.split_once("<form ")?;
    let (form, _) = rest.split_once("</form>")?;
    let (head, inside) = form.split_once('>')?;
    let mut fields = form_urlencoded::Serializer::new(String::new());
    for tag in inside.split("<input ").skip(1) {
        let tag = tag.split('>').next()?;
        let name = attribute(tag, "name")?;
        match &*name {
            "identifier" => fields.append_pair(&name, &env::var("EMAIL").ok()?),
            "password" => fields.append_pair(&name, &env::var("PASSWORD").ok()?),
            _ if tag.contains("type=\"hidden\"") => {
                fields.append_pair(&name, &attribute(tag, "value")?)
            }
            _ => &mut fields,
        };
    }
    if inside.contains("name=\"decision\"") {
        fields.append_pair("decision", "allow");
    }
    Some((attribute(head, "action")?, fields.finish()))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let text = rest.split('"').next()?;
    let plain = [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let plain = plain.iter();
    Some(plain.fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}
