//! The rooms of the house and what each must never see (ARCHITECTURE.md tells why).

/// A part of the workspace with a wall around it. Test code may look over the wall.
pub(super) struct Room {
    pub(super) name: &'static str,
    /// Folders, or modules without their `.rs`.
    pub(super) within: &'static [&'static str],
    /// The package whose dependencies are held to the same wall, where the room is a whole one.
    pub(super) package: Option<&'static str>,
    /// The crates of ours that it may name; `None` where that is not restricted.
    pub(super) ours: Option<&'static [&'static str]>,
    /// Crates and paths that it may not name.
    pub(super) paths: &'static [Paths],
    /// Names that may not occur as any segment of a path.
    pub(super) names: &'static [&'static str],
    /// Fields that may not be reached into.
    pub(super) fields: &'static [&'static str],
    /// Whether a string literal may be an SQL statement.
    pub(super) sql: bool,
}

/// Each path as its segments.
type Paths = &'static [&'static [&'static str]];

const SQL: Paths = &[
    &["rusqlite"],
    &["tokio_postgres"],
    &["deadpool_postgres"],
    &["sqlx"],
    &["diesel"],
];
const WEB: Paths = &[
    &["axum"],
    &["axum_core"],
    &["axum_extra"],
    &["http"],
    &["http_body_util"],
    &["hyper"],
    &["hyper_util"],
    &["tower"],
    &["tower_http"],
    &["utoipa_axum"],
];
const ASYNC: Paths = &[
    &["tokio"],
    &["futures"],
    &["futures_util"],
    &["async_trait"],
    &["std", "future"],
];
const OUTSIDE: Paths = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["std", "time", "*"],
    &["jiff"],
    &["chrono"],
    &["reqwest"],
];
const CRYPTO: Paths = &[&["aws_lc_rs"]];
const CHANCE: Paths = &[
    &["aws_lc_rs", "rand"],
    &["aws_lc_rs", "*"],
    &["getrandom"],
    &["rand"],
    &["rand_core"],
    &["fastrand"],
];

pub(super) const ROOMS: &[Room] = &[
    Room {
        name: "token",
        within: &["crates/token/src"],
        package: Some("symbolon-token"),
        ours: Some(&[]),
        paths: &[SQL, WEB, ASYNC, OUTSIDE],
        names: &["async", "await"],
        fields: &[],
        sql: false,
    },
    Room {
        name: "domain",
        within: &["crates/domain/src"],
        package: Some("symbolon-domain"),
        ours: Some(&["symbolon_token"]),
        paths: &[SQL, WEB, ASYNC, OUTSIDE, CRYPTO, CHANCE],
        names: &["async", "await", "new_v4", "now_v7"],
        fields: &[],
        sql: false,
    },
    Room {
        name: "store",
        within: &["crates/store/src"],
        package: Some("symbolon-store"),
        ours: Some(&["symbolon_domain"]),
        paths: &[WEB, CHANCE],
        names: &["SystemTime", "new_v4", "now_v7"],
        fields: &[],
        sql: true,
    },
    Room {
        name: "guard",
        within: &["crates/guard/src"],
        package: Some("symbolon-guard"),
        ours: Some(&["symbolon_token"]),
        paths: &[SQL],
        names: &[],
        fields: &[],
        sql: false,
    },
    Room {
        name: "client",
        within: &["crates/client/src"],
        package: Some("symbolon-client"),
        ours: Some(&["symbolon_token"]),
        paths: &[SQL],
        names: &[],
        fields: &[],
        sql: false,
    },
    Room {
        name: "server",
        within: &["crates/server/src"],
        package: Some("symbolon"),
        ours: None,
        paths: &[SQL],
        names: &[],
        fields: &[],
        sql: false,
    },
    Room {
        name: "server::flows",
        within: &["crates/server/src/flows"],
        package: None,
        ours: None,
        paths: &[
            WEB,
            &[
                &["clap"],
                &["crate", "http"],
                &["crate", "cli"],
                &["crate", "pages"],
            ],
        ],
        names: &[
            "StatusCode",
            "HeaderMap",
            "HeaderName",
            "HeaderValue",
            "IntoResponse",
        ],
        fields: &[],
        sql: false,
    },
    Room {
        name: "server::nodes",
        within: &["crates/server/src/nodes"],
        package: None,
        ours: Some(&["symbolon_domain", "symbolon_token"]),
        paths: &[
            SQL,
            WEB,
            &[&["crate", "http"], &["crate", "cli"], &["crate", "pages"]],
        ],
        names: &["symbolon_store", "SigningKey"],
        fields: &["store"],
        sql: false,
    },
    Room {
        name: "server::outbound",
        within: &["crates/server/src/outbound"],
        package: None,
        ours: None,
        paths: &[&[&["crate", "flows"]]],
        names: &[],
        fields: &[],
        sql: false,
    },
    Room {
        name: "server::transfer",
        within: &["crates/server/src/transfer"],
        package: None,
        ours: Some(&["symbolon_domain"]),
        paths: &[
            SQL,
            WEB,
            ASYNC,
            &[
                &["clap"],
                &["crate", "app"],
                &["crate", "flows"],
                &["crate", "http"],
                &["crate", "cli"],
            ],
        ],
        names: &["async", "await"],
        fields: &["store"],
        sql: false,
    },
    Room {
        name: "server::http, server::cli and server::pages",
        within: &[
            "crates/server/src/http",
            "crates/server/src/cli",
            "crates/server/src/pages",
        ],
        package: None,
        ours: Some(&[
            "symbolon_domain",
            "symbolon_token",
            "symbolon_guard",
            "symbolon",
        ]),
        paths: &[SQL],
        names: &["symbolon_store", "SigningKey"],
        fields: &["store"],
        sql: false,
    },
];
