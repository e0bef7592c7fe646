"""Proofs of possession: a token that is bound to a key is good only with one (RFC 9449 sections 4.3 and 7)."""

import hashlib
import hmac
import threading
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ._keys import ALGORITHMS, key_of_proof
from ._strict import Malformed, base64url, encode, json_object
from ._target import is_same_target
from ._token import MAX_HEADER, MAX_TOKEN
from .claims import date
from .refusals import Refused

#: By how many seconds a client's clock may be ahead (RFC 9449 section 11.1).
AHEAD: Final = 5
#: For how many seconds one nonce is given out.
_NONCE_SECONDS: Final = 60
_MAX_JTI: Final = 256


class Presented(NamedTuple):
    """What of a request is judged: its token, and what a proof must be about."""

    #: ``bearer`` or ``dpop``.
    scheme: str
    token: str
    #: Every line of the header ``DPoP``.
    proofs: Sequence[str] = ()
    method: str = ""
    #: The absolute URI as clients know it; nothing where that is not known.
    uri: str | None = None


class _Proof(NamedTuple):
    jkt: str
    jti: str
    nonce: str | None


class Proofs:
    """Judges proofs, and remembers them while they are good."""

    def __init__(self, max_age: int, capacity: int, nonce_secret: bytes | None) -> None:
        self._max_age = max_age
        self._secret = nonce_secret
        self._replays = _Replays(max_age + AHEAD + 1, capacity)

    def nonce(self, now: int) -> str | None:
        """Give the nonce that proofs need, if they do."""
        return None if self._secret is None else _nonce(self._secret, now // _NONCE_SECONDS)

    def check(self, presented: Presented, jkt: str, now: int) -> None:
        """Ask for one good proof of the key that the token is bound to, with a living nonce, and never seen before."""
        if len(presented.proofs) != 1:
            raise Refused("invalid_dpop_proof")
        try:
            proof = self._read(presented.proofs[0], presented, now)
        except Malformed:
            raise Refused("invalid_dpop_proof") from None
        if proof.jkt != jkt:
            raise Refused("invalid_token")
        if self._secret is not None:
            slot = now // _NONCE_SECONDS
            given = (proof.nonce or "").encode("utf-8", "surrogatepass")
            known = [_nonce(self._secret, one).encode() for one in (slot, slot - 1)]
            if not any(hmac.compare_digest(one, given) for one in known):
                raise Refused("use_dpop_nonce")
        self._replays.note(f"{jkt}:{proof.jti}", now)

    def after_fork(self) -> None:
        """Replace what another thread of the parent may have held."""
        self._replays.after_fork()

    def _read(self, text: str, presented: Presented, now: int) -> _Proof:
        if len(text) > MAX_TOKEN or not text.isascii():
            raise Malformed("a proof that is too long, or no ASCII")
        segments = text.split(".", 3)
        if len(segments) != 3 or not all(segments) or len(segments[0]) >= MAX_HEADER:
            raise Malformed("a proof that has not three segments")
        header = json_object(base64url(segments[0]))
        # As for every token: no extension is understood (RFC 7515 section 4.1.11).
        if any(name in header for name in ("crit", "b64", "enc")):
            raise Malformed("the header demands an extension")
        named, typ = header.get("alg"), header.get("typ")
        if not isinstance(typ, str) or typ.lower() not in ("dpop+jwt", "application/dpop+jwt"):
            raise Malformed("not a proof")
        if not isinstance(named, str) or named not in ALGORITHMS:
            raise Malformed("the algorithm is not allowed")
        key, jkt = key_of_proof(header.get("jwk"), ALGORITHMS[named])
        if not key.verifies(f"{segments[0]}.{segments[1]}".encode("ascii"), base64url(segments[2])):
            raise Malformed("the signature is wrong")
        claims = json_object(base64url(segments[1]))
        self._judge(claims, presented, now)
        return _Proof(jkt, claims["jti"], claims.get("nonce"))

    def _judge(self, claims: dict[str, Any], presented: Presented, now: int) -> None:
        jti = _text(claims, "jti")
        if not 1 <= len(jti.encode()) <= _MAX_JTI:
            raise Malformed("the jti is empty or too long")
        if _text(claims, "htm") != presented.method:
            raise Malformed("another method")
        htu = _text(claims, "htu")
        if presented.uri is None or not is_same_target(htu, presented.uri):
            raise Malformed("another URI")
        if not -AHEAD <= now - date(claims, "iat") <= self._max_age:
            raise Malformed("not fresh")
        if _text(claims, "ath") != encode(hashlib.sha256(presented.token.encode("ascii")).digest()):
            raise Malformed("another token")
        if "nonce" in claims:
            _text(claims, "nonce")


class _Replays:
    """Two generations, each of a span of time in which every proof dies that was good at its beginning.

    Nothing is forgotten while it is good, and nothing needs a sweep.
    """

    def __init__(self, span: int, capacity: int) -> None:
        self._span = span
        self._capacity = (capacity + 1) // 2
        self._number: int | None = None
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def note(self, proof: str, now: int) -> None:
        number = now // self._span
        proof_id = hashlib.sha256(proof.encode()).digest()[:16]
        with self._lock:
            if self._number is None or number > self._number:
                self._old = self._young if self._number == number - 1 else set()
                self._young = set()
                self._number = number
            if proof_id in self._old or proof_id in self._young:
                raise Refused("invalid_dpop_proof")
            if len(self._young) >= self._capacity:
                raise Refused("overloaded")
            self._young.add(proof_id)


def _nonce(secret: bytes, slot: int) -> str:
    """Give the MAC of a minute: nobody need remember it, and whoever has the secret makes the same."""
    return encode(hmac.digest(secret, slot.to_bytes(8, "big", signed=True), "sha256")[:16])


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise Malformed(f"the claim {name} is no text")
    return value
