"""The keys of a real issuer on a socket: unknown ones, withdrawn ones, and those that cannot be had."""

import json
import threading

import pytest

from .conftest import Clock, Start, verdict
from .issuer import Issuer, entry, heartbeat, revocation, snapshot, until


def test_a_stampede_fetches_keys_once(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    guard = start(monotonic=moving)
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().fresh)
    asked = issuer.keys_asked
    moving.time += 11
    issuer.keys_may_go.clear()
    new = type(issuer.key)("k2")
    issuer.keys.append(new.jwk())
    issuer.key = new
    tokens = [issuer.token(jti=str(number)) for number in range(50)]
    codes: list[str | None] = []
    threads = [threading.Thread(target=lambda one=one: codes.append(verdict(guard, one))) for one in tokens]
    for thread in threads:
        thread.start()
    until(lambda: issuer.keys_asked > asked)
    issuer.keys_may_go.set()
    for thread in threads:
        thread.join()
    assert codes == [None] * 50
    assert issuer.keys_asked == asked + 1


def test_an_unknown_key_is_asked_for_no_more_than_every_ten_seconds(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    guard = start(monotonic=moving, staleness_bound=1000)
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().fresh)
    moving.time += 11
    asked = issuer.keys_asked
    stranger = issuer.token({"kid": "nobody"})
    for wait, more in [(0, 1), (0, 1), (9.9, 1), (0.2, 2), (5, 2)]:
        moving.time += wait
        assert verdict(guard, stranger) == "invalid_token"
        assert issuer.keys_asked == asked + more
    # What cannot be of a key that is not known yet asks nobody.
    moving.time += 11
    for header in ({"alg": "none"}, {"typ": "JWT", "kid": "x"}, {"crit": ["x"], "kid": "x"}):
        assert verdict(guard, issuer.token(header)) == "invalid_token"
    assert issuer.keys_asked == asked + 2


def test_after_a_key_was_withdrawn_nobody_waits_for_the_next(issuer: Issuer, start: Start) -> None:
    guard, stream = start(monotonic=Clock()), issuer.accept()
    stream.send(snapshot())
    until(lambda: guard.metrics().fresh)
    old = issuer.token()
    assert verdict(guard, old) is None
    issuer.key = type(issuer.key)("k2")
    issuer.keys = [issuer.key.jwk()]
    assert verdict(guard, issuer.token()) == "invalid_token"
    stream.send(revocation(entry(1, "key", "k1")))
    until(lambda: guard.metrics().seq == 1)
    assert verdict(guard, old) == "token_revoked"
    assert verdict(guard, issuer.token()) is None


@pytest.mark.parametrize("fault", ["status", "no-json", "long", "unsafe"])
def test_old_keys_stay_when_new_ones_cannot_be_had(issuer: Issuer, start: Start, fault: str) -> None:
    moving = Clock()
    guard = start(monotonic=moving, staleness_bound=1000)
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().fresh)
    moving.time += 11
    if fault == "status":
        issuer.keys_status = 500
    issuer.jwks = {
        "status": None,
        "no-json": "{",
        "long": json.dumps({"keys": [], "x": "y" * (1024 * 1024)}),
        "unsafe": json.dumps({"keys": [issuer.key.jwk() | {"d": "AAAA"}]}),
    }[fault]
    assert verdict(guard, issuer.token({"kid": "nobody"})) == "invalid_token"
    assert guard.metrics().key_failures == 1
    assert verdict(guard, issuer.token()) is None


def test_keys_are_fetched_again_without_being_asked_for(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    guard, stream = start(monotonic=moving, staleness_bound=10_000), issuer.accept()
    stream.send(snapshot())
    until(lambda: guard.metrics().fresh)
    token = issuer.token()
    assert verdict(guard, token) is None
    issuer.keys = []
    moving.time += 301
    stream.send(heartbeat(0))
    # A token that was verified dies with its key.
    until(lambda: verdict(guard, token) == "invalid_token")
