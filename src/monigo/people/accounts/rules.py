"""Pure rules of accounts: which e-mails, names and passwords are taken."""

from monigo.core.access import email_fault, spelled
from monigo.people.accounts.common_passwords import COMMON_PASSWORDS

FULL_NAME_LENGTH_MAX = 200
PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX = 10, 128


def full_name_fault(name: str) -> str | None:
    """What is wrong with a person's name, without spaces around it; None for nothing."""
    if 0 < len(name) <= FULL_NAME_LENGTH_MAX and name.isprintable():
        return None
    return f"must have 1 to {FULL_NAME_LENGTH_MAX} characters, on one line"


def password_fault(password: str, *, email: str) -> str | None:
    """Why a password is not taken for an account with this e-mail; None where it is.

    Long ones without rules on characters, and none that is among the first to be tried:
    NIST SP 800-63B, 5.1.1.2.
    """
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        return f"must have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters"
    if password.lower() in COMMON_PASSWORDS or len(set(password)) == 1:
        return "is one of the commonest passwords"
    if spelled(password) in {email, email.partition("@")[0]}:
        return "must not be the e-mail"
    return None


def new_account_faults(email: str, full_name: str, password: str) -> dict[str, str]:
    """What is wrong with a new account, by its fields; e-mail and name in their one spelling."""
    faults = {
        "email": email_fault(email),
        "full_name": full_name_fault(full_name),
        "password": password_fault(password, email=email),
    }
    return {field: fault for field, fault in faults.items() if fault is not None}
