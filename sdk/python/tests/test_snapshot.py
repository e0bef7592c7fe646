import json
import random
from typing import Any

import pytest

from symbolon_guard._revocations import Entry, MalformedFeed, RevocationSet
from symbolon_guard._snapshot import SnapshotReader

from .issuer import entry


def read(*pieces: bytes) -> tuple[tuple[str, int, int], list[Entry]]:
    entries: list[Entry] = []
    reader = SnapshotReader(entries.append)
    for piece in pieces:
        reader.write(piece)
    return reader.finish(), entries


def document(**members: Any) -> dict[str, Any]:
    entries = [entry(1, "session", "a"), entry(2, "user", "b", below=3), entry(3, "all", "", before=9)]
    return {"epoch": "e1", "seq": 3, "now": 77, "entries": entries} | members


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(document()),
        json.dumps(document(), indent=3),
        json.dumps(document(later={"x": [1, None, '"},{']}, more="ü"), ensure_ascii=False),
        json.dumps(dict(reversed(document().items()))),
        json.dumps(document(entries=[one | {"later": [{"a": 1}, {"b": "},"}]} for one in document()["entries"]])),
    ],
)
def test_wherever_it_is_cut_it_reads_the_same(text: str) -> None:
    raw = text.encode()
    whole = read(raw)
    assert whole[0] == ("e1", 3, 77)
    assert [one.kind for one in whole[1]] == ["session", "user", "all"]
    for at in range(len(raw)):
        assert read(raw[:at], raw[at:]) == whole
        with pytest.raises(MalformedFeed):
            read(raw[:at])
    assert read(*(raw[at : at + 1] for at in range(len(raw)))) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(document()) + "}",
        json.dumps(document()) + "{}",
        json.dumps(document(seq=True)),
        json.dumps(document(seq=1.5)),
        json.dumps(document(now=-1)),
        json.dumps(document(entries={})),
        json.dumps(document(entries=[1])),
        json.dumps(document(entries=[document()["entries"][0], None])),
        json.dumps(document()).replace("}]", "},]"),
        json.dumps(document()).replace("[{", "[,{"),
        json.dumps(document()).replace('"now"', '"seq":3,"now"'),
        json.dumps(document()).replace('"now"', '"entries":[],"now"'),
        json.dumps(document(later=float("nan"))),
        '{"epoch":"e1","later":' + "[" * 5000,
    ],
)
def test_what_is_no_snapshot(text: str) -> None:
    for size in (1, 7, 100_000):
        raw = text.encode()
        with pytest.raises(MalformedFeed):
            read(*(raw[at : at + size] for at in range(0, len(raw), size)))


def test_a_value_that_never_ends_is_given_up() -> None:
    with pytest.raises(MalformedFeed):
        read(b'{"later":"', *[b"x" * 1000] * 20)


def test_not_utf_8() -> None:
    with pytest.raises(MalformedFeed):
        read(b'{"epoch":"\xff"')
    with pytest.raises(MalformedFeed):
        read(json.dumps(document()).encode() + b"\xc3")


def test_many_entries_in_pieces_of_any_size() -> None:
    entries = [entry(seq, "session", str(seq)) for seq in range(1, 3001)]
    raw = json.dumps(document(seq=3000, entries=entries)).encode()
    chance = random.Random(1)
    pieces, at = [], 0
    while at < len(raw):
        size = chance.choice([1, 100, 5_000, 70_000])
        pieces.append(raw[at : at + size])
        at += size
    assert read(*pieces)[1] == read(raw)[1]
    assert len(read(raw)[1]) == 3000


def test_a_set_is_bounded() -> None:
    few = RevocationSet(most=2)
    reader = SnapshotReader(few.apply)
    with pytest.raises(MalformedFeed):
        reader.write(json.dumps(document()).encode())
