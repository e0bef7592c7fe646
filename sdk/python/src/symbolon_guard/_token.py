"""The token itself: form, header, key, signature, claims. Bytes and the time in, claims out."""

from typing import Final

from . import claims as _claims
from ._keys import ALGORITHMS, Key, KeySet
from ._strict import Malformed, base64url, json_object
from .claims import Claims
from .refusals import Refused

#: The longest token that is looked at, in bytes.
MAX_TOKEN: Final = 8192
#: The header must be shorter than this, in base64url characters.
MAX_HEADER: Final = 4096


class UnknownKey(Refused):
    """The token names no known key. It is an invalid token, unless the issuer has a new key."""

    def __init__(self) -> None:
        super().__init__("invalid_token")


def verify(token: str, keys: KeySet, issuer: str, audience: str) -> tuple[Claims, Key]:
    """Check everything about a token that the time does not change, and give its claims and its key."""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise Refused("invalid_token")
    segments = token.split(".", 3)
    if len(segments) != 3 or not all(segments) or len(segments[0]) >= MAX_HEADER:
        raise Refused("invalid_token")
    header, payload, signature = segments
    try:
        key = _key(base64url(header), keys)
        message = f"{header}.{payload}".encode("ascii")
        if not key.verifies(message, base64url(signature)):
            raise Refused("invalid_token")
        claims = _claims.read(base64url(payload))
    except Malformed:
        raise Refused("invalid_token") from None
    # RFC 7519 sections 4.1.1 and 4.1.3, byte for byte.
    if claims.iss != issuer or audience not in claims.aud:
        raise Refused("invalid_token")
    return claims, key


def _key(raw: bytes, keys: KeySet) -> Key:
    header = json_object(raw)
    # RFC 7515 section 4.1.11: we understand no extension. RFC 7797: `b64` would change what is signed. RFC 7516
    # section 9: a header with `enc` is a JWE's.
    if any(name in header for name in ("crit", "b64", "enc")):
        raise Malformed("the header demands an extension")
    # RFC 8725 section 3.1: a list of algorithms, which `none` is never on. RFC 8725 section 3.10: `jwk`, `jku`,
    # `x5u`, `x5c` are not read; a token never brings its own key.
    named, typ, kid = (header.get(name) for name in ("alg", "typ", "kid"))
    if not isinstance(named, str) or named not in ALGORITHMS:
        raise Malformed("the algorithm is not allowed")
    # RFC 9068 section 4.
    if not isinstance(typ, str) or typ.lower() not in ("at+jwt", "application/at+jwt"):
        raise Malformed("not an access token")
    if "kid" in header and not isinstance(kid, str):
        raise Malformed("the kid is no text")
    key = keys.choose(kid, ALGORITHMS[named])
    if key is None:
        raise UnknownKey
    if key.algorithm != ALGORITHMS[named]:
        raise Malformed("the algorithm is not that of the key")
    return key


def in_time(claims: Claims, leeway: int, now: int) -> None:
    """Check what changes with the time (RFC 7519 sections 4.1.4 to 4.1.6); times in seconds."""
    # Section 4.1.4: "on or after" is expired.
    if now >= claims.exp + leeway:
        raise Refused("token_expired")
    # Nothing can have been issued in the future.
    if claims.iat > now + leeway or (claims.nbf is not None and claims.nbf > now + leeway):
        raise Refused("invalid_token")
