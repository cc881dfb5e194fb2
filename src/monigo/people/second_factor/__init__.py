"""Second factors: an authenticator app, and recovery codes for who has lost it."""

from monigo.people.second_factor import passkeys
from monigo.people.second_factor.ceremonies import Site, options_to_sign, site_of
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
from monigo.people.second_factor.types import AddedPasskey, Challenge, Passkey, Setup, State

__all__ = [
    "AddedPasskey",
    "Challenge",
    "Passkey",
    "Setup",
    "Site",
    "State",
    "begin_challenge",
    "check",
    "confirm",
    "end_challenges",
    "forget_challenges",
    "lock_challenge",
    "miss_challenge",
    "options_to_sign",
    "pass_challenge",
    "passkeys",
    "renew_recovery_codes",
    "set_up",
    "site_of",
    "state_of",
    "switch_off",
]
