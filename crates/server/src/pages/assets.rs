//! What pages load beside themselves: style sheets, scripts, the logo. All of it comes from this server, under an address
//! that names its content, so that browsers keep it for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use symbolon_token::encoding;

use super::brand::Brand;
use super::{PagesError, replaced};

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
/// What an owner may replace.
const TEXTS: [(&str, &str, &str); 5] = [
    ("page.css", CSS, include_str!("../../assets/pages/page.css")),
    (
        "console.css",
        CSS,
        include_str!("../../assets/pages/console.css"),
    ),
    ("page.js", JS, include_str!("../../assets/pages/page.js")),
    (
        "submit.js",
        JS,
        include_str!("../../assets/pages/submit.js"),
    ),
    (
        "console.js",
        JS,
        include_str!("../../assets/pages/console.js"),
    ),
];
/// What comes from others: as it was published, beside the same compressed.
const HTMX: &[u8] = include_bytes!("../../assets/pages/vendor/htmx.min.js");
const HTMX_GZIP: &[u8] = include_bytes!("../../assets/pages/vendor/htmx.min.js.gz");
/// The icon of a browser's tab.
const ICON: &str = include_str!("../../assets/pages/icon.svg");
/// Letters of the digest in an address.
const VERSION: usize = 12;

/// One thing that pages load.
pub struct Asset {
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub body: Cow<'static, [u8]>,
    /// The same, compressed by gzip, where that is there.
    pub gzip: Option<&'static [u8]>,
    /// A part of the digest of the content.
    pub version: String,
}

/// All of them, by name.
pub struct Assets {
    all: BTreeMap<&'static str, Asset>,
}

impl Asset {
    fn of(media_type: &'static str, body: Cow<'static, [u8]>) -> Self {
        let version = encoding::encode(digest(&SHA256, &body).as_ref());
        let version = version.get(..VERSION).unwrap_or(&version).to_owned();
        Self {
            media_type,
            body,
            gzip: None,
            version,
        }
    }
}

impl Assets {
    pub(super) fn read(folder: Option<&Path>, brand: &Brand) -> Result<Self, PagesError> {
        let mut all = BTreeMap::new();
        for (name, media_type, built_in) in TEXTS {
            let body = match replaced(folder, name)? {
                Some(own) => Cow::Owned(own.into_bytes()),
                None => Cow::Borrowed(built_in.as_bytes()),
            };
            all.insert(name, Asset::of(media_type, body));
        }
        let htmx = Asset {
            gzip: Some(HTMX_GZIP),
            ..Asset::of(JS, Cow::Borrowed(HTMX))
        };
        all.insert("htmx.js", htmx);
        let icon = Cow::Borrowed(ICON.as_bytes());
        all.insert("icon.svg", Asset::of("image/svg+xml", icon));
        if let Some(theme) = brand.theme() {
            all.insert("theme.css", Asset::of(CSS, Cow::Owned(theme.into_bytes())));
        }
        if let Some(style) = &brand.style {
            let body = Cow::Owned(style.clone().into_bytes());
            all.insert("own.css", Asset::of(CSS, body));
        }
        if let Some(logo) = &brand.logo {
            let body = Cow::Owned(logo.bytes.clone());
            all.insert("logo", Asset::of(logo.media_type, body));
        }
        Ok(Self { all })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Asset> {
        self.all.get(name)
    }

    /// Where each is found below the base of the pages.
    pub(super) fn addresses(&self) -> BTreeMap<&'static str, String> {
        let address = |(name, asset): (&&'static str, &Asset)| {
            (*name, format!("/assets/{name}?v={}", asset.version))
        };
        self.all.iter().map(address).collect()
    }
}
