"""JSON and base64url with one reading for one text.

Two readers of one token must never see two values (RFC 7515 section 4, RFC 7519 section 4): members named twice,
padding, spare bits and everything else that ``json`` and ``base64`` let pass is refused here.
"""

import binascii
import json
import re
from typing import Any, NoReturn

MAX_MEMBERS = 256
MAX_DEPTH = 127

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_TO_PLAIN = str.maketrans("-_", "+/")
_TO_URL = str.maketrans("+/", "-_")


class Malformed(ValueError):
    """The text is not what it must be. The message holds nothing of the text."""


def base64url(text: str) -> bytes:
    """Decode unpadded base64url (RFC 7515 section 2); of the texts that could mean some bytes, one is accepted."""
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise Malformed("not unpadded base64url")
    plain = text.translate(_TO_PLAIN) + "=" * (-len(text) % 4)
    decoded = binascii.a2b_base64(plain)
    if binascii.b2a_base64(decoded, newline=False).decode("ascii") != plain:
        raise Malformed("base64url with spare bits")
    return decoded


def encode(raw: bytes) -> str:
    """Encode as unpadded base64url."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii").rstrip("=").translate(_TO_URL)


def json_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object, to the end of the text."""
    try:
        text = raw.decode("utf-8")
        if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
            raise Malformed("JSON that is nested too deeply")
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
        if "\\u" in text:
            # An escape can name half of a character, which no other reader would accept.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or len(pairs) > MAX_MEMBERS:
        raise Malformed("a JSON object names a member twice, or has too many")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise Malformed("not a JSON number")


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text, re.DOTALL):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def whole(value: object) -> bool:
    """Whether a JSON value is an integer, which ``true`` is not."""
    return isinstance(value, int) and not isinstance(value, bool)
