"""People: their accounts, how they sign in, and the organisations that they belong to."""

from monigo.people import accounts, organizations, second_factor, sessions, sign_in
from monigo.people.service import People
from monigo.people.types import MembershipOf, Origin, User

__all__ = [
    "MembershipOf",
    "Origin",
    "People",
    "User",
    "accounts",
    "organizations",
    "second_factor",
    "sessions",
    "sign_in",
]
