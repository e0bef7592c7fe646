"""Follows the issuer's revocation feed, in one daemon thread, for ever.

1. Discovery and keys, once.
2. Connect to the stream, with the last point where there is one to resume from.
3. Heed events; each says that the feed is alive, and some what time it is at the server.
4. When the connection ends, whatever the reason, wait a moment and begin again. After something that could not be
   understood, without a point: a fresh snapshot must tell.
"""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Final

from ._checker import Checker
from ._counters import Counters
from ._events import Event, EventParser
from ._feed import Feed, Gap
from ._http import WIRE_ERRORS, Exchange
from ._issuer import IssuerError, KeyFetcher, Metadata, discover, load_keys, why
from ._revocations import MalformedFeed

log: Final = logging.getLogger("symbolon_guard")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds. The defaults fit the server's heartbeat of 5 seconds."""

    #: No bytes for so long: the connection is dropped.
    silence: float = 15.0
    #: The first wait before connecting again, which doubles up to the longest.
    backoff: float = 0.1
    longest_backoff: float = 5.0
    #: How often keys are fetched, and how often at most where tokens name unknown ones.
    keys_every: float = 300.0
    keys_cool_down: float = 10.0
    #: For one answer of the issuer.
    request: float = 10.0
    #: For its word about one token.
    introspection: float = 5.0
    #: How often entries that have had their time are dropped.
    sweep_every: float = 60.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where the time comes from."""

    #: Seconds since 1970.
    wall: Callable[[], float] = time.time
    #: Seconds that only rise.
    monotonic: Callable[[], float] = time.monotonic


class _Closed(Exception):
    """The guard was closed."""


class Follower:
    """Keeps a checker's keys and a feed up to date."""

    def __init__(
        self,
        issuer: str,
        checker: Checker,
        *,
        bound: float,
        timing: Timing,
        clocks: Clocks,
        tls: ssl.SSLContext | None,
        authorization: str | None,
    ) -> None:
        self.counters = Counters()
        self.feed = Feed(self.counters)
        self.keys_known = False
        self.metadata: Metadata | None = None
        #: What went wrong last, while it has not gone well since.
        self.failure: Exception | None = None
        #: Seconds that the server is ahead of the local clock, where they matter: 2 or more.
        self.skew = 0
        self._ahead: int | None = None
        #: When the server was asked for this connection, by the clock that only rises, and what time it told first.
        self._asked_at = 0.0
        self._first_told: int | None = None
        self.key_fetcher = KeyFetcher(self._refresh_keys, timing.keys_cool_down, clocks.monotonic)
        self._issuer = issuer
        self._checker = checker
        self._bound = bound
        self._timing = timing
        self._clocks = clocks
        self._tls = tls
        #: The header for the feed, and for nothing else.
        self._authorization = authorization
        self._heard: float | None = None
        self._told_fresh: bool | None = None
        self._keys_due = 0.0
        self._sweep_due = 0.0
        self._connected = False
        self._exchange: Exchange | None = None
        self.feed.key_withdrawn = self.key_fetcher.forget_cool_down
        self._begin()

    def _begin(self) -> None:
        self._closing = threading.Event()
        #: Set at each good event, for those who wait for the first.
        self.moved = threading.Condition()
        self._telling = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, name="symbolon-guard-feed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following, and wait until it has stopped, save where it is just connecting."""
        self._closing.set()
        if self._exchange is not None:
            self._exchange.interrupt()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2)

    def after_fork(self) -> None:
        """Follow in the child too, from where the parent was; the parent's connection is not ours to read."""
        followed = self._thread is not None and not self._closing.is_set()
        if self._exchange is not None:
            self._exchange.socket.close()
            self._exchange = None
        self.key_fetcher.after_fork()
        self.feed.counters = self.counters = Counters()
        self._begin()
        if followed:
            self.start()

    @property
    def heard_ago(self) -> float | None:
        """Seconds since the feed was heard; nothing before its first snapshot."""
        return None if self._heard is None else self._clocks.monotonic() - self._heard

    def is_fresh(self) -> bool:
        """Whether a snapshot was taken, and something heard within the bound."""
        heard = self._heard
        fresh = heard is not None and self._clocks.monotonic() - heard <= self._bound
        if fresh is not self._told_fresh:
            self._tell(fresh)
        return fresh

    def now(self) -> int:
        """Give the time by which tokens are judged, in seconds."""
        return int(self._clocks.wall() + self.skew)

    def _tell(self, fresh: bool) -> None:
        with self._telling:
            before, self._told_fresh = self._told_fresh, fresh
        if before is fresh or (before is None and not fresh):
            return
        if fresh:
            log.info("the revocation feed of %s is fresh", self._issuer)
        else:
            log.warning("the revocation feed of %s is stale: nothing heard for %s s", self._issuer, self._bound)

    def _run(self) -> None:
        delay = self._timing.backoff
        while not self._closing.is_set():
            before = (self._heard, self.feed.epoch, self.feed.seq)
            try:
                self._follow()
                malformed = False
            except _Closed:
                return
            except Exception as error:
                if self._closing.is_set():
                    return
                malformed = self._failed(error)
            # A feed that is malformed again and again must not be asked for its whole snapshot ten times a second.
            # What came is not asked for again: it is worth coming back soon for the rest.
            if before != (self._heard, self.feed.epoch, self.feed.seq) and not malformed:
                delay = self._timing.backoff
            # Not a secret: guards that lost one server together shall not come back together.
            self._closing.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(2 * delay, self._timing.longest_backoff)
            self.is_fresh()

    def _failed(self, error: Exception) -> bool:
        """Note why a connection ended, and tell whether what it brought was malformed."""
        with self.moved:
            self.failure = error
            self.moved.notify_all()
        if isinstance(error, MalformedFeed):
            self.counters.add("malformed")
            self.feed.forget_place()
            log.warning("the revocation feed of %s is malformed, asking for all of it: %s", self._issuer, error)
            return True
        if isinstance(error, Gap):
            log.warning("the revocation feed of %s lost something, asking again", self._issuer)
        elif isinstance(error, (IssuerError, *WIRE_ERRORS)):
            log.info("the revocation feed of %s is not there: %s", self._issuer, why(error))
        else:
            log.exception("following the revocation feed of %s failed", self._issuer)
        return False

    def _follow(self) -> None:
        if self.metadata is None:
            self.metadata = discover(self._issuer, self._tls, self._timing.request)
        if not self.keys_known:
            self.key_fetcher.note_fetch()
            self._load_keys(self.metadata)
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.feed.last_id is not None:
            headers["Last-Event-ID"] = self.feed.last_id
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        self._asked_at, self._first_told = self._clocks.monotonic(), None
        with Exchange(self.metadata.stream, self._tls, self._timing.request) as exchange:
            self._exchange = exchange
            try:
                self._tick()
                response = exchange.send(headers)
                kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
                if response.status != 200 or kind != "text/event-stream":
                    advice = self._advice() if response.status == 401 else ""
                    raise IssuerError("feed", f"the issuer answered {response.status} {kind}{advice}")
                if self._connected:
                    self.counters.add("reconnects")
                self._connected = True
                exchange.patient(self._timing.silence, self._tick)
                self._read(response)
            finally:
                self._exchange = None

    def _advice(self) -> str:
        """Say what a 401 asks for."""
        return ": set feed_credentials" if self._authorization is None else ": these feed_credentials are refused"

    def _read(self, response: HTTPResponse) -> None:
        parser = EventParser(self.feed.sink_for)
        self.feed.connected()
        begun = self._clocks.wall()
        # An event that the end cuts off is as if it had not come: the next connection brings it whole.
        while chunk := response.read1(64 * 1024):
            arrived = self._clocks.wall()
            if not parser.amid_event:
                begun = arrived
            for event in parser.feed(chunk):
                self.heed(event, begun)
                begun = arrived
            self._tick()

    def heed(self, event: Event, begun: float) -> None:
        """Heed an event that began to come at that local time; raises MalformedFeed, and Gap."""
        heard = self.feed.handle(event)
        if heard is None:
            return
        # A long snapshot tells the time at which it began to come.
        if heard.now is not None:
            if self._first_told is None:
                self._first_told = heard.now
            # A snapshot may take as long as it does to come.
            if event.type == "heartbeat":
                self._in_time(heard.now - self._first_told)
            self._compare_clocks(heard.now - int(begun))
        if event.type == "snapshot":
            self._sweep()
        with self.moved:
            self._heard = self._clocks.monotonic()
            self.failure = None
            self.moved.notify_all()
        self.is_fresh()

    def _in_time(self, passed: int) -> None:
        """Ask that the server's time went on as fast as the time here since this connection was asked for.

        What somebody on the way holds back would be heard late, and its times would turn the clock back.
        """
        late = self._clocks.monotonic() - self._asked_at - max(passed, 0)
        # The server tells whole seconds.
        if late > self._timing.silence + 1:
            raise TimeoutError(f"what comes is {late:.0f} s late")

    def _compare_clocks(self, ahead: int) -> None:
        # What was late on its way makes the server's clock seem slow: of the last two the higher counts.
        skew = ahead if self._ahead is None else max(ahead, self._ahead)
        self._ahead = ahead
        skew = skew if abs(skew) >= 2 else 0
        if bool(skew) is not bool(self.skew):
            how = f"differ by {skew} s" if skew else "agree"
            log.warning("the clock of this machine and that of %s %s", self._issuer, how)
        self.skew = skew

    def _tick(self) -> None:
        """Do what is due; about once a second while a connection stands."""
        if self._closing.is_set():
            raise _Closed
        now = self._clocks.monotonic()
        if now >= self._keys_due:
            self.key_fetcher.fetch()
        if now >= self._sweep_due:
            self._sweep()
        self.is_fresh()

    def _sweep(self) -> None:
        self._sweep_due = self._clocks.monotonic() + self._timing.sweep_every
        # Never by this machine's clock: one that is ahead for a while would drop what still counts afterwards.
        self.feed.revocations.expire(self.feed.server_time - self._checker.leeway)

    def _refresh_keys(self) -> None:
        if self.metadata is not None:
            try:
                self._load_keys(self.metadata)
            except Exception as error:
                log.warning("the keys of %s cannot be had, the old ones stay: %s", self._issuer, why(error))

    def _load_keys(self, metadata: Metadata) -> None:
        self.counters.add("key_fetches")
        try:
            self._checker.keys = load_keys(metadata.jwks, self._checker.keys, self._tls, self._timing.request)
        except IssuerError:
            self.counters.add("key_failures")
            raise
        self.keys_known = True
        self._keys_due = self._clocks.monotonic() + self._timing.keys_every
