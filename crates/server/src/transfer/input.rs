//! Bytes of a file with how many there were and a digest of them.

use std::io::{self, BufRead, BufReader, Read};

use aws_lc_rs::digest::{Context, SHA256};

use super::Unreadable;

const BUFFER: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(super) struct Input {
    read: BufReader<Box<dyn Read + Send>>,
    offset: u64,
    digest: Context,
}

impl Input {
    pub(super) fn new(read: Box<dyn Read + Send>) -> Self {
        Self {
            read: BufReader::with_capacity(BUFFER, read),
            offset: 0,
            digest: Context::new(&SHA256),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// In hexadecimal.
    pub(super) fn digest(&self) -> String {
        let digest = self.digest.clone().finish();
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The first byte that is no white space. It stays to be read, a byte order mark before it does not.
    pub(super) fn first_byte(&mut self) -> Result<Option<u8>, Unreadable> {
        if self.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        let buffer = self.fill_buf()?;
        Ok(buffer
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace()))
    }

    /// Passes over bytes up to `offset`.
    pub(super) fn skip_to(&mut self, offset: u64) -> Result<(), Unreadable> {
        while self.offset < offset {
            let rest = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            let here = self.fill_buf()?.len().min(rest);
            if here == 0 {
                return Err(Unreadable(
                    "The file is shorter than what an earlier run has read of it.".to_owned(),
                ));
            }
            self.consume(here);
        }
        Ok(())
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let here = self.fill_buf()?;
        let some = here.len().min(into.len());
        into[..some].copy_from_slice(&here[..some]);
        self.consume(some);
        Ok(some)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.read.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.digest.update(&self.read.buffer()[..amount]);
        self.offset += amount as u64;
        self.read.consume(amount);
    }
}
