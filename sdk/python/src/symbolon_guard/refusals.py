"""Why a request is refused, and what is answered (CONTRACT: problem+json, RFC 9457; challenges, RFC 6750 section 3)."""

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["Answer", "Refused", "SignIn"]

_INVALID = "Invalid token"
# Code: status, title, detail, what the challenge says beside the scheme.
_CODES: Final[dict[str, tuple[int, str, str, str | None]]] = {
    "malformed_request": (400, "Bad Request", "The header authorization is given more than once.", None),
    "no_token": (401, "Unauthorized", "No token provided", None),
    "invalid_token": (401, "Unauthorized", _INVALID, "The access token is not valid"),
    "token_expired": (401, "Unauthorized", _INVALID, "The access token expired"),
    "token_revoked": (401, "Unauthorized", _INVALID, "The access token was revoked"),
    "token_stale": (401, "Unauthorized", _INVALID, "The access token is stale"),
    "invalid_dpop_proof": (401, "Unauthorized", "Invalid proof", "The proof is not valid"),
    "use_dpop_nonce": (401, "Unauthorized", "The proof needs a nonce", "The proof needs the nonce of this answer"),
    "insufficient_user_authentication": (
        401,
        "Unauthorized",
        "You must sign in again for this.",
        "The person must sign in again",
    ),
    "forbidden": (403, "Forbidden", "You are not allowed to do this.", None),
    "insufficient_scope": (
        403,
        "Forbidden",
        "The token's scope does not allow this.",
        "The token's scope does not allow this",
    ),
    "overloaded": (503, "Service Unavailable", "The service is busy. Wait and try again.", None),
}
#: Every code that a refusal can have.
CODES: Final = tuple(_CODES)
#: What demands refuse, which come after the verdict on the token.
_OF_DEMANDS: Final = ("insufficient_user_authentication", "forbidden", "insufficient_scope")
#: The codes that are errors of challenges by their own names (RFC 6750 section 3.1, RFC 9449, RFC 9470 section 3).
_ERRORS: Final = ("invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication", "insufficient_scope")
#: What is said of the scheme ``DPoP`` only (RFC 9449 sections 7.1 and 9).
_OF_PROOFS: Final = ("invalid_dpop_proof", "use_dpop_nonce")
#: The algorithms of proofs, as challenges and metadata list them.
PROOF_ALGORITHMS: Final = ("ES256", "EdDSA", "RS256", "PS256")

_SCHEME = re.compile(r"(?:bearer|dpop)(?![a-z0-9])", re.IGNORECASE | re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class SignIn(NamedTuple):
    """What is asked of a sign-in (RFC 9470 section 3)."""

    #: Seconds that it may be ago.
    max_age: int | None
    #: The kinds of which it must be one, the best first.
    acr: tuple[str, ...] | None


class Refused(Exception):
    """A request that is not let through. It holds nothing of the token."""

    def __init__(self, code: str, scope: str | None = None, sign_in: SignIn | None = None) -> None:
        super().__init__(code)
        #: The stable word for programs, such as ``token_revoked``.
        self.code = code
        #: The scope that was asked for, where the code is ``insufficient_scope``.
        self.scope = scope
        #: What was asked of the sign-in, where the code is ``insufficient_user_authentication``.
        self.sign_in = sign_in

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _CODES[self.code][0]

    @property
    def of_demand(self) -> bool:
        """Whether the token is good, and a demand is not met."""
        return self.code in _OF_DEMANDS


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer to a refused request. The headers have no ``Content-Length``."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer(
    refused: Refused,
    request_id: str | None,
    resource_metadata: str | None,
    *,
    proofs: bool = False,
    nonce: str | None = None,
) -> Answer:
    """Render a refusal. ``request_id`` is the request's own ``X-Request-Id``, if it has one.

    ``proofs`` says whether the guard judges proofs of possession, ``nonce`` is the one that they need, if any.
    """
    status, title, detail, _ = _CODES[refused.code]
    request_id = own_or_fresh(request_id)
    problem = {
        "type": f"urn:symbolon:problem:{refused.code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": refused.code,
        "requestId": request_id,
    }
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", request_id),
    ]
    challenge = challenge_of(refused, resource_metadata, proofs=proofs)
    if challenge is not None:
        headers.append(("WWW-Authenticate", challenge))
    if refused.code == "use_dpop_nonce" and nonce is not None:
        headers.append(("DPoP-Nonce", nonce))
    if refused.code == "overloaded":
        headers.append(("Retry-After", "1"))
    body = json.dumps(problem, separators=(",", ":")).encode("ascii")
    return Answer(status, tuple(headers), body)


