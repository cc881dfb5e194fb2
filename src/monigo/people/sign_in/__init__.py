"""Signing in and out, and staying signed in."""

from monigo.people.sign_in.service import (
    login,
    login_by_second_factor,
    logout,
    reauthenticate,
    refresh,
    renew_recovery_codes,
    switch_second_factor_off,
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
    "renew_recovery_codes",
    "switch_second_factor_off",
    "verify_email",
]
