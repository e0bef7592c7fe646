"""The few GET requests of a guard, over ``http.client`` without redirects, proxies and cookies.

Every wait has a bound, and so has every body.
"""

import contextlib
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

#: What may go wrong on the way.
WIRE_ERRORS: Final = (OSError, HTTPException)

_TICK: Final = 1.0


def _agent() -> str:
    try:
        return f"symbolon-guard-python/{version('symbolon-guard')}"
    except PackageNotFoundError:
        # Somebody copied the sources, which is fine.
        return "symbolon-guard-python"


_AGENT: Final = _agent()


class Url(NamedTuple):
    """An address that a guard may call."""

    scheme: str
    host: str
    port: int
    #: Path and query.
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454 section 4)."""
        return self.scheme, self.host, self.port

    @property
    def loopback(self) -> bool:
        """Whether it stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_url(text: str) -> Url:
    """Read an http or https address; ValueError says what is wrong with it."""
    if not text.isascii() or any(sign <= " " or sign in '"<>\\^`{|}\x7f' for sign in text):
        raise ValueError("the address has characters that none may have")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address is not one of http or https")
    if parts.username is not None or parts.fragment or "#" in text:
        raise ValueError("the address has a user or a fragment")
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, parts.hostname, port, target)


class Exchange:
    """One request and the answer to it, which is read piece by piece."""

    def __init__(self, url: Url, tls: ssl.SSLContext | None = None, timeout: float = 10.0) -> None:
        """Connect; the time-out in seconds is for everything until the answer's head has come."""
        self._waits = _Waits(time.monotonic() + timeout)
        self._url = url
        self._response: HTTPResponse | None = None
        plain = socket.create_connection((url.host, url.port), timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if url.scheme == "https":
                tls = tls or ssl.create_default_context()
                self.socket: socket.socket = tls.wrap_socket(plain, server_hostname=url.host)
            else:
                self.socket = plain
        except BaseException:
            plain.close()
            raise

    def send(self, headers: Mapping[str, str]) -> HTTPResponse:
        """Send the request, and give the answer once its head has come."""
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        if self._url.port != {"http": 80, "https": 443}[self._url.scheme]:
            host = f"{host}:{self._url.port}"
        fixed = {"Host": host, "User-Agent": _AGENT, "Accept-Encoding": "identity", "Connection": "close"}
        fields = {**fixed, **headers}.items()
        lines = [f"GET {self._url.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        if any(sign in line for line in lines for sign in "\r\n"):
            raise ValueError("a header with a line break")
        self.socket.settimeout(max(self._waits.until - time.monotonic(), 0.001))
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        # HTTPResponse asks nothing of a socket but `makefile`.
        self._response = HTTPResponse(_Reading(self.socket, self._waits), method="GET")  # type: ignore[arg-type]
        self._response.begin()
        return self._response

    def patient(self, silence: float, tick: Callable[[], None]) -> None:
        """Wait for ever from now on, but never longer than ``silence`` seconds for the next bytes.

        ``tick`` is called about once a second; what it raises ends the waiting.
        """
        self._waits.until, self._waits.silence, self._waits.tick = float("inf"), silence, tick

    def interrupt(self) -> None:
        """End every wait on it, from whatever thread."""
        # Not the TLS socket's own shutdown, which would change it under the reader's feet.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._response is not None:
            self._response.close()
        self.socket.close()


class _Waits:
    """How long to wait for bytes: until a moment of ``time.monotonic``, and for each some seconds at most."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.silence = float("inf")
        self.tick: Callable[[], None] = lambda: None


class _Reading(io.RawIOBase):
    """A socket as a file that keeps to the waits."""

    def __init__(self, connection: socket.socket, waits: _Waits) -> None:
        self._connection = connection
        self._waits = waits

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, 64 * 1024)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        until = min(self._waits.until, time.monotonic() + self._waits.silence)
        while (rest := until - time.monotonic()) > 0:
            self._connection.settimeout(min(rest, _TICK))
            try:
                return self._connection.recv_into(buffer)
            except TimeoutError:
                self._waits.tick()
        raise TimeoutError("nothing came in time")


class Fetched(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


def fetch(
    url: Url,
    headers: Mapping[str, str],
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = 10.0,
    limit: int = 1024 * 1024,
) -> Fetched:
    """GET a whole answer within ``timeout`` seconds, of at most ``limit`` bytes."""
    with Exchange(url, tls, timeout) as exchange:
        response = exchange.send(headers)
        body = response.read(limit + 1)
        if len(body) > limit:
            raise HTTPException("the answer is too long")
        return Fetched(response.status, body)
