"""The issuer as a guard knows it: its metadata (RFC 8414), its keys (RFC 7517), its word about one token."""

import base64
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from ._http import WIRE_ERRORS, Url, fetch, parse_url
from ._keys import KeySet, parse
from ._strict import Malformed, json_object
from .refusals import Refused

_WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
#: The codes that go with a status, the first where the issuer gives none of them.
_CODES_OF: Final = {
    401: ("invalid_token", "token_expired", "token_revoked", "token_stale"),
    403: ("forbidden", "insufficient_scope"),
}


class IssuerError(Exception):
    """The issuer did not answer as it must."""

    def __init__(self, step: str, why: str, *, final: bool = False) -> None:
        super().__init__(f"{step}: {why}")
        #: Whether it is of no use to ask again.
        self.final = final


class Metadata(NamedTuple):
    """Where to ask the issuer for what."""

    jwks: Url
    stream: Url
    #: For forward authentication; needed for the policy ``introspect`` only.
    verification: Url | None


def metadata_url(issuer: str) -> Url:
    """Give the address of an issuer's metadata (RFC 8414 section 3.1)."""
    url = parse_url(issuer)
    if "?" in issuer or issuer.endswith("/"):
        raise ValueError("an issuer has no query, and no slash at its end")
    return url._replace(target=_WELL_KNOWN if url.target == "/" else _WELL_KNOWN + url.target)


def discover(issuer: str, tls: ssl.SSLContext | None, timeout: float) -> Metadata:
    """Ask the issuer for its metadata. Raises IssuerError."""
    step = "discovery"
    members = _json(step, metadata_url(issuer), tls, timeout)
    if members.get("issuer") != issuer:
        raise IssuerError(step, "the metadata is of another issuer", final=True)
    own = parse_url(issuer)

    def address(name: str) -> Url:
        text = members.get(name)
        if not isinstance(text, str):
            raise IssuerError(step, f"the metadata names no {name}", final=True)
        try:
            url = parse_url(text)
        except ValueError as error:
            raise IssuerError(step, f"{name}: {error}", final=True) from None
        same = own.scheme == "http" and url.origin == own.origin
        if not (url.scheme == "https" or url.loopback or same):
            raise IssuerError(step, f"{name} is neither https nor of this machine", final=True)
        return url

    verification = address("verification_uri") if "verification_uri" in members else None
    return Metadata(address("jwks_uri"), address("revocation_stream_uri"), verification)


def _json(step: str, url: Url, tls: ssl.SSLContext | None, timeout: float) -> dict[str, Any]:
    try:
        return json_object(_body(step, url, tls, timeout))
    except Malformed as error:
        raise IssuerError(step, str(error)) from None


def _body(step: str, url: Url, tls: ssl.SSLContext | None, timeout: float) -> bytes:
    try:
        answer = fetch(url, {"Accept": "application/json"}, tls=tls, timeout=timeout)
    except WIRE_ERRORS as error:
        raise IssuerError(step, why(error)) from error
    if answer.status != 200:
        raise IssuerError(step, f"the issuer answered {answer.status}")
    return answer.body


def why(error: Exception) -> str:
    """Say what went wrong on the way."""
    return str(error) or type(error).__name__


def load_keys(url: Url, before: KeySet, tls: ssl.SSLContext | None, timeout: float) -> KeySet:
    """Fetch the keys. Raises IssuerError, and leaves those ``before`` as they are then."""
    step = "keys"
    body = _body(step, url, tls, timeout)
    try:
        return parse(body, before)
    except Malformed as error:
        raise IssuerError(step, str(error)) from None


def ask(url: Url, token: str, tls: ssl.SSLContext | None, timeout: float) -> None:
    """Ask the issuer about one token; raises Refused with its word, ``overloaded`` where it gives none."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/problem+json"}
    try:
        answer = fetch(url, headers, tls=tls, timeout=timeout, limit=64 * 1024)
    except WIRE_ERRORS:
        raise Refused("overloaded") from None
    if answer.status == 200:
        return
    codes = _CODES_OF.get(answer.status)
    if codes is None:
        raise Refused("overloaded")
    try:
        code = json_object(answer.body).get("code")
    except Malformed:
        code = None
    raise Refused(code if isinstance(code, str) and code in codes else codes[0])


def basic(credentials: object) -> str | None:
    """Give the header that shows the feed a client's id and secret; no error shows them.

    Each is encoded as in a form, so that a colon parts them (RFC 6749 section 2.3.1).
    """
    match credentials:
        case None:
            return None
        case (str(client_id), str(secret)) if client_id and secret:
            parts = (quote_plus(part, errors="replace") for part in (client_id, secret))
            return "Basic " + base64.b64encode(":".join(parts).encode()).decode()
    raise ValueError("feed_credentials is a client's id and its secret, neither of them empty")


class KeyFetcher:
    """Fetches keys: one fetch at a time for everybody, and not again within the cool-down."""

    def __init__(self, load: Callable[[], None], cool_down: float, monotonic: Callable[[], float]) -> None:
        """``load`` fetches and installs the keys, and never raises."""
        self._load = load
        self._cool_down = cool_down
        self._monotonic = monotonic
        self._last: float | None = None
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the parent's fetch, which nobody will end here."""
        self._lock = threading.Lock()
        self._flight: Future[None] | None = None

    def note_fetch(self) -> None:
        """Note that keys are fetched by somebody else."""
        with self._lock:
            self._last = self._monotonic()

    def forget_cool_down(self) -> None:
        """Let the next unknown key be asked for at once: the keys are others than those fetched last."""
        with self._lock:
            self._last = None

    def fetch(self) -> Future[None] | None:
        """Begin to fetch, or join the fetch that is under way; nothing where it is too early for one."""
        with self._lock:
            if self._flight is not None:
                return self._flight
            now = self._monotonic()
            if self._last is not None and now - self._last < self._cool_down:
                return None
            self._last = now
            flight: Future[None] = Future()
            # Running, it cannot be cancelled by one of those who wait for it.
            flight.set_running_or_notify_cancel()
            self._flight = flight
        threading.Thread(target=self._fly, args=(flight,), name="symbolon-guard-keys", daemon=True).start()
        return flight

    def _fly(self, flight: Future[None]) -> None:
        try:
            self._load()
        finally:
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            flight.set_result(None)
