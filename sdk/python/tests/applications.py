"""The same application in each framework, and requests of them as a server makes them."""

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Annotated, Any, NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from fastapi import Depends, FastAPI

from symbolon_guard import Claims, Guard
from symbolon_guard import django as for_django
from symbolon_guard.asgi import GuardMiddleware
from symbolon_guard.fastapi import bearer, install

Headers = list[tuple[str, str]]
App = Callable[..., Any]


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def ask_async(app: App, where: str, headers: Headers) -> Got:
    """Make one request of an ASGI application, as a server does."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    gone = asyncio.Event()
    parts = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> MutableMapping[str, Any]:
        for part in parts:
            return part
        await gone.wait()
        return {"type": "http.disconnect"}

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
    }
    scope |= {"path": where, "raw_path": where.encode(), "query_string": b"", "root_path": "", "headers": raw}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": {"ours": 1}}
    await app(scope, receive, send)
    start = sent[0]
    got = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Got(start["status"], got, b"".join(message.get("body", b"") for message in sent[1:]))


def ask(app: App, where: str, *headers: tuple[str, str]) -> Got:
    return asyncio.run(ask_async(app, where, list(headers)))


# `/` is public, `/me` for everybody, the others ask for more.


def asgi_app(guard: Guard) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        claims = scope["state"].get("claims")
        body = json.dumps({"sub": claims and claims.sub}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    routes = {
        "/admin": GuardMiddleware(app, guard, roles=["admin", "root"]),
        "/reports": GuardMiddleware(app, guard, permission="reports:read"),
        "/scoped": GuardMiddleware(app, guard, scope="orders:write"),
        "/recent": GuardMiddleware(app, guard, max_age=300, acr=["2", "1"]),
    }
    others = GuardMiddleware(app, guard, public=["/", "/static/*"])

    async def by_path(scope: Any, receive: Any, send: Any) -> None:
        await routes.get(scope["path"], others)(scope, receive, send)

    return by_path


def fastapi_app(guard: Guard) -> FastAPI:
    app = FastAPI()
    install(app, guard)
    signed_in = bearer(guard)

    @app.get("/")
    def home() -> dict[str, None]:
        return {"sub": None}

    @app.get("/me")
    async def me(claims: Annotated[Claims, Depends(signed_in)]) -> dict[str, str]:
        return {"sub": claims.sub}

    @app.get("/admin")
    def admin(claims: Annotated[Claims, Depends(signed_in.require_role("admin", "root"))]) -> dict[str, str]:
        return {"sub": claims.sub}

    @app.get("/reports")
    def reports(claims: Annotated[Claims, Depends(signed_in.require_permission("reports:read"))]) -> dict[str, str]:
        return {"sub": claims.sub}

    @app.get("/scoped", dependencies=[Depends(signed_in.require_scope("orders:write"))])
    def scoped() -> dict[str, str]:
        return {"sub": "u1"}

    @app.get("/recent", dependencies=[Depends(signed_in.require_sign_in(max_age=300, acr=["2", "1"]))])
    def recent() -> dict[str, str]:
        return {"sub": "u1"}

    return app


def view(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.claims.sub})


async def view_async(request: HttpRequest) -> HttpResponse:
    return view(request)


@for_django.public
def home(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": None})


def urls(of: Callable[..., HttpResponse]) -> list[Any]:
    return [
        path("", home),
        path("me", for_django.require_token(of)),
        path("admin", for_django.require_role("admin", "root")(of)),
        path("reports", for_django.require_permission("reports:read")(of)),
        path("scoped", for_django.require_scope("orders:write")(of)),
        path("recent", for_django.require_sign_in(max_age=300, acr=["2", "1"])(of)),
    ]
