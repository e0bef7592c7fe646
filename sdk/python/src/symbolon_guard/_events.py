"""Server-sent events (WHATWG HTML section 9.2.5), read as they come: in linear time and bounded memory.

The data of an event of a type that has a sink is handed on in pieces, however long its lines are; nothing else is
longer than ``LIMIT``.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from ._revocations import MalformedFeed

#: The longest line, and the longest data of an event, in bytes, save what goes to a sink.
LIMIT: Final = 64 * 1024

_BOM: Final = b"\xef\xbb\xbf"


class Sink(Protocol):
    """Takes the data of a long event piece by piece."""

    def write(self, data: bytes) -> None:
        """Take the next piece."""


class Event(NamedTuple):
    """One event, complete."""

    type: str
    id: str | None
    #: The data, save what went to the sink.
    data: bytes
    sink: Sink | None


class EventParser:
    """Takes bytes as they come, cut anywhere, and gives events."""

    def __init__(self, sink_for: Callable[[str], Sink | None]) -> None:
        self._sink_for = sink_for
        self._first = True
        self._after_cr = False
        self._line = bytearray()
        #: Amid a line whose data goes to the sink.
        self._pouring = False
        self._begin()

    def _begin(self) -> None:
        self._type = ""
        self._id: str | None = None
        self._data: list[bytes] = []
        self._length = 0
        self._sink: Sink | None = None
        #: Whether the sink has got a line already.
        self._poured = False
        self._begun = False

    @property
    def amid_event(self) -> bool:
        """Whether an event has begun and not ended."""
        return self._begun or (bool(self._line) and not self._line.startswith(b":"))

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take the next bytes, and give the events that end in them. Exhaust it before the next call."""
        at = 0
        if self._after_cr and chunk:
            self._after_cr = False
            at = 1 if chunk[:1] == b"\n" else 0
        # Most streams have no CR, and then one search finds each end of a line.
        with_cr = b"\r" in chunk
        while at < len(chunk):
            end = chunk.find(b"\n", at)
            if with_cr:
                cr = chunk.find(b"\r", at, end if end >= 0 else len(chunk))
                end = cr if cr >= 0 else end
            self._part(chunk[at:] if end < 0 else chunk[at:end])
            if end < 0:
                return
            at = end + 1
            if chunk[end] == 0x0D:
                if at == len(chunk):
                    self._after_cr = True
                elif chunk[at] == 0x0A:
                    at += 1
            event = self._end_of_line()
            if event is not None:
                yield event

    def _part(self, part: bytes) -> None:
        if self._pouring:
            assert self._sink is not None  # noqa: S101
            self._sink.write(part)
            return
        self._line += part
        if len(self._line) >= 6 and self._line.startswith(b"data:"):
            sink = self._sink_of_type()
            if sink is not None:
                self._pour(sink, bytes(self._line))
                self._line.clear()
                self._pouring = True
                return
        self._bound(len(self._line))

    def _sink_of_type(self) -> Sink | None:
        if self._sink is None and self._type and not self._data:
            self._sink = self._sink_for(self._type)
        return self._sink

    def _pour(self, sink: Sink, line: bytes) -> None:
        self._begun = True
        if self._poured:
            sink.write(b"\n")
        self._poured = True
        sink.write(line[5:].removeprefix(b" "))

    def _end_of_line(self) -> Event | None:
        if self._pouring:
            self._pouring = False
            return None
        line = bytes(self._line)
        self._line.clear()
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._end_of_event()
        if not line.startswith(b":"):
            self._field(line)
        return None

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._begun = True
            sink = self._sink_of_type()
            if sink is not None:
                self._pour(sink, b"data:" + value)
                return
            self._data.append(value)
            self._length += len(value) + 1
            self._bound(self._length)
        elif name == b"event":
            self._begun = True
            self._type = _text(value)
        elif name == b"id":
            self._begun = True
            self._id = _text(value)

    def _end_of_event(self) -> Event | None:
        # WHATWG drops an event without data. Here it counts, for what should have been in it is missing.
        event = Event(self._type, self._id, b"\n".join(self._data), self._sink) if self._begun else None
        self._begin()
        return event

    @staticmethod
    def _bound(length: int) -> None:
        if length > LIMIT:
            raise MalformedFeed("an event is too long")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedFeed("an event is not UTF-8") from None
