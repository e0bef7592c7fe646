"""Following the feed of a real issuer on a socket: what is lost, spoilt, cut or silent."""

import logging
import socket
import threading
import time

import pytest

from symbolon_guard import Guard, Refused, Timing
from symbolon_guard._http import Exchange, fetch, parse_url

from .conftest import Clock, Start, verdict
from .issuer import Connection, Issuer, entry, event, greet, heartbeat, revocation, snapshot, until


def test_revoked_at_once(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot()).send(heartbeat(0))
    until(lambda: guard.metrics().fresh)
    token = issuer.token()
    assert verdict(guard, token) is None
    stream.send(revocation(entry(1, "session", "s1", effect="stale")))
    until(lambda: guard.metrics().seq == 1)
    assert verdict(guard, token) == "token_stale"
    stream.send(revocation(entry(2, "session", "s1")))
    until(lambda: guard.metrics().seq == 2)
    assert verdict(guard, token) == "token_revoked"
    assert verdict(guard, issuer.token(sid="s2")) is None
    metrics = guard.metrics()
    assert (metrics.seq, metrics.entries, metrics.applied, metrics.snapshots, metrics.malformed) == (2, 2, 2, 1, 0)
    assert metrics.accepted == 2
    assert metrics.rejected["token_revoked"] == 1


def test_sign_out_everywhere_and_in_again_in_the_same_second(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot()).send(revocation(entry(1, "user", "u1", below=2)))
    until(lambda: guard.metrics().seq == 1)
    assert verdict(guard, issuer.token(ver=1)) == "token_revoked"
    assert verdict(guard, issuer.token(ver=2)) is None


def test_a_new_epoch_replaces_everything(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot(entry(7, "session", "s1")))
    until(lambda: verdict(guard, issuer.token()) == "token_revoked")
    stream.cut()
    again = issuer.accept()
    assert again.last_event_id == "e1:7"
    again.send(snapshot(entry(1, "session", "s2"), epoch="e2"))
    until(lambda: verdict(guard, issuer.token(sid="s2")) == "token_revoked")
    assert verdict(guard, issuer.token()) is None
    again.cut()
    assert issuer.accept().last_event_id == "e2:1"


def test_a_cut_amid_a_chunk_resumes_where_nothing_was_begun(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot(entry(1, "session", "s1"))).send(": nothing yet")
    until(lambda: guard.metrics().seq == 1)
    stream.cut()
    again = issuer.accept()
    assert again.last_event_id == "e1:1"
    again.send(heartbeat(1)).send(revocation(entry(2, "session", "s2")))
    until(lambda: guard.metrics().seq == 2)
    assert guard.metrics().malformed == 0
    assert guard.metrics().reconnects == 1


