//! TLS to PostgreSQL, where the URL demands it (`sslmode=require`, `verify-ca` or `verify-full`).
//!
//! The certificate of the server is verified in each of these modes, and the name in it as well: TLS with anybody is not worth
//! more than none. It must come from an authority that the machine trusts, or from one in the file `sslrootcert`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls::crypto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use crate::OpenError;
use crate::url::Tls;

/// Makes connections secure, or leaves them as they are.
#[derive(Clone)]
pub(super) struct Secure(Option<Arc<ClientConfig>>);

impl Secure {
    /// What the URL demands.
    pub(super) fn of(wish: &Tls) -> Result<Self, OpenError> {
        let roots = match wish {
            Tls::Off => return Ok(Self(None)),
            Tls::Machine => machine()?,
            Tls::File(path) => file(path)?,
        };
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(OpenError::other)?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }
}

/// The authorities that the machine trusts.
fn machine() -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_added, _ignored) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(OpenError::Url(format!(
            "sslmode: no certificates of authorities are found on this machine: name a file with sslrootcert ({})",
            why.join("; ")
        )));
    }
    Ok(roots)
}

fn file(path: &str) -> Result<RootCertStore, OpenError> {
    let explain =
        |error: &dyn std::fmt::Display| OpenError::Url(format!("sslrootcert={path}: {error}"));
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(path).map_err(|error| explain(&error))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| explain(&error))?;
        roots.add(certificate).map_err(|error| explain(&error))?;
    }
    if roots.is_empty() {
        return Err(explain(&"no certificate is in it"));
    }
    Ok(roots)
}

impl MakeTlsConnect<Socket> for Secure {
    type Stream = Secured;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake {
            config: self.0.clone(),
            host: host.to_owned(),
        })
    }
}

/// One connection that is about to be made secure.
pub(super) struct Handshake {
    config: Option<Arc<ClientConfig>>,
    host: String,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Secured;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or(io::ErrorKind::Unsupported)?;
            let name = ServerName::try_from(self.host).map_err(io::Error::other)?;
            let secured = TlsConnector::from(config).connect(name, stream).await?;
            Ok(Secured(Box::new(secured)))
        })
    }
}

/// A connection that is secure.
pub(super) struct Secured(Box<client::TlsStream<Socket>>);

impl TlsStream for Secured {
    /// `tls-server-end-point` (RFC 5929 section 4.1): ties the password's proof to the server's certificate.
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        let digest = certificate.and_then(|certificate| {
            let algorithm = signed_with(certificate)?;
            Some(digest(algorithm, certificate).as_ref().to_vec())
        });
        digest.map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The digest of a certificate's signature (RFC 5280 section 4.1.1.2), where it is one of those that its algorithm names.
fn signed_with(certificate: &[u8]) -> Option<&'static Algorithm> {
    const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    const RSA: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    let (body, _) = element(certificate)?;
    let (_, rest) = element(body)?;
    let (algorithm, _) = element(rest)?;
    let (name, _) = element(algorithm)?;
    match name.split_last()? {
        (2, family) if *family == ECDSA => Some(&SHA256),
        (3, family) if *family == ECDSA => Some(&SHA384),
        (4, family) if *family == ECDSA => Some(&SHA512),
        (11, family) if *family == RSA => Some(&SHA256),
        (12, family) if *family == RSA => Some(&SHA384),
        (13, family) if *family == RSA => Some(&SHA512),
        _ => None,
    }
}

/// What the first element of some DER holds, and what is behind it (X.690 section 8.1).
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
