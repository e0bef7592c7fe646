"""The same requests to each framework, and the same answers, byte for byte."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import django
import pytest
from django.conf import settings
from django.test import Client, RequestFactory, override_settings

from symbolon_guard import Guard, Refused, SignIn
from symbolon_guard import django as for_django
from symbolon_guard.asgi import GuardMiddleware, PublicPaths

from .applications import App, Got, Headers, asgi_app, ask, ask_async, fastapi_app, urls, view, view_async
from .issuer import Issuer, entry, greet, revocation, until

METADATA = "/.well-known/oauth-protected-resource/v1"
MIDDLEWARE = ["symbolon_guard.django.GuardMiddleware"]


@pytest.fixture(scope="session", autouse=True)
def django_is_set_up() -> None:
    if settings.configured:
        return
    for name, of in (("urls_sync", view), ("urls_async", view_async)):
        module = ModuleType(name)
        module.urlpatterns = urls(of)  # type: ignore[attr-defined]
        sys.modules[name] = module
    settings.configure(ROOT_URLCONF="urls_sync", ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=MIDDLEWARE)
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)


class Kind(NamedTuple):
    framework: str
    middleware: bool = True
    views: str = "urls_sync"


KINDS = [
    Kind("asgi"),
    Kind("fastapi"),
    Kind("django-wsgi"),
    Kind("django-wsgi", middleware=False),
    Kind("django-wsgi", views="urls_async"),
    Kind("django-asgi"),
    Kind("django-asgi", views="urls_async"),
    Kind("django-asgi", middleware=False, views="urls_async"),
]


def name_of(kind: Kind) -> str:
    return f"{kind.framework}-{'middleware' if kind.middleware else 'decorators'}-{kind.views}"


@pytest.fixture(params=KINDS, ids=name_of)
def kind(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


Ask = Callable[..., Got]


def asker(kind: Kind, guard: Guard) -> Ask:
    """Give what makes requests of an application of that kind."""
    if kind.framework.startswith("django"):
        settings.SYMBOLON_GUARD = guard
        settings.MIDDLEWARE = MIDDLEWARE if kind.middleware else []
        settings.ROOT_URLCONF = kind.views
        django.urls.set_urlconf(None)
        django.urls.clear_url_caches()
    if kind.framework == "django-wsgi":
        return ask_wsgi
    if kind.framework == "django-asgi":
        from django.core.handlers.asgi import ASGIHandler

        app: App = ASGIHandler()
    else:
        app = asgi_app(guard) if kind.framework == "asgi" else fastapi_app(guard)
    return lambda where, *headers: ask(app, where, *headers)


def ask_wsgi(where: str, *headers: tuple[str, str]) -> Got:
    # A WSGI server joins the lines of a header.
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    answer = Client().get(where, headers=joined)
    return Got(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


@pytest.fixture
def guard(issuer: Issuer, start: Callable[..., Guard]) -> Guard:
    issuer.greeting = greet
    return start(background=False, resource="https://api.example/v1", scopes_supported=["orders:read"])


#: When somebody signed in, who does so now.
NOW = int(time.time())
CHALLENGE = f'Bearer resource_metadata="https://api.example{METADATA}"'


@pytest.mark.parametrize(
    ("where", "claims", "code"),
    [
        ("/me", None, "no_token"),
        ("/me", {"aud": "other"}, "invalid_token"),
        ("/me", {"exp": 1}, "token_expired"),
        ("/me", {"sid": "dead"}, "token_revoked"),
        ("/me", {"sid": "old"}, "token_stale"),
        ("/admin", {}, "forbidden"),
        ("/reports", {}, "forbidden"),
        ("/scoped", {}, "insufficient_scope"),
        ("/scoped", {"scope": "*"}, "insufficient_scope"),
        ("/recent", {"auth_time": 0, "acr": "1"}, "insufficient_user_authentication"),
        ("/recent", {"auth_time": NOW}, "insufficient_user_authentication"),
        ("/admin", None, "no_token"),
        ("/me", {}, None),
        ("/admin", {"roles": ["root"]}, None),
        ("/reports", {"scope": "*"}, None),
        ("/scoped", {"scope": "a orders:write"}, None),
        ("/recent", {"auth_time": NOW, "acr": "1"}, None),
    ],
)
def test_the_same_answers_everywhere(
    issuer: Issuer, guard: Guard, kind: Kind, where: str, claims: dict[str, Any] | None, code: str | None
) -> None:
    stream = issuer.accept()
    stream.send(revocation(entry(1, "session", "dead")))
    stream.send(revocation(entry(2, "session", "old", effect="stale")))
    until(lambda: guard.metrics().seq == 2)
    headers = [("X-Request-Id", "r.1")]
    if claims is not None:
        headers.append(("Authorization", f"bearer {issuer.token(**claims)}"))
    got = asker(kind, guard)(where, *headers)
    if code is None:
        assert (got.status, json.loads(got.body)) == (200, {"sub": "u1"})
        return
    # The reference is the guard itself, which the vectors judge.
    from symbolon_guard import Refused

    scope = "orders:write" if code == "insufficient_scope" else None
    sign_in = SignIn(300, ("2", "1")) if code == "insufficient_user_authentication" else None
    reference = Refused(code, scope, sign_in)
    wanted = guard.answer(reference, "r.1")
    assert got.status == wanted.status
    assert got.body == wanted.body
    for name, value in wanted.headers:
        assert got.headers[name.lower()] == value
    assert ("www-authenticate" in got.headers) is (code != "forbidden")
    assert got.headers.get("www-authenticate", CHALLENGE).startswith(CHALLENGE)
    # What a demand refuses is counted where it is answered: once here, and once for the reference.
    assert guard.metrics().rejected[code] == (2 if reference.of_demand else 1)


def test_what_needs_no_token(guard: Guard, kind: Kind) -> None:
    got = asker(kind, guard)("/", ("Authorization", "Bearer nonsense"))
    assert (got.status, json.loads(got.body)) == (200, {"sub": None})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.middleware], ids=name_of)
def test_the_resources_metadata(issuer: Issuer, guard: Guard, kind: Kind) -> None:
    got = asker(kind, guard)(METADATA)
    assert got.status == 200
    assert got.headers["content-type"] == "application/json"
    assert json.loads(got.body) == {
        "resource": "https://api.example/v1",
        "authorization_servers": [issuer.url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256", "PS256"],
    }


def test_two_headers(issuer: Issuer, guard: Guard, kind: Kind) -> None:
    token = ("Authorization", f"Bearer {issuer.token()}")
    got = asker(kind, guard)("/me", token, token)
    # WSGI cannot tell them apart from one with a comma, which no token has.
    assert json.loads(got.body)["code"] == ("invalid_token" if kind.framework == "django-wsgi" else "malformed_request")


def test_a_request_id_is_made_where_none_is_fit(guard: Guard, kind: Kind) -> None:
    got = asker(kind, guard)("/me", ("X-Request-Id", "a b"))
    assert got.headers["x-request-id"] == json.loads(got.body)["requestId"]
    assert len(got.headers["x-request-id"]) == 32


def test_overloaded(issuer: Issuer, start: Callable[..., Guard], kind: Kind) -> None:
    got = asker(kind, start())("/me", ("Authorization", f"Bearer {issuer.token()}"))
    assert (got.status, got.headers["retry-after"]) == (503, "1")
    assert json.loads(got.body)["code"] == "overloaded"


def test_the_event_loop_is_never_blocked(issuer: Issuer, start: Callable[..., Guard]) -> None:
    moved = [0.0]
    issuer.greeting = greet
    guard = start(background=False, staleness="introspect", monotonic=lambda: moved[0])
    app = asgi_app(guard)

    async def both(headers: Headers, let_go: Callable[[], None], asked: Callable[[], bool]) -> Got:
        asking = asyncio.create_task(ask_async(app, "/me", headers))
        # Were the loop blocked, nobody would let it go.
        while not asked():
            assert not asking.done()
            await asyncio.sleep(0.002)
        assert not asking.done()
        let_go()
        return await asking

    issuer.key = type(issuer.key)("k2")
    issuer.keys.append(issuer.key.jwk())
    moved[0] += 11
    issuer.keys_may_go.clear()
    headers = [("Authorization", f"Bearer {issuer.token()}")]
    before = issuer.keys_asked
    got = asyncio.run(both(headers, issuer.keys_may_go.set, lambda: issuer.keys_asked > before))
    assert got.status == 200
    moved[0] += 16
    issuer.word_may_go.clear()
    got = asyncio.run(both(headers, issuer.word_may_go.set, lambda: bool(issuer.asked_about)))
    assert got.status == 200


def test_one_who_gives_up_waiting_takes_nothing_from_others(issuer: Issuer, start: Callable[..., Guard]) -> None:
    moved = [0.0]
    issuer.greeting = greet
    guard = start(background=False, staleness="introspect", monotonic=lambda: moved[0])
    moved[0] += 16
    issuer.word_may_go.clear()
    token = issuer.token()

    async def leave() -> None:
        for number in range(70):
            task = asyncio.create_task(guard.check_async(token))
            await asyncio.sleep(0)
            until(lambda number=number: len(issuer.asked_about) > min(number, 30))  # type: ignore[misc]
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        issuer.word_may_go.set()
        assert (await guard.check_async(token)).sub == "u1"

    asyncio.run(leave())


# ASGI alone.


@pytest.mark.parametrize(
    ("where", "public"),
    [
        ("/", True),
        ("/health", True),
        ("/health/", False),
        ("/healthz", False),
        ("/static/a/b", True),
        ("/static/", True),
        ("/static", False),
        ("/staticx", False),
        ("/static/../me", False),
        ("/static//me", False),
        ("/static/..\\me", False),
        ("/me", False),
    ],
)
def test_public_paths(where: str, public: bool) -> None:
    assert PublicPaths(["/", "/health", "/static/*"]).has(where) is public


def test_public_paths_that_make_no_sense(guard: Guard) -> None:
    with pytest.raises(ValueError, match="slash"):
        PublicPaths(["health"])
    with pytest.raises(TypeError):
        GuardMiddleware(asgi_app(guard), guard, public="/health")
    with pytest.raises(TypeError):
        GuardMiddleware(asgi_app(guard), guard, roles="admin")


def test_demands_for_nothing(guard: Guard, issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="scope"):
        GuardMiddleware(asgi_app(guard), guard, scope="")
    claims = guard.check(issuer.token(scope=""))
    with pytest.raises(Refused, match="forbidden"):
        claims.require_permission("")
    app = GuardMiddleware(asgi_app(guard), guard, roles=[])
    got = asyncio.run(ask_async(app, "/", [("Authorization", f"Bearer {issuer.token()}")]))
    assert got.status == 403


def test_claims_of_others_are_no_verdict(guard: Guard) -> None:
    request = RequestFactory().get("/me")
    request.claims = None
    with override_settings(SYMBOLON_GUARD=guard):
        assert for_django.require_token(view)(request).status_code == 401


def test_the_state_of_others_is_left_alone(issuer: Issuer, guard: Guard) -> None:
    seen: list[dict[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"])

    state = {"ours": 1}
    scope = {"type": "http", "path": "/", "headers": [(b"authorization", f"Bearer {issuer.token()}".encode())]}
    asyncio.run(GuardMiddleware(inner, guard)({**scope, "state": state}, None, None))  # type: ignore[arg-type]
    assert seen[0]["ours"] == 1
    assert seen[0]["claims"].sub == "u1"
    assert state == {"ours": 1}


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_a_websocket_is_refused_before_it_opens(guard: Guard, extensions: dict[str, Any]) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/me", "headers": [], "extensions": extensions}
    asyncio.run(GuardMiddleware(asgi_app(guard), guard)(scope, receive, send))
    if extensions:
        assert [message["type"] for message in sent] == [
            "websocket.http.response.start",
            "websocket.http.response.body",
        ]
        assert sent[0]["status"] == 401
    else:
        assert sent == [{"type": "websocket.close", "code": 1008}]


def test_lifespan_is_none_of_its_business(guard: Guard) -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(GuardMiddleware(inner, guard)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
    # What nobody has heard of is not let through without a verdict.
    with pytest.raises(ValueError, match="webtransport"):
        asyncio.run(GuardMiddleware(inner, guard)({"type": "webtransport"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


# FastAPI alone.


def test_openapi_tells_of_the_token(guard: Guard) -> None:
    document = json.loads(ask(fastapi_app(guard), "/openapi.json").body)
    assert document["components"]["securitySchemes"] == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert "security" not in document["paths"]["/"]["get"]
    for where in ("/me", "/admin", "/reports", "/scoped", "/recent"):
        assert document["paths"][where]["get"]["security"] == [{"Bearer": []}]


# Django alone.


def test_django_makes_its_guard_from_the_settings(issuer: Issuer) -> None:
    issuer.greeting = greet
    settings.SYMBOLON_GUARD = {"issuer": issuer.url, "audience": "api"}
    made = for_django.guard()
    assert made is for_django.guard()
    assert made.metrics().fresh
    settings.SYMBOLON_GUARD = {"issuer": issuer.url, "audience": "other", "background": True}
    other = for_django.guard()
    assert other.audience == "other"
    other.close()
    settings.SYMBOLON_GUARD = None
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured):
        for_django.guard()
