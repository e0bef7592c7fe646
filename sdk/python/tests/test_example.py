"""The example service, run as its owner runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from .issuer import Issuer, entry, greet, revocation, until

EXAMPLE = Path(__file__).parents[3] / "examples" / "fastapi"
Call = Callable[..., tuple[int, Any]]


@contextmanager
def running(**environment: str) -> Iterator[Call]:
    process = subprocess.Popen(
        [sys.executable, "main.py"],
        cwd=EXAMPLE,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        assert line.startswith("listening on http://127.0.0.1:")
        yield lambda *request, **headers: call(line.removeprefix("listening on http://"), *request, **headers)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def call(address: str, method: str, where: str, token: str | None = None, body: Any = None) -> tuple[int, Any]:
    connection = HTTPConnection(address, timeout=20)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    raw = None
    if body is not None:
        raw = body if isinstance(body, str) else json.dumps(body)
        headers["Content-Type"] = "application/json"
    connection.request(method, where, raw, headers)
    answer = connection.getresponse()
    text = answer.read()
    challenge = answer.getheader("WWW-Authenticate")
    connection.close()
    said: Any = json.loads(text) if text else None
    if answer.status >= 400:
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert answer.getheader("X-Request-Id") == said["requestId"]
        metadata = f'Bearer resource_metadata="http://{address}/.well-known/oauth-protected-resource"'
        assert challenge is None or challenge.startswith(metadata)
        return answer.status, said["code"]
    return answer.status, said


def test_the_example_service(issuer: Issuer) -> None:
    issuer.greeting = greet
    with running(ISSUER=issuer.url, AUDIENCE="api") as ask:
        ada, ben = issuer.token(), issuer.token(sub="u2", sid="s2", roles=["admin"], scope="*")
        assert ask("GET", "/") == (200, {"service": "orders", "orders": 0})
        for method, where in [("GET", "/orders"), ("POST", "/orders"), ("GET", "/orders/x"), ("GET", "/admin/orders")]:
            assert ask(method, where) == (401, "no_token")
        status, order = ask("POST", "/orders", ada, {"item": "amphora", "quantity": 2})
        assert (status, order["owner"], order["item"], order["quantity"]) == (201, "u1", "amphora", 2)
        own = f"/orders/{order['id']}"
        assert ask("GET", own, ada) == (200, order)
        assert ask("GET", "/orders", ada) == (200, {"items": [order]})
        assert ask("GET", "/orders", ben) == (200, {"items": []})
        for method, body in [("GET", None), ("PUT", {"item": "x", "quantity": 1}), ("DELETE", None)]:
            assert ask(method, own, ben, body) == (404, "not_found")
        changed = {**order, "item": "lamp", "quantity": 3}
        assert ask("PUT", own, ada, {"item": "lamp", "quantity": 3}) == (200, changed)
        assert ask("GET", "/admin/orders", ben) == (200, {"items": [changed]})
        assert ask("GET", "/admin/orders", ada) == (403, "forbidden")
        assert ask("GET", "/reports", ada) == (403, "forbidden")
        assert ask("GET", "/reports", ben) == (200, {"reports": []})
        assert ask("GET", "/scoped", ada) == (200, {"scope": "openid orders:read"})
        assert ask("GET", "/scoped", ben) == (403, "insufficient_scope")
        bad: Any
        for bad in ({"item": 1, "quantity": 1}, {"item": " ", "quantity": 1}, {"item": "x", "quantity": "1"}, [], 1):
            assert ask("POST", "/orders", ada, bad) == (422, "validation_failed")
        assert ask("POST", "/orders", ada, "{") == (400, "malformed_request")
        assert ask("GET", "/nothing") == (404, "not_found")
        assert ask("DELETE", "/") == (405, "method_not_allowed")
        assert ask("DELETE", own, ada) == (204, None)
        assert ask("GET", own, ada) == (404, "not_found")
        assert ask("GET", "/.well-known/oauth-protected-resource")[1]["authorization_servers"] == [issuer.url]
        issuer.accept().send(revocation(entry(1, "session", "s1")))
        until(lambda: bool(ask("GET", "/guard")[1]["seq"] == 1))
        assert ask("GET", "/orders", ada) == (401, "token_revoked")
        metrics = ask("GET", "/guard")[1]
        assert (metrics["fresh"], metrics["entries"], metrics["rejected"]["token_revoked"]) == (True, 1, 1)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ISSUER": ""}, "ISSUER is not set"),
        ({"LISTEN": "x"}, "LISTEN is no HOST:PORT"),
        ({"STALENESS": "x"}, "staleness is one of"),
        ({"STALENESS_BOUND": "x"}, "could not convert"),
        ({"ISSUER": "http://127.0.0.1:1/x/"}, "no slash at its end"),
    ],
)
def test_settings_that_make_no_sense(issuer: Issuer, environment: dict[str, str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "main.py"],
        cwd=EXAMPLE,
        env={**os.environ, "ISSUER": issuer.url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
