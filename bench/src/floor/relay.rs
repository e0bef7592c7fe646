//! The floor of the feed: what a caller tells is written to every reader at once, and nothing else is done.

use std::{cell::RefCell, io::Write as _, rc::Rc};

use anyhow::{Context as _, Result, bail};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Those who asked for the stream; written to without waiting.
pub type Readers = Rc<RefCell<Vec<std::net::TcpStream>>>;

/// What comes before the first revocation.
const GREETING: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nevent: heartbeat\ndata: {}\n\n";

/// Serves one connection. `GET` makes it a reader; `POST /NUMBER` is answered, then told to all readers in the bytes of
/// a revocation as a server sends it.
pub async fn serve(mut stream: TcpStream, readers: Readers) -> Result<()> {
    let mut asked = Vec::new();
    loop {
        let Some(end) = memmem::find(&asked, b"\r\n\r\n") else {
            if stream.read_buf(&mut asked).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head: Vec<u8> = asked.drain(..end + 4).collect();
        if head.starts_with(b"GET ") {
            stream.write_all(GREETING).await?;
            readers.borrow_mut().push(stream.into_std()?);
            return Ok(());
        }
        let number = std::str::from_utf8(&head)?
            .split(['/', ' '])
            .nth(2)
            .context("no number")?;
        let event = event(number.parse()?);
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        for reader in readers.borrow_mut().iter_mut() {
            // A reader that does not keep up would be no floor.
            if reader.write(event.as_bytes())? != event.len() {
                bail!("a reader is behind");
            }
        }
    }
}

/// A revocation in a chunk of its own.
fn event(number: u64) -> String {
    let event = format!(
        "event: revocation\nid: 019aa5d2-6e1c-7d3b-9f0a-4b8f5c2d1e60:{number}\n\
         data: {{\"seq\":{number},\"kind\":\"session\",\"key\":\"q1n8kPBTZdF1yqUuRJ2Q2A\",\
         \"effect\":\"revoked\",\"until\":1790000900}}\n\n"
    );
    format!("{:x}\r\n{event}\r\n", event.len())
}
