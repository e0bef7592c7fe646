"""An issuer on a socket of this machine, which does what a test tells it."""

import base64
import json
import queue
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from symbolon_guard._revocations import feed_key

PATIENCE = 20.0
Json = dict[str, Any]


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    def __init__(self, kid: str) -> None:
        self.kid = kid
        self._private = Ed25519PrivateKey.generate()

    def jwk(self) -> Json:
        x = encode(self._private.public_key().public_bytes_raw())
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x}

    def sign(self, claims: Json, header: Json | None = None) -> str:
        head = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid} | (header or {})
        message = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
        return f"{message}.{encode(self._private.sign(message.encode()))}"


def entry(seq: int, kind: str, identity: str, **members: Any) -> Json:
    key = encode(feed_key(kind, identity))
    until = int(time.time()) + 900
    return {"seq": seq, "kind": kind, "key": key, "effect": "revoked", "until": until} | members


def event(kind: str, data: Json | str, point: str | None = None) -> str:
    data = data if isinstance(data, str) else json.dumps(data)
    place = "" if point is None else f"id: {point}\n"
    return f"event: {kind}\n{place}data: {data}\n\n"


def snapshot(*entries: Json, epoch: str = "e1", seq: int | None = None, now: float | None = None) -> str:
    seq = max((one["seq"] for one in entries), default=0) if seq is None else seq
    now = int(time.time() if now is None else now)
    return event("snapshot", {"epoch": epoch, "seq": seq, "now": now, "entries": entries}, f"{epoch}:{seq}")


def revocation(one: Json, epoch: str = "e1") -> str:
    return event("revocation", one, f"{epoch}:{one['seq']}")


def heartbeat(seq: int, now: float | None = None) -> str:
    return event("heartbeat", {"now": int(time.time() if now is None else now), "seq": seq})


class Connection:
    """One guard on the stream."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.last_event_id = handler.headers.get("Last-Event-ID")
        self._handler = handler
        self.over = threading.Event()

    def send(self, text: str) -> "Connection":
        raw = text.encode()
        if raw:
            self._handler.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        return self

    def end(self) -> None:
        """Say that this is all."""
        self._handler.wfile.write(b"0\r\n\r\n")
        self.over.set()

    def cut(self) -> None:
        """End amid everything."""
        self.over.set()


class Issuer:
    """It keeps what was asked of it, and stalls or lies on demand."""

    def __init__(self, path: str = "") -> None:
        self.key = SigningKey("k1")
        self.keys = [self.key.jwk()]
        self.keys_asked = 0
        self.keys_may_go = threading.Event()
        self.keys_may_go.set()
        self.keys_status = 200
        self.jwks: str | None = None
        self.metadata: Json = {}
        self.metadata_status = 200
        self.stream_status = 200
        self.stream_type = "text/event-stream"
        #: The header ``Authorization`` that the stream asks for.
        self.stream_wants: str | None = None
        #: The path and the header ``Authorization`` of each request.
        self.asked: list[tuple[str, str | None]] = []
        self.asked_about: list[str] = []
        self.word: tuple[int, Json] = (200, {})
        self.word_may_go = threading.Event()
        self.word_may_go.set()
        #: What every connection begins with; the test has each one by `accept` where this is nothing.
        self.greeting: Callable[[Connection], None] | None = None
        self._connections: queue.Queue[Connection] = queue.Queue()
        self._all: list[Connection] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                issuer._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: Any) -> None:
                """A guard that leaves is no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = self.origin + path
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def token(self, header: Json | None = None, **claims: Any) -> str:
        now = int(time.time())
        good = {"iss": self.url, "sub": "u1", "aud": "api", "exp": now + 900, "iat": now, "jti": "t1"}
        good |= {"client_id": "symbolon", "sid": "s1", "ver": 1, "scope": "openid orders:read", "roles": ["user"]}
        return self.key.sign({**good, **claims}, header)

    def accept(self) -> Connection:
        """Give the next connection of a guard to the stream."""
        return self._connections.get(timeout=PATIENCE)

    def nobody_waits(self) -> bool:
        return self._connections.empty()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for one in self._all:
            one.cut()
        self.keys_may_go.set()
        self.word_may_go.set()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        self.asked.append((path, handler.headers["Authorization"]))
        if path.startswith("/.well-known/oauth-authorization-server"):
            assert path == "/.well-known/oauth-authorization-server" + self.url.removeprefix(self.origin)
            document = {
                "issuer": self.url,
                "jwks_uri": f"{self.origin}/keys",
                "revocation_stream_uri": f"{self.origin}/stream?x=1",
                "verification_uri": f"{self.origin}/verify",
            }
            members = {name: value for name, value in (document | self.metadata).items() if value is not None}
            self._send(handler, self.metadata_status, json.dumps(members))
        elif path == "/keys":
            self.keys_asked += 1
            self.keys_may_go.wait(PATIENCE)
            self._send(handler, self.keys_status, self.jwks or json.dumps({"keys": self.keys}))
        elif path == "/verify":
            self.asked_about.append(handler.headers["Authorization"])
            self.word_may_go.wait(PATIENCE)
            self._send(handler, self.word[0], json.dumps(self.word[1]))
        else:
            assert path == "/stream?x=1"
            self._stream(handler)

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        if self.stream_status != 200:
            self._send(handler, self.stream_status, "{}")
            return
        if self.stream_wants not in (None, handler.headers["Authorization"]):
            self._send(handler, 401, "{}")
            return
        handler.send_response(200)
        handler.send_header("Content-Type", self.stream_type)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.close_connection = True
        connection = Connection(handler)
        self._all.append(connection)
        if self.greeting is not None:
            self.greeting(connection)
        self._connections.put(connection)
        connection.over.wait()

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, body: str) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        if status == 401:
            handler.send_header("WWW-Authenticate", 'Basic realm="feed"')
        if status in (301, 302, 307):
            handler.send_header("Location", "/keys")
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())


def greet(connection: Connection) -> None:
    # And no heartbeat behind it, which a test could not wait for.
    connection.send(snapshot())


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come; how long it takes says nothing."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
