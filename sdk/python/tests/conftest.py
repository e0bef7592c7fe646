import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from symbolon_guard import Guard, Refused, Timing

from .issuer import Issuer

#: Short where a wait is only a wait.
SWIFT = Timing(backoff=0.001, longest_backoff=0.01)


Start = Callable[..., Guard]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    one = Issuer()
    yield one
    one.close()


@pytest.fixture
def start(issuer: Issuer) -> Iterator[Callable[..., Guard]]:
    """Make guards of the issuer that end with the test. They start in the background, unless told otherwise."""
    guards: list[Guard] = []

    def make(**given: Any) -> Guard:
        options: dict[str, Any] = {"audience": "api", "timing": SWIFT, "background": True} | given
        guard = Guard.discover(issuer.url, **options)
        guards.append(guard)
        return guard

    yield make
    for guard in guards:
        guard.close()


def verdict(guard: Guard, token: str) -> str | None:
    """Give the code of a refusal, or nothing."""
    try:
        guard.check(token)
    except Refused as refused:
        return refused.code
    return None
