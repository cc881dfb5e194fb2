"""Accounts: people, their e-mails and passwords."""

from monigo.people.accounts.rules import email_fault, spelled
from monigo.people.accounts.service import (
    NewAccount,
    forget_registrations,
    forgot_password,
    get_user,
    invalid_code,
    register,
    rename_user,
    replace_password,
    resend_verification,
    reset_password,
    verify_email,
    verify_reset_code,
)
from monigo.people.accounts.store import find, first_users, latest_registration, lock
from monigo.people.accounts.types import Credentials, Registration

__all__ = [
    "Credentials",
    "NewAccount",
    "Registration",
    "email_fault",
    "find",
    "first_users",
    "forget_registrations",
    "forgot_password",
    "get_user",
    "invalid_code",
    "latest_registration",
    "lock",
    "register",
    "rename_user",
    "replace_password",
    "resend_verification",
    "reset_password",
    "spelled",
    "verify_email",
    "verify_reset_code",
]
