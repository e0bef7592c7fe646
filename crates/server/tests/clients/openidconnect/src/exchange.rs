//! One request and its answer over plain HTTP, on a connection of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use http::{Request, Response};

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Sends a request with an absolute URI.
pub fn exchange(request: Request<Vec<u8>>) -> io::Result<Response<Vec<u8>>> {
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or_else(|| wrong("no authority"))?;
    let mut stream = TcpStream::connect(authority.as_str())?;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    write!(
        stream,
        "{} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n",
        head.method
    )?;
    for (name, value) in &head.headers {
        write!(stream, "{name}: ")?;
        stream.write_all(value.as_bytes())?;
        stream.write_all(b"\r\n")?;
    }
    write!(stream, "content-length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)?;
    read(BufReader::new(stream))
}

fn read(mut stream: impl BufRead) -> io::Result<Response<Vec<u8>>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse::<u16>().ok());
    let mut response = Response::builder().status(status.ok_or_else(|| wrong(&line))?);
    let (mut length, mut chunked) = (None, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse::<usize>().ok(),
            "transfer-encoding" => chunked = true,
            _ => {}
        }
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        }
        None if chunked => return Err(wrong("the answer comes in chunks")),
        None => {
            stream.read_to_end(&mut body)?;
        }
    }
    response
        .body(body)
        .map_err(|error| wrong(&error.to_string()))
}
