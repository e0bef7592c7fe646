//! `multipart/form-data` (RFC 7578), read piece by piece: the only way in which a page without a script can send a file.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use symbolon_domain::Refusal;

/// Longest wait for a piece.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest head of a part.
const MOST_HEAD: usize = 4 * 1024;
/// RFC 2046 section 5.1.1.
const MOST_BOUNDARY: usize = 70;

/// A body in parts.
pub(super) struct Multipart {
    body: BodyDataStream,
    /// What was read and is not given out yet.
    held: Vec<u8>,
    /// A line break, two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// Whether the part that is being read goes on.
    in_part: bool,
}

/// The head of a part.
pub(super) struct Part {
    /// The name of the field.
    pub(super) name: String,
    /// What a file is called; none for a field.
    pub(super) file: Option<String>,
}

impl Multipart {
    /// # Errors
    /// `unsupported_media_type`.
    pub(super) fn of(headers: &HeaderMap, body: Body) -> Result<Self, Refusal> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let boundary = kind
            .and_then(boundary)
            .ok_or(Refusal::UnsupportedMediaType)?;
        Ok(Self {
            body: body.into_data_stream(),
            // So that the first delimiter is one like the others.
            held: b"\r\n".to_vec(),
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            in_part: true,
        })
    }

    /// The next part; what is left of the one before is passed over.
    ///
    /// # Errors
    /// `malformed_request`.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Refusal> {
        while self.piece().await?.is_some() {}
        // The delimiter was taken: what follows it says whether it was the last one.
        while self.held.len() < 2 {
            self.more().await?;
        }
        if self.held.starts_with(b"--") {
            return Ok(None);
        }
        let head = loop {
            match find(&self.held, b"\r\n\r\n") {
                Some(end) => break self.held.drain(..end + 4).collect::<Vec<_>>(),
                None if self.held.len() > MOST_HEAD => return Err(malformed()),
                None => self.more().await?,
            }
        };
        self.in_part = true;
        part(&head).map(Some).ok_or_else(malformed)
    }

    /// The next piece of the part; `None` at its end.
    ///
    /// # Errors
    /// `malformed_request` where the body ends before, or does not come.
    pub(super) async fn piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        if !self.in_part {
            return Ok(None);
        }
        loop {
            if let Some(end) = find(&self.held, &self.delimiter) {
                let piece: Vec<u8> = self.held.drain(..end).collect();
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
                self.held.drain(..self.delimiter.len());
                self.in_part = false;
                return Ok(None);
            }
            // The end of what is held can be the beginning of a delimiter.
            let sure = self.held.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.held.drain(..sure).collect()));
            }
            self.more().await?;
        }
    }

    /// A part as text of at most `most` bytes.
    ///
    /// # Errors
    /// `malformed_request`; `payload_too_large`.
    pub(super) async fn text(&mut self, most: usize) -> Result<String, Refusal> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            text.extend_from_slice(&piece);
            if text.len() > most {
                return Err(Refusal::PayloadTooLarge);
            }
        }
        String::from_utf8(text).map_err(|_| malformed())
    }

    async fn more(&mut self) -> Result<(), Refusal> {
        let next = tokio::time::timeout(PATIENCE, self.body.next()).await;
        let next: Bytes = match next {
            Ok(Some(Ok(bytes))) => bytes,
            _ => return Err(malformed()),
        };
        self.held.extend_from_slice(&next);
        Ok(())
    }
}

fn malformed() -> Refusal {
    Refusal::MalformedRequest("The file did not arrive as a whole.".to_owned())
}

fn boundary(kind: &str) -> Option<String> {
    let (essence, parameters) = kind.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = parameters.split(';').filter_map(|one| one.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    let good = (1..=MOST_BOUNDARY).contains(&value.len()) && value.bytes().all(plain);
    good.then(|| value.to_owned())
}

/// RFC 7578 section 4.2; names are written as HTML Living Standard section 4.10.21.8 has it.
fn part(head: &[u8]) -> Option<Part> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find(|line| {
        let start = line.get(..20);
        start.is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let value = |name: &str| {
        let (_, rest) = line.split_once(&format!("; {name}=\""))?;
        let text = rest.split('"').next()?;
        Some(
            text.replace("%22", "\"")
                .replace("%0D", "")
                .replace("%0A", ""),
        )
    };
    Some(Part {
        name: value("name")?,
        file: value("filename"),
    })
}

fn find(held: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(held, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body that comes in pieces of this many bytes.
    async fn read(
        kind: &str,
        body: &str,
        size: usize,
    ) -> Result<Vec<(String, Option<String>, String)>, Refusal> {
        let pieces: Vec<Result<Bytes, std::io::Error>> = body
            .as_bytes()
            .chunks(size)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        let mut parts = Multipart::of(&headers, body)?;
        let mut found = Vec::new();
        while let Some(part) = parts.next().await? {
            found.push((part.name, part.file, parts.text(1000).await?));
        }
        Ok(found)
    }

    const KIND: &str = "multipart/form-data; boundary=\"--x\"";
    const BODY: &str = "----x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--\r\n----x\r\ncontent-disposition: \
        form-data; name=\"f\"; filename=\"u%22.csv\"\r\nContent-Type: text/csv\r\n\r\n\r\n----\r\n----y\r\n----x--\r\n";

    #[tokio::test]
    async fn parts_are_read_however_they_are_cut() {
        let expected = vec![
            ("a".to_owned(), None, "one\r\n--".to_owned()),
            (
                "f".to_owned(),
                Some("u\".csv".to_owned()),
                "\r\n----\r\n----y".to_owned(),
            ),
        ];
        for size in [1, 2, 3, 7, 19, 1000] {
            assert_eq!(read(KIND, BODY, size).await, Ok(expected.clone()), "{size}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_off_or_no_form_is_refused() {
        for end in [0, 3, 20, 60, 70, BODY.len() - 5] {
            assert_eq!(read(KIND, &BODY[..end], 5).await, Err(malformed()), "{end}");
        }
        let long = format!("----x\r\n{}", "x".repeat(MOST_HEAD * 2));
        assert_eq!(read(KIND, &long, 4096).await, Err(malformed()));
        let text = format!(
            "----x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n----x--",
            "x".repeat(1001)
        );
        assert_eq!(read(KIND, &text, 4096).await, Err(Refusal::PayloadTooLarge));
        for kind in [
            "text/plain",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
        ] {
            assert_eq!(
                read(kind, BODY, 9).await,
                Err(Refusal::UnsupportedMediaType),
                "{kind}"
            );
        }
    }
}
