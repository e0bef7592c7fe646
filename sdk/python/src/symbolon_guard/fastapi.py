"""Guards routes of FastAPI.

>>> signed_in = bearer(guard)  # doctest: +SKIP
>>> install(app, guard)  # doctest: +SKIP
>>> @app.get("/orders")  # doctest: +SKIP
... def orders(claims: Annotated[Claims, Depends(signed_in)]) -> list[Order]: ...
>>> @app.get("/admin", dependencies=[Depends(signed_in.require_role("admin"))])  # doctest: +SKIP
... def admin() -> str: ...
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase

from .asgi import authenticate
from .claims import Claims
from .guard import Guard
from .refusals import Refused, plain_scope, plain_sign_in

__all__ = ["Bearer", "bearer", "install"]


class Bearer(SecurityBase):
    """A dependency that gives the :class:`Claims` of a request's token, and makes others that demand more."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        # What OpenAPI documents say of the routes.
        self.model = HTTPBearerModel(bearerFormat="JWT")
        self.scheme_name = "Bearer"

    async def __call__(self, request: Request) -> Claims:
        """Judge a request; what it raises is answered by the handler of :func:`install`."""
        return await authenticate(self._guard, request.scope)

    def require_role(self, *roles: str) -> Callable[..., Awaitable[Claims]]:
        """Give a dependency that asks for any of these roles."""
        return self._demanding(lambda claims: claims.require_role(*roles))

    def require_permission(self, permission: str) -> Callable[..., Awaitable[Claims]]:
        """Give a dependency that asks for a permission such as ``orders:read``."""
        return self._demanding(lambda claims: claims.require_permission(permission))

    def require_scope(self, scope: str) -> Callable[..., Awaitable[Claims]]:
        """Give a dependency that asks for exactly this scope."""
        plain_scope(scope)
        return self._demanding(lambda claims: claims.require_scope(scope))

    def require_sign_in(
        self, *, max_age: int | None = None, acr: Sequence[str] | None = None
    ) -> Callable[..., Awaitable[Claims]]:
        """Give a dependency that asks for a recent sign-in, or a kind of sign-in: see ``Guard.require_sign_in``."""
        wanted = plain_sign_in(max_age, acr)
        return self._demanding(lambda claims: self._guard.require_sign_in(claims, **wanted._asdict()))

    def _demanding(self, demand: Callable[[Claims], None]) -> Callable[..., Awaitable[Claims]]:
        async def demanding(claims: Claims = Depends(self)) -> Claims:  # noqa: B008
            demand(claims)
            return claims

        return demanding


def bearer(guard: Guard) -> Bearer:
    """Give the dependency for this guard."""
    return Bearer(guard)


def install(app: FastAPI, guard: Guard) -> None:
    """Answer refusals as the guard words them, and serve the resource's metadata (RFC 9728) where it is known."""

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101
        answer = guard.answer(error, request.headers.get("x-request-id"))
        return Response(answer.body, answer.status, dict(answer.headers))

    async def metadata() -> dict[str, Any] | None:
        return guard.protected_resource()

    app.add_exception_handler(Refused, refuse)
    if guard.protected_resource_path is not None:
        app.add_api_route(guard.protected_resource_path, metadata, response_class=JSONResponse, include_in_schema=False)
