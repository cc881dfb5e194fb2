"""Use cases of provider events: they are stored as they come, listed, and decided on by people."""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec
from msgspec.structs import replace

from monigo.core.errors import conflict, ensure, invalid, not_found
from monigo.core.ids import ConnectionId, ProviderEventId
from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.payments import accounts, connections
from monigo.payments.events import rules, store
from monigo.payments.events.types import (
    WAITING,
    EventState,
    Letter,
    ProviderEvent,
    Verdict,
)
from monigo.providers.port import Adapter, Authenticity, Signature

PURPOSE = "provider event"
# Work on an event whose signature proves it, and on one that only the provider's word decides.
APPLY = Kind("provider_event", Follows.REAL)
LOOK_UP = Kind("provider_event_look_up", Follows.REAL)
FORWARD = Kind("provider_event_forward", Follows.REAL)
# Of a connection: something new is there to know its parked events by.
WAKE = Kind("provider_event_wake", Follows.REAL)
# Of the events of a day.
FOREIGN_EXPIRY = Kind("foreign_event_expiry", Follows.REAL)
EXPIRY = Kind("provider_event_expiry", Follows.REAL)
EXPIRY_SPAN = timedelta(days=1)
# More parked events than this are left to their own pauses.
WOKEN_MAX = 500
REASON_LENGTH_MAX = 500


# Does what follows from any event, in the transaction that stores it.
Stored = Callable[[Transaction], Awaitable[None]]


class Sender(Protocol):
    """Whose secrets verify a webhook: a connection's, in one mode."""

    @property
    def tenant(self) -> Tenant:
        """In whose rows the event is stored."""
        ...

    @property
    def connection_id(self) -> ConnectionId:
        """The connection."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """The present secret, and the one before while it is valid."""
        ...


class Inbox:
    """Takes webhooks in: verifies them, and stores each once, encrypted by the vault."""

    def __init__(self, vault: Vault, stored: Stored) -> None:
        self._vault = vault
        self._stored = stored

    async def receive(
        self,
        database: Database,
        adapter: Adapter,
        senders: Sequence[Sender],
        headers: Mapping[str, str],
        raw: bytes,
    ) -> Verdict:
        """Store a webhook for whom its signature names, and have it worked off.

        Names of headers are in lower case. Nothing is stored of what nobody signed.
        """
        found = verified(adapter, senders, headers, raw)
        is_proven = adapter.capabilities.signature is not Signature.LITERAL and len(found) == 1
        is_new = False
        for sender, authenticity in found:
            proven = is_proven and authenticity is Authenticity.YES
            async with database.transaction(sender.tenant) as tx:
                is_new |= await self._store(tx, adapter, sender, headers, raw, is_proven=proven)
        if not found:
            return Verdict.REFUSED
        return Verdict.STORED if is_new else Verdict.REPEATED

    async def _store(
        self,
        tx: Transaction,
        adapter: Adapter,
        sender: Sender,
        headers: Mapping[str, str],
        raw: bytes,
        *,
        is_proven: bool,
    ) -> bool:
        event_id = ProviderEventId(new_id())
        capabilities = adapter.capabilities
        name = capabilities.signature_header
        letter = Letter(name, headers.get(name, ""), headers.get("content-type", ""), raw)
        arrival = store.Arrival(
            event_id,
            sender.connection_id,
            capabilities.name.value,
            hashlib.sha256(raw).digest(),
            self._vault.encrypt(PURPOSE, msgspec.msgpack.encode(letter), context=event_id.bytes),
            is_proven,
            tx.real_now,
        )
        if not await store.insert_once(tx, arrival):
            return False
        await agenda.put(tx, work_on(is_proven=is_proven), {event_id: tx.real_now})
        connection = await connections.find(tx, sender.connection_id)
        if connection is not None and connection.forward_url:
            await agenda.put(tx, FORWARD, {event_id: tx.real_now})
        await connections.note_webhook(tx, sender.connection_id)
        for kind, kept in ((FOREIGN_EXPIRY, rules.FOREIGN_FOR), (EXPIRY, rules.KEPT_FOR)):
            await agenda.put_for_span(tx, kind, tx.real_now, span=EXPIRY_SPAN, after=kept)
        await self._stored(tx)
        return True

    async def letter_of(self, tx: Transaction, event_id: ProviderEventId) -> Letter:
        """What came, byte by byte."""
        return (await self.letters_of(tx, [event_id]))[event_id]

    async def letters_of(
        self, tx: Transaction, event_ids: Collection[ProviderEventId]
    ) -> dict[ProviderEventId, Letter]:
        """As `letter_of`, for several."""
        found = await store.load_letters(tx, event_ids)
        ensure(len(found) == len(set(event_ids)), "an event has its letter")
        return {
            event_id: msgspec.msgpack.decode(
                self._vault.decrypt(PURPOSE, ciphertext, context=event_id.bytes), type=Letter
            )
            for event_id, ciphertext in found.items()
        }


def verified(
    adapter: Adapter, senders: Sequence[Sender], headers: Mapping[str, str], raw: bytes
) -> list[tuple[Sender, Authenticity]]:
    """Whose webhook it is: of several where they share a secret, of none where nobody signed it.

    One of a connection without a secret is whose it says, until the provider was asked. All secrets
    are tried, whichever fits.
    """
    tried = [(one, adapter.authentic(headers, raw, one.secrets)) for one in senders]
    signed = [one for one in tried if one[1] is Authenticity.YES]
    return signed or [one for one in tried if one[1] is Authenticity.UNVERIFIABLE]


def work_on(*, is_proven: bool) -> Kind:
    """By which kind of work an event is worked off."""
    return APPLY if is_proven else LOOK_UP


async def list_of_connection(
    tx: Transaction, connection_id: ConnectionId, request: PageRequest
) -> Page[ProviderEvent]:
    """A connection's events, newest first."""
    return await store.load_page(tx, request, connection_id, None)


