"""Pure rules of second factors: codes of an authenticator app, and those for who has lost it."""

import hmac
import re
from datetime import datetime, timedelta

from pyotp.totp import TOTP

# As all authenticator apps have them: RFC 6238 with six digits.
STEP_SECONDS = 30
# Clocks differ, and people type slowly: the step before and the step after count, too.
STEPS_AROUND = 1
RECOVERY_CODES = 10
# Of 32 letters: 50 bits, which nobody guesses in five tries.
RECOVERY_CODE_LENGTH = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# A log-in waits for so long, and for so many wrong codes.
CHALLENGE_LIFE = timedelta(minutes=5)
CHALLENGE_ATTEMPTS_MAX = 5
CHALLENGE_BYTES = 32

_CODE = re.compile(r"[0-9]{6}")


def matching_step(secret: str, presented: str, *, now: datetime, last_step: int) -> int | None:
    """The step of time whose code is presented, later than the last one used; None for no such."""
    digits = presented.replace(" ", "")
    if _CODE.fullmatch(digits) is None:
        return None
    codes = TOTP(secret, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        is_same = hmac.compare_digest(codes.at(step * STEP_SECONDS), digits)
        if is_same and step > last_step:
            found = step
    return found


def spelled(recovery_code: str) -> str:
    """A recovery code in its one spelling."""
    return re.sub(r"[\s-]", "", recovery_code).lower()


def shown(recovery_code: str) -> str:
    """A recovery code as people can read it."""
    half = RECOVERY_CODE_LENGTH // 2
    return f"{recovery_code[:half]}-{recovery_code[half:]}"


def setup_uri(secret: str, email: str) -> str:
    """What an authenticator app reads from a QR code."""
    return TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name="Monigo")
