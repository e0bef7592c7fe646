"""Tokens and keys beyond the vectors: the list of attacks, and what time does to verified tokens."""

import json
from typing import Any

import pytest

from symbolon_guard._checker import Checker
from symbolon_guard._keys import KeySet, parse
from symbolon_guard._strict import Malformed, base64url, json_object
from symbolon_guard.refusals import Refused, credential, own_or_fresh

from .issuer import SigningKey, encode
from .test_vectors import VECTORS, load

CLAIMS = {"iss": "https://i.example", "sub": "u", "aud": "api", "exp": 1000, "iat": 100, "jti": "t", "client_id": "c"}


def checker(*keys: dict[str, Any], size: int = 10) -> Checker:
    one = Checker("https://i.example", "api", 5, size)
    one.keys = parse(json.dumps({"keys": keys}).encode(), one.keys)
    return one


def code(by: Checker, token: str, now: int = 500) -> str | None:
    try:
        by.verified(token, now)
    except Refused as refused:
        return refused.code
    return None


def test_the_time_is_looked_at_each_time() -> None:
    key = SigningKey("k")
    by = checker(key.jwk())
    token = key.sign(CLAIMS)
    assert [code(by, token, now) for now in (94, 95, 1004, 1005, 500)] == [
        "invalid_token",
        None,
        None,
        "token_expired",
        None,
    ]


@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_the_cache_is_bounded_and_finds_only_the_whole_token(size: int) -> None:
    key = SigningKey("k")
    by = checker(key.jwk(), size=size)
    tokens = [key.sign(CLAIMS | {"jti": str(number)}) for number in range(20)]
    for token in [*tokens, *reversed(tokens)]:
        assert by.verified(token, 500).claims.jti == by.verified(token, 500).claims.jti
        assert len(by._cache) <= size + 1
        # Another signature, or a tail that the cache knows, is verified anew.
        assert code(by, token[:-8] + "AAAAAAAA") == "invalid_token"
        assert code(by, "x" + token) == "invalid_token"


def test_j16_a_key_that_is_published_no_more_ends_what_it_verified() -> None:
    old, new = SigningKey("k"), SigningKey("k")
    by = checker(old.jwk())
    token = old.sign(CLAIMS)
    assert code(by, token) is None
    # The same key again changes nothing, and keeps what was verified.
    before = by.verified(token, 500)
    by.keys = parse(json.dumps({"keys": [old.jwk()]}).encode(), by.keys)
    assert by.verified(token, 500) is before
    # Another one under its name does, and so does none at all.
    by.keys = parse(json.dumps({"keys": [new.jwk()]}).encode(), by.keys)
    assert code(by, token) == "invalid_token"
    assert code(by, new.sign(CLAIMS)) is None
    by.keys = parse(b'{"keys":[]}', by.keys)
    assert code(by, new.sign(CLAIMS)) == "invalid_token"


def test_a_set_that_is_refused_leaves_the_old_keys_alive() -> None:
    key = SigningKey("k")
    by = checker(key.jwk())
    token = key.sign(CLAIMS)
    by.verified(token, 500)
    with pytest.raises(Malformed):
        parse(json.dumps({"keys": [SigningKey("a").jwk(), SigningKey("a").jwk()]}).encode(), by.keys)
    assert code(by, token) is None


def vector_keys() -> dict[str, dict[str, Any]]:
    keys = (VECTORS or load())["jwks"]["keys"]
    return {key["alg"]: key for key in keys}


def but(which: str, /, **members: Any) -> dict[str, Any]:
    changed = vector_keys()[which] | members
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize(
    ("alg", "members"),
    [
        ("EdDSA", {"d": "AAAA"}),
        ("ES256", {"d": "AAAA"}),
        ("RS256", {"p": "AAAA"}),
        ("RS256", {"oth": []}),
        ("EdDSA", {"k": "AAAA"}),
        ("EdDSA", {"kty": "oct", "k": "AAAA"}),
        ("EdDSA", {"kty": None}),
        ("EdDSA", {"kty": 1}),
        ("EdDSA", {"kid": ""}),
        ("EdDSA", {"kid": "x" * 257}),
        ("EdDSA", {"kid": 1}),
        ("EdDSA", {"alg": "ES256"}),
        ("ES256", {"alg": "EdDSA"}),
        ("ES256", {"alg": "RS256"}),
        ("EdDSA", {"x": "AAAA"}),
        ("EdDSA", {"x": None}),
        ("EdDSA", {"crv": None}),
        ("ES256", {"x": encode(bytes(31))}),
        ("ES256", {"y": encode(bytes(32))}),
        ("ES256", {"y": encode(b"\0" * 33)}),
        ("RS256", {"e": encode(b"\1")}),
        ("RS256", {"e": encode(b"\3")}),
        ("RS256", {"e": encode(b"\1\0\0")}),
        ("RS256", {"n": encode(b"\xff" * 128)}),
        ("RS256", {"n": encode(b"\xff" * 1025)}),
        ("RS256", {"n": encode(b"\xff" * 255 + b"\xfe")}),
        ("RS256", {"n": "A+A="}),
        ("EdDSA", {"key_ops": "verify"}),
        ("EdDSA", {"use": 1}),
    ],
)
def test_k6_an_unsafe_key_refuses_the_set(alg: str, members: dict[str, Any]) -> None:
    good = json.dumps({"keys": [but(alg)]}).encode()
    assert len(parse(good, KeySet()).keys) == 1
    with pytest.raises(Malformed):
        parse(json.dumps({"keys": [but(alg, **members)]}).encode(), KeySet())


