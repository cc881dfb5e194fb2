"""Use cases of second factors: set one up, confirm it, check a code, switch it off."""

import secrets
from datetime import datetime
from uuid import UUID

import pyotp

from monigo.core.errors import DomainError, conflict, invalid
from monigo.core.ids import UserId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.people import sessions
from monigo.people import store as people_store
from monigo.people.second_factor import passkey_store, store
from monigo.people.second_factor.rules import (
    CHALLENGE_ATTEMPTS_MAX,
    CHALLENGE_BYTES,
    CHALLENGE_LIFE,
    RECOVERY_ALPHABET,
    RECOVERY_CODE_LENGTH,
    RECOVERY_CODES,
    matching_step,
    setup_uri,
    shown,
    spelled,
)
from monigo.people.second_factor.types import Challenge, Setup, State
from monigo.people.sessions import Claims
from monigo.people.types import User

PURPOSE, HASH_PURPOSE = "authenticator app", "recovery code"
CHALLENGE_HASH = "log-in that waits"


async def state_of(tx: Transaction, user_id: UserId) -> State:
    """Whether a person's second factor is asked for."""
    await people_store.see_people(tx)
    return await store.state(tx, user_id)


async def require_shown(tx: Transaction, claims: Claims) -> None:
    """Refuse who has a second factor and has not shown it in this session a moment ago.

    So that nobody who knows a password, and has an open session, gives themselves another one.

    Raises:
        DomainError: forbidden.
    """
    if (await store.state(tx, claims.user_id)).is_on and not (
        await sessions.has_just_shown_second_factor(tx, claims.session_id)
    ):
        raise sessions.reauthentication_required("please show your second factor again for this")


async def set_up(tx: Transaction, vault: Vault, claims: Claims, user: User) -> Setup:
    """A new secret for a person's authenticator app, which counts once `confirm` saw a code of it.

    Raises:
        DomainError: conflict, where an app is confirmed already; forbidden, where another second
            factor was not shown just now.
    """
    await people_store.see_people(tx)
    app = await store.lock_app(tx, user.id)
    if app is not None and app.confirmed_at is not None:
        raise _app_is_on()
    await require_shown(tx, claims)
    secret = pyotp.random_base32()
    ciphertext = vault.encrypt(PURPOSE, secret.encode(), context=user.id.bytes)
    if not await store.put_app(tx, user.id, ciphertext):
        raise _app_is_on()
    return Setup(secret, setup_uri(secret, user.email))


async def confirm(tx: Transaction, vault: Vault, claims: Claims, code: str) -> list[str]:
    """Require the app's codes from now on; returns the recovery codes, which are shown once.

    There are none if they were made with a passkey before.

    Raises:
        DomainError: conflict (confirmed already); invalid (no such code now); forbidden, as
            `set_up`.
    """
    await people_store.see_people(tx)
    app = await store.lock_app(tx, claims.user_id)
    if app is not None and app.confirmed_at is not None:
        raise _app_is_on()
    await require_shown(tx, claims)
    was_on = (await store.state(tx, claims.user_id)).is_on
    if app is None or not await _is_app_code(tx, vault, claims.user_id, code):
        raise invalid({"code": "is not the code that the app shows now"})
    return await note_new(tx, vault, claims, was_on=was_on)


async def note_new(tx: Transaction, vault: Vault, claims: Claims, *, was_on: bool) -> list[str]:
    """Note that a person has just shown a new second factor; recovery codes, if it is the first."""
    await sessions.authenticate(tx, claims.session_id, by_second_factor=True)
    return [] if was_on else await _new_recovery_codes(tx, vault, claims.user_id)


async def check(tx: Transaction, vault: Vault, user_id: UserId, code: str) -> bool:
    """Whether a code is one of the app's, or a recovery code; it counts once."""
    app = await store.lock_app(tx, user_id)
    is_confirmed = app is not None and app.confirmed_at is not None
    if is_confirmed and await _is_app_code(tx, vault, user_id, code):
        return True
    hashes = vault.keyed_hashes(HASH_PURPOSE, spelled(code), context=user_id.bytes)
    return await store.use_recovery_code(tx, user_id, hashes)


async def switch_off(tx: Transaction, user_id: UserId) -> None:
    """Ask for no second factor any more, of a person who has just shown it."""
    await store.delete_app(tx, user_id)
    await store.delete_recovery_codes(tx, user_id)
    await passkey_store.delete_all(tx, user_id)


async def renew_recovery_codes(tx: Transaction, vault: Vault, user_id: UserId) -> list[str]:
    """Replace all recovery codes; returns the new ones, which are shown once."""
    return await _new_recovery_codes(tx, vault, user_id)


async def begin_challenge(
    tx: Transaction, vault: Vault, *, user_id: UserId, attempt_id: UUID
) -> str:
    """A token under which a log-in whose password was right waits for the second factor.

    The try stays a failed one until then, so that codes can't be guessed for long.
    """
    token = secrets.token_hex(CHALLENGE_BYTES)
    challenge = Challenge(
        id=attempt_id,
        token_hash=vault.keyed_hash(CHALLENGE_HASH, token),
        passkey_challenge=secrets.token_bytes(CHALLENGE_BYTES),
        user_id=user_id,
        failed_attempts=0,
        created_at=tx.real_now,
        expires_at=tx.real_now + CHALLENGE_LIFE,
    )
    await store.insert_challenge(tx, challenge)
    return token


async def lock_challenge(tx: Transaction, vault: Vault, token: str) -> Challenge | None:
    """The log-in that waits under a token; None where there is none, or it took too long."""
    return await store.lock_challenge(tx, vault.keyed_hashes(CHALLENGE_HASH, token))


async def pass_challenge(tx: Transaction, challenge: Challenge) -> None:
    """Note that the second factor was right."""
    await store.end_challenge(tx, challenge.id)


async def miss_challenge(tx: Transaction, challenge: Challenge) -> None:
    """Count a wrong second factor; after some the password is asked for again."""
    is_last = challenge.failed_attempts + 1 >= CHALLENGE_ATTEMPTS_MAX
    await store.count_wrong(tx, challenge.id, is_last=is_last)


async def end_challenges(tx: Transaction, user_id: UserId) -> None:
    """End all log-ins of a person that wait."""
    await store.end_challenges(tx, user_id)


async def forget_challenges(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget some of the log-ins that waited in vain, or ended, before an instant; how many."""
    return await store.delete_old_challenges(tx, before, limit)


async def _is_app_code(tx: Transaction, vault: Vault, user_id: UserId, code: str) -> bool:
    app = await store.lock_app(tx, user_id)
    if app is None:
        return False
    secret = vault.decrypt(PURPOSE, app.ciphertext, context=user_id.bytes).decode()
    step = matching_step(secret, code, now=tx.real_now, last_step=app.last_step)
    if step is None:
        return False
    await store.use_step(tx, user_id, step)
    return True


async def _new_recovery_codes(tx: Transaction, vault: Vault, user_id: UserId) -> list[str]:
    codes = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    hashes = [vault.keyed_hash(HASH_PURPOSE, code, context=user_id.bytes) for code in codes]
    await store.replace_recovery_codes(tx, user_id, hashes)
    return [shown(code) for code in codes]


def _app_is_on() -> DomainError:
    return conflict("second_factor_on", "an authenticator app is set up already")
