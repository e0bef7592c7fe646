"""The address of a request: what it begins with, and whether two are the same (RFC 9449 section 4.3, step 9)."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

#: Visible ASCII without what no part of a URI may hold (RFC 3986 appendix A), http or https, no user, real escapes.
_URI: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[!$&-.0-9;=A-Z_a-z~]+)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>(?:/(?:[!$&-.0-;=@A-Z\[\]_a-z~]|%[0-9a-f]{2})*)*)",
    re.IGNORECASE,
)
#: A name and a port, and nothing that begins a path.
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_ESCAPE: Final = re.compile("%([0-9a-fA-F]{2})")
_UNRESERVED: Final = re.compile("[A-Za-z0-9._~-]")
_PORTS: Final = {"https": "443", "http": "80"}


def is_same_target(one: str, other: str) -> bool:
    """Compare without query and fragment, after the normalisation of RFC 3986 (sections 6.2.2 and 6.2.3).

    What is no absolute ``http`` or ``https`` URI is the same as nothing.
    """
    normal = _normal(one)
    return normal is not None and normal == _normal(other)


def _normal(uri: str) -> tuple[str, str, str, str] | None:
    parts = _URI.fullmatch(re.split("[?#]", uri, maxsplit=1)[0])
    if parts is None:
        return None
    scheme = parts["scheme"].lower()
    path = _ESCAPE.sub(_unescaped, parts["path"])
    return scheme, parts["host"].lower(), parts["port"] or _PORTS[scheme], _without_dots(path)


def _unescaped(escape: re.Match[str]) -> str:
    sign = chr(int(escape[1], 16))
    return sign if _UNRESERVED.fullmatch(sign) else escape[0].upper()


def _without_dots(path: str) -> str:
    """Go where ``.`` and ``..`` lead (RFC 3986 section 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        if segment not in (".", ".."):
            kept.append(segment)
            continue
        if segment == ".." and kept:
            kept.pop()
        if number == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def address_of(
    address: str | None, scheme: str | None, resource: str | None
) -> Callable[[str | None], str | None] | None:
    """Give what stands before the path of a request, by its header ``Host``; nothing where proofs cannot be judged."""
    if address is None and scheme is not None:
        if scheme not in ("https", "http"):
            raise ValueError("address_from_host is https or http")
        return lambda host: f"{scheme}://{host}" if host is not None and _HOST.fullmatch(host) else None
    if address is None and resource is not None:
        parts = urlsplit(resource)
        address = f"{parts.scheme}://{parts.netloc}"
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or "@" in address:
        raise ValueError("the address is no plain https URL")
    base = address.rstrip("/")
    return lambda _: base
