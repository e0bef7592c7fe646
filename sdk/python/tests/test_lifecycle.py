"""How a guard starts and ends, and what becomes of it in a process that comes of another."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from symbolon_guard import Guard, StartError

from .conftest import SWIFT, Start, verdict
from .issuer import Issuer, entry, greet, revocation, snapshot, until


def test_start_waits_for_the_first_snapshot(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    guard = start(background=False)
    assert guard.metrics().fresh
    assert verdict(guard, issuer.token()) is None


def test_start_tries_again_until_its_time_is_over(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    issuer.metadata_status = 503
    healer = threading.Timer(0.05, setattr, (issuer, "metadata_status", 200))
    healer.start()
    assert start(background=False).metrics().fresh
    healer.join()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {"issuer": "http://evil.example"}}, "discovery: the metadata is of another issuer"),
        ({"metadata": {"issuer": None}}, "discovery: the metadata is of another issuer"),
        ({"metadata": {"jwks_uri": None}}, "discovery: the metadata names no jwks_uri"),
        ({"metadata": {"revocation_stream_uri": None}}, "discovery: the metadata names no revocation_stream_uri"),
        ({"metadata": {"jwks_uri": 1}}, "discovery: the metadata names no jwks_uri"),
        ({"metadata": {"jwks_uri": "http://evil.example/"}}, "jwks_uri is neither https nor of this machine"),
        ({"metadata": {"jwks_uri": "ftp://127.0.0.1/"}}, "jwks_uri: the address is not one of http or https"),
        ({"metadata": {"jwks_uri": "http://u@127.0.0.1/"}}, "jwks_uri: the address has a user"),
        ({"metadata": {"jwks_uri": "http://127.0.0.1/\r\nX: y"}}, "jwks_uri: the address has characters"),
        ({"metadata": {"verification_uri": "/x"}}, "verification_uri: the address is not one"),
        ({"metadata_status": 404}, "discovery: the issuer answered 404"),
        ({"metadata_status": 302}, "discovery: the issuer answered 302"),
        ({"metadata": {"x": "y" * (1024 * 1024)}}, "discovery: the answer is too long"),
        ({"keys_status": 500}, "keys: the issuer answered 500"),
        ({"jwks": "[]"}, "keys: not a JSON object"),
        ({"stream_status": 503}, "feed: the issuer answered 503"),
        ({}, "first snapshot: nothing came in time"),
    ],
)
def test_a_start_that_fails_says_where_and_why(issuer: Issuer, change: dict[str, object], said: str) -> None:
    for name, value in change.items():
        setattr(issuer, name, value)
    with pytest.raises(StartError) as failed:
        Guard.discover(issuer.url, audience="api", timing=SWIFT, start_timeout=2)
    assert said in str(failed.value)
    assert issuer.url in str(failed.value)


def test_nobody_there() -> None:
    gone = Issuer()
    gone.close()
    with pytest.raises(StartError, match=r"discovery: .*refused"):
        Guard.discover(gone.url, audience="api", timing=SWIFT, start_timeout=2)


def test_an_issuer_with_a_path() -> None:
    issuer = Issuer("/tenants/a")
    issuer.greeting = greet
    guard = Guard.discover(issuer.url, audience="api")
    assert verdict(guard, issuer.token()) is None
    guard.close()
    issuer.close()


@pytest.mark.parametrize(
    ("issuer_url", "options"),
    [
        ("https://i.example/", {}),
        ("https://i.example?x", {}),
        ("https://i.example#x", {}),
        ("https://u:p@i.example", {}),
        ("i.example", {}),
        ("https://ü.example", {}),
        ("https://i.example", {"audience": ""}),
        ("https://i.example", {"leeway": 61}),
        ("https://i.example", {"leeway": -1}),
        ("https://i.example", {"cache_size": -1}),
        ("https://i.example", {"staleness": "fail"}),
        ("https://i.example", {"staleness_bound": 0}),
        ("https://i.example", {"resource": "api"}),
        ("https://i.example", {"resource_metadata": 'https://x/"'}),
        ("https://i.example", {"scopes_supported": ["a b"]}),
    ],
)
def test_options_that_make_no_sense(issuer_url: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Guard(issuer_url, **{"audience": "api", **options})


def test_close_ends_the_thread_at_once(issuer: Issuer, start: Start) -> None:
    issuer.greeting = greet
    with start(background=False) as guard:
        thread = guard._follower._thread
    assert thread is not None
    assert not thread.is_alive()


# Processes that come of others.


@contextmanager
def child() -> Iterator[Callable[[Callable[[], None]], int]]:
    """Run something in a forked process, and give how it ended."""

    def run(what: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                what()
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    yield run


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_follows_for_itself(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot(entry(4, "session", "x")))
    until(lambda: guard.metrics().fresh)
    token = issuer.token()
    assert verdict(guard, token) is None
    served, serves = os.pipe()

    def serve() -> None:
        # It is fresh from the start, as its parent was.
        assert verdict(guard, token) is None
        os.write(serves, b"!")
        until(lambda: verdict(guard, token) == "token_revoked")
        assert guard.metrics().applied == 1
        guard.close()

    def revoke() -> None:
        own = issuer.accept()
        # Not its parent's connection, and from where its parent was.
        assert own.last_event_id == "e1:4"
        os.read(served, 1)
        own.send(revocation(entry(5, "session", "s1")))

    helper = threading.Thread(target=revoke)
    helper.start()
    with child() as run:
        assert run(serve) == 0
    helper.join()
    os.close(served)
    os.close(serves)
    # The parent's connection was left alone.
    assert verdict(guard, token) is None
    stream.send(revocation(entry(5, "session", "s1")))
    until(lambda: verdict(guard, token) == "token_revoked")
    assert guard.metrics().reconnects == 0
