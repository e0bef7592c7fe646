"""The guard: what a resource asks about each request."""

import asyncio
import os
import secrets
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Required, Self, TypedDict, Unpack
from urllib.parse import urlsplit

from . import refusals
from ._checker import Checker, Verified
from ._follower import Clocks, Follower, Timing
from ._http import parse_url
from ._issuer import IssuerError, ask, basic, metadata_url, why
from ._proofs import Presented, Proofs
from ._target import address_of
from ._token import UnknownKey
from .claims import Claims
from .refusals import Answer, Refused, plain_sign_in

__all__ = ["Guard", "GuardOptions", "Metrics", "Sent", "Staleness", "StartError"]

Staleness = Literal["fail_closed", "introspect", "fail_open"]

#: How many tokens the issuer is asked about at once.
_ASKED_AT_ONCE: Final = 64
_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


class GuardOptions(TypedDict, total=False):
    """What a guard is made of. Times are in seconds."""

    #: What the tokens' ``aud`` must name.
    audience: Required[str]
    #: What to do while the feed has not been heard within the bound.
    staleness: Staleness
    #: 15 where not given.
    staleness_bound: float
    #: By how much clocks may differ, 0 to 60; 5 where not given.
    leeway: int
    #: How many verified tokens are kept; 10,000 where not given.
    cache_size: int
    #: This resource's address, for its metadata (RFC 9728).
    resource: str
    #: Where the metadata is; follows from ``resource`` where not given.
    resource_metadata: str
    #: What the metadata names.
    scopes_supported: Sequence[str]
    #: Where clients reach this resource, which the proofs of bound tokens name (RFC 9449): ``https://api.example``, or
    #: ``https://api.example/v1`` behind a proxy that takes ``/v1`` away. The origin of ``resource`` where not given.
    #: Without either, bound tokens are refused.
    address: str
    #: This scheme and the header ``Host`` instead: only where nothing but its own names reaches the resource.
    address_from_host: Literal["https", "http"]
    #: How old a proof may be, 1 to 300; 60 where not given.
    proof_max_age: int
    #: How many proofs are remembered, about; 1,000,000 where not given. More within their life are answered with 503.
    proof_capacity: int
    #: Whether proofs need a nonce; 32 bytes are a secret for guards that share theirs.
    proof_nonces: bool | bytes
    #: A client's id and secret, for a server whose setting ``feed.access`` is ``clients``: sent to the feed only.
    feed_credentials: tuple[str, str]
    #: For an issuer whose certificate is of a private authority.
    tls: ssl.SSLContext
    #: The clock, in seconds since 1970, and one that only rises.
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    timing: Timing


class Sent(NamedTuple):
    """What of a request a proof of possession is judged by."""

    #: Every line of the header ``DPoP``.
    proofs: Sequence[str] = ()
    method: str = ""
    #: The path as the client sent it, without the query.
    path: str = ""
    #: The header ``Host``.
    host: str | None = None


