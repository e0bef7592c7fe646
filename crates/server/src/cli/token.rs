//! `symbolon token …`: all but `explain` work with no server and no store.

mod explain;

use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use symbolon_token::inspect::{self, Checks, danger};
use symbolon_token::{Algorithm, KeyError, KeySet, Typ};
use zeroize::Zeroizing;

use super::output::{Output, raw};
use super::{Common, Failed, fetch};
use crate::clock::Clock;
use crate::config::parse_duration;
use crate::flows::sign;

/// Longest token, key file or payload that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// Tokens.
#[derive(Subcommand)]
pub(super) enum Token {
    /// Show what a token says, with no proof that it is true
    Decode {
        /// The token [default: read from standard input]
        token: Option<String>,
    },
    /// Verify a token: prints its payload, or says why not
    Verify(Verify),
    /// Say line by line why an access token is accepted or refused
    Explain(explain::Explain),
    /// Sign a payload read from standard input, one trailing newline cut
    Sign(Sign),
}

#[derive(Args)]
pub(super) struct Verify {
    /// The token [default: read from standard input]
    token: Option<String>,
    /// Public keys: a file or an http(s) URL with a JWK Set or a JWK
    #[arg(
        long,
        value_name = "FILE|URL",
        required_unless_present = "secret_file",
        conflicts_with = "secret_file"
    )]
    jwks: Option<String>,
    /// Secret: raw bytes, one trailing newline cut, or a JWK
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The issuer that the token must have
    #[arg(long, conflicts_with = "signature_only")]
    issuer: Option<String>,
    /// The audience that the token must have
    #[arg(long, conflicts_with = "signature_only")]
    audience: Option<String>,
    /// Algorithms that are allowed [default: those of the keys]
    #[arg(long, value_name = "ALG", value_delimiter = ',')]
    alg: Vec<String>,
    /// How far clocks may differ, at most 60s
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    leeway: String,
    /// The type that the header must name; `any` to skip
    #[arg(long, default_value = "at+jwt", value_name = "TYP")]
    typ: String,
    /// Check the signature of any payload, and no claim
    #[arg(long)]
    signature_only: bool,
}

#[derive(Args)]
pub(super) struct Sign {
    /// Private key: a JWK
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "secret_file",
        conflicts_with = "secret_file"
    )]
    key: Option<PathBuf>,
    /// Secret: raw bytes, one trailing newline cut, or a JWK
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The algorithm that the key must have
    #[arg(long, value_name = "ALG")]
    alg: Option<String>,
    /// The type that the header names; `none` for no type
    #[arg(long, default_value = "at+jwt", value_name = "TYP")]
    typ: String,
    /// The key id that the header names [default: the key's]
    #[arg(long)]
    kid: Option<String>,
}

impl Token {
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        match self {
            Self::Decode { token } => decode(token, output),
            Self::Verify(verify) => verify.run(),
            Self::Explain(explain) => explain.run(common, output),
            Self::Sign(sign) => sign.run(),
        }
    }
}

fn decode(token: Option<String>, output: &Output) -> Result<(), Failed> {
    let token = given(token)?;
    let parts = danger::decode_unverified(&token).map_err(refused)?;
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes);
    let malformed = |_| Failed::said("malformed_token", "the token's header is not JSON");
    let header = json(&parts.header).map_err(malformed)?;
    let payload = json(&parts.payload).unwrap_or_else(|_| {
        serde_json::Value::String(String::from_utf8_lossy(&parts.payload).into_owned())
    });
    output.value(&serde_json::json!({ "verified": false, "header": header, "payload": payload }))
}

impl Verify {
    /// Exit 0 and the payload, or exit 1 and the reason as JSON, whether `--json` is given or not.
    fn run(self) -> Result<(), Failed> {
        match self.verify() {
            Ok(payload) => {
                let mut out = stdout().lock();
                out.write_all(&payload)?;
                if out.is_terminal() {
                    out.write_all(b"\n")?;
                }
                Ok(out.flush()?)
            }
            Err(Failed::Said { code, detail }) => {
                let reason = serde_json::json!({ "code": code, "detail": detail });
                // Nobody is left to be told when standard error is closed.
                let _unheard = writeln!(stderr().lock(), "{reason}");
                Err(Failed::Silent)
            }
            Err(other @ (Failed::Silent | Failed::Ended(_))) => Err(other),
        }
    }