@pytest.mark.parametrize(
    ("alg", "members"),
    [
        ("EdDSA", {"use": "enc"}),
        ("EdDSA", {"key_ops": ["sign"]}),
        ("EdDSA", {"kty": "LATER"}),
        ("EdDSA", {"crv": "Ed448"}),
        ("ES256", {"crv": "P-384", "alg": "ES384"}),
        ("RS256", {"alg": "RS512"}),
    ],
)
def test_a_key_that_is_not_for_us_is_left_out(alg: str, members: dict[str, Any]) -> None:
    raw = json.dumps({"keys": [but(alg, **members), but("ES256", kid="other")]}).encode()
    assert [key.kid for key in parse(raw, KeySet()).keys] == ["other"]


def test_a_key_without_alg_has_that_of_its_type() -> None:
    for alg, expected in [("EdDSA", "EdDSA"), ("ES256", "ES256"), ("RS256", "RS256"), ("PS256", "RS256")]:
        (key,) = parse(json.dumps({"keys": [but(alg, alg=None)]}).encode(), KeySet()).keys
        assert key.algorithm == expected
    (key,) = parse(json.dumps({"keys": [but("EdDSA", alg="Ed25519")]}).encode(), KeySet()).keys
    assert key.algorithm == "EdDSA"


@pytest.mark.parametrize("raw", [b"{}", b'{"keys":{}}', b'{"keys":[1]}', b"[]", b'{"keys":[],"keys":[]}', b"\xff"])
def test_what_is_no_key_set(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse(raw, KeySet())


def test_a_key_without_name_serves_when_it_is_the_only_one() -> None:
    key = SigningKey("k")
    nameless = {name: value for name, value in key.jwk().items() if name != "kid"}
    assert code(checker(nameless), key.sign(CLAIMS)) is None
    assert code(checker(nameless, SigningKey("b").jwk()), key.sign(CLAIMS)) is None
    twice = SigningKey("b").jwk()
    del twice["kid"]
    assert code(checker(nameless, twice), key.sign(CLAIMS)) == "invalid_token"


@pytest.mark.parametrize("text", ["", "A", "AB", "AA==", "A A", "AA\n", "A+A", "AAé", "AAAAB"])
def test_base64url_has_one_text_for_one_value(text: str) -> None:
    with pytest.raises(Malformed):
        base64url(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":"\\ud800"}',
        '{"\\udc00":1}',
        '{"a":' + "1" * 5000 + "}",
        '{"a":' + "[" * 128 + "]" * 128 + "}",
        '{"a":' + "[" * 3000,
        "{" + ",".join(f'"{number}":1' for number in range(257)) + "}",
        "[]",
        "",
        "\ufeff{}",
    ],
)
def test_json_has_one_reading(text: str) -> None:
    with pytest.raises(Malformed):
        json_object(text.encode())


def test_json_that_is_only_wide() -> None:
    text = '{"a":[' + ",".join(['{"b":["]",{}]}'] * 200) + "]}"
    assert len(json_object(text.encode())["a"]) == 200
    assert json_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Bearer a.b.ü", "invalid_token"),
        ("Bearer\u0660", "invalid_token"),
        ("Basic ü", "no_token"),
        ("\u0660", "no_token"),
    ],
)
def test_a_header_is_ascii(value: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        credential([value])


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "a\n", "ü", "a;b"])
def test_a_request_id_of_others_is_plain_or_not_taken(given: str | None) -> None:
    fresh = own_or_fresh(given)
    assert fresh != given
    assert len(fresh) == 32
    assert fresh != own_or_fresh(given)


def test_a_plain_request_id_is_taken() -> None:
    assert own_or_fresh("Az.0_-" + "x" * 58) == "Az.0_-" + "x" * 58
