//! The way to a mail server, from `mail.url`.

use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::{Host, Url};
use zeroize::Zeroizing;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(30);

/// `smtp://HOST:PORT` or `smtps://HOST:PORT`, with `USER:PASSWORD@` where the server asks for it.
pub struct SmtpUrl {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(String, Zeroizing<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Implicit,
    /// STARTTLS, or nothing is said (RFC 3207).
    Required,
    /// None: on this machine, or where the owner wants it.
    Plain,
}

impl SmtpUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence about what is wrong with it, which repeats none of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| "this is no URL".to_owned())?;
        let host = url.host().ok_or("the host is missing")?.to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("nothing follows the host but a parameter".to_owned());
        }
        let (security, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Security::Implicit, 465),
            ("smtps", Some(_)) => return Err("`smtps` is TLS and takes no parameter".to_owned()),
            ("smtp", Some("tls=none")) => (Security::Plain, 25),
            ("smtp", Some("tls=starttls")) => (Security::Required, 587),
            ("smtp", None) if is_loopback(&host) => (Security::Plain, 25),
            ("smtp", None) => (Security::Required, 587),
            ("smtp", Some(_)) => {
                return Err("the parameter is `tls=none` or `tls=starttls`".to_owned());
            }
            _ => return Err("the scheme is `smtp` or `smtps`".to_owned()),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err("the user is missing".to_owned()),
            (_, None) => return Err("the password is missing".to_owned()),
            (user, Some(password)) => Some((decoded(user)?, Zeroizing::new(decoded(password)?))),
        };
        if security == Security::Plain && credentials.is_some() && !is_loopback(&host) {
            return Err("a password must not travel without TLS".to_owned());
        }
        Ok(Self {
            host: match &host {
                // Without brackets, as it is dialled.
                Host::Ipv6(address) => address.to_string(),
                other => other.to_string(),
            },
            port: url.port().unwrap_or(port),
            security,
            credentials,
        })
    }

    /// Where it leads, without credentials.
    pub(super) fn place(&self) -> String {
        let security = match self.security {
            Security::Implicit => "TLS",
            Security::Required => "STARTTLS",
            Security::Plain => "no TLS",
        };
        format!("{} port {} ({security})", self.host, self.port)
    }

    /// Prepares the way. Certificates are those of the system.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let parameters = || {
            TlsParameters::new_rustls(self.host.clone())
                .map_err(|error| format!("the certificates of this system: {error}"))
        };
        let tls = match self.security {
            Security::Implicit => Tls::Wrapper(parameters()?),
            Security::Required => Tls::Required(parameters()?),
            Security::Plain => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(self.host.as_str())
            .port(self.port)
            .timeout(Some(PATIENCE))
            .tls(tls);
        Ok(match &self.credentials {
            Some((user, password)) => builder
                .credentials(Credentials::new(user.clone(), password.to_string()))
                .build(),
            None => builder.build(),
        })
    }
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        // A host of a scheme that the URL standard does not know stays as it was written.
        Host::Domain(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Percent-encoding undone; what is no UTF-8 then is no word for a server either.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits: Option<Vec<u32>> = [rest.next(), rest.next()]
            .into_iter()
            .map(|digit| char::from(digit?).to_digit(16))
            .collect();
        let value = digits.map(|digits| digits.iter().fold(0, |sum, digit| sum << 4 | digit));
        let value = value.and_then(|value| u8::try_from(value).ok());
        bytes.push(value.ok_or("a `%` stands before two hexadecimal digits")?);
    }
    String::from_utf8(bytes).map_err(|_| "user and password are UTF-8".to_owned())
}