async def list_page(
    tx: Transaction, request: PageRequest, *, is_matched: bool | None
) -> Page[ProviderEvent]:
    """All events, newest first: what waits for a person, or what has found its place."""
    states: Sequence[EventState] | None = None
    if is_matched is not None:
        states = [EventState.APPLIED, EventState.MATCHED] if is_matched else sorted(WAITING)
    return await store.load_page(tx, request, None, states)


async def get_event(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent:
    """One event.

    Raises:
        DomainError: not found.
    """
    found = await store.load(tx, event_id)
    if found is None:
        raise not_found("provider_event")
    return found


async def replay(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent:
    """Have an event worked off again; what it said before has no effect twice.

    Raises:
        DomainError: not found; conflict, for one that a person has decided on.
    """
    event = await _locked(tx, event_id)
    if event.state in {EventState.MATCHED, EventState.IGNORED, EventState.REFUNDED}:
        raise conflict("event_decided", f"the event was {event.state} by hand")
    after = replace(event, state=EventState.RECEIVED, reason="", tries=0, handled_at=None)
    await store.update(tx, [after])
    await agenda.put(tx, work_on(is_proven=event.is_proven), {event_id: tx.real_now})
    tx.changed(event, after)
    return after


async def ignore(tx: Transaction, event_id: ProviderEventId, reason: str) -> ProviderEvent:
    """Decide that nothing follows from an event that waits.

    Raises:
        DomainError: not found; invalid (reason); conflict, for one that does not wait.
    """
    said = checked_reason(reason)
    event = await waiting(tx, event_id)
    after = replace(event, state=EventState.IGNORED, reason=said, handled_at=tx.real_now)
    await store.update(tx, [after])
    await agenda.cancel(tx, work_on(is_proven=event.is_proven), [event_id])
    tx.changed(event, after)
    return after


def checked_reason(reason: str) -> str:
    """Why a person decides so, without blanks around it.

    Raises:
        DomainError: invalid, for none, and for a long one.
    """
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX:
        raise invalid({"reason": f"must have 1 to {REASON_LENGTH_MAX} characters"})
    return reason.strip()


async def note_opened(
    tx: Transaction, opened: Sequence[accounts.events.VirtualAccountOpened]
) -> None:
    """Have parked events tried again soon that may be of an account which has just opened.

    In a transaction of its own: this one has the account, and those which work on events may wait
    for that.
    """
    await agenda.put(tx, WAKE, {one.connection_id: tx.real_now for one in opened})


async def wake_parked(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Due work: try the parked events of connections again at once."""
    for entry in entries:
        parked = await store.list_parked(tx, ConnectionId(entry.subject), WOKEN_MAX)
        for kind in (APPLY, LOOK_UP):
            due = {
                event_id: tx.real_now
                for event_id, proven in parked
                if work_on(is_proven=proven) is kind
            }
            await agenda.put(tx, kind, due)
    return ()


async def waiting(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent:
    """An event that waits for a person, locked.

    Raises:
        DomainError: not found; conflict, for one that does not wait.
    """
    event = await _locked(tx, event_id)
    if event.state not in WAITING:
        raise conflict("event_not_waiting", f"the event is {event.state}, and waits for nobody")
    return event


async def _locked(tx: Transaction, event_id: ProviderEventId) -> ProviderEvent:
    found = await store.lock(tx, event_id)
    if found is None:
        raise not_found("provider_event")
    return found
