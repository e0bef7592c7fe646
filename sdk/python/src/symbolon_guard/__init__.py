"""Verifies Symbolon's access tokens in a resource, and refuses revoked ones at once.

>>> guard = Guard.discover("https://auth.example", audience="https://api.example")  # doctest: +SKIP
>>> claims = guard.authenticate(["Bearer eyJ…"])  # doctest: +SKIP
"""

from ._follower import Timing
from .claims import Claims
from .guard import Guard, GuardOptions, Metrics, Sent, Staleness, StartError
from .refusals import Answer, Refused, SignIn

__all__ = [
    "Answer",
    "Claims",
    "Guard",
    "GuardOptions",
    "Metrics",
    "Refused",
    "Sent",
    "SignIn",
    "Staleness",
    "StartError",
    "Timing",
]
