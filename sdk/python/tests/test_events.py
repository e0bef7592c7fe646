import pytest

from symbolon_guard._events import LIMIT, Event, EventParser
from symbolon_guard._revocations import MalformedFeed


class Kept:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)


def parser() -> EventParser:
    return EventParser(lambda kind: Kept() if kind == "long" else None)


def feed(one: EventParser, *chunks: bytes) -> list[tuple[str, str | None, bytes]]:
    return [plain(event) for chunk in chunks for event in one.feed(chunk)]


def read(*chunks: bytes) -> list[tuple[str, str | None, bytes]]:
    return feed(parser(), *chunks)


def plain(event: Event) -> tuple[str, str | None, bytes]:
    poured = b"".join(event.sink.pieces) if isinstance(event.sink, Kept) else b""
    return event.type, event.id, event.data + poured


STREAM = (
    "\ufeff: hello\n\nevent: a\nid: e:1\ndata: x\ndata:  y\ndata\n\n"
    'event: long\ndata: {"ü":\ndata:1}\ndata:\nid: e:2\n\nretry: 1\n\ndata: z\nevent: long\n\n:\nevent: b\ndata:q\n\n'
)
EVENTS = [
    ("a", "e:1", b"x\n y\n"),
    ("long", "e:2", '{"ü":\n1}\n'.encode()),
    ("long", None, b"z"),
    ("b", None, b"q"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_wherever_it_is_cut_it_reads_the_same(end: str) -> None:
    raw = STREAM.replace("\n", end).encode()
    assert read(raw) == EVENTS
    for at in range(len(raw) + 1):
        assert read(raw[:at], raw[at:]) == EVENTS
    assert read(*(raw[at : at + 1] for at in range(len(raw)))) == EVENTS


def test_what_has_begun_is_known_to_have_begun() -> None:
    one = parser()
    for text, amid in [
        (b"", False),
        (b": comm", False),
        (b"ent\n", False),
        (b"even", True),
        (b"t: long\n", True),
        (b"data: 12", True),
        (b"3\n", True),
        (b"\n", False),
    ]:
        list(one.feed(text))
        assert one.amid_event is amid


def test_a_long_event_has_no_bound_and_takes_no_memory_here() -> None:
    one = parser()
    list(one.feed(b"event: long\ndata: "))
    for _ in range(100):
        list(one.feed(b"x" * LIMIT))
    (event,) = one.feed(b"\n\n")
    assert isinstance(event.sink, Kept)
    assert sum(map(len, event.sink.pieces)) == 100 * LIMIT
    assert event.data == b""


@pytest.mark.parametrize("begin", [b"event: a\ndata: ", b"data: ", b"", b": ", b"later: "])
def test_nothing_else_is_long(begin: bytes) -> None:
    one = parser()
    with pytest.raises(MalformedFeed):
        feed(one, begin, *[b"x" * 1024] * 65)


def test_many_short_lines_are_not_long_together() -> None:
    one = parser()
    with pytest.raises(MalformedFeed):
        feed(one, *[b"data: 123456789\n"] * (LIMIT // 8))


def test_a_name_must_be_utf_8() -> None:
    with pytest.raises(MalformedFeed):
        read(b"event: \xff\n\n")
