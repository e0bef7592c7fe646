"""Verified tokens, kept so that the next request need not pay for the signature again."""

import threading
from typing import NamedTuple

from ._keys import Key, KeySet
from ._revocations import Subject, subject_of
from ._token import in_time, verify
from .claims import Claims


class Verified(NamedTuple):
    """A token with a good signature, of the right issuer, audience and type. Whether it lives is another question."""

    claims: Claims
    subject: Subject
    key: Key


class Checker:
    """Verifies tokens with what it knows. It asks nobody."""

    def __init__(self, issuer: str, audience: str, leeway: int, cache_size: int) -> None:
        self.keys = KeySet()
        #: In seconds.
        self.leeway = leeway
        self._issuer = issuer
        self._audience = audience
        self._cache = _Cache(cache_size)

    def verified(self, token: str, now: int) -> Verified:
        """Verify a token at a time in seconds; raises Refused: UnknownKey, ``invalid_token``, ``token_expired``."""
        known = self._cache.find(token)
        # What a key verified that is no longer published is worth nothing, though it comes back with other numbers.
        if known is None or not known.key.live:
            claims, key = verify(token, self.keys, self._issuer, self._audience)
            known = Verified(claims, subject_of(claims, key.kid), key)
            in_time(claims, self.leeway, now)
            self._cache.insert(token, known)
            return known
        in_time(known.claims, self.leeway, now)
        return known

    def after_fork(self) -> None:
        """Replace what another thread of the parent may have held."""
        self._cache.after_fork()


class _Cache:
    """Verified tokens by their whole text, bounded by number; those not seen for long make room.

    Two generations: what is found in the old one moves to the young one, and when the young one is full it becomes
    the old one. Finding in the young one takes no lock.
    """

    def __init__(self, size: int) -> None:
        self._half = (size + 1) // 2
        self._young: dict[str, Verified] = {}
        self._old: dict[str, Verified] = {}
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def find(self, token: str) -> Verified | None:
        found = self._young.get(token)
        if found is None and (found := self._old.get(token)) is not None:
            self.insert(token, found)
        return found

    def insert(self, token: str, verified: Verified) -> None:
        if self._half == 0:
            return
        with self._lock:
            if len(self._young) >= self._half and token not in self._young:
                self._old, self._young = self._young, {}
            self._young[token] = verified

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
