"""Orders in memory, each of one owner: nobody learns that another's exists."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from symbolon_guard import Claims
from symbolon_guard.fastapi import Bearer

from problems import Problem

MAX_ORDERS = 100_000


class Wanted(BaseModel):
    """What people send."""

    model_config = ConfigDict(strict=True)
    item: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class Orders:
    """Every order by its id."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def all(self) -> list[dict[str, Any]]:
        """Give all of them."""
        return list(self._orders.values())

    def _own(self, order_id: str, claims: Claims) -> dict[str, Any]:
        order = self._orders.get(order_id)
        if order is None or order["owner"] != claims.sub:
            raise Problem(404, "not_found", "There is no such order.")
        return order

    def router(self, signed_in: Bearer) -> APIRouter:
        """Give the routes of who is signed in."""
        router = APIRouter()
        # Handlers are coroutines that wait for nothing, so that one order is changed at a time.

        @router.get("")
        async def own(claims: Annotated[Claims, Depends(signed_in)]) -> dict[str, Any]:
            return {"items": [order for order in self.all() if order["owner"] == claims.sub]}

        @router.post("", status_code=201)
        async def add(
            claims: Annotated[Claims, Depends(signed_in)], wanted: Wanted, response: Response
        ) -> dict[str, Any]:
            if len(self) >= MAX_ORDERS:
                raise Problem(503, "overloaded", "There is no room for more orders.")
            order = {"id": str(uuid.uuid4()), "owner": claims.sub, **wanted.model_dump()}
            self._orders[order["id"]] = order
            response.headers["Location"] = f"/orders/{order['id']}"
            return order

        @router.get("/{order_id}")
        async def find(order_id: str, claims: Annotated[Claims, Depends(signed_in)]) -> dict[str, Any]:
            return self._own(order_id, claims)

        @router.put("/{order_id}")
        async def change(
            order_id: str, claims: Annotated[Claims, Depends(signed_in)], wanted: Wanted
        ) -> dict[str, Any]:
            order = self._own(order_id, claims)
            order.update(wanted.model_dump())
            return order

        @router.delete("/{order_id}", status_code=204)
        async def remove(order_id: str, claims: Annotated[Claims, Depends(signed_in)]) -> None:
            del self._orders[self._own(order_id, claims)["id"]]

        return router
