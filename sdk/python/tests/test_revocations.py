import random
from typing import Any

import pytest

from symbolon_guard._revocations import Entry, RevocationSet, Subject, entry_of, feed_key

from .issuer import entry

NAMES = ["a", "b", "c"]
KINDS = ["session", "user", "token", "client", "key", "all"]


def subject(**members: Any) -> Subject:
    whole: dict[str, Any] = {kind: feed_key(kind, "a") for kind in ("session", "user", "token", "client", "key")}
    return Subject(**(whole | {"version": 3, "issued_at": 100} | members))


def random_entry(chance: random.Random) -> Entry:
    kind = chance.choice(KINDS)
    bounds = {"below": chance.randrange(6), "before": chance.randrange(97, 103)}
    effect = chance.choice(["revoked", "stale"])
    return entry_of(entry(1, kind, chance.choice(NAMES), effect=effect, until=chance.randrange(10), **bounds))


def says(entries: list[Entry], asked: Subject, now: int) -> str | None:
    """Say it as the contract does, in as many words."""
    hits = set()
    for effect in ("revoked", "stale"):
        for kind in KINDS:
            of_kind = [one for one in entries if (one.effect, one.kind) == (effect, kind)]
            named = [one for one in of_kind if kind == "all" or one.key == getattr(asked, kind)]
            if not named or max(one.until for one in named) <= now:
                continue
            bound = max(one.bound for one in named)
            old = asked.version is None or asked.version < bound
            if (kind == "user" and old) or (kind in ("client", "all") and asked.issued_at <= bound):
                hits.add(effect)
            if kind in ("session", "token", "key"):
                hits.add(effect)
    return "revoked" if "revoked" in hits else "stale" if "stale" in hits else None


@pytest.mark.parametrize("seed", range(300))
def test_it_says_what_the_contract_says(seed: int) -> None:
    chance = random.Random(seed)
    entries = [random_entry(chance) for _ in range(chance.randrange(12))]
    live = RevocationSet()
    half = RevocationSet()
    for number, one in enumerate(entries):
        (live if number % 2 else half).apply(one)
    live.merge(half)
    for now in (0, 3, 9):
        live.expire(now)
        for name in NAMES:
            asked = subject(
                session=chance.choice([None, feed_key("session", name)]),
                user=feed_key("user", name),
                token=feed_key("token", name),
                client=feed_key("client", name),
                key=feed_key("key", name),
                version=chance.choice([None, 0, 3]),
            )
            assert live.find(asked) == says(entries, asked, now)
        assert len(live) == len(list(live))
    live.expire(10)
    assert len(live) == 0


def test_everything_about_all_is_one_subject() -> None:
    live = RevocationSet()
    live.apply(entry_of(entry(1, "all", "", before=5)))
    live.apply(entry_of(entry(2, "all", "x", before=4)))
    assert len(live) == 1
    assert live.find(subject(issued_at=5)) == "revoked"
    assert live.find(subject(issued_at=6)) is None
