"""The snapshot that a feed begins with, read as it comes: it may be hundreds of megabytes long."""

import codecs
import json
import re
from collections.abc import Callable
from typing import Any, Final

from ._revocations import Entry, MalformedFeed, entry_of, number

_SPACE: Final = re.compile(r"[ \t\n\r]*")
#: The longest single value in it, in characters.
_LONGEST: Final = 16 * 1024


class SnapshotReader:
    """Takes ``{"epoch":…,"seq":…,"now":…,"entries":[…]}`` cut anywhere, and hands on the entries."""

    def __init__(self, entry: Callable[[Entry], None]) -> None:
        self._entry = entry
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
        self._text = ""
        self._at = 0
        self._step: Callable[[], bool] = self._open
        self._name = ""
        self._members: dict[str, Any] = {}
        self._listed = False
        self._many = True

    def write(self, data: bytes) -> None:
        """Take the next piece."""
        try:
            self._text = self._text[self._at :] + self._decoder.decode(data)
        except UnicodeDecodeError:
            raise MalformedFeed("a snapshot is not UTF-8") from None
        self._at = 0
        self._many = True
        while self._step():
            pass

    def finish(self) -> tuple[str, int, int]:
        """Give the epoch, the last number and the server's time in seconds."""
        epoch = self._members.get("epoch")
        half_a_character = self._decoder.getstate()[0]
        if self._step != self._end or half_a_character or not self._listed or not isinstance(epoch, str):
            raise MalformedFeed("a malformed snapshot")
        return epoch, number(self._members.get("seq")), number(self._members.get("now"))

    # Each step takes something from the text and names the next, or says that there is not enough text.

    def _open(self) -> bool:
        return self._sign({"{": self._first_name})

    def _first_name(self) -> bool:
        return self._sign({"}": self._end, '"': self._next_name}, take="}")

    def _next_name(self) -> bool:
        found, name = self._value()
        if not found:
            return False
        if not isinstance(name, str):
            raise MalformedFeed("a malformed snapshot")
        self._name, self._step = name, self._colon
        return True

    def _colon(self) -> bool:
        return self._sign({":": self._member})

    def _member(self) -> bool:
        if self._name == "entries" and not self._listed:
            self._listed = self._sign({"[": self._first_entry})
            return self._listed
        found, value = self._value()
        if not found:
            return False
        if self._name in self._members or self._name == "entries":
            raise MalformedFeed("a snapshot names a member twice")
        if self._name in ("epoch", "seq", "now"):
            self._members[self._name] = value
        self._step = self._after_member
        return True

    def _after_member(self) -> bool:
        return self._sign({",": self._next_name, "}": self._end})

    def _first_entry(self) -> bool:
        return self._sign({"]": self._after_member, "{": self._next_entry}, take="]")

    def _next_entry(self) -> bool:
        # As many at once as there are: the last `},` ends an entry, unless something is nested in it.
        cut = self._text.rfind("},", self._at)
        if cut > self._at and self._many:
            try:
                entries = json.loads(f"[{self._text[self._at : cut + 1]}]", parse_constant=_refuse)
            except (ValueError, RecursionError):
                # One at a time then, until more text has come.
                entries, self._many = None, False
            if entries is not None:
                for value in entries:
                    self._entry(entry_of(value))
                self._at = cut + 1
                self._step = self._after_entry
                return True
        found, value = self._value()
        if not found:
            return False
        self._entry(entry_of(value))
        self._step = self._after_entry
        return True

    def _after_entry(self) -> bool:
        return self._sign({",": self._next_entry, "]": self._after_member})

    def _end(self) -> bool:
        self._skip()
        if self._at < len(self._text):
            raise MalformedFeed("more after a snapshot")
        return False

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        assert space is not None  # noqa: S101
        self._at = space.end()

    def _sign(self, nexts: dict[str, Callable[[], bool]], take: str | None = None) -> bool:
        """Go where the next sign leads; the sign is taken, or only if it is ``take``."""
        self._skip()
        sign = self._text[self._at : self._at + 1]
        if not sign:
            return False
        if sign not in nexts:
            raise MalformedFeed("a malformed snapshot")
        if take is None or sign == take:
            self._at += 1
        self._step = nexts[sign]
        return True

    def _value(self) -> tuple[bool, Any]:
        """Take a JSON value that something follows, so that a number is known to be whole."""
        self._skip()
        try:
            value, end = self._scan(self._text, self._at)
        except (ValueError, RecursionError):
            end, value = len(self._text), None
        if end >= len(self._text):
            # Cut, or never to be understood: that shows when more has come, or when nothing more comes.
            if len(self._text) - self._at > _LONGEST:
                raise MalformedFeed("a malformed snapshot")
            return False, None
        self._at = end
        return True, value


def _refuse(_: str) -> None:
    raise MalformedFeed("not a JSON number")