def test_a_snapshot_too_large_for_one_read(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    entries = [entry(number, "session", f"x{number}") for number in range(1, 5001)]
    text = snapshot(*entries, entry(5001, "session", "s1")).replace('},{"seq": 2500,', '},\ndata:{"seq": 2500,')
    for at in range(0, len(text), 10_007):
        stream.send(text[at : at + 10_007])
    until(lambda: guard.metrics().fresh)
    assert guard.metrics().entries == 5001
    assert verdict(guard, issuer.token()) == "token_revoked"


def test_silence_ends_a_connection(issuer: Issuer, start: Start) -> None:
    guard = start(timing=Timing(backoff=0.001, silence=0.2))
    stream = issuer.accept()
    stream.send(snapshot(entry(3, "session", "s1")))
    # Nobody cuts it: the guard leaves by itself.
    assert issuer.accept().last_event_id == "e1:3"
    assert guard.metrics().malformed == 0


def test_silence_amid_an_event_forgets_its_beginning(issuer: Issuer, start: Start) -> None:
    guard = start(timing=Timing(backoff=0.001, silence=0.2))
    issuer.accept().send(snapshot()).send("event: revocation\nid: e1:1\n")
    again = issuer.accept()
    assert again.last_event_id == "e1:0"
    again.send(revocation(entry(1, "session", "s1")))
    until(lambda: guard.metrics().seq == 1)
    assert guard.metrics().malformed == 0


@pytest.mark.parametrize(("status", "kind"), [(500, ""), (401, ""), (204, ""), (307, ""), (200, "application/json")])
def test_an_answer_that_is_no_stream(issuer: Issuer, start: Start, status: int, kind: str) -> None:
    issuer.stream_status = status
    issuer.stream_type = kind or issuer.stream_type
    guard = start()
    until(lambda: guard._follower.failure is not None)
    assert not guard.metrics().fresh
    assert verdict(guard, issuer.token()) == "overloaded"
    issuer.stream_status, issuer.stream_type = 200, "text/event-stream; charset=utf-8"
    issuer.greeting = greet
    until(lambda: guard.metrics().fresh)
    assert verdict(guard, issuer.token()) is None


def test_the_waits_between_connections_grow_and_begin_anew(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolon_guard._follower.random.uniform", lambda _, high: high)
    waits: list[float] = []

    class Closing(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return super().wait(0)

    issuer.stream_status = 500
    guard = Guard(issuer.url, audience="api", timing=Timing(backoff=0.1, longest_backoff=0.5))
    guard._follower._closing = Closing()
    guard.start(background=True)
    until(lambda: len(waits) >= 6)
    assert [round(wait, 3) for wait in waits[:6]] == [0.1, 0.2, 0.4, 0.5, 0.5, 0.5]
    issuer.stream_status = 200
    stream = issuer.accept()
    stream.send(snapshot())
    until(lambda: guard.metrics().fresh)
    asked = len(waits)
    stream.end()
    stream = issuer.accept()
    assert waits[asked:] == [0.1]
    # What is malformed each time is not asked for ten times a second, however well it began.
    for number in range(4):
        stream.send(snapshot()).send("event: revocation\ndata: {\n\n")
        stream = issuer.accept()
        assert len(waits) == asked + 2 + number
    assert waits[asked + 1 :] == [0.2, 0.4, 0.5, 0.5]
    guard.close()


def test_clocks_that_differ_by_a_minute(issuer: Issuer, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "symbolon_guard")
    clock = Clock()
    guard, stream = start(clock=clock), issuer.accept()
    server = clock.time + 60
    stream.send(snapshot(now=server))
    until(lambda: guard.metrics().skew == 60)
    # Issued now by the server's clock, which is a minute ahead; and expired by it.
    assert verdict(guard, issuer.token(iat=int(server), exp=int(server) + 900)) is None
    assert verdict(guard, issuer.token(exp=int(server) - 10)) == "token_expired"
    # A single one that was late on its way is not believed.
    stream.send(heartbeat(0, clock.time)).send(revocation(entry(1, "session", "x")))
    until(lambda: guard.metrics().seq == 1)
    assert guard.metrics().skew == 60
    stream.send(heartbeat(0, clock.time + 1))
    until(lambda: guard.metrics().skew == 0)
    assert verdict(guard, issuer.token(iat=int(server))) == "invalid_token"
    said = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert [line.split(issuer.url)[1] for line in said] == [" differ by 60 s", " agree"]


def test_entries_are_dropped_when_their_time_is_over(issuer: Issuer, start: Start) -> None:
    clock = Clock()
    now = int(clock.time)
    guard = start(clock=clock, timing=Timing(backoff=0.001, sweep_every=0))
    stream = issuer.accept()
    stream.send(snapshot(entry(1, "session", "a", until=now - 5), entry(2, "session", "b", until=now - 4), now=now))
    until(lambda: guard.metrics().entries == 1)
    # However far ahead this machine's clock runs, the server's counts.
    clock.time += 1000
    stream.send(heartbeat(2, now)).send(revocation(entry(3, "session", "c")))
    until(lambda: guard.metrics().seq == 3)
    assert guard.metrics().entries == 2
    stream.send(heartbeat(3, now + 1))
    until(lambda: guard.metrics().entries == 1)


def test_stale_and_fresh_again(issuer: Issuer, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "symbolon_guard")
    moving = Clock()
    guard, stream = start(monotonic=moving), issuer.accept()
    token = issuer.token()
    assert verdict(guard, token) == "overloaded"
    stream.send(snapshot())
    until(lambda: verdict(guard, token) is None)
    moving.time += 15
    assert verdict(guard, token) is None
    moving.time += 0.1
    assert verdict(guard, token) == "overloaded"
    assert verdict(guard, issuer.token(exp=1)) == "token_expired"
    assert verdict(guard, issuer.token(aud="other")) == "invalid_token"
    assert guard.metrics().seconds_since_heard == pytest.approx(15.1)
    # A heartbeat that tells of a loss is no sign of life.
    stream.send(heartbeat(1))
    stream = issuer.accept()
    assert verdict(guard, token) == "overloaded"
    stream.send(revocation(entry(1, "session", "x"))).send(heartbeat(1))
    until(lambda: verdict(guard, token) is None)

    def said() -> list[str]:
        lines = [record.getMessage() for record in caplog.records]
        return [word for line in lines for word in ("is fresh", "is stale") if word in line]

    until(lambda: said() == ["is fresh", "is stale", "is fresh"])


def test_every_policy_when_stale(issuer: Issuer, start: Start) -> None:

    def greeting(one: Connection) -> None:
        one.send(snapshot(entry(1, "session", "dead")))

    issuer.greeting = greeting
    moving = Clock()
    guards = {
        policy: start(monotonic=moving, staleness=policy) for policy in ("fail_closed", "introspect", "fail_open")
    }
    for guard in guards.values():
        until(lambda guard=guard: guard.metrics().fresh)  # type: ignore[misc]
    moving.time += 16
    issuer.word = (401, {"code": "token_revoked"})
    good, dead = issuer.token(), issuer.token(sid="dead")
    assert [verdict(guard, good) for guard in guards.values()] == ["overloaded", "token_revoked", None]
    assert [verdict(guard, dead) for guard in guards.values()] == ["overloaded", "token_revoked", "token_revoked"]
    for guard in guards.values():
        assert verdict(guard, issuer.token(aud="other")) == "invalid_token"
        assert not guard.metrics().fresh


def test_no_keys_yet_is_nobodys_fault(issuer: Issuer, start: Start) -> None:
    issuer.keys_status = 503
    for policy in ("fail_closed", "introspect", "fail_open"):
        guard = start(staleness=policy)
        until(lambda guard=guard: guard.metrics().key_failures > 0)  # type: ignore[misc]
        assert verdict(guard, issuer.token()) == "overloaded"
        assert verdict(guard, "a.b") == "invalid_token"
        assert verdict(guard, issuer.token({"alg": "none"})) == "invalid_token"


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ((200, {}), None),
        ((401, {"code": "token_expired"}), "token_expired"),
        ((401, {"code": "token_stale"}), "token_stale"),
        ((401, {"code": "no_token"}), "invalid_token"),
        ((401, {}), "invalid_token"),
        ((403, {"code": "account_disabled"}), "forbidden"),
        ((403, {"code": "insufficient_scope"}), "insufficient_scope"),
        ((403, {"code": "token_revoked"}), "forbidden"),
        ((401, {"code": "forbidden"}), "invalid_token"),
        ((500, {}), "overloaded"),
        ((204, {}), "overloaded"),
        ((307, {}), "overloaded"),
    ],
)
def test_the_issuers_word(issuer: Issuer, start: Start, word: tuple[int, dict[str, str]], code: str | None) -> None:
    moving = Clock()
    guard, stream = start(staleness="introspect", monotonic=moving), issuer.accept()
    stream.send(snapshot())
    until(lambda: guard.metrics().fresh)
    assert verdict(guard, issuer.token()) is None
    assert issuer.asked_about == []
    moving.time += 16
    issuer.word = word
    token = issuer.token()
    assert verdict(guard, token) == code
    assert issuer.asked_about == [f"Bearer {token}"]
    assert guard.metrics().introspections == 1


def test_the_issuers_silence(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    guard = start(staleness="introspect", monotonic=moving, timing=Timing(introspection=0.1))
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().fresh)
    moving.time += 16
    issuer.word_may_go.clear()
    assert verdict(guard, issuer.token()) == "overloaded"


def test_no_more_than_64_are_asked_about_at_once(issuer: Issuer, start: Start) -> None:
    moving = Clock()
    guard = start(staleness="introspect", monotonic=moving)
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().fresh)
    moving.time += 16
    issuer.word_may_go.clear()
    codes: list[str | None] = []
    token = issuer.token()
    threads = [threading.Thread(target=lambda: codes.append(verdict(guard, token))) for _ in range(64)]
    for thread in threads:
        thread.start()
    until(lambda: len(issuer.asked_about) == 64)
    assert verdict(guard, token) == "overloaded"
    issuer.word_may_go.set()
    for thread in threads:
        thread.join()
    assert codes == [None] * 64
    assert verdict(guard, token) is None


