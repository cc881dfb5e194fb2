"""Accounts: people, their e-mails and passwords."""

from monigo.people.accounts.operating import (
    add_user,
    insert_user,
    list_users,
    make_platform_admin,
    prepared,
    set_password,
)
from monigo.people.accounts.service import (
    NewAccount,
    forget_registrations,
    forgot_password,
    get_user,
    invalid_code,
    latest_registration,
    mail_second_factor_change,
    register,
    rename_user,
    replace_password,
    resend_verification,
    reset_password,
    verify_email,
    verify_reset_code,
)
from monigo.people.accounts.store import find, lock
from monigo.people.accounts.types import Change, Credentials, Registration

__all__ = [
    "Change",
    "Credentials",
    "NewAccount",
    "Registration",
    "add_user",
    "find",
    "forget_registrations",
    "forgot_password",
    "get_user",
    "insert_user",
    "invalid_code",
    "latest_registration",
    "list_users",
    "lock",
    "mail_second_factor_change",
    "make_platform_admin",
    "prepared",
    "register",
    "rename_user",
    "replace_password",
    "resend_verification",
    "reset_password",
    "set_password",
    "verify_email",
    "verify_reset_code",
]
