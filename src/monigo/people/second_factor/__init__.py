"""Second factors: an authenticator app, and recovery codes for who has lost it."""

from monigo.people.second_factor.service import (
    begin_challenge,
    check,
    confirm,
    end_challenges,
    forget_challenges,
    lock_challenge,
    miss_challenge,
    pass_challenge,
    renew_recovery_codes,
    set_up,
    state_of,
    switch_off,
)
from monigo.people.second_factor.types import Challenge, Setup, State

__all__ = [
    "Challenge",
    "Setup",
    "State",
    "begin_challenge",
    "check",
    "confirm",
    "end_challenges",
    "forget_challenges",
    "lock_challenge",
    "miss_challenge",
    "pass_challenge",
    "renew_recovery_codes",
    "set_up",
    "state_of",
    "switch_off",
]
