"""Where a guard stands in the feed: what it has heard, without knowing how it came."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ._counters import Counters
from ._events import Event, Sink
from ._revocations import MalformedFeed, RevocationSet, entry_of, number
from ._snapshot import SnapshotReader

#: How far the server's clock may go back, in seconds: entries are kept that much longer than any token that they hit.
_SET_BACK: Final = 60


class Gap(Exception):
    """A heartbeat tells of a number that was not heard: something was lost on the way."""


class Heard(NamedTuple):
    """Something that shows that nothing was missed up to now."""

    #: The server's time in seconds, where it was told.
    now: int | None


class _Ignored:
    """Takes what nobody asked for."""

    def write(self, data: bytes) -> None:
        pass


class _Arriving:
    """A snapshot that is being read, into a set of its own."""

    def __init__(self) -> None:
        self.revocations = RevocationSet()
        self._reader = SnapshotReader(self.revocations.apply)
        self.write = self._reader.write
        self.finish = self._reader.finish


class Feed:
    """The revocations, and up to which point of which epoch they are known."""

    def __init__(self, counters: Counters) -> None:
        self.revocations = RevocationSet()
        self.epoch: str | None = None
        self.seq = 0
        #: Whether to resume, and so nothing up to the point is missing.
        self.resumable = False
        #: The highest time that the server told since the last snapshot, by which entries are dropped.
        self.server_time = 0
        #: Whether this connection has told how far the feed is, so that what follows is no backlog.
        self._in_step = False
        #: Called when the feed tells that a key counts no more, and so that there are others.
        self.key_withdrawn: Callable[[], None] = lambda: None
        self.counters = counters

    @property
    def last_id(self) -> str | None:
        """The point to resume from."""
        return f"{self.epoch}:{self.seq}" if self.resumable else None

    def connected(self) -> None:
        """Begin with a new connection, which may bring what was missed before it brings what is new."""
        self._in_step = False

    def forget_place(self) -> None:
        """Go on only from a fresh snapshot. What is known is still heeded."""
        self.resumable = False

    def sink_for(self, event_type: str) -> Sink | None:
        """Say where the data of an event goes as it comes; nowhere for the short ones."""
        if event_type == "snapshot":
            return _Arriving()
        return None if event_type in ("revocation", "heartbeat") else _Ignored()

    def handle(self, event: Event) -> Heard | None:
        """Heed an event, and say what was heard; nothing where it does not show that the feed is known up to now.

        Raises MalformedFeed, and Gap.
        """
        if event.type == "snapshot":
            return self._snapshot(event)
        if event.type == "revocation":
            self._revocation(event)
            return Heard(None) if self._in_step else None
        if event.type == "heartbeat":
            return self._heartbeat(event)
        return None

    def _snapshot(self, event: Event) -> Heard:
        arriving = event.sink
        if arriving is None:
            arriving = _Arriving()
            arriving.write(event.data)
        if not isinstance(arriving, _Arriving):
            raise MalformedFeed("an event changes its type")
        epoch, seq, now = arriving.finish()
        if event.id is not None and event.id != f"{epoch}:{seq}":
            raise MalformedFeed("a snapshot's id is not its own")
        fresh = arriving.revocations
        if epoch == self.epoch:
            # Of one epoch nothing is ever taken back, and a node that is behind must not make us forget. Its numbers
            # count from now on, so that none of its entries is taken for one heard before.
            fresh.merge(self.revocations)
        self.revocations, self.epoch, self.seq, self.resumable = fresh, epoch, seq, True
        self.server_time, self._in_step = now, True
        self.counters.add("snapshots")
        return Heard(now)

    def _revocation(self, event: Event) -> None:
        epoch = self._here()
        entry = entry_of(_json(event))
        if event.id != f"{epoch}:{entry.seq}":
            raise MalformedFeed("an entry's id is not its own")
        if entry.seq <= self.seq:
            return
        self.revocations.apply(entry)
        self.seq = entry.seq
        if entry.kind == "key":
            self.key_withdrawn()
        self.counters.add("applied")

    def _heartbeat(self, event: Event) -> Heard:
        self._here()
        said = _json(event)
        if not isinstance(said, dict):
            raise MalformedFeed("a malformed heartbeat")
        now, seq = number(said.get("now")), number(said.get("seq"))
        if seq > self.seq:
            raise Gap
        if now < self.server_time - _SET_BACK:
            # It was ahead, and what was dropped then may count after all.
            raise MalformedFeed("the server's clock was set back")
        self.server_time, self._in_step = max(now, self.server_time), True
        return Heard(now)

    def _here(self) -> str:
        if self.epoch is None or not self.resumable:
            raise MalformedFeed("the feed does not begin with a snapshot")
        return self.epoch


def _json(event: Event) -> Any:
    try:
        return json.loads(event.data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MalformedFeed("an event is not JSON") from None