def challenge_of(refused: Refused, resource_metadata: str | None, *, proofs: bool = False) -> str | None:
    """Give the header ``WWW-Authenticate`` (RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470 section 3), if any.

    Where the guard judges proofs it names the scheme ``DPoP`` too (RFC 9449 section 7.1).
    """
    if refused.status != 401 and refused.code != "insufficient_scope":
        return None
    before = [] if resource_metadata is None else [("resource_metadata", resource_metadata)]
    error = []
    description = _CODES[refused.code][3]
    if description is not None:
        name = refused.code if refused.code in _ERRORS else "invalid_token"
        error = [("error", name), ("error_description", description)]
    if refused.scope is not None:
        error.append(("scope", refused.scope))
    max_age, acr = refused.sign_in or (None, None)
    if max_age is not None:
        error.append(("max_age", str(max_age)))
    if acr is not None:
        error.append(("acr_values", " ".join(acr)))
    bearer = _challenge("Bearer", before if refused.code in _OF_PROOFS else before + error)
    if not proofs:
        return bearer
    return f"{bearer}, {_challenge('DPoP', [*before, *error, ('algs', ' '.join(PROOF_ALGORITHMS))])}"


def _challenge(scheme: str, parameters: Sequence[tuple[str, str]]) -> str:
    return " ".join([scheme, ", ".join(f'{name}="{value}"' for name, value in parameters)]).rstrip()


def own_or_fresh(request_id: str | None) -> str:
    """Give the request's own id where it is plain, else a new one."""
    if request_id is not None and _REQUEST_ID.fullmatch(request_id):
        return request_id
    return secrets.token_hex(16)


def credential(values: Sequence[str]) -> tuple[str, str]:
    """Give scheme and token of the lines of the header ``Authorization`` (RFC 6750 section 2.1, RFC 9449 section 7.1).

    The scheme is ``bearer`` or ``dpop``; its name in any case, one space, one credential. Another scheme counts as no
    token, so that the answer names the challenge that would work.
    """
    if not values:
        raise Refused("no_token")
    if len(values) > 1:
        raise Refused("malformed_request")
    found = _SCHEME.match(values[0])
    if found is None:
        raise Refused("no_token")
    rest = values[0][found.end() :]
    token = rest[1:]
    if rest[:1] != " " or not token or not token.isascii() or any(sign in token for sign in " \t,"):
        raise Refused("invalid_token")
    return found[0].lower(), token


def is_word(text: str) -> bool:
    """Whether it can be one of many in a list, and stand within quotes (RFC 6749 section 3.3)."""
    return _WORD.fullmatch(text) is not None


def plain_sign_in(max_age: int | None, acr: Iterable[str] | None) -> SignIn:
    """Check what is to be asked of sign-ins."""
    if max_age is None and acr is None:
        raise ValueError("of a sign-in, max_age or acr is asked")
    if max_age is not None and (not isinstance(max_age, int) or max_age < 0):
        raise ValueError("max_age is a number of whole seconds")
    if acr is None:
        return SignIn(max_age, None)
    if isinstance(acr, str):
        raise TypeError("acr is a list")
    acr = tuple(acr)
    if not acr or not all(is_word(one) for one in acr):
        raise ValueError("acr are words of visible ASCII without quotes and backslashes")
    return SignIn(max_age, acr)


def plain_scope(scope: str) -> str:
    """Check one scope's name (RFC 6749 section 3.3)."""
    if not is_word(scope):
        raise ValueError("a scope is one word of visible ASCII without quotes and backslashes")
    return scope