# The wire.


def test_a_wait_for_an_answer_ends_however_slowly_it_drips(issuer: Issuer) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        try:
            while True:
                connection.sendall(b"H")
                time.sleep(0.01)
        except OSError:
            connection.close()

    threading.Thread(target=drip, daemon=True).start()
    url = parse_url(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    with pytest.raises(TimeoutError):
        fetch(url, {}, timeout=0.2)
    listener.close()


def test_headers_do_not_break_lines(issuer: Issuer) -> None:
    with Exchange(parse_url(issuer.origin)) as exchange, pytest.raises(ValueError, match="line break"):
        exchange.send({"X": "a\r\nY: b"})


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("http://a.example", ("http", "a.example", 80), "/"),
        ("https://A.example:8443/b?c=d", ("https", "a.example", 8443), "/b?c=d"),
        ("https://[::1]/x", ("https", "::1", 443), "/x"),
    ],
)
def test_addresses(text: str, origin: tuple[str, str, int], target: str) -> None:
    url = parse_url(text)
    assert (url.origin, url.target) == (origin, target)
    assert url.loopback is (url.host == "::1")


def test_events_of_an_unknown_kind_may_be_long(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot()).send(event("later", "x" * 200_000)).send(revocation(entry(1, "session", "a")))
    until(lambda: guard.metrics().seq == 1)
    assert guard.metrics().malformed == 0


