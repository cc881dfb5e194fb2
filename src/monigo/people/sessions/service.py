"""Use cases of sessions: begin, refresh, list and end them, and authenticate their tokens."""

import secrets
from datetime import datetime

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, not_found
from monigo.core.ids import SessionId, UserId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import store as people_store
from monigo.people.sessions import store
from monigo.people.sessions.rules import (
    FRESH_LIFE,
    SESSION_LIFE,
    RefreshToken,
    device_of,
    kept_user_agent,
    parsed_token,
    successor,
    with_rotation,
)
from monigo.people.sessions.types import Session
from monigo.people.types import Origin

HASH_PURPOSE = "refresh token"
SALT_BYTES = 32


async def begin(
    tx: Transaction, user_id: UserId, origin: Origin, *, by_second_factor: bool = False
) -> Session:
    """A new session of a person who has just proved who they are."""
    session = Session(
        id=SessionId(new_id()),
        user_id=user_id,
        salt=secrets.token_bytes(SALT_BYTES),
        generation=1,
        recent_rotations=(),
        user_agent=kept_user_agent(origin.user_agent),
        address=origin.address,
        created_at=tx.real_now,
        last_seen_at=tx.real_now,
        authenticated_at=tx.real_now,
        second_factor_at=tx.real_now if by_second_factor else None,
        expires_at=tx.real_now + SESSION_LIFE,
        ended_at=None,
    )
    await store.insert(tx, session)
    return session


def present_token(vault: Vault, session: Session) -> str:
    """The refresh token of a session that counts."""
    return _token(vault, session, session.generation)


def _token(vault: Vault, session: Session, generation: int) -> str:
    """A session's refresh token of a generation: the same one whenever it is asked for."""
    mac = vault.keyed_hash(HASH_PURPOSE, str(generation), context=session.id.bytes + session.salt)
    return RefreshToken(session.id, generation, mac).text


async def refresh(
    tx: Transaction, vault: Vault, presented: str, origin: Origin
) -> tuple[Session, str] | None:
    """The session of a refresh token and the token that follows it; None where it ends there.

    A spent token that comes again after its moment of grace ends the session, for somebody has a
    copy. So the transaction must commit, whatever comes of it.
    """
    token = parsed_token(presented)
    session = None if token is None else await store.lock(tx, SessionId(token.session_id))
    if token is None or session is None or not session.is_open(tx.real_now):
        return None
    context = session.id.bytes + session.salt
    if not vault.matches(HASH_PURPOSE, token.mac, str(token.generation), context=context):
        return None
    following = successor(
        token.generation,
        present=session.generation,
        recent_rotations=session.recent_rotations,
        now=tx.real_now,
    )
    if following is None:
        await store.end(tx, session.user_id, session.id)
        return None
    if following > session.generation:
        session = replace(
            session,
            generation=following,
            recent_rotations=with_rotation(session.recent_rotations, tx.real_now),
            last_seen_at=tx.real_now,
            expires_at=tx.real_now + SESSION_LIFE,
            address=origin.address,
            user_agent=kept_user_agent(origin.user_agent),
        )
        await store.rotate(tx, session)
    return session, _token(vault, session, following)


async def end_by_token(tx: Transaction, vault: Vault, presented: str) -> None:
    """End the session of a refresh token, whichever of its tokens it is; nothing for any other."""
    token = parsed_token(presented)
    session = None if token is None else await store.lock(tx, SessionId(token.session_id))
    if token is None or session is None:
        return
    context = session.id.bytes + session.salt
    if vault.matches(HASH_PURPOSE, token.mac, str(token.generation), context=context):
        await store.end(tx, session.user_id, session.id)


async def authenticate(tx: Transaction, session_id: SessionId, *, by_second_factor: bool) -> None:
    """Note that the person of a session has just proved who they are."""
    await store.authenticate(tx, session_id, by_second_factor=by_second_factor)


async def has_just_shown_second_factor(tx: Transaction, session_id: SessionId) -> bool:
    """Whether a second factor was shown in a session a moment ago; the session stays as it is."""
    session = await store.lock(tx, session_id)
    at = None if session is None else session.second_factor_at
    return at is not None and tx.real_now - at <= FRESH_LIFE


async def forget_ended(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget some of the sessions that ended before an instant; how many."""
    return await store.delete_before(tx, before, limit)


async def list_open(tx: Transaction, user_id: UserId) -> list[Session]:
    """A person's devices, the one used last first."""
    await people_store.see_people(tx)
    return await store.open_of_user(tx, user_id)


async def end_one(tx: Transaction, *, user_id: UserId, session_id: SessionId) -> None:
    """Sign a person's device out.

    Raises:
        DomainError: not_found.
    """
    await people_store.see_people(tx)
    if not await store.end(tx, user_id, session_id):
        raise not_found("session")


async def end_others(tx: Transaction, *, user_id: UserId, but: SessionId | None) -> int:
    """Sign all of a person's devices out but one; how many there were."""
    await people_store.see_people(tx)
    return await store.end_others(tx, user_id, but)


async def is_new_device(tx: Transaction, user_id: UserId, origin: Origin) -> bool:
    """Whether a person who was signed in before never was on such a device."""
    known = {device_of(user_agent) for user_agent in await store.devices(tx, user_id)}
    return bool(known) and device_of(origin.user_agent) not in known


def reauthentication_required(message: str) -> DomainError:
    """The refusal of what can do much harm, to who has shown too long ago who they are."""
    return DomainError(ErrorKind.FORBIDDEN, "reauthentication_required", message)


def invalid_refresh_token() -> DomainError:
    """The one answer to a refresh token that is wrong, spent or of an ended session."""
    return DomainError(ErrorKind.UNAUTHENTICATED, "invalid_refresh_token", "please sign in again")
