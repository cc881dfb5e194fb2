"""Signing in and out, and staying signed in."""

from monigo.people.sign_in.service import (
    login,
    login_by_second_factor,
    logout,
    reauthenticate,
    refresh,
    verify_email,
)
from monigo.people.sign_in.tasks import FORGET
from monigo.people.sign_in.types import Challenged

__all__ = [
    "FORGET",
    "Challenged",
    "login",
    "login_by_second_factor",
    "logout",
    "reauthenticate",
    "refresh",
    "verify_email",
]
