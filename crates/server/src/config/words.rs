//! Settings that are one of a few words.

use std::str::FromStr;

use super::reader::Detail;

/// Makes a type that is one of a few words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal as $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The word for it, where it is used.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Detail;

            fn from_str(text: &str) -> Result<Self, Detail> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(Detail::new()) }
            }
        }
    };
}

words! {
    /// `SameSite` of the refresh cookie; [`SameSite::as_str`] is the attribute's value.
    SameSite {
        /// Sent by our own pages only.
        Strict = "strict" as "Strict",
        /// Sent when another site's link is followed, too.
        Lax = "lax" as "Lax",
        /// Sent by every page that calls us.
        None = "none" as "None",
    }
}

words! {
    /// Who may make an account.
    RegistrationMode {
        /// Everybody.
        Open = "open" as "open",
        /// Who was invited.
        Invitation = "invitation" as "invitation",
        /// Nobody: administrators make accounts.
        Closed = "closed" as "closed",
    }
}

words! {
    /// Whether a new address is to be confirmed.
    Verification {
        /// No mail is sent.
        Off = "off" as "off",
        /// A mail is sent, and nothing depends on it.
        Optional = "optional" as "optional",
        /// Nobody signs in before it is confirmed.
        Required = "required" as "required",
    }
}

words! {
    /// What log lines look like.
    LogFormat {
        /// Lines for people.
        Text = "text" as "text",
        /// One JSON object a line.
        Json = "json" as "json",
    }
}

words! {
    /// Who may read the revocation feed.
    FeedAccess {
        /// Everybody: it names nobody.
        Public = "public" as "public",
        /// OAuth clients.
        Clients = "clients" as "clients",
    }
}
