"""The issuer's public keys (RFC 7517). Each is parsed once and used with one algorithm (RFC 8725 section 3.1)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicNumbers as PointNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ._strict import Malformed, base64url, encode, json_object

#: The names of algorithms that a token may give. ``Ed25519`` is EdDSA's newer name (RFC 9864).
ALGORITHMS: Final = {"ES256": "ES256", "EdDSA": "EdDSA", "Ed25519": "EdDSA", "RS256": "RS256", "PS256": "PS256"}

_PUBLIC: Final = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_MAX_KEYS: Final = 256

type_of_public = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(eq=False, slots=True)
class Key:
    """A public key with its one algorithm."""

    kid: str | None
    algorithm: str
    numbers: tuple[str, ...]
    public: type_of_public
    #: False once the issuer no longer publishes it: what it verified counts no more.
    live: bool = True

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether this key signed the message (RFC 7518 section 3, RFC 8037 section 3.1)."""
        public = self.public
        try:
            if isinstance(public, Ed25519PublicKey):
                public.verify(signature, message)
            elif isinstance(public, EllipticCurvePublicKey):
                # RFC 7518 section 3.4: r and s, 32 bytes each, and never DER.
                if len(signature) != 64:
                    return False
                r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
                public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
            elif self.algorithm == "PS256":
                public.verify(signature, message, PSS(MGF1(SHA256()), SHA256.digest_size), SHA256())
            else:
                public.verify(signature, message, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


class KeySet:
    """The keys that one issuer's tokens may be signed with."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.keys = tuple(keys)
        self._named = {key.kid: key for key in self.keys if key.kid is not None}
        if len(self._named) != sum(key.kid is not None for key in self.keys):
            raise Malformed("two keys have the same kid")

    def choose(self, kid: str | None, algorithm: str) -> Key | None:
        """Give the one key that a header means (RFC 7515 section 4.1.4), of whatever algorithm.

        Where the header has no ``kid``, or the keys have none, the choice must be no choice.
        """
        if kid is not None and kid in self._named:
            return self._named[kid]
        fitting = [key for key in self.keys if key.algorithm == algorithm and (kid is None or key.kid is None)]
        return fitting[0] if len(fitting) == 1 else None


def parse(raw: bytes, before: KeySet) -> KeySet:
    """Read a JWK Set. A key that ``before`` had too stays the same object; the others of it die.

    Keys of a kind, use or algorithm that is not ours are left out (RFC 7517 section 5). Anything else that is wrong
    with any key refuses the whole set.
    """
    members = json_object(raw).get("keys")
    if not isinstance(members, list) or len(members) > _MAX_KEYS:
        raise Malformed("the key set has no list of keys, or too many")
    known = {(key.kid, key.algorithm, key.numbers): key for key in before.keys}
    keys = []
    for jwk in members:
        key = _read(jwk)
        if key is not None:
            keys.append(known.get((key.kid, key.algorithm, key.numbers), key))
    after = KeySet(keys)
    for key in before.keys:
        key.live = key in after.keys
    return after


def key_of_proof(jwk: object, algorithm: str) -> tuple[Key, str]:
    """Read a key that a proof brings with it, for the algorithm of its header, and give its thumbprint (RFC 7638)."""
    if not isinstance(jwk, dict):
        raise Malformed("a proof has no key")
    key = _read({"alg": algorithm, **jwk})
    if key is None or key.algorithm != algorithm:
        raise Malformed("a proof's key is none for its algorithm")
    kty, *numbers = key.numbers
    members = {"kty": kty, **dict(zip(_PUBLIC[kty], numbers, strict=True))}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return key, encode(hashlib.sha256(canonical.encode("ascii")).digest())


def _read(jwk: object) -> Key | None:
    """Read one key; nothing where it is not for us."""
    if not isinstance(jwk, dict):
        raise Malformed("a key is no JSON object")
    kty = _text(jwk, "kty")
    if any(name in jwk for name in _PRIVATE):
        raise Malformed("a public key carries private members")
    if kty not in _PUBLIC or not _for_verifying(jwk):
        return None
    kid = _text(jwk, "kid") if "kid" in jwk else None
    if kid is not None and not 1 <= len(kid.encode()) <= 256:
        raise Malformed("a key's kid is empty or too long")
    if kty != "RSA" and (kty, _text(jwk, "crv")) not in {("EC", "P-256"), ("OKP", "Ed25519")}:
        return None
    own = {"EC": ("ES256",), "OKP": ("EdDSA",), "RSA": ("RS256", "PS256")}[kty]
    declared = _text(jwk, "alg") if "alg" in jwk else own[0]
    if declared not in ALGORITHMS:
        return None
    algorithm = ALGORITHMS[declared]
    if algorithm not in own:
        raise Malformed("a key's alg does not fit its kty")
    numbers = (kty, *(_text(jwk, name) for name in _PUBLIC[kty]))
    try:
        public = _public(kty, jwk)
    except Malformed:
        raise
    except ValueError:
        raise Malformed("a key's numbers are no key") from None
    return Key(kid, algorithm, numbers, public)


def _for_verifying(jwk: dict[str, Any]) -> bool:
    if "use" in jwk and _text(jwk, "use") != "sig":
        return False
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or not all(isinstance(one, str) for one in operations):
        raise Malformed("a key's key_ops is no list of texts")
    return "verify" in operations


def _public(kty: str, jwk: dict[str, Any]) -> type_of_public:
    first, *rest = (base64url(_text(jwk, name)) for name in _PUBLIC[kty] if name != "crv")
    if kty == "OKP":
        return Ed25519PublicKey.from_public_bytes(first)
    second = rest[0]
    if kty == "EC":
        # RFC 7518 section 6.2.1.2: always the full length. The library checks that the point is on the curve.
        if len(first) != 32 or len(second) != 32:
            raise Malformed("a coordinate has the wrong length")
        return PointNumbers(int.from_bytes(first), int.from_bytes(second), SECP256R1()).public_key()
    n, e = int.from_bytes(first), int.from_bytes(second)
    # RFC 7518 section 3.3 asks for 2048 bits, FIPS 186-5 section A.1.1 for an odd 2^16 < e.
    if not 2048 <= n.bit_length() <= 8192 or n % 2 == 0 or e % 2 == 0 or not 1 << 16 < e < 1 << 33:
        raise Malformed("an RSA key is unsafe")
    return RSAPublicNumbers(e, n).public_key()


def _text(jwk: dict[str, Any], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise Malformed(f"a key's {name} is no text")
    return value