    fn verify(self) -> Result<Vec<u8>, Failed> {
        let algorithms = self.algorithms()?;
        let leeway =
            parse_duration(&self.leeway).filter(|leeway| *leeway <= Duration::from_secs(60));
        let leeway = leeway.ok_or_else(|| {
            Failed::said(
                "bad_argument",
                "--leeway takes a duration from 0s to 60s, such as 10s",
            )
        })?;
        let keys = self.keys()?;
        let token = given(self.token)?;
        let result = if self.signature_only {
            inspect::verify_signature_only(&keys, &token, &algorithms)
        } else {
            let checks = Checks {
                algorithms,
                typ: (self.typ != "any").then(|| Typ::from(self.typ.as_str())),
                issuer: self.issuer,
                audience: self.audience,
                leeway: leeway.as_secs() as u32,
            };
            checks.verify(&keys, &token, Clock::system().now().seconds())
        };
        result.map_err(refused)
    }

    fn algorithms(&self) -> Result<Vec<Algorithm>, Failed> {
        if self.alg.is_empty() {
            return Ok(Algorithm::ALL.to_vec());
        }
        self.alg.iter().map(|name| algorithm(name)).collect()
    }

    fn keys(&self) -> Result<KeySet, Failed> {
        let bad_key = |error: KeyError| Failed::said("bad_key", error.to_string());
        if let Some(path) = &self.secret_file {
            return inspect::keys_from_secret_file(&file(path)?).map_err(bad_key);
        }
        let source = self.jwks.as_deref().unwrap_or_default();
        let json = if source.starts_with("http://") || source.starts_with("https://") {
            fetch::get(source, MOST_BYTES)?
        } else {
            file(Path::new(source))?.to_vec()
        };
        // RSA keys that name no algorithm take the one that is allowed, where it is one.
        let only = match self.alg.as_slice() {
            [only] => Some(algorithm(only)?),
            _ => None,
        };
        inspect::keys_from_jwks_file(&json, only).map_err(bad_key)
    }
}

impl Sign {
    fn run(self) -> Result<(), Failed> {
        let key_file = file(&self.key.or(self.secret_file).unwrap_or_default())?;
        let mut payload = Vec::new();
        stdin().lock().take(MOST_BYTES).read_to_end(&mut payload)?;
        let request = sign::Request {
            key_file: &key_file,
            algorithm: self.alg.as_deref().map(algorithm).transpose()?,
            typ: Some(self.typ).filter(|typ| typ != "none"),
            kid: self.kid,
            payload: payload.strip_suffix(b"\n").unwrap_or(&payload),
        };
        let token = sign::sign(request).map_err(|error| match &error {
            sign::Error::Key(_) => Failed::said("bad_key", error.to_string()),
            sign::Error::Algorithm(_) => Failed::said("algorithm_mismatch", error.to_string()),
            sign::Error::Token(inner) => refused(*inner),
        })?;
        raw(&format!("{token}\n"))
    }
}

fn refused(error: symbolon_token::Error) -> Failed {
    Failed::said(error.code(), error.to_string())
}

fn algorithm(name: &str) -> Result<Algorithm, Failed> {
    name.parse().map_err(|_| {
        let known: Vec<_> = Algorithm::ALL.iter().map(|known| known.as_str()).collect();
        Failed::said("bad_argument", format!("--alg takes {}", known.join(", ")))
    })
}

/// The token of an argument, or of standard input without the white space around it.
fn given(argument: Option<String>) -> Result<String, Failed> {
    if let Some(token) = argument.filter(|token| token != "-") {
        return Ok(token);
    }
    let mut text = String::new();
    let read = stdin().lock().take(MOST_BYTES).read_to_string(&mut text);
    read.map_err(|error| {
        Failed::said(
            "malformed_token",
            format!("standard input holds no token: {error}"),
        )
    })?;
    Ok(text.trim().to_owned())
}

fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let unreadable = |error| {
        Failed::said(
            "bad_key",
            format!("{} cannot be read: {error}", path.display()),
        )
    };
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)
        .map_err(unreadable)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
