//! Every reason to refuse a token or a key. None carries a byte of the input,
//! so any of them may be logged or shown.

use crate::encoding::NotBase64url;
use crate::strict::Fault;

/// Why a token is refused, or could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not three segments of unpadded base64url with JSON objects where they must be (RFC 7515 section 7.1).
    #[error("the token is not a JWS in compact form")]
    Malformed,
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is longer than 8192 bytes")]
    TooLong,
    /// The header alone is longer than 4096 characters.
    #[error("the token's header is longer than 4096 characters")]
    HeaderTooLarge,
    /// A JSON object names a member twice (RFC 7515 section 4, RFC 7519 section 4).
    #[error("a JSON object in the token names a member twice")]
    DuplicateMember,
    /// The header has `crit` or an extension that changes the meaning of the token (RFC 7515 section 4.1.11).
    #[error("the token's header demands an extension")]
    CriticalHeader,
    /// The algorithm is unknown, or is not on the list of those allowed (RFC 8725 section 3.1).
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// No key fits the header, or more than one does (RFC 7515 section 4.1.4).
    #[error("the token names no known key")]
    UnknownKey,
    /// The key belongs to another algorithm than the header says (RFC 8725 section 3.1).
    #[error("the token's algorithm is not that of its key")]
    AlgorithmMismatch,
    /// The signature is wrong (RFC 7515 section 5.2).
    #[error("the token's signature is wrong")]
    BadSignature,
    /// The token is of another kind (RFC 8725 section 3.11, RFC 9068 section 4).
    #[error("the token is of another type")]
    WrongType,
    /// Another issuer (RFC 7519 section 4.1.1).
    #[error("the token is of another issuer")]
    WrongIssuer,
    /// Meant for somebody else (RFC 7519 section 4.1.3).
    #[error("the token is for another audience")]
    WrongAudience,
    /// Past its `exp` (RFC 7519 section 4.1.4).
    #[error("the token has expired")]
    Expired,
    /// Before its `nbf`, or issued in the future (RFC 7519 sections 4.1.5 and 4.1.6).
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A claim that this kind of token must have is absent.
    #[error("the token has no claim `{0}`")]
    MissingClaim(&'static str),
    /// A claim has the wrong JSON type or an impossible value.
    #[error("the token's claim `{0}` is malformed")]
    MalformedClaim(&'static str),
    /// Signing: the claims are not a JSON object, or are too long for a token that we would accept.
    #[error("the claims cannot be signed")]
    Unsignable,
    /// Signing: the cryptographic library failed.
    #[error("signing failed")]
    SigningFailed,
}

impl Error {
    /// The stable name of the refusal, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::TooLong => "token_too_long",
            Self::HeaderTooLarge => "header_too_large",
            Self::DuplicateMember => "duplicate_member",
            Self::CriticalHeader => "critical_header",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::UnknownKey => "unknown_key",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::BadSignature => "bad_signature",
            Self::WrongType => "wrong_type",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::MissingClaim(_) => "missing_claim",
            Self::MalformedClaim(_) => "malformed_claim",
            Self::Unsignable => "unsignable_claims",
            Self::SigningFailed => "signing_failed",
        }
    }
}

impl From<NotBase64url> for Error {
    fn from(_: NotBase64url) -> Self {
        Self::Malformed
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax => Self::Malformed,
            Fault::Duplicate => Self::DuplicateMember,
        }
    }
}

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not JSON of the expected shape, or not the DER of a key of that algorithm.
    #[error("the key is malformed")]
    Malformed,
    /// A JSON object names a member twice (RFC 7517 section 4).
    #[error("a JSON object in the key names a member twice")]
    DuplicateMember,
    /// A member that this kind of key must have is absent.
    #[error("the key has no member `{0}`")]
    MissingMember(&'static str),
    /// A member has the wrong JSON type or an impossible value.
    #[error("the key's member `{0}` is malformed")]
    MalformedMember(&'static str),
    /// A public key or key set carries a private or symmetric member (RFC 7517 section 9.2).
    #[error("a public key carries private members")]
    PrivateMember,
    /// The key type, curve or algorithm is none of ours.
    #[error("the kind of key is not supported")]
    Unsupported,
    /// `use` or `key_ops` say that the key is not for signatures (RFC 7517 sections 4.2 and 4.3).
    #[error("the key is not for signatures")]
    WrongUse,
    /// `alg` does not fit the key, or not the use that is made of it (RFC 7517 section 4.4).
    #[error("the key's algorithm is another one")]
    AlgorithmMismatch,
    /// RSA below 2048 or above 8192 bits, or made by a generator known to be broken (RFC 7518 section 3.3).
    #[error("the RSA modulus is too weak or too large")]
    WeakModulus,
    /// An RSA exponent that is even, below 65537 or above 2^33.
    #[error("the RSA exponent is unsafe")]
    UnsafeExponent,
    /// An HMAC secret shorter than its hash (RFC 7518 section 3.2).
    #[error("the secret is shorter than 32 bytes")]
    SecretTooShort,
    /// A public key, certificate or key file was given as an HMAC secret.
    #[error("the secret is a key file, not a secret")]
    SecretIsKeyFile,
    /// The numbers are not a key: a point off its curve, or parts that do not belong together.
    #[error("the key is not valid")]
    Invalid,
    /// Two keys of a set have the same `kid`.
    #[error("two keys have the same kid")]
    DuplicateKid,
    /// A set of secret keys holds a private or public key too.
    #[error("the set mixes secret and public keys")]
    MixedSet,
    /// A `kid` that is empty or longer than 256 bytes.
    #[error("the kid is empty or longer than 256 bytes")]
    BadKid,
    /// A private key was needed and the members are not there.
    #[error("the key has no private part")]
    NotPrivate,
    /// The cryptographic library failed.
    #[error("the key could not be made")]
    Failed,
}

impl KeyError {
    /// The stable name of the refusal, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_key",
            Self::DuplicateMember => "duplicate_member",
            Self::MissingMember(_) => "missing_member",
            Self::MalformedMember(_) => "malformed_member",
            Self::PrivateMember => "private_member",
            Self::Unsupported => "unsupported_key",
            Self::WrongUse => "wrong_use",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::WeakModulus => "weak_modulus",
            Self::UnsafeExponent => "unsafe_exponent",
            Self::SecretTooShort => "secret_too_short",
            Self::SecretIsKeyFile => "secret_is_key_file",
            Self::Invalid => "invalid_key",
            Self::DuplicateKid => "duplicate_kid",
            Self::MixedSet => "mixed_key_set",
            Self::BadKid => "bad_kid",
            Self::NotPrivate => "not_private",
            Self::Failed => "key_failed",
        }
    }
}

impl From<Fault> for KeyError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax => Self::Malformed,
            Fault::Duplicate => Self::DuplicateMember,
        }
    }
}
