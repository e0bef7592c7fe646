"""The revocations that are alive, and which of them hit a token (CONTRACT section 3.4)."""

import binascii
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ._strict import whole
from .claims import Claims

#: A set never holds more: a feed that goes on beyond is refused, and the guard is not fresh then.
MAX_ENTRIES: Final = 10_000_000

_TO_PLAIN: Final = bytes.maketrans(b"-_", b"+/")


class MalformedFeed(ValueError):
    """The feed said something that cannot be understood: a fresh snapshot has to tell."""


class Entry(NamedTuple):
    """One statement of the feed."""

    seq: int
    effect: str
    kind: str
    #: The subject's digest, 16 bytes.
    key: bytes
    #: ``below`` or ``before``; 0 for the kinds that have none.
    bound: int
    #: In seconds, when no token that it hits can be alive.
    until: int


class Subject(NamedTuple):
    """What revocations ask about a token: digests of its identities, 16 bytes each."""

    session: bytes | None
    user: bytes
    token: bytes
    client: bytes
    key: bytes
    version: int | None
    issued_at: int


def feed_key(kind: str, identity: str) -> bytes:
    """Name a revoked thing as the feed does, which names nobody: 16 bytes of SHA-256 over ``KIND:ID``."""
    return hashlib.sha256(f"{kind}:{identity}".encode()).digest()[:16]


def subject_of(claims: Claims, kid: str | None) -> Subject:
    """Digest a token's identities."""
    return Subject(
        session=None if claims.sid is None else feed_key("session", claims.sid),
        user=feed_key("user", claims.sub),
        token=feed_key("token", claims.jti),
        client=feed_key("client", claims.client_id),
        key=feed_key("key", kid or ""),
        version=claims.ver,
        issued_at=claims.iat,
    )


_BOUND_OF: Final = {"session": None, "token": None, "key": None, "user": "below", "client": "before", "all": "before"}


def entry_of(value: Any) -> Entry:
    """Read an entry as the feed writes it; members that are not known are ignored."""
    try:
        seq, kind, effect, until = value["seq"], value["kind"], value["effect"], value["until"]
        text, bound_name = value["key"], _BOUND_OF[kind]
        bound = 0 if bound_name is None else value[bound_name]
        # Unpadded base64url of 16 bytes, whose last character has four bits to spare.
        key = binascii.a2b_base64(text.encode("ascii").translate(_TO_PLAIN) + b"==", strict_mode=True)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise MalformedFeed("a malformed entry") from None
    if len(key) != 16 or len(text) != 22 or text[-1] not in "AQgw" or effect not in ("revoked", "stale"):
        raise MalformedFeed("a malformed entry")
    # In one look, for a snapshot has many: `type` rather than `isinstance`, so that `true` is no number.
    if type(seq) is not int or type(until) is not int or type(bound) is not int or seq < 0:
        raise MalformedFeed("a malformed entry")
    return Entry(seq, effect, kind, key, bound, until)


@dataclass(slots=True)
class _Effect:
    """The entries of one effect, by kind: the subject's digest, the bound and when to drop it."""

    session: dict[bytes, int]
    token: dict[bytes, int]
    key: dict[bytes, int]
    user: dict[bytes, tuple[int, int]]
    client: dict[bytes, tuple[int, int]]
    all: dict[bytes, tuple[int, int]]

    def hits(self, subject: Subject) -> bool:
        if self.session and subject.session in self.session:
            return True
        if self.user and (user := self.user.get(subject.user)) is not None:
            # A token without a version is older than every version.
            version = subject.version
            if version is None or version < user[0]:
                return True
        if self.token and subject.token in self.token:
            return True
        if self.client and (client := self.client.get(subject.client)) is not None and subject.issued_at <= client[0]:
            return True
        if self.key and subject.key in self.key:
            return True
        return bool(self.all) and any(subject.issued_at <= before for before, _ in tuple(self.all.values()))


def _nothing() -> _Effect:
    return _Effect({}, {}, {}, {}, {}, {})


class RevocationSet:
    """Live revocations. One thread writes and any may look: a look is a few reads of dicts, and takes no lock."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._effects = {"revoked": _nothing(), "stale": _nothing()}
        self._revoked, self._stale = self._effects["revoked"], self._effects["stale"]
        self._most = most
        self._len = 0
        # Many entries die in the same second: one number, or pair of numbers, serves them all.
        self._same: dict[Any, Any] = {}

    def find(self, subject: Subject) -> str | None:
        """Tell whether a token is ``revoked``, else ``stale``, else neither."""
        if self._revoked.hits(subject):
            return "revoked"
        if self._stale.hits(subject):
            return "stale"
        return None

    def apply(self, entry: Entry) -> None:
        """Heed an entry. Of two about the same subject the wider bound and the later ``until`` count."""
        self._put(entry.effect, entry.kind, entry.key, entry.bound, entry.until)

    def merge(self, other: "RevocationSet") -> None:
        """Heed every entry of another set too."""
        for effect, kind, key, bound, until in other:
            self._put(effect, kind, key, bound, until)

    def _put(self, effect: str, kind: str, key: bytes, bound: int, until: int) -> None:
        # The feed's entry about all tokens names nobody, whatever its key.
        key = b"" if kind == "all" else key
        table: dict[bytes, Any] = getattr(self._effects[effect], kind)
        before = table.get(key)
        value: Any = until if _BOUND_OF[kind] is None else (bound, until)
        if before is None:
            if self._len >= self._most:
                raise MalformedFeed("more revocations than a guard can hold")
            self._len += 1
        elif isinstance(before, int):
            value = max(before, until)
        else:
            value = (max(before[0], bound), max(before[1], until))
        table[key] = self._same.setdefault(value, value)

    def expire(self, now: int) -> int:
        """Drop the entries whose ``until`` is ``now`` (seconds) or earlier, and say how many."""
        dropped = 0
        for table, until in self._tables():
            dead = [key for key, value in table.items() if until(value) <= now]
            for key in dead:
                del table[key]
            dropped += len(dead)
        self._len -= dropped
        if dropped:
            self._same = {}
        return dropped

    def _tables(self) -> Iterator[tuple[dict[bytes, Any], Callable[[Any], int]]]:
        for effect in self._effects.values():
            for kind, bound in _BOUND_OF.items():
                yield getattr(effect, kind), _itself if bound is None else _second

    def __iter__(self) -> Iterator[tuple[str, str, bytes, int, int]]:
        for name, effect in self._effects.items():
            for kind, bound in _BOUND_OF.items():
                for key, value in getattr(effect, kind).items():
                    yield (name, kind, key, 0, value) if bound is None else (name, kind, key, *value)

    def __len__(self) -> int:
        """Count the subjects; two entries about the same one with the same effect are one."""
        return self._len


def _itself(until: int) -> int:
    return until


def _second(value: tuple[int, int]) -> int:
    return value[1]


def number(value: object) -> int:
    """Read a number of the feed that is not negative, and that every JSON reader understands."""
    if not whole(value) or not isinstance(value, int) or not 0 <= value <= 1 << 53:
        raise MalformedFeed("a malformed number")
    return value