class StartError(Exception):
    """The guard could not start; the message says which step failed, and why."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a guard did since the process began, and how it stands at this moment."""

    #: Tokens that were let through.
    accepted: int
    #: Requests that were refused, by code.
    rejected: dict[str, int]
    #: Connections to the feed after the first.
    reconnects: int
    #: Snapshots taken, and entries heeded one by one.
    snapshots: int
    applied: int
    #: Connections given up for what they said; each made the guard take a new snapshot.
    malformed: int
    #: Times that the issuer's keys were asked for, and those of them that brought none.
    key_fetches: int
    key_failures: int
    #: Times that the issuer was asked about a token.
    introspections: int
    #: Whether a snapshot was taken and the feed was heard within the staleness bound.
    fresh: bool
    #: Nothing before the first snapshot.
    seconds_since_heard: float | None
    #: Subjects that live revocations name.
    entries: int
    #: The feed's epoch, and the last number of it that is heeded.
    epoch: str | None
    seq: int
    #: Seconds by which the issuer's clock is ahead of this machine's, where that is 2 or more.
    skew: int

    def to_json(self) -> dict[str, Any]:
        """Give them under the names that guards of every language use."""
        return {_camel(name): value for name, value in asdict(self).items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class _Keys(NamedTuple):
    """Somebody is fetching keys, which may be what a token needs."""

    flight: Future[None]


class _Ask(NamedTuple):
    """The issuer is to be asked about the token."""

    verified: Verified


class Guard:
    """Verifies access tokens without asking anybody, and refuses those that were revoked. Share one."""

    def __init__(self, issuer: str, **options: Unpack[GuardOptions]) -> None:
        """Make a guard that knows nothing yet. See :meth:`discover`, and :meth:`start`."""
        leeway, bound = options.get("leeway", 5), options.get("staleness_bound", 15.0)
        if not 0 <= leeway <= 60:
            raise ValueError("the leeway is not between 0 and 60 seconds")
        if not options["audience"]:
            raise ValueError("a guard needs an audience")
        if bound <= 0 or options.get("cache_size", 0) < 0:
            raise ValueError("the staleness bound or the cache's size is too small")
        self._policy: Staleness = options.get("staleness", "fail_closed")
        if self._policy not in ("fail_closed", "introspect", "fail_open"):
            raise ValueError("staleness is one of fail_closed, introspect, fail_open")
        metadata_url(issuer)
        self.issuer = issuer
        self.audience = options["audience"]
        self._timing = options.get("timing", Timing())
        self._tls = options.get("tls")
        self.resource = options.get("resource")
        self._scopes = [refusals.plain_scope(scope) for scope in options.get("scopes_supported", ())]
        #: The address of this resource's metadata, which challenges name.
        self.resource_metadata = options.get("resource_metadata", _metadata_of(self.resource))
        if self.resource_metadata is not None:
            parse_url(self.resource_metadata)
        self._address = address_of(options.get("address"), options.get("address_from_host"), self.resource)
        self._proofs = _proofs_of(options)
        self._checker = Checker(issuer, self.audience, leeway, options.get("cache_size", 10_000))
        self._follower = Follower(
            issuer,
            self._checker,
            bound=bound,
            timing=self._timing,
            clocks=Clocks(options.get("clock", time.time), options.get("monotonic", time.monotonic)),
            tls=self._tls,
            authorization=basic(options.get("feed_credentials")),
        )
        self._begin()
        _guards.add(self)

    def _begin(self) -> None:
        self._places = threading.BoundedSemaphore(_ASKED_AT_ONCE)
        self._executor: ThreadPoolExecutor | None = None
        self._executor_lock = threading.Lock()

    @classmethod
    def discover(
        cls, issuer: str, *, background: bool = False, start_timeout: float = 10.0, **options: Unpack[GuardOptions]
    ) -> Self:
        """Make a guard and start it: metadata, keys and the first snapshot of revocations are there when this returns.

        With ``background`` it returns at once, and the guard is not fresh until then. Raises StartError.
        """
        guard = cls(issuer, **options)
        guard.start(background=background, timeout=start_timeout)
        return guard

    def start(self, *, background: bool = False, timeout: float = 10.0) -> None:
        """Begin to follow the issuer; see :meth:`discover`."""
        follower = self._follower
        follower.start()
        if background:
            return
        until = time.monotonic() + timeout
        with follower.moved:
            while follower.heard_ago is None:
                failure = follower.failure
                if isinstance(failure, IssuerError) and failure.final:
                    break
                if not follower.moved.wait(max(until - time.monotonic(), 0)) and time.monotonic() >= until:
                    break
            else:
                return
        self.close()
        step = "discovery" if follower.metadata is None else "first snapshot" if follower.keys_known else "keys"
        said = "nothing came in time" if failure is None else why(failure)
        said = said if isinstance(failure, IssuerError) else f"{step}: {said}"
        raise StartError(f"the guard for {self.issuer} could not start: {said}") from failure

    def close(self) -> None:
        """Stop following. Afterwards the guard soon is not fresh."""
        self._follower.close()
        with self._executor_lock:
            if self._executor is not None:
                self._executor.shutdown(wait=False, cancel_futures=True)
                self._executor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # What a request asks.

    def authenticate(self, authorization: Sequence[str], sent: Sent | None = None) -> Claims:
        """Judge a request by its lines of the header ``Authorization``; raises Refused.

        ``sent`` is what the proof of a bound token is judged by. It may wait for the issuer, where a token names an
        unknown key or ``introspect`` asks.
        """
        return self._check(self._presented(authorization, sent))

    async def authenticate_async(self, authorization: Sequence[str], sent: Sent | None = None) -> Claims:
        """Do as :meth:`authenticate`, without ever blocking the event loop."""
        return await self._check_async(self._presented(authorization, sent))

    def check(self, token: str) -> Claims:
        """Judge a token; raises Refused. It may wait for the issuer, as :meth:`authenticate` does.

        A token that is bound to a key is refused, for its proof is of a whole request.
        """
        return self._check(Presented("bearer", token))

    async def check_async(self, token: str) -> Claims:
        """Do as :meth:`check`, without ever blocking the event loop."""
        return await self._check_async(Presented("bearer", token))

    def require_sign_in(self, claims: Claims, *, max_age: int | None = None, acr: Iterable[str] | None = None) -> None:
        """Ask for a sign-in at most ``max_age`` seconds ago, of one of the kinds ``acr`` (the best first), or both.

        Else :class:`Refused` with ``insufficient_user_authentication``, whose challenge names what an authorization
        request must ask for (RFC 9470 section 3). A token that does not say when or how does not pass.
        """
        wanted = plain_sign_in(max_age, acr)
        if wanted.max_age is not None:
            leeway, now = self._checker.leeway, self._follower.now()
            # Nobody signs in in the future.
            if claims.auth_time is None or not -leeway <= now - claims.auth_time <= wanted.max_age + leeway:
                raise Refused("insufficient_user_authentication", sign_in=wanted)
        if wanted.acr is not None and claims.acr not in wanted.acr:
            raise Refused("insufficient_user_authentication", sign_in=wanted)

    def _check(self, presented: Presented) -> Claims:
        try:
            found = self._judge(presented, fetch=True)
            if isinstance(found, _Keys):
                try:
                    found.flight.result(2 * self._timing.request)
                except FutureTimeoutError:
                    raise Refused("overloaded") from None
                found = self._judge(presented, fetch=False)
            if isinstance(found, _Ask):
                self._take_place()
                try:
                    self._ask(presented.token)
                finally:
                    self._places.release()
        except Refused as refused:
            self._count_verdict(refused)
            raise
        return self._accept(found)

    async def _check_async(self, presented: Presented) -> Claims:
        try:
            found = self._judge(presented, fetch=True)
            if isinstance(found, _Keys):
                try:
                    async with asyncio.timeout(2 * self._timing.request):
                        await asyncio.wrap_future(found.flight)
                except TimeoutError:
                    raise Refused("overloaded") from None
                found = self._judge(presented, fetch=False)
            if isinstance(found, _Ask):
                self._take_place()
                try:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._threads(), self._ask, presented.token)
                finally:
                    self._places.release()
        except Refused as refused:
            self._count_verdict(refused)
            raise
        return self._accept(found)

    def answer(self, refused: Refused, request_id: str | None = None) -> Answer:
        """Render a refusal; ``request_id`` is the request's header ``X-Request-Id``."""
        if refused.of_demand:
            self._count(refused)
        nonce = self._proofs.nonce(self._follower.now())
        proofs = self._address is not None
        return refusals.answer(refused, request_id, self.resource_metadata, proofs=proofs, nonce=nonce)

    def protected_resource(self) -> dict[str, Any] | None:
        """Give this resource's metadata (RFC 9728 section 2), where ``resource`` is known."""
        if self.resource is None:
            return None
        metadata: dict[str, Any] = {
            "resource": self.resource,
            "authorization_servers": [self.issuer],
            "bearer_methods_supported": ["header"],
        }
        if self._scopes:
            metadata["scopes_supported"] = self._scopes
        if self._address is not None:
            metadata["dpop_signing_alg_values_supported"] = list(refusals.PROOF_ALGORITHMS)
        return metadata

    @property
    def protected_resource_path(self) -> str | None:
        """The path where that metadata is to be served."""
        served = self.resource is not None and self.resource_metadata is not None
        return urlsplit(self.resource_metadata or "").path if served else None

    def metrics(self) -> Metrics:
        """Tell how the guard is."""
        follower = self._follower
        counts = follower.counters.all()
        return Metrics(
            accepted=counts.get("accepted", 0),
            rejected={code: counts.get(f"rejected:{code}", 0) for code in refusals.CODES},
            reconnects=counts.get("reconnects", 0),
            snapshots=counts.get("snapshots", 0),
            applied=counts.get("applied", 0),
            malformed=counts.get("malformed", 0),
            key_fetches=counts.get("key_fetches", 0),
            key_failures=counts.get("key_failures", 0),
            introspections=counts.get("introspections", 0),
            fresh=follower.is_fresh(),
            seconds_since_heard=follower.heard_ago,
            entries=len(follower.feed.revocations),
            epoch=follower.feed.epoch,
            seq=follower.feed.seq,
            skew=follower.skew,
        )

    # How it is judged.

    def _presented(self, authorization: Sequence[str], sent: Sent | None) -> Presented:
        try:
            scheme, token = refusals.credential(authorization)
            if scheme == "dpop" and self._address is None:
                # Nobody could tell what its proof must be about: the answer names what would work.
                raise Refused("no_token")
        except Refused as refused:
            self._count(refused)
            raise
        if scheme == "bearer" or sent is None or self._address is None:
            return Presented(scheme, token)
        base = self._address(sent.host)
        uri = base + sent.path if base is not None and sent.path.startswith("/") else None
        return Presented(scheme, token, sent.proofs, sent.method, uri)

    def _judge(self, presented: Presented, *, fetch: bool) -> Verified | _Keys | _Ask:
        """Judge by what is known, or say what is missing. It never waits."""
        token = presented.token
        follower = self._follower
        try:
            verified = self._checker.verified(token, follower.now())
        except UnknownKey:
            if not follower.keys_known:
                raise Refused("overloaded") from None
            flight = follower.key_fetcher.fetch() if fetch else None
            if flight is not None:
                return _Keys(flight)
            # A fetch that somebody else waited for may have ended since.
            verified = self._checker.verified(token, follower.now())
        fresh = follower.is_fresh()
        if not fresh and self._policy == "fail_closed":
            raise Refused("overloaded")
        hit = follower.feed.revocations.find(verified.subject)
        if hit is not None:
            raise Refused("token_revoked" if hit == "revoked" else "token_stale")
        jkt = verified.claims.jkt
        # RFC 9449 section 7.2: a bound token that came without its proof may be stolen.
        if (presented.scheme == "dpop") != (jkt is not None):
            raise Refused("invalid_token")
        if not fresh and self._policy == "introspect":
            # For a bound token the issuer would want a proof of its own, which only the client can make.
            if jkt is not None:
                raise Refused("overloaded")
            return _Ask(verified)
        if jkt is not None:
            self._proofs.check(presented, jkt, follower.now())
        return verified

    def _ask(self, token: str) -> None:
        metadata = self._follower.metadata
        if metadata is None or metadata.verification is None:
            raise Refused("overloaded")
        self._follower.counters.add("introspections")
        ask(metadata.verification, token, self._tls, self._timing.introspection)

    def _take_place(self) -> None:
        if not self._places.acquire(blocking=False):
            raise Refused("overloaded")

    def _threads(self) -> ThreadPoolExecutor:
        with self._executor_lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_ASKED_AT_ONCE, "symbolon-guard-ask")
            return self._executor

    def _accept(self, found: Verified | _Keys | _Ask) -> Claims:
        self._follower.counters.add("accepted")
        if isinstance(found, _Ask):
            return found.verified.claims
        assert isinstance(found, Verified)  # noqa: S101
        return found.claims

    def _count_verdict(self, refused: Refused) -> None:
        # Those of demands are counted with their answers, for the guard does not see most of them.
        if not refused.of_demand:
            self._count(refused)

    def _count(self, refused: Refused) -> None:
        self._follower.counters.add(f"rejected:{refused.code}")

    def _after_fork(self) -> None:
        self._begin()
        self._checker.after_fork()
        self._proofs.after_fork()
        self._follower.after_fork()


def _proofs_of(options: GuardOptions) -> Proofs:
    max_age, capacity = options.get("proof_max_age", 60), options.get("proof_capacity", 1_000_000)
    if not 1 <= max_age <= 300 or capacity < 1:
        raise ValueError("proof_max_age is not between 1 and 300 seconds, or proof_capacity is too small")
    nonces = options.get("proof_nonces", False)
    secret = secrets.token_bytes(32) if nonces is True else nonces or None
    if secret is not None and len(secret) != 32:
        raise ValueError("proof_nonces is a switch or 32 bytes")
    return Proofs(max_age, capacity, secret)


def _metadata_of(resource: str | None) -> str | None:
    """Give the address of a resource's metadata (RFC 9728 section 3.1)."""
    if resource is None:
        return None
    parse_url(resource)
    parts = urlsplit(resource)
    path = "" if parts.path == "/" else parts.path
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{path}{query}"


_guards: "weakref.WeakSet[Guard]" = weakref.WeakSet()


def _after_fork() -> None:
    # Threads stay behind in the parent.
    for guard in list(_guards):
        guard._after_fork()


# Windows has neither.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
