"""Use cases of passkeys: have one made, check what it signs, name it, take it away."""

import secrets
from typing import Any

from monigo.core.errors import conflict, invalid, not_found
from monigo.core.ids import PasskeyId, SessionId, UserId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import store as people_store
from monigo.people.second_factor import ceremonies, passkey_store, store
from monigo.people.second_factor.ceremonies import Json, Site
from monigo.people.second_factor.passkey_store import Purpose
from monigo.people.second_factor.rules import CHALLENGE_BYTES, CHALLENGE_LIFE
from monigo.people.second_factor.service import note_new, require_shown
from monigo.people.second_factor.types import AddedPasskey, Passkey
from monigo.people.sessions import Claims
from monigo.people.types import User

PASSKEYS_MAX = 10
NAME_LENGTH_MAX = 100


async def list_of(tx: Transaction, user_id: UserId) -> list[Passkey]:
    """A person's passkeys, in the order in which they were made."""
    await people_store.see_people(tx)
    return await passkey_store.of_user(tx, user_id)


async def offer(tx: Transaction, site: Site, claims: Claims, user: User) -> dict[str, Any]:
    """What a browser needs to have a passkey made for a person, within five minutes.

    Raises:
        DomainError: forbidden, where the second factor that there is was not shown just now;
            conflict, where there are many.
    """
    await people_store.see_people(tx)
    await require_shown(tx, claims)
    known = await passkey_store.of_user(tx, user.id)
    _refuse_too_many(known)
    challenge = await _begin(tx, claims.session_id, Purpose.REGISTER)
    return ceremonies.options_to_register(site, user, challenge, known)


async def add(
    tx: Transaction, vault: Vault, site: Site, claims: Claims, *, name: str, presented: Json
) -> AddedPasskey:
    """Keep the passkey that was made upon an offer; the first second factor brings recovery codes.

    Raises:
        DomainError: invalid (name, credential); forbidden, as `offer`; conflict, where it is
            registered, or there are many.
    """
    await people_store.see_people(tx)
    await people_store.lock_name(tx, f"passkeys of {claims.user_id}")
    await require_shown(tx, claims)
    checked_name = _checked(name)
    challenge = await passkey_store.take_challenge(tx, claims.session_id, Purpose.REGISTER)
    made = None if challenge is None else ceremonies.registered(site, challenge, presented)
    if made is None:
        raise invalid({"credential": "was not made for this, or took too long"})
    _refuse_too_many(await passkey_store.of_user(tx, claims.user_id))
    was_on = (await store.state(tx, claims.user_id)).is_on
    passkey = Passkey(
        id=PasskeyId(new_id()),
        user_id=claims.user_id,
        name=checked_name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        created_at=tx.real_now,
        last_used_at=None,
    )
    await passkey_store.insert(tx, passkey)
    return AddedPasskey(passkey, await note_new(tx, vault, claims, was_on=was_on))


async def rename(tx: Transaction, *, user_id: UserId, passkey_id: PasskeyId, name: str) -> Passkey:
    """Give a passkey another name.

    Raises:
        DomainError: invalid (name); not_found.
    """
    await people_store.see_people(tx)
    renamed = await passkey_store.rename(tx, user_id, passkey_id, _checked(name))
    if renamed is None:
        raise not_found("passkey")
    return renamed


async def remove(tx: Transaction, claims: Claims, passkey_id: PasskeyId) -> None:
    """Have a passkey count no more. With the last second factor the recovery codes go.

    Raises:
        DomainError: forbidden, where the second factor was not shown just now; not_found.
    """
    await people_store.see_people(tx)
    await require_shown(tx, claims)
    if not await passkey_store.delete(tx, claims.user_id, passkey_id):
        raise not_found("passkey")
    if not (await store.state(tx, claims.user_id)).is_on:
        await store.delete_recovery_codes(tx, claims.user_id)


async def options_to_reauthenticate(tx: Transaction, site: Site, claims: Claims) -> dict[str, Any]:
    """What a browser needs to have one of a person's passkeys show who is there."""
    await people_store.see_people(tx)
    challenge = await _begin(tx, claims.session_id, Purpose.REAUTHENTICATE)
    known = await passkey_store.of_user(tx, claims.user_id)
    return ceremonies.options_to_sign(site, challenge, known)


async def check_reauthentication(
    tx: Transaction, site: Site, claims: Claims, presented: Json
) -> bool:
    """Whether a passkey of the person signed the challenge of the reauthentication, once."""
    challenge = await passkey_store.take_challenge(tx, claims.session_id, Purpose.REAUTHENTICATE)
    if challenge is None:
        return False
    return await check(tx, site, claims.user_id, challenge, presented)


async def check(
    tx: Transaction, site: Site, user_id: UserId, challenge: bytes, presented: Json
) -> bool:
    """Whether one of a person's passkeys signed a challenge; its count is kept."""
    credential_id = ceremonies.credential_id_of(presented)
    if credential_id is None:
        return False
    passkey = await passkey_store.lock(tx, user_id, credential_id)
    if passkey is None:
        return False
    sign_count = ceremonies.sign_count_of(site, challenge, passkey, presented)
    if sign_count is None:
        return False
    await passkey_store.use(tx, passkey.id, sign_count)
    return True


async def _begin(tx: Transaction, session_id: SessionId, purpose: Purpose) -> bytes:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    await passkey_store.put_challenge(
        tx, session_id, purpose, challenge, tx.real_now + CHALLENGE_LIFE
    )
    return challenge


def _refuse_too_many(known: list[Passkey]) -> None:
    if len(known) >= PASSKEYS_MAX:
        raise conflict("too_many_passkeys", f"a person has at most {PASSKEYS_MAX} passkeys")


def _checked(name: str) -> str:
    known = name.strip()
    if not (0 < len(known) <= NAME_LENGTH_MAX and known.isprintable()):
        raise invalid({"name": f"must have 1 to {NAME_LENGTH_MAX} characters, on one line"})
    return known
