"""Sessions: the devices on which a person is signed in, and their tokens."""

from monigo.people.sessions.access_tokens import AccessTokens
from monigo.people.sessions.rules import ACCESS_LIFE, FRESH_LIFE, SESSION_LIFE, device_of
from monigo.people.sessions.service import (
    authenticate,
    begin,
    end_by_token,
    end_one,
    end_others,
    forget_ended,
    has_just_shown_second_factor,
    invalid_refresh_token,
    is_new_device,
    list_open,
    present_token,
    reauthentication_required,
    refresh,
)
from monigo.people.sessions.store import session_membership
from monigo.people.sessions.types import Claims, Session, SignedIn

__all__ = [
    "ACCESS_LIFE",
    "FRESH_LIFE",
    "SESSION_LIFE",
    "AccessTokens",
    "Claims",
    "Session",
    "SignedIn",
    "authenticate",
    "begin",
    "device_of",
    "end_by_token",
    "end_one",
    "end_others",
    "forget_ended",
    "has_just_shown_second_factor",
    "invalid_refresh_token",
    "is_new_device",
    "list_open",
    "present_token",
    "reauthentication_required",
    "refresh",
    "session_membership",
]
