//! TLS to PostgreSQL, where the URL demands it (`sslmode=require`, `verify-ca` or `verify-full`).
//!
//! The certificate of the server is verified in each of these modes, and the name in it as well: TLS with anybody is not worth
//! more than none. It must come from an authority that the machine trusts, or from one in the file `sslrootcert`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::crypto::aws_lc_rs;
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
            Tls::Machine => machine(),
            Tls::File(path) => file(path)?,
        };
        if roots.is_empty() {
            return Err(OpenError::Url(
                "sslmode: this machine has no certificates of authorities: name a file with sslrootcert".into(),
            ));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(OpenError::other)?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }
}

/// The authorities that the machine trusts.
fn machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_added, _ignored) = roots.add_parsable_certificates(found.certs);
    roots
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
    /// The password goes through TLS with a server that is known: nobody is between.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
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
