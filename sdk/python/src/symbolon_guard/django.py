"""Guards views of Django, under WSGI and ASGI.

In the settings::

    MIDDLEWARE = ["symbolon_guard.django.GuardMiddleware", ...]
    SYMBOLON_GUARD = {"issuer": "https://auth.example", "audience": "https://api.example"}

Every view then needs a token, save those marked :func:`public`; the claims are ``request.claims``. ``SYMBOLON_GUARD``
holds what ``Guard.discover`` takes, or is a ``Guard``. Without the middleware, the decorators guard single views.
"""

import json
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from .asgi import quoted, sent
from .claims import Claims
from .guard import Guard, Sent
from .refusals import Answer, Refused, plain_scope, plain_sign_in

__all__ = [
    "GuardMiddleware",
    "guard",
    "public",
    "require_permission",
    "require_role",
    "require_scope",
    "require_sign_in",
    "require_token",
]

_View = TypeVar("_View", bound=Callable[..., Any])
_made: tuple[Any, Guard] | None = None
_making = threading.Lock()


def guard() -> Guard:
    """Give the guard of ``settings.SYMBOLON_GUARD``, which is made and started when it is first asked for."""
    global _made
    wanted = getattr(settings, "SYMBOLON_GUARD", None)
    if isinstance(wanted, Guard):
        return wanted
    with _making:
        if _made is None or _made[0] is not wanted:
            if not isinstance(wanted, dict):
                raise ImproperlyConfigured("SYMBOLON_GUARD must be a Guard, or a dict for Guard.discover")
            if _made is not None:
                _made[1].close()
                _made = None
            _made = (wanted, Guard.discover(**wanted))
        return _made[1]


def public(view: _View) -> _View:
    """Mark a view that needs no token."""
    view.symbolon_public = True  # type: ignore[attr-defined]
    return view


class GuardMiddleware:
    """Lets requests through that have a good token, and those to views marked :func:`public`."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._guard = guard()
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)
        #: Called by Django once the view is known.
        self.process_view = self._judge_async if self._async else self._judge

    def __call__(self, request: HttpRequest) -> Any:
        """Serve the resource's metadata (RFC 9728), and pass on everything else."""
        if request.path == self._guard.protected_resource_path:
            body = json.dumps(self._guard.protected_resource())
            answer = HttpResponse(body, content_type="application/json")
            return _soon(answer) if self._async else answer
        return self._get_response(request)

    def _judge(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        if not getattr(view, "symbolon_public", False):
            try:
                request.claims = self._guard.authenticate(_authorization(request), _sent(request))
            except Refused as refused:
                return _answer(self._guard, refused, request)
        return None

    async def _judge_async(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        if not getattr(view, "symbolon_public", False):
            try:
                request.claims = await self._guard.authenticate_async(_authorization(request), _sent(request))
            except Refused as refused:
                return _answer(self._guard, refused, request)
        return None


def require_token(view: _View) -> _View:
    """Guard one view, where the middleware does not guard all."""
    return _demanding(lambda _: None)(view)


def require_role(*roles: str) -> Callable[[_View], _View]:
    """Ask for any of these roles."""
    return _demanding(lambda claims: claims.require_role(*roles))


def require_permission(permission: str) -> Callable[[_View], _View]:
    """Ask for a permission such as ``orders:read``."""
    return _demanding(lambda claims: claims.require_permission(permission))


def require_scope(scope: str) -> Callable[[_View], _View]:
    """Ask for exactly this scope."""
    plain_scope(scope)
    return _demanding(lambda claims: claims.require_scope(scope))


def require_sign_in(*, max_age: int | None = None, acr: Sequence[str] | None = None) -> Callable[[_View], _View]:
    """Ask for a recent sign-in, or a kind of sign-in: see ``Guard.require_sign_in``."""
    wanted = plain_sign_in(max_age, acr)
    return _demanding(lambda claims: guard().require_sign_in(claims, **wanted._asdict()))


def _demanding(demand: Callable[[Claims], None]) -> Callable[[_View], _View]:
    def decorate(view: Any) -> Any:
        if iscoroutinefunction(view):

            @wraps(view)
            async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                try:
                    if not _is_judged(request):
                        request.claims = await guard().authenticate_async(_authorization(request), _sent(request))
                    demand(request.claims)
                except Refused as refused:
                    return _answer(guard(), refused, request)
                return await view(request, *args, **kwargs)

            return guarded_async

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                if not _is_judged(request):
                    request.claims = guard().authenticate(_authorization(request), _sent(request))
                demand(request.claims)
            except Refused as refused:
                return _answer(guard(), refused, request)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _is_judged(request: HttpRequest) -> bool:
    # Others may have claims of their own there.
    return isinstance(getattr(request, "claims", None), Claims)


def _authorization(request: HttpRequest) -> list[str]:
    scope = getattr(request, "scope", None)
    if scope is not None:
        return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"authorization"]
    # WSGI has one value; what a server joined of several has a comma, which no credential has.
    value = request.META.get("HTTP_AUTHORIZATION")
    return [] if value is None else [value]


def _sent(request: HttpRequest) -> Sent:
    scope = getattr(request, "scope", None)
    if scope is not None:
        return sent(scope)
    # A proof has no comma, so that a server which joins two makes none of them.
    proof, host = request.META.get("HTTP_DPOP"), request.META.get("HTTP_HOST")
    return Sent([] if proof is None else [proof], request.method or "", quoted(request.path), host)


def _answer(by: Guard, refused: Refused, request: HttpRequest) -> HttpResponse:
    answer: Answer = by.answer(refused, request.META.get("HTTP_X_REQUEST_ID"))
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


async def _soon(answer: HttpResponse) -> HttpResponse:
    return answer
