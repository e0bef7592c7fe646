"""Guards any ASGI application, or one route of it.

>>> app = GuardMiddleware(app, guard, public=["/", "/static/*"])  # doctest: +SKIP

The claims are in ``scope["state"]["claims"]``, which Starlette shows as ``request.state.claims``.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote

from .claims import Claims
from .guard import Guard, Sent
from .refusals import Answer, Refused, plain_scope, plain_sign_in

__all__ = ["GuardMiddleware"]

#: Where a request that was let through says so, to what is behind.
_PASSED = "symbolon_passed"
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class GuardMiddleware:
    """Lets requests through that have a good token, and those to public paths.

    ``public`` are whole paths, or beginnings that end in ``/*``. ``roles`` (any of them), ``permission`` and ``scope``
    are demanded of every token, and of its sign-in that it is at most ``max_age`` seconds ago and of one of the kinds
    ``acr``. Put a CORS middleware around it, for a preflight has no token.
    """

    def __init__(
        self,
        app: _App,
        guard: Guard,
        *,
        public: Iterable[str] = (),
        roles: Sequence[str] | None = None,
        permission: str | None = None,
        scope: str | None = None,
        max_age: int | None = None,
        acr: Sequence[str] | None = None,
    ) -> None:
        if isinstance(public, str) or isinstance(roles, str):
            raise TypeError("public and roles are lists")
        self._app = app
        self._guard = guard
        self._public = PublicPaths(public)
        # No role at all is met by nobody.
        self._roles = None if roles is None else tuple(roles)
        self._permission = permission
        self._scope = None if scope is None else plain_scope(scope)
        self._sign_in = None if max_age is None and acr is None else plain_sign_in(max_age, acr)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer a request (ASGI 3)."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            # What is not known is not let through without a verdict.
            raise ValueError(f"an ASGI scope of type {scope['type']!r} cannot be guarded")
        if scope["type"] == "http" and scope["path"] == self._guard.protected_resource_path:
            return await _send_metadata(self._guard, send)
        if self._public.has(scope["path"]):
            return await self._app(scope, receive, send)
        try:
            claims = await authenticate(self._guard, scope)
            if self._roles is not None:
                claims.require_role(*self._roles)
            if self._permission is not None:
                claims.require_permission(self._permission)
            if self._scope is not None:
                claims.require_scope(self._scope)
            if self._sign_in is not None:
                self._guard.require_sign_in(claims, **self._sign_in._asdict())
        except Refused as refused:
            answer = self._guard.answer(refused, next(iter(lines(scope, b"x-request-id")), None))
            if scope["type"] == "http":
                return await _send(send, "http.response", answer)
            return await _refuse_websocket(scope, receive, send, answer)
        # A copy, for what is outside of this has its own.
        passed = (self._guard, lines(scope, b"authorization"), claims)
        state = {**scope.get("state", {}), "claims": claims, _PASSED: passed}
        return await self._app({**scope, "state": state}, receive, send)


class PublicPaths:
    """Paths that need no token: whole ones, and beginnings that end in ``/*``."""

    def __init__(self, paths: Iterable[str]) -> None:
        paths = tuple(paths)
        if not all(path.startswith("/") for path in paths):
            raise ValueError("a public path begins with a slash")
        self._whole = frozenset(path for path in paths if not path.endswith("/*"))
        self._beginnings = tuple(path[:-1] for path in paths if path.endswith("/*"))

    def has(self, path: str) -> bool:
        """Whether the path is public. One that climbs is not, for who knows where it ends."""
        if path in self._whole:
            return True
        return path.startswith(self._beginnings) and ".." not in path and "\\" not in path and "//" not in path


def lines(scope: MutableMapping[str, Any], name: bytes) -> list[str]:
    """Give every line of a header, as received."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


async def authenticate(guard: Guard, scope: MutableMapping[str, Any]) -> Claims:
    """Judge a request, unless the same guard has let it through before: a proof is good once."""
    authorization = lines(scope, b"authorization")
    by, with_these, claims = scope.get("state", {}).get(_PASSED, (None, None, None))
    if by is guard and with_these == authorization and isinstance(claims, Claims):
        return claims
    return await guard.authenticate_async(authorization, sent(scope))


def sent(scope: MutableMapping[str, Any]) -> Sent:
    """Give what a proof of possession is judged by. The path is the one that the client sent, before any mount."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").split("?", 1)[0] if raw else quoted(scope["path"])
    # The handshake of a WebSocket is a GET.
    method = scope.get("method", "GET")
    return Sent(lines(scope, b"dpop"), method, path, next(iter(lines(scope, b"host")), None))


def quoted(path: str) -> str:
    """Write a path, which a server has decoded, as a URI has it."""
    return quote(path, safe="/~!$&'()*+,;=:@")


async def _send(send: _Send, kind: str, answer: Answer) -> None:
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": answer.body})


async def _send_metadata(guard: Guard, send: _Send) -> None:
    body = json.dumps(guard.protected_resource()).encode("utf-8")
    await _send(send, "http.response", Answer(200, (("Content-Type", "application/json"),), body))


async def _refuse_websocket(scope: _Scope, receive: _Receive, send: _Send, answer: Answer) -> None:
    # The server waits for an answer to the handshake.
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await _send(send, "websocket.http.response", answer)
    else:
        await send({"type": "websocket.close", "code": 1008})
