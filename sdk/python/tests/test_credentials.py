"""The credentials that a feed for clients asks for: where they go, and where not."""

import base64
import logging
import traceback
from typing import Any

import pytest

from symbolon_guard import Guard, StartError, Timing

from .conftest import SWIFT, Clock, Start, verdict
from .issuer import Issuer, greet, until

SECRET = "a:b%c d+é"
CREDENTIALS = ("the api:1", SECRET)
HEADER = "Basic " + base64.b64encode(b"the+api%3A1:a%3Ab%25c+d%2B%C3%A9").decode()


def test_they_are_sent_with_each_connection_of_the_feed_and_with_nothing_else(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    issuer.greeting, issuer.stream_wants = greet, HEADER
    guard = start(monotonic=moving, staleness="introspect", background=False, feed_credentials=CREDENTIALS)
    issuer.accept().cut()
    until(lambda: guard.metrics().snapshots == 2)
    moving.time += 11
    issuer.key = type(issuer.key)("k2")
    issuer.keys.append(issuer.key.jwk())
    token = issuer.token()
    assert verdict(guard, token) is None
    moving.time += 16
    assert verdict(guard, token) is None
    assert issuer.keys_asked == 2
    sent: dict[str, set[str | None]] = {}
    for path, authorization in issuer.asked:
        sent.setdefault(path, set()).add(authorization)
    assert sent == {
        "/.well-known/oauth-authorization-server": {None},
        "/keys": {None},
        "/stream?x=1": {HEADER},
        "/verify": {f"Bearer {token}"},
    }


def test_a_guard_without_credentials_sends_none(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    start(background=False)
    assert [authorization for _, authorization in issuer.asked] == [None, None, None]


def test_a_redirect_carries_them_nowhere(issuer: Issuer, start: Start) -> None:
    issuer.stream_status = 307
    start(feed_credentials=CREDENTIALS)
    until(lambda: len(issuer.asked) >= 5)
    assert {path for path, authorization in issuer.asked if authorization is not None} == {"/stream?x=1"}
    assert issuer.keys_asked == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ": set feed_credentials"),
        ({"feed_credentials": ("orders", "another-secret")}, ": these feed_credentials are refused"),
    ],
)
def test_a_401_at_the_start_says_what_to_set(issuer: Issuer, given: dict[str, Any], said: str) -> None:
    issuer.greeting, issuer.stream_wants = greet, HEADER
    with pytest.raises(StartError) as failed:
        Guard.discover(issuer.url, audience="api", timing=SWIFT, start_timeout=2, **given)
    assert str(failed.value).endswith(f"feed: the issuer answered 401 application/json{said}")
    told = "".join(traceback.format_exception(failed.value))
    assert "another-secret" not in told
    assert "Basic" not in told


def test_a_401_later_on_makes_stale_until_they_are_accepted(
    issuer: Issuer, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    moving = Clock()
    issuer.greeting, issuer.stream_wants = greet, HEADER
    timing = Timing(backoff=0.001, longest_backoff=0.01, keys_every=1e9)
    guard = start(monotonic=moving, timing=timing, background=False, feed_credentials=CREDENTIALS)
    token = issuer.token()
    assert verdict(guard, token) is None
    issuer.stream_wants = "Basic bmV3Om9uZQ=="
    asked = len(issuer.asked)
    issuer.accept().cut()
    until(lambda: len(issuer.asked) >= asked + 2)
    moving.time += 16
    assert verdict(guard, token) == "overloaded"
    assert not guard.metrics().fresh
    issuer.stream_wants = HEADER
    assert issuer.accept().last_event_id == "e1:0"
    until(lambda: guard.metrics().fresh)
    assert verdict(guard, token) is None
    assert guard.metrics().malformed == 0
    assert "the issuer answered 401 application/json: these feed_credentials are refused" in caplog.text
    told = caplog.text + repr(guard) + repr(guard._follower) + repr(guard.metrics())
    for secret in (SECRET, HEADER.removeprefix("Basic "), "%3Ab%25c"):
        assert secret not in told


@pytest.mark.parametrize(
    "wrong",
    [
        "orders:hunter2",
        ("orders",),
        ("", "hunter2"),
        ("orders", ""),
        ("orders", None),
        ("hunter2", b"x"),
        (1, 2, 3),
        {},
    ],
)
def test_credentials_that_are_none(wrong: Any) -> None:
    with pytest.raises(ValueError, match="feed_credentials") as refused:
        Guard("https://i.example", audience="api", feed_credentials=wrong)
    assert "hunter2" not in str(refused.value)
