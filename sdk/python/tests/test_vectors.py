"""The vectors that guards of every language pass: ``sdk/vectors/guard.json``."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from symbolon_guard import Claims, Guard, Refused, Sent
from symbolon_guard._events import Event
from symbolon_guard._keys import KeySet, parse
from symbolon_guard._revocations import feed_key
from symbolon_guard.refusals import answer, credential, plain_sign_in

from .conftest import SWIFT, verdict
from .issuer import Issuer, encode, until

FILE = Path(__file__).parents[2] / "vectors" / "guard.json"


def load() -> Any:
    assert FILE.exists(), f"{FILE} is missing; `cargo xtask gen` writes it"
    return json.loads(FILE.read_text())


VECTORS: Any = load() if FILE.exists() else None


def cases(part: str) -> pytest.MarkDecorator:
    """Each case of a part by its name. Without the file one case remains, which fails."""
    values = [None] if VECTORS is None else VECTORS[part]
    return pytest.mark.parametrize("case", values, ids=lambda case: case.get("name", case.get("code")) if case else "")


def guard_at(now: int, **more: Any) -> Guard:
    """Make a guard that has the file's keys, and hears nobody."""
    vectors = VECTORS or load()
    options = {"audience": vectors["audience"], "leeway": vectors["leeway"], "clock": lambda: now} | more
    guard = Guard(vectors["issuer"], **options)
    guard._checker.keys = parse(json.dumps(vectors["jwks"]).encode(), KeySet())
    guard._follower.keys_known = True
    return guard


def hear(guard: Guard, feed: Any) -> None:
    point = f"{feed['epoch']}:{feed['seq']}"
    guard._follower.heed(Event("snapshot", point, json.dumps(feed).encode(), None), feed["now"])


def test_the_file_is_there_and_known() -> None:
    assert load()["version"] == 1


@cases("feedKeys")
def test_feed_keys(case: Any) -> None:
    case = case or load()
    assert encode(feed_key(case["kind"], case["id"])) == case["key"]


@cases("authorization")
def test_authorization(case: Any) -> None:
    case = case or load()
    if "code" in case:
        with pytest.raises(Refused) as refused:
            credential(case["values"])
        assert refused.value.code == case["code"]
    else:
        assert credential(case["values"]) == (case["scheme"], case["token"])


@cases("tokens")
def test_tokens(case: Any) -> None:
    case = case or load()
    guard = guard_at(case["now"])
    hear(guard, VECTORS["feeds"][case["feed"]])
    # The second time it may come out of the cache.
    for _ in range(2):
        assert verdict(guard, case["token"]) == case["code"]
        if case["code"] is None:
            assert guard.check(case["token"]).sub == case["subject"]


@cases("demands")
def test_demands(case: Any) -> None:
    case = case or load()
    guard = guard_at(VECTORS["now"])
    hear(guard, VECTORS["feeds"]["empty"])
    claims = guard.check(case["token"])
    try:
        demand(guard, claims, case)
        code = None
    except Refused as refused:
        code = refused.code
    assert code == case["code"]


def demand(guard: Guard, claims: Claims, case: Any) -> None:
    if "roles" in case:
        claims.require_role(*case["roles"])
    elif "permission" in case:
        claims.require_permission(case["permission"])
    elif "scope" in case:
        claims.require_scope(case["scope"])
    else:
        wanted = case["signIn"]
        guard.require_sign_in(claims, max_age=wanted.get("maxAge"), acr=wanted.get("acr"))


@pytest.fixture(scope="module")
def proving() -> Guard:
    """Make a guard that every case uses, so that it would know a proof again."""
    guard = guard_at((VECTORS or load())["now"], address="https://api.example")
    hear(guard, VECTORS["feeds"]["empty"])
    return guard


@cases("proofs")
def test_proofs(case: Any, proving: Guard) -> None:
    case = case or load()
    path = urlsplit(case["url"]).path
    sent = Sent(case["dpop"], case["method"], path, "evil.example")

    def code() -> str | None:
        try:
            proving.authenticate([f"{case['scheme']} {case['token']}"], sent)
        except Refused as refused:
            return refused.code
        return None

    assert code() == case["code"]
    if case["code"] is None and case["scheme"] == "dpop":
        assert code() == "invalid_dpop_proof"


@cases("answers")
def test_answers(case: Any) -> None:
    case = case or load()
    asked = case["signIn"]
    sign_in = None if asked is None else plain_sign_in(asked.get("maxAge"), asked.get("acr"))
    refused = Refused(case["code"], case["scope"], sign_in)
    made = answer(refused, "r-1", case["resourceMetadata"], proofs=case["proofs"])
    headers = dict(made.headers)
    assert made.status == case["status"]
    assert headers.get("WWW-Authenticate") == case["challenge"]
    assert headers.get("Retry-After") == (None if case["retryAfter"] is None else str(case["retryAfter"]))
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Request-Id"] == "r-1"
    assert json.loads(made.body) == {
        "type": f"urn:symbolon:problem:{case['code']}",
        "title": case["title"],
        "status": case["status"],
        "detail": case["detail"],
        "code": case["code"],
        "requestId": "r-1",
    }


@cases("streams")
def test_streams(case: Any) -> None:
    case = case or load()
    vectors = VECTORS
    server = Issuer()
    guard = guard_at(vectors["now"])
    followed = Guard.discover(
        server.url, audience=vectors["audience"], clock=lambda: vectors["now"], timing=SWIFT, background=True
    )
    try:
        *cut, last = case["connections"]
        for script in cut:
            connection = server.accept()
            assert connection.last_event_id == script["lastEventId"]
            connection.send(script["text"]).end()
        connection = server.accept()
        assert connection.last_event_id == last["lastEventId"]
        connection.send(last["text"])
        after = case["after"]
        state = followed.metrics
        until(lambda: (state().epoch, state().seq, state().entries) == (after["epoch"], after["seq"], after["entries"]))
        # What comes behind is heard too: a heartbeat whose time shows that it was.
        connection.send(f'event: heartbeat\ndata: {{"now":{vectors["now"] + 100},"seq":{after["seq"]}}}\n\n')
        until(lambda: state().skew == 100)
        assert state().malformed == after["malformed"]
        assert (state().epoch, state().seq, state().entries) == (after["epoch"], after["seq"], after["entries"])
        assert server.nobody_waits()
        # The file's tokens are of another issuer: its keys judge them, and the feed that was heard.
        hear(guard, vectors["feeds"]["empty"])
        guard._follower.feed = followed._follower.feed
        for probe in case["probe"]:
            assert verdict(guard, probe["token"]) == probe["code"]
    finally:
        followed.close()
        server.close()
