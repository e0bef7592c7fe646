"""Tokens that are bound to a key: what only one guard can be asked, and each framework's part (SECURITY D1, D3, D4)."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from symbolon_guard import Guard, Refused, Sent
from symbolon_guard._target import is_same_target
from symbolon_guard.asgi import GuardMiddleware

from .applications import ask, fastapi_app
from .issuer import Issuer, SigningKey, encode, greet
from .test_frameworks import KINDS, Kind, asker, django_is_set_up, name_of

ADDRESS = "https://api.example"
Start = Callable[..., Guard]
#: Takes effect here by being here.
__all__ = ["django_is_set_up"]


class Client:
    """A client with a key of its own, and its token."""

    def __init__(self, issuer: Issuer) -> None:
        self._key = SigningKey("client")
        self._jwk = {name: self._key.jwk()[name] for name in ("crv", "kty", "x")}
        canonical = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True)
        jkt = encode(hashlib.sha256(canonical.encode()).digest())
        self.token = issuer.token(cnf={"jkt": jkt})

    def proof(self, uri: str, **more: Any) -> str:
        ath = encode(hashlib.sha256(self.token.encode()).digest())
        claims = {"jti": str(uuid.uuid4()), "htm": "GET", "htu": uri, "iat": int(time.time()), "ath": ath} | more
        header = {"typ": "dpop+jwt", "jwk": self._jwk, "kid": None}
        return self._key.sign(claims, header)


@pytest.fixture
def client(issuer: Issuer) -> Client:
    issuer.greeting = greet
    return Client(issuer)


def code(guard: Guard, client: Client, proof: str, host: str | None = None) -> str | None:
    try:
        guard.authenticate([f"DPoP {client.token}"], Sent([proof], "GET", "/orders", host))
    except Refused as refused:
        return refused.code
    return None


def test_d1_a_proof_is_good_once(start: Start, client: Client) -> None:
    guard = start(background=False, address=ADDRESS + "/v1/")
    proof = client.proof(ADDRESS + "/v1/orders")
    assert [code(guard, client, proof) for _ in range(2)] == [None, "invalid_dpop_proof"]
    with pytest.raises(Refused, match="invalid_token"):
        guard.check(client.token)


def test_d1_nothing_good_is_forgotten_to_make_room(start: Start, client: Client) -> None:
    guard = start(background=False, address=ADDRESS, proof_capacity=2)
    one, two = (client.proof(ADDRESS + "/orders") for _ in range(2))
    codes = [code(guard, client, proof) for proof in (one, two, one)]
    assert codes == [None, "overloaded", "invalid_dpop_proof"]


def test_d3_without_an_address_no_proof_is_judged(start: Start, client: Client) -> None:
    guard = start(background=False)
    assert code(guard, client, client.proof(ADDRESS + "/orders"), "api.example") == "no_token"


def test_d3_a_nonce_comes_with_the_refusal(start: Start, client: Client) -> None:
    guard = start(background=False, address=ADDRESS, proof_nonces=True)
    assert code(guard, client, client.proof(ADDRESS + "/orders")) == "use_dpop_nonce"
    nonce = dict(guard.answer(Refused("use_dpop_nonce")).headers)["DPoP-Nonce"]
    assert code(guard, client, client.proof(ADDRESS + "/orders", nonce=nonce)) is None
    assert code(guard, client, client.proof(ADDRESS + "/orders", nonce="x")) == "use_dpop_nonce"


def test_d4_the_host_counts_only_where_the_owner_says_so(start: Start, client: Client) -> None:
    guard = start(background=False, address_from_host="https")
    proof = client.proof("https://one.example/orders")
    for host in ("two.example", "one.example/x", "x@one.example", "", None):
        assert code(guard, client, proof, host) == "invalid_dpop_proof"
    assert code(guard, client, proof, "one.example:443") is None
    deep = client.proof("https://one.example/x/orders")
    assert code(guard, client, deep, "one.example/x") == "invalid_dpop_proof"


def test_while_the_feed_is_not_heard_nobody_can_be_asked(issuer: Issuer, start: Start, client: Client) -> None:
    now = time.monotonic()
    guard = start(background=False, address=ADDRESS, staleness="introspect", monotonic=lambda: now)
    now += 20
    assert code(guard, client, client.proof(ADDRESS + "/orders")) == "overloaded"
    assert issuer.asked_about == []


def test_options_that_make_no_sense() -> None:
    for options in (
        {"address": "api.example"},
        {"address": "ftp://api.example"},
        {"address": "https://me@api.example"},
        {"address": "https://api.example?x"},
        {"address_from_host": "ftp"},
        {"proof_max_age": 301},
        {"proof_max_age": 0},
        {"proof_capacity": 0},
        {"proof_nonces": b"short"},
    ):
        with pytest.raises(ValueError, match=r"address|proof"):
            Guard("https://auth.example", audience="api", **options)


def test_a_target_that_is_none_is_the_same_as_nothing() -> None:
    for none in ("", "x", "https:///x", "https:/a/b", "https:a/b", "https://a/%4", "https://a\\b/", " https://a/"):
        assert not is_same_target(none, none)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_framework_hands_on_what_a_proof_is_judged_by(start: Start, client: Client, kind: Kind) -> None:
    guard = start(background=False, address=ADDRESS)
    get = asker(kind, guard)
    headers = [("Authorization", f"DPoP {client.token}"), ("DPoP", client.proof(ADDRESS + "/me"))]
    headers.append(("X-Forwarded-Host", "evil.example"))
    assert [get("/me", *headers).status for _ in range(2)] == [200, 401]


def test_a_middleware_and_a_dependency_judge_a_request_once(start: Start, client: Client) -> None:
    guard = start(background=False, address=ADDRESS)
    app = GuardMiddleware(fastapi_app(guard), guard)
    headers = [("Authorization", f"DPoP {client.token}"), ("DPoP", client.proof(ADDRESS + "/me"))]
    assert [ask(app, "/me", *headers).status for _ in range(2)] == [200, 401]
    assert guard.metrics().accepted == 1
