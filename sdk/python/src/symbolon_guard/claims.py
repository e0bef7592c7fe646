"""What an access token says (RFC 9068 section 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ._strict import Malformed, base64url, json_object, whole
from .refusals import Refused, is_word, plain_scope

__all__ = ["Claims"]

# The largest integer that every JSON reader understands (RFC 8259 section 6).
_LATEST = 1 << 53
# Actors of one token at most.
_MOST_ACTORS = 8
_LONGEST_ACR = 256


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of an access token. Times are whole seconds since 1970."""

    #: Issuer.
    iss: str
    #: Subject: the user's id.
    sub: str
    #: Audience.
    aud: tuple[str, ...]
    #: Expiry: the token is dead from this second on.
    exp: int
    #: Issued at.
    iat: int
    #: Identifier of this token.
    jti: str
    #: OAuth client; ``symbolon`` for the issuer's own sign-in.
    client_id: str
    #: Not before.
    nbf: int | None = None
    #: Session.
    sid: str | None = None
    #: The user's token version, which only rises.
    ver: int | None = None
    #: Words, parted by spaces (RFC 8693 section 4.2); empty where there are none.
    scope: str = ""
    #: Names of roles.
    roles: tuple[str, ...] = ()
    #: E-mail address, where the issuer tells it.
    email: str | None = None
    #: The thumbprint of the key that the token is bound to (RFC 9449 section 6.1).
    jkt: str | None = None
    #: When the person signed in (RFC 9068 section 2.2.1).
    auth_time: int | None = None
    #: How they signed in, in the issuer's words: up to 256 visible ASCII characters.
    acr: str | None = None
    #: Who acts for the subject, the one who acts now first, then who acted before (RFC 8693 section 4.1); empty where
    #: nobody does. Only the first counts when access is decided.
    actors: tuple[str, ...] = ()
    #: Every claim as it came, those above included.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def require_role(self, *roles: str) -> None:
        """Ask for any of these roles, else :class:`Refused` with ``forbidden``."""
        if not any(role in self.roles for role in roles):
            raise Refused("forbidden")

    def require_permission(self, permission: str) -> None:
        """Ask for a permission such as ``orders:read``, or for ``*``, else :class:`Refused` with ``forbidden``."""
        words = self.scope.split(" ")
        # Nothing is no permission, though it stands between two spaces.
        if not permission or (permission not in words and "*" not in words):
            raise Refused("forbidden")

    def require_scope(self, scope: str) -> None:
        """Ask for exactly this scope, else :class:`Refused` with ``insufficient_scope``."""
        if plain_scope(scope) not in self.scope.split(" "):
            raise Refused("insufficient_scope", scope)


def read(payload: bytes) -> Claims:
    """Read a token's payload: a claim of the wrong JSON type is never taken for an absent one."""
    raw = json_object(payload)
    return Claims(
        iss=_text(raw, "iss"),
        sub=_text(raw, "sub"),
        aud=_audience(raw),
        exp=date(raw, "exp"),
        iat=date(raw, "iat"),
        jti=_text(raw, "jti"),
        client_id=_text(raw, "client_id"),
        nbf=date(raw, "nbf") if "nbf" in raw else None,
        sid=_text(raw, "sid") if "sid" in raw else None,
        ver=_version(raw),
        scope=_text(raw, "scope") if "scope" in raw else "",
        roles=_texts(raw["roles"], "roles") if "roles" in raw else (),
        email=_text(raw, "email") if "email" in raw else None,
        jkt=_binding(raw["cnf"]) if "cnf" in raw else None,
        auth_time=date(raw, "auth_time") if "auth_time" in raw else None,
        acr=_class(raw["acr"]) if "acr" in raw else None,
        actors=_actors(raw),
        raw=MappingProxyType(raw),
    )


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        raise Malformed(f"the claim {name} is no text")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Malformed(f"the claim {name} is no list of texts")
    return tuple(value)


def _audience(raw: dict[str, Any]) -> tuple[str, ...]:
    value = raw.get("aud")
    return (value,) if isinstance(value, str) else _texts(value, "aud")


def date(raw: dict[str, Any], name: str) -> int:
    """Read a NumericDate (RFC 7519 section 2); a fraction is cut off."""
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise Malformed(f"the claim {name} is no time")
    return int(value)


def _binding(cnf: object) -> str:
    """Read whose key the token is bound to. What nobody understands is no absent binding: a thief could use it."""
    jkt = cnf.get("jkt") if isinstance(cnf, dict) else None
    if not isinstance(jkt, str) or len(jkt) != 43:
        raise Malformed("the claim cnf names no key")
    base64url(jkt)
    return jkt


def _class(acr: object) -> str:
    """Read how the person signed in: one word that a challenge can name (RFC 9470 section 3)."""
    if not isinstance(acr, str) or len(acr) > _LONGEST_ACR or not is_word(acr):
        raise Malformed("the claim acr is no word")
    return acr


def _actors(raw: dict[str, Any]) -> tuple[str, ...]:
    """Read who acts. What nobody understands is no absent actor: the token would look like one of the person's own."""
    actors: list[str] = []
    outer: Any = raw
    while "act" in outer:
        outer = outer["act"]
        sub = outer.get("sub") if isinstance(outer, dict) else None
        if not isinstance(sub, str) or len(actors) == _MOST_ACTORS:
            raise Malformed("the claim act names nobody, or too many")
        actors.append(sub)
    return tuple(actors)


def _version(raw: dict[str, Any]) -> int | None:
    if "ver" not in raw:
        return None
    value = raw["ver"]
    if not whole(value) or not -(1 << 63) <= value < 1 << 63:
        raise Malformed("the claim ver is no integer")
    return int(value)
