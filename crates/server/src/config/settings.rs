//! The one list of settings. The parser, the check for unknown names, the variables, `config show` and the reference all
//! come from it.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Section and key, as in the file.
    pub(super) name: &'static str,
    /// What a value looks like, to follow "expected".
    pub(super) takes: &'static str,
    /// The default, as it would be written; empty where there is none.
    pub(super) default: &'static str,
    /// What it does, in a line.
    pub(super) doc: &'static str,
    /// The option of the command line.
    pub(super) flag: Option<&'static str>,
    /// Never shown, and may be read from the file that `NAME_file` names.
    pub(super) secret: bool,
    /// May be kept in the database, where nothing else sets it.
    pub(super) stored: bool,
}

impl Setting {
    const fn new(
        name: &'static str,
        takes: &'static str,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            takes,
            default,
            doc,
            flag: None,
            secret: false,
            stored: false,
        }
    }

    const fn flag(self, flag: &'static str) -> Self {
        Self {
            flag: Some(flag),
            ..self
        }
    }

    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    /// A running server takes it up at once: whoever uses it asks [`crate::app::App::settings`] each time.
    const fn stored(self) -> Self {
        Self {
            stored: true,
            ..self
        }
    }

    /// The section of the file.
    pub(super) fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// The environment variable.
    pub(super) fn variable(&self) -> String {
        format!("SYMBOLON_{}", self.name.replace('.', "__").to_uppercase())
    }
}

const DURATION: &str = "a duration such as `500ms`, `10s`, `15m`, `24h` or `7d`";
const COUNT: &str = "a whole number";
const SWITCH: &str = "`true` or `false`";

