"""An API for orders that only signed-in people may use: what symbolon-guard takes in a FastAPI application."""

import asyncio
import os
import socket
import sys
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI
from symbolon_guard import Claims, Guard, StartError
from symbolon_guard.fastapi import bearer, install

import problems
from orders import Orders


def application(guard: Guard) -> FastAPI:
    """Give the whole API."""
    app = FastAPI(title="orders")
    problems.install(app)
    # The guard: this, where it is made (below), and one dependency for each route that is protected.
    install(app, guard)
    signed_in = bearer(guard)
    admin = signed_in.require_role("admin")
    reader = signed_in.require_permission("reports:read")
    openid = signed_in.require_scope("openid")

    orders = Orders()
    app.include_router(orders.router(signed_in), prefix="/orders")

    @app.get("/")
    def front() -> dict[str, Any]:
        return {"service": "orders", "orders": len(orders)}

    @app.get("/guard")
    def metrics() -> dict[str, Any]:
        return guard.metrics().to_json()

    @app.get("/admin/orders", dependencies=[Depends(admin)])
    def every_order() -> dict[str, Any]:
        return {"items": orders.all()}

    @app.get("/reports", dependencies=[Depends(reader)])
    def reports() -> dict[str, Any]:
        return {"reports": []}

    @app.get("/scoped")
    def scoped(claims: Annotated[Claims, Depends(openid)]) -> dict[str, str]:
        return {"scope": claims.scope}

    return app


class Server(uvicorn.Server):
    """Tells the address once it answers."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"listening on {self._address}", flush=True)


def listen(where: str) -> tuple[socket.socket, str]:
    """Bind HOST:PORT; with port 0 the address is known only then."""
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"LISTEN is no HOST:PORT: {where}")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=2048)
    return listener, f"http://{host}:{listener.getsockname()[1]}"


def main() -> None:
    """Serve, as the environment says."""
    issuer = os.environ.get("ISSUER")
    if not issuer:
        sys.exit("ISSUER is not set: the address of the Symbolon server, such as http://127.0.0.1:8080")
    try:
        listener, address = listen(os.environ.get("LISTEN", "127.0.0.1:0"))
        guard = Guard.discover(
            issuer,
            audience=os.environ.get("AUDIENCE") or issuer,
            resource=address,
            scopes_supported=["openid"],
            staleness=os.environ.get("STALENESS") or "fail_closed",  # type: ignore[arg-type]
            staleness_bound=float(os.environ.get("STALENESS_BOUND") or 15),
        )
    except (ValueError, OSError, StartError) as error:
        sys.exit(str(error))
    with guard:
        config = uvicorn.Config(application(guard), log_level="warning", access_log=False)
        asyncio.run(Server(config, address).serve([listener]))


if __name__ == "__main__":
    main()
