"""What a check costs beside a million revocations, and what they cost. `python benches/check.py [ENTRIES]`."""

import gc
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from symbolon_guard import Guard
from symbolon_guard._events import Event, EventParser
from symbolon_guard._keys import KeySet, parse
from tests.issuer import SigningKey, encode, entry


def resident() -> float:
    """Give this process's memory, in MB."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def each(what: Callable[[], object], times: int) -> float:
    """Give the microseconds of one, the best of five rounds."""
    rounds = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            what()
        rounds.append(time.perf_counter() - begun)
    return min(rounds) / times * 1e6


def snapshot(count: int, now: int) -> list[bytes]:
    """Write the stream as a server does, in pieces of 16 KB."""
    end = now + 9000
    parts = [f'event: snapshot\nid: e1:{count}\ndata: {{"epoch":"e1","seq":{count},"now":{now},"entries":[']
    for seq in range(1, count + 1):
        key = encode(hashlib.sha256(b"%d" % seq).digest()[:16])
        comma = "," if seq < count else ""
        until = end - seq % 900
        parts.append(f'{{"seq":{seq},"kind":"session","key":"{key}","effect":"revoked","until":{until}}}{comma}')
    parts.append("]}\n\n")
    raw = "".join(parts).encode()
    return [raw[at : at + 16384] for at in range(0, len(raw), 16384)]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    now = int(time.time())
    key = SigningKey("k1")
    guard = Guard("https://i.example", audience="api", cache_size=20_000)
    guard._checker.keys = parse(json.dumps({"keys": [key.jwk()]}).encode(), KeySet())
    guard._follower.keys_known = True
    follower = guard._follower
    claims = {"iss": "https://i.example", "sub": "u", "aud": "api", "exp": now + 9000, "iat": now, "sid": "s"}
    claims |= {"client_id": "symbolon", "ver": 1, "scope": "openid orders:read", "roles": ["user"]}
    tokens = [key.sign({**claims, "jti": str(number)}) for number in range(5000)]

    def hear(pieces: list[bytes]) -> float:
        parser = EventParser(follower.feed.sink_for)
        begun = time.perf_counter()
        for piece in pieces:
            for event in parser.feed(piece):
                follower.heed(event, now)
        return time.perf_counter() - begun

    hear(snapshot(1, now))
    print(f"Python {sys.version.split()[0]}")
    unseen = iter(tokens * 5)
    bare = Guard("https://i.example", audience="api", cache_size=0)
    bare._checker.keys, bare._follower.keys_known = guard._checker.keys, True
    bare._follower.feed, bare._follower._heard = follower.feed, time.monotonic()
    fresh = each(lambda: bare.check(next(unseen)), len(tokens))
    token = tokens[0]
    few = each(lambda: guard.check(token[:-1] + token[-1:]), 100_000)
    print(f"first check of a token (EdDSA): {fresh:.1f} µs; seen before: {few:.2f} µs, 1/{fresh / few:.0f} of that")
    before = resident()
    for one_token in tokens:
        guard.check(one_token)
    print(f"a kept token: {(resident() - before) / len(tokens) * 1e3:.1f} KB")
    pieces = snapshot(count, now)
    size = sum(map(len, pieces)) / 1e6
    before = resident()
    waits: list[float] = []
    over = threading.Event()

    def meanwhile() -> None:
        while not over.is_set():
            # As a request does, it first has to get hold of the interpreter.
            begun = time.perf_counter()
            time.sleep(0.001)
            guard.check(token)
            waits.append(time.perf_counter() - begun - 0.001)

    requests = threading.Thread(target=meanwhile)
    requests.start()
    took = hear(pieces)
    over.set()
    requests.join()
    held = resident() - before
    assert guard.metrics().entries == count
    print(f"snapshot of {count} entries, {size:.0f} MB: read in {took:.2f} s")
    print(f"memory for them: {held:.0f} MB ({held / count * 1e6:.0f} bytes each)")
    waits.sort()
    print(f"a check meanwhile: p99 {waits[len(waits) * 99 // 100] * 1e3:.1f} ms, at most {waits[-1] * 1e3:.1f} ms")
    many = each(lambda: guard.check(token[:-1] + token[-1:]), 100_000)
    print(f"seen before, beside {count} entries: {many:.2f} µs, {many / few:.2f} times that without")
    applied = follower.feed.revocations
    one = [
        Event("revocation", f"e1:{count + n}", json.dumps(entry(count + n, "session", f"x{n}")).encode(), None)
        for n in range(1, 2001)
    ]
    begun = time.perf_counter()
    for event in one:
        follower.heed(event, now)
    print(f"one more entry: {(time.perf_counter() - begun) / len(one) * 1e6:.1f} µs")
    begun = time.perf_counter()
    applied.expire(now)
    print(f"sweep that finds nothing: {(time.perf_counter() - begun) * 1e3:.0f} ms")
    begun = time.perf_counter()
    dropped = applied.expire(now + 8550 + 5)
    print(f"sweep that drops {dropped}: {(time.perf_counter() - begun) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