/// All settings, section by section.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "server.listen",
        "an address and port such as `127.0.0.1:8080`",
        "127.0.0.1:8080",
        "Where the server listens. Port 0 takes any that is free.",
    )
    .flag("--listen"),
    Setting::new(
        "server.issuer",
        "a URL such as `https://login.example.com`, without a slash at its end",
        "",
        "The public URL, and the `iss` of every token. Outside loopback it must be https. Without it: `http://` and the \
         address of the first start, kept with the data.",
    )
    .flag("--issuer"),
    Setting::new("server.data", "a folder", "./symbolon-data", "Where the embedded database and the master key are.")
        .flag("--data"),
    Setting::new(
        "server.trusted_proxies",
        "addresses or blocks such as `10.0.0.0/8`",
        "",
        "Peers whose `X-Forwarded-For` is believed. From all others the header is ignored.",
    ),
    Setting::new(
        "server.master_key",
        "32 bytes in base64 or hexadecimal (`openssl rand -base64 32` makes some)",
        "",
        "Seals the keys in the database; nodes of one database share it. Without it: the file `master.key` in the data \
         folder, made at the first start of an empty store.",
    )
    .secret(),
    Setting::new(
        "server.drain",
        DURATION,
        "0s",
        "How long a server that was told to end (SIGTERM) goes on before it stops listening: `/readyz` answers 503, and each \
         HTTP/1 connection is closed after its next answer. A second signal ends that wait. Up to `5m`; behind a balancer, longer than that takes to notice.",
    ),
    Setting::new(
        "database.url",
        "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`, several hosts allowed",
        "",
        "The database. Without it: SQLite in the data folder. `?sslmode=verify-full` demands TLS of PostgreSQL, from an authority \
         that the machine knows or that the file `sslrootcert=/…` holds.",
    )
    .flag("--database")
    .secret(),
    Setting::new(
        "cache.url",
        "`redis://USER:PASSWORD@HOST:PORT`, or `rediss://…` for TLS",
        "",
        "Redis or Valkey, by which several nodes count together who guesses, and hear of revocations where PostgreSQL does not \
         notify. It keeps nothing, and without it each node counts for itself.",
    )
    .flag("--cache")
    .secret(),
    Setting::new("tokens.access_ttl", DURATION, "15m", "The life of an access token, from `10s` to `24h`."),
    Setting::new("tokens.audience", "text", "", "The `aud` of access tokens. Without it: the issuer."),
    Setting::new(
        "tokens.rotate_keys",
        DURATION,
        "90d",
        "For how long a key signs before it is replaced by one that is published 15 minutes before it signs. `0s`, or from `1d`; \
         with `0s` by command only. A shared secret (HS256) is replaced by command only.",
    ),
    Setting::new("tokens.email", SWITCH, "false", "Whether access tokens carry the user's `email`."),
    Setting::new(
        "tokens.algorithm",
        "`ES256`, `EdDSA`, `RS256`, `PS256` or `HS256`",
        "ES256",
        "What new access tokens are signed with. HS256 is for one owner who verifies with the same secret.",
    ),
    Setting::new("refresh.idle_ttl", DURATION, "7d", "A session that is not refreshed for this long ends."),
    Setting::new("refresh.absolute_ttl", DURATION, "30d", "A session ends this long after its sign-in, whatever happens."),
    Setting::new("refresh.session_ttl", DURATION, "24h", "The same for a sign-in without \"remember me\"."),
    Setting::new(
        "refresh.leeway",
        DURATION,
        "10s",
        "For this long after a refresh, the token before it may be repeated by parallel or late requests. At most `60s`.",
    ),
    Setting::new(
        "refresh.retry_window",
        DURATION,
        "5m",
        "For this long, a client that lost an answer may repeat the refresh once. At most `1h`.",
    ),
    Setting::new("cookie.name", "the name of a cookie: letters, digits, `-`, `_`", "refreshToken", "The refresh cookie."),
    Setting::new("cookie.domain", "a domain such as `example.com`", "", "Its `Domain`. Without it: this host only."),
    Setting::new("cookie.same_site", "`strict`, `lax` or `none`", "strict", "Its `SameSite`."),
    Setting::new("password.hash", "`argon2id` or `bcrypt`", "argon2id", "What new password hashes are made with."),
    Setting::new("password.min_length", COUNT, "8", "Characters that a new password has at least, from 8 to 64. NIST advises 15 where there is no second factor."),
    Setting::new("password.memory_kib", COUNT, "47104", "Argon2: memory in KiB."),
    Setting::new("password.iterations", COUNT, "1", "Argon2: passes over the memory."),
    Setting::new("password.parallelism", COUNT, "1", "Argon2: lanes."),
    Setting::new("password.bcrypt_cost", COUNT, "12", "bcrypt: the base-two logarithm of its rounds, from 10 to 16."),
    Setting::new("registration.mode", "`open`, `invitation` or `closed`", "open", "Who may make an account.").stored(),
    Setting::new(
        "registration.domains",
        "domains such as `example.com`",
        "",
        "The domains of the addresses that may register. Without it: all. An invitation goes to any.",
    )
    .stored(),
    Setting::new(
        "registration.verification",
        "`off`, `optional` or `required`",
        "",
        "Whether a new address is to be confirmed. `optional`: a mail is sent, signing in needs no confirmation. `required`: \
         nobody signs in before, and registering does not tell whether an address has an account. Without it: `optional` \
         where `mail.url` is set, else `off`.",
    )
    .stored(),
    Setting::new("feed.access", "`public` or `clients`", "public", "Who may read the revocation feed: everybody, for it names nobody, or OAuth clients that show a secret."),
    Setting::new("throttle.enabled", SWITCH, "true", "Whether attempts to sign in are limited."),
    Setting::new(
        "cors.origins",
        "origins such as `https://app.example.com`",
        "",
        "Other origins whose pages may call the API with credentials.",
    ),
    Setting::new(
        "mail.url",
        "`smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST`",
        "",
        "Where mail is handed in. `smtps` is TLS from the first byte, `smtp` asks for STARTTLS unless the host is this machine \
         or the URL ends with `?tls=none`. Without it: mail is kept in the folder `outbox` of the data folder.",
    )
    .secret(),
    Setting::new("mail.from", "an e-mail address", "", "Who mail is from."),
    Setting::new(
        "mail.templates",
        "a folder",
        "",
        "Files in the place of the built-in ones: `layout.html`, `layout.txt`, and `en.toml`, `de.toml`, `fr.toml`, `es.toml`, \
         `pl.toml`, `zh.toml` with the words.",
    ),
    Setting::new(
        "oauth.dpop_nonce",
        SWITCH,
        "false",
        "Whether proofs of possession (DPoP) need a nonce of this server: what was signed in advance is then worth nothing. \
         Clients need one request more now and then.",
    ),
    Setting::new(
        "oauth.registration",
        SWITCH,
        "false",
        "Whether anybody may register a client (RFC 7591). It gets no more than `oauth.open_scopes` and `oauth.open_resources`, \
         and people are asked.",
    ),
    Setting::new(
        "oauth.client_documents",
        SWITCH,
        "false",
        "Whether the URL of a document in which a client describes itself is a `client_id`, as MCP clients have it \
         (draft-ietf-oauth-client-id-metadata-document). It gets no more than a client that registers itself.",
    ),
    Setting::new(
        "oauth.document_hosts",
        "hosts such as `app.example.com`",
        "",
        "The hosts whose documents count. Without it: all.",
    ),
    Setting::new(
        "oauth.open_scopes",
        "scopes such as `openid`, `profile`",
        "openid,profile,email,offline_access",
        "What clients may ask for that nobody here has looked at.",
    ),
    Setting::new(
        "oauth.open_resources",
        "names of APIs such as `https://mcp.example.com`",
        "",
        "The APIs that such clients may ask tokens for.",
    ),
    Setting::new(
        "oauth.opaque_resources",
        "names of APIs such as `https://api.example.com`",
        "",
        "The APIs whose access tokens are opaque: text that only this server can read, and that they ask it about \
         (`/oauth/introspect`). Guards, which verify tokens themselves, take none of them.",
    ),
    Setting::new(
        "outbound.allow_loopback_http",
        SWITCH,
        "false",
        "Whether documents and keys of clients, other providers and the like may be on this machine (`http://127.0.0.1:3000`). \
         For development: without it, only `https` and addresses of the internet are called.",
    ),
    Setting::new(
        "pages.folder",
        "a folder",
        "",
        "Files in the place of the built-in ones: templates, `page.css`, and `words/en/hosted.toml` and so on, which may hold \
         single words.",
    ),
    Setting::new("pages.name", "text", "", "What the service is called on its pages. Without it: the host of the issuer."),
    Setting::new(
        "pages.logo",
        "a file",
        "",
        "A picture beside the name: PNG, JPEG, WebP or SVG, at most 256 KiB.",
    ),
    Setting::new(
        "pages.color",
        "a color such as `#1d4ed8`",
        "",
        "The color of buttons and links. It is drawn lighter or darker where it could not be read.",
    ),
    Setting::new("pages.style", "a file", "", "A style sheet behind the built-in one, at most 256 KiB."),
    Setting::new("audit.retention", DURATION, "365d", "How long lines of the audit log are kept. At least `1d`.").stored(),
    Setting::new("log.format", "`text` or `json`", "text", "What log lines on standard error look like."),
    Setting::new(
        "log.level",
        "`error`, `warn`, `info`, `debug` or `trace`, or directives such as `info,symbolon=debug`",
        "info",
        "What is logged.",
    ),
    Setting::new(
        "metrics.listen",
        "an address and port such as `127.0.0.1:9090`",
        "",
        "A listener of its own for `/metrics`. Without it: on the main one.",
    ),
];