def test_only_what_shows_that_nothing_was_missed_makes_fresh(issuer: Issuer, start: Start) -> None:
    guard, stream = start(), issuer.accept()
    # A guard that knows no revocation is not fresh, whatever it hears before a break makes it connect again.
    stream.send(event("greeting", "hello") + ": hello\n\n" + event("greeting", "hello")).end()
    again = issuer.accept()
    assert not guard.metrics().fresh
    assert verdict(guard, issuer.token()) == "overloaded"
    again.send(snapshot())
    until(lambda: guard.metrics().fresh)


def test_a_backlog_does_not_make_fresh(issuer: Issuer, start: Start) -> None:
    now = Clock()
    guard, stream = start(monotonic=now, timing=Timing(backoff=0.001, keys_every=1e9)), issuer.accept()
    stream.send(snapshot())
    until(lambda: guard.metrics().fresh)
    token = issuer.token()
    now.time += 16
    assert verdict(guard, token) == "overloaded"
    stream.cut()
    again = issuer.accept()
    again.send(revocation(entry(1, "session", "other"))).send(event("greeting", "hello"))
    until(lambda: guard.metrics().seq == 1)
    # The end of its session may be still on its way.
    assert verdict(guard, token) == "overloaded"
    again.send(revocation(entry(2, "session", "s1"))).send(heartbeat(2))
    until(lambda: guard.metrics().fresh)
    assert verdict(guard, token) == "token_revoked"
    now.time += 10
    again.send(revocation(entry(3, "session", "another")))
    until(lambda: guard.metrics().seq == 3)
    now.time += 10
    assert guard.metrics().fresh


@pytest.mark.parametrize("now", [10**400, 1 << 54, -1, True])
def test_a_time_that_cannot_be(issuer: Issuer, start: Start, now: int) -> None:
    guard, stream = start(), issuer.accept()
    stream.send(snapshot()).send(event("heartbeat", {"now": now, "seq": 0}))
    issuer.accept().send(snapshot())
    until(lambda: guard.metrics().snapshots == 2)
    assert guard.metrics().malformed == 1
    assert verdict(guard, issuer.token()) is None


def test_what_is_held_back_on_the_way_is_not_heard(issuer: Issuer, start: Start) -> None:
    now = Clock()
    guard = start(clock=now, monotonic=now, timing=Timing(backoff=0.001, keys_every=1e9))
    stream, began = issuer.accept(), now.time
    stream.send(snapshot(now=began))
    until(lambda: guard.metrics().fresh)
    expired = issuer.token(exp=int(began) - 10)
    # A little later with each: 10 s of the server's in 15 s of ours.
    for heartbeats in range(1, 4):
        now.time += 15
        stream.send(heartbeat(0, began + 10 * heartbeats))
        until(lambda: guard.metrics().seconds_since_heard == 0)
    now.time += 15
    stream.send(heartbeat(0, began + 40))
    again = issuer.accept()
    assert again.last_event_id == "e1:0"
    assert guard.metrics().seconds_since_heard == pytest.approx(15)
    assert guard.metrics().malformed == 0
    # The new connection tells the time at last.
    again.send(heartbeat(0, now.time) * 2)
    until(lambda: guard.metrics().skew == 0)
    assert verdict(guard, expired) == "token_expired"
    assert guard.metrics().fresh


def test_a_refusal_of_the_issuer_is_counted_once(issuer: Issuer, start: Start) -> None:
    now = Clock()
    issuer.greeting, issuer.word = greet, (403, {"code": "forbidden"})
    guard = start(monotonic=now, staleness="introspect", background=False)
    now.time += 16
    with pytest.raises(Refused) as refused:
        guard.check(issuer.token())
    guard.answer(refused.value)
    assert guard.metrics().rejected["forbidden"] == 1
