//! A caller that waits for each answer, on a connection that it keeps.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{Answer, connection::parse};

/// A head and a body of what is called fit in this.
const BUFFER: usize = 64 * 1024;

pub struct Caller {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl Caller {
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER].into_boxed_slice(),
        })
    }

    /// Sends a request and waits for its answer.
    pub fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(free).context("no answer")?;
            if read == 0 {
                bail!("the server closed the connection, or its answer is too long");
            }
            filled += read;
            // Looked at twice, since an answer that was returned from here would hold the buffer.
            let received = self.buffer.get(..filled).unwrap_or_default();
            if parse(received)?.is_some() {
                break;
            }
        }
        let received = self.buffer.get(..filled).unwrap_or_default();
        let (answer, _) = parse(received)?.context("no answer")?;
        Ok(answer)
    }
}
