"""Pure rules of codes that are mailed: how many, for how long, and what they look like."""

from datetime import timedelta
from enum import StrEnum

DIGITS = 6
LIFE = timedelta(minutes=15)
TRIES_MAX = 5
# Of an e-mail, whatever they are for.
PER_HOUR_MAX = 5
# All codes of an e-mail together: then only a link of 256 bits, which nobody guesses.
FAILED_ATTEMPTS_PER_DAY_MAX = 20
# Of one network address, so that it can't have mails sent to everybody.
PER_ADDRESS_AND_HOUR_MAX = 50
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Purpose(StrEnum):
    """What a code is for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - what it is for, no password
    # What a right code to reset the password is changed for.
    SET_PASSWORD = "set_password"  # noqa: S105 - what it is for, no password


LIVES = {
    Purpose.VERIFY_EMAIL: LIFE,
    Purpose.RESET_PASSWORD: LIFE,
    Purpose.SET_PASSWORD: timedelta(minutes=10),
}


def is_link_only(failed_attempts_today: int) -> bool:
    """Whether codes of an e-mail were guessed at too often for another one to be of digits."""
    return failed_attempts_today >= FAILED_ATTEMPTS_PER_DAY_MAX
