//! HTTP/2 of clients that mean harm (SECURITY row N3), written frame by frame (RFC 9113).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::TestApp;

/// No server that closes the connection needs so long for it.
const PATIENCE: Duration = Duration::from_secs(25);
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;
/// `GET /` over `http`, from the static table of HPACK, and an authority.
const REQUEST: &[u8] = b"\x82\x86\x84\x41\x01x";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// What the server answers to `frames` until it closes the connection: the kinds of its frames.
async fn answer(app: &TestApp, frames: &[Vec<u8>]) -> Vec<u8> {
    let (mut reading, mut writing) = TcpStream::connect(app.address).await.unwrap().into_split();
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, b""));
    sent.extend(frames.concat());
    let mut received = Vec::new();
    // Who is refused may be cut off while it still sends.
    let exchange = async {
        let _written_and_read =
            tokio::join!(writing.write_all(&sent), reading.read_to_end(&mut received));
    };
    let closed = tokio::time::timeout(PATIENCE, exchange).await;
    closed.expect("the connection stays open");
    let mut kinds = Vec::new();
    let mut rest = &received[..];
    while let [a, b, c, kind, ..] = rest {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn n3_streams_that_are_reset_as_soon_as_they_begin_end_the_connection() {
    let app = TestApp::start().await;
    let frames: Vec<_> = (0..20_000)
        .flat_map(|number| {
            let stream = number * 2 + 1;
            [
                frame(HEADERS, END_HEADERS | END_STREAM, stream, REQUEST),
                frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()),
            ]
        })
        .collect();
    let kinds = answer(&app, &frames).await;
    assert!(kinds.contains(&GOAWAY) || kinds.len() < 100, "{kinds:?}");
    app.get("/healthz").send().await.expect(200);
}

#[tokio::test]
async fn n3_headers_that_go_on_and_on_end_the_connection() {
    let app = TestApp::start().await;
    let mut frames = vec![frame(HEADERS, END_STREAM, 1, REQUEST)];
    // A header of a kilobyte in each, uncompressed: `x: aaaa…`.
    let mut header = b"\x00\x01x\x7f\x81\x07".to_vec();
    header.resize(header.len() + 1_024, b'a');
    frames.extend((0..20_000).map(|_| frame(CONTINUATION, 0, 1, &header)));
    let kinds = answer(&app, &frames).await;
    assert!(kinds.contains(&GOAWAY) || kinds.len() < 100, "{kinds:?}");
    app.get("/healthz").send().await.expect(200);
}