/// What a secret setting's name ends with when it names a file.
pub(super) const FILE_SUFFIX: &str = "_file";

/// The setting of that name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The secret whose contents the file named by `name` holds.
pub(super) fn find_by_file_name(name: &str) -> Option<&'static Setting> {
    find(name.strip_suffix(FILE_SUFFIX)?).filter(|setting| setting.secret)
}

/// Whether there is a setting of that name.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    find(name).is_some()
}

/// Every setting that may be kept in the database.
pub fn stored_names() -> impl Iterator<Item = &'static str> {
    let stored = SETTINGS.iter().filter(|setting| setting.stored);
    stored.map(|setting| setting.name)
}

/// Every name that may be set, `_file` names included.
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
    SETTINGS
        .iter()
        .map(|setting| setting.name)
        .chain(FILE_NAMES)
}

const FILE_NAMES: [&str; 4] = [
    "server.master_key_file",
    "database.url_file",
    "cache.url_file",
    "mail.url_file",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_and_no_other_has_a_file_name() {
        let secrets: Vec<_> = SETTINGS
            .iter()
            .filter(|s| s.secret)
            .map(|s| format!("{}_file", s.name))
            .collect();
        assert_eq!(secrets, FILE_NAMES);
        assert!(
            FILE_NAMES
                .iter()
                .all(|name| find_by_file_name(name).is_some())
        );
        assert!(find_by_file_name("server.data_file").is_none());
    }

    #[test]
    fn names_are_unique_and_grouped_by_section() {
        let mut sections: Vec<_> = SETTINGS.iter().map(Setting::section).collect();
        sections.dedup();
        let grouped = sections.len();
        sections.sort_unstable();
        sections.dedup();
        assert_eq!(sections.len(), grouped);
        let mut names: Vec<_> = known_names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len() + FILE_NAMES.len());
    }

    #[test]
    fn variables_follow_the_pattern() {
        assert_eq!(
            find("tokens.access_ttl").unwrap().variable(),
            "SYMBOLON_TOKENS__ACCESS_TTL"
        );
    }
}
