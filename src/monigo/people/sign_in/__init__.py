"""Signing in and out, and staying signed in."""

from monigo.people.sign_in.changes import add_passkey, confirm_app, remove_passkey
from monigo.people.sign_in.service import (
    login,
    login_by_second_factor,
    logout,
    passkey_options,
    reauthenticate,
    refresh,
    renew_recovery_codes,
    switch_second_factor_off,
    verify_email,
)
from monigo.people.sign_in.tasks import FORGET
from monigo.people.sign_in.types import Challenged, Shown

__all__ = [
    "FORGET",
    "Challenged",
    "Shown",
    "add_passkey",
    "confirm_app",
    "login",
    "login_by_second_factor",
    "logout",
    "passkey_options",
    "reauthenticate",
    "refresh",
    "remove_passkey",
    "renew_recovery_codes",
    "switch_second_factor_off",
    "verify_email",
]
