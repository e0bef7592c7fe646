"""Demands of the sign-in (RFC 9470)."""

from typing import Any

import pytest

from symbolon_guard import Guard, Refused, SignIn

from .conftest import Clock, Start
from .issuer import Issuer, greet

CODE = "insufficient_user_authentication"


def refusal(guard: Guard, token: str, **wanted: Any) -> Refused | None:
    claims = guard.check(token)
    try:
        guard.require_sign_in(claims, **wanted)
    except Refused as refused:
        return refused
    return None


def test_a_sign_in_grows_old_though_the_token_was_seen_before(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    clock = Clock()
    guard = start(background=False, staleness="fail_open", clock=clock)
    token = issuer.token(auth_time=int(clock.time), acr="1")
    assert guard.check(token).acr == "1"
    clock.time += 305 - clock.time % 1
    assert refusal(guard, token, max_age=300) is None
    clock.time += 1
    refused = refusal(guard, token, max_age=300)
    assert refused is not None
    assert (refused.code, refused.status, refused.sign_in) == (CODE, 401, SignIn(300, None))
    # It is counted with its answer.
    assert guard.metrics().rejected[CODE] == 0
    headers = dict(guard.answer(refused).headers)
    assert headers["WWW-Authenticate"].endswith(', max_age="300"')
    assert guard.metrics().rejected[CODE] == 1


def test_a_token_without_a_person_does_not_pass(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    guard = start(background=False)
    for wanted in ({"max_age": 1 << 60}, {"acr": ["1"]}):
        refused = refusal(guard, issuer.token(), **wanted)
        assert refused is not None
        assert refused.code == CODE


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"max_age": -1},
        {"max_age": 1.5},
        {"acr": "1"},
        {"acr": []},
        {"acr": ["a b"]},
        {"acr": ['a"']},
        {"acr": [""]},
    ],
)
def test_a_sign_in_that_nobody_could_meet_is_no_demand(issuer: Issuer, start: Start, wanted: dict[str, Any]) -> None:
    issuer.greeting = greet
    guard = start(background=False)
    with pytest.raises((ValueError, TypeError)):
        guard.require_sign_in(guard.check(issuer.token(auth_time=1, acr="1")), **wanted)
