"""Due work: what events say is taken into our rows, once the provider's word is certain."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import DomainError
from monigo.core.ids import ConnectionId, ProviderEventId
from monigo.infra import agenda
from monigo.infra.agenda import BackOff, Claim, Entry, Slices, Steps, Task
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payments.charges import Applied, AppliedState
from monigo.payments.events import rules, store
from monigo.payments.events.rules import Judgement
from monigo.payments.events.service import APPLY, LOOK_UP, Inbox
from monigo.payments.events.types import (
    OPEN,
    Apply,
    ApplyCharges,
    EventState,
    Letter,
    ProviderEvent,
)
from monigo.providers.port import Fact, Intent, Kind, Outcome, Signature, Unknown
from monigo.providers.registry import adapter_of

BACK_OFF = BackOff(first=timedelta(minutes=1), most=timedelta(hours=6))
# Of these the provider is asked by what it calls them; the others have a signature only.
_ASKED = frozenset({Kind.CHARGE, Kind.DEPOSIT, Kind.TRANSFER})
# Worked off in one transaction; few enough that no request waits long for what they hold.
TOGETHER_MAX = 100


class Desk(Protocol):
    """Who asks providers, with a connection's keys."""

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: ConnectionId, intent: Intent
    ) -> Outcome:
        """Have a provider do or say something; no transaction may be open."""
        ...


class EventWork:
    """Works events off: `apply` has what takes each kind of fact into our rows.

    `apply_charges` takes facts that name charges, many at once.
    """

    def __init__(
        self, inbox: Inbox, desk: Desk, apply: Mapping[Kind, Apply], apply_charges: ApplyCharges
    ) -> None:
        self._inbox = inbox
        self._desk = desk
        self._apply = apply
        self._apply_charges = apply_charges
        self.tasks = (
            Task(APPLY, Slices(self._work, TOGETHER_MAX, flag=_flag), back_off=BACK_OFF),
            Task(LOOK_UP, Steps(self._look_up), back_off=BACK_OFF, concurrency=4),
        )

    async def _work(self, tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
        """Apply what events say: first of charges, all at once, for these are most; then the rest.

        Where two of these wait for each other, one is tried again, an event at a time.
        """
        event_ids = [ProviderEventId(entry.subject) for entry in entries]
        events = [one for one in await store.lock_all(tx, event_ids) if one.state in OPEN]
        letters = await self._inbox.letters_of(tx, [one.id for one in events])
        facts = {one.id: facts_of(one, letters[one.id]) for one in events}
        of_charges = await self._of_charges(tx, events, facts)
        after: list[ProviderEvent] = []
        again: dict[ProviderEventId, datetime] = {}
        for event in events:
            said = facts[event.id]
            made = of_charges.get(event.id)
            if made is None:
                made = [await self._applied(tx, event, fact) for fact in said]
            judged = rules.judge(said, made)
            after.append(settled(tx, event, judged, said, is_confirmed=True))
            at = _again(tx, after[-1], judged)
            if at is not None:
                again[event.id] = at
        if after:
            await store.update(tx, after)
        await agenda.put(tx, APPLY, again)
        return ()

    async def _of_charges(
        self,
        tx: Transaction,
        events: Sequence[ProviderEvent],
        facts: Mapping[ProviderEventId, Sequence[Fact]],
    ) -> dict[ProviderEventId, list[Applied]]:
        """What became of the events that say something of charges of ours, and of nothing else."""
        asked = [
            (event, fact)
            for event in events
            if event.is_proven and all(map(_names_charge, facts[event.id]))
            for fact in facts[event.id]
        ]
        applied = await self._apply_charges(tx, [(one.connection_id, fact) for one, fact in asked])
        made: defaultdict[ProviderEventId, list[Applied]] = defaultdict(list)
        for (event, _), one in zip(asked, applied, strict=True):
            made[event.id].append(one)
        # What names no charge may name an account.
        return {
            event_id: found
            for event_id, found in made.items()
            if all(one.state is not AppliedState.UNKNOWN_REFERENCE for one in found)
        }

    async def _look_up(self, database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop  # A look-up is over soon.
        event_id = ProviderEventId(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            event = await store.load(tx, event_id)
            if event is None or event.state not in OPEN:
                await claim.finish(tx)
                return
            claimed = facts_of(event, await self._inbox.letter_of(tx, event_id))
        asked = [await self._confirmed(database, claim.tenant, event, one) for one in claimed]
        async with database.transaction(claim.tenant) as tx:
            event = await store.lock(tx, event_id)
            if event is None or event.state not in OPEN:
                await claim.finish(tx)
                return
            doubts = [one for one in asked if isinstance(one, Judgement)]
            facts = [one for one in asked if isinstance(one, Fact)]
            judged = doubts[0] if doubts else await self._judged(tx, event, facts)
            summary = claimed if doubts else facts
            is_asked = not doubts and all(map(_is_asked, claimed))
            after = settled(tx, event, judged, summary, is_confirmed=is_asked)
            await store.update(tx, [after])
            await claim.finish(tx, again_at=_again(tx, after, judged))

    async def _judged(
        self, tx: Transaction, event: ProviderEvent, facts: Sequence[Fact]
    ) -> Judgement:
        return rules.judge(facts, [await self._applied(tx, event, fact) for fact in facts])

    async def _applied(self, tx: Transaction, event: ProviderEvent, fact: Fact) -> Applied:
        apply = self._apply.get(fact.kind)
        # Of which mode it is, only a reference of ours can say; of what nobody signed, who says so.
        is_certain = event.is_proven or (rules.is_ours(fact) and _is_believed(event, fact))
        if apply is None or not is_certain:
            return Applied(AppliedState.UNKNOWN_REFERENCE)
        return await apply(tx, event.connection_id, fact)

    async def _confirmed(
        self, database: Database, tenant: Tenant, event: ProviderEvent, claimed: Fact
    ) -> Fact | Judgement:
        """What the provider says of a claim; a judgement where it says nothing yet.

        About nothing of ours it is not asked, for anybody may claim that by thousands.
        """
        if not _is_asked(claimed):
            return claimed
        question = rules.question_of(claimed)
        try:
            found = await self._desk.ask(database, tenant, event.connection_id, question)
        except DomainError as error:
            return _doubt(f"the provider can't be asked: {error.message}")
        if isinstance(found, Unknown):
            return _doubt(f"the provider does not confirm it: {found.cause}")
        fact = found.fact
        if fact is None:
            return _doubt("the provider does not confirm it")
        return rules.confirmed(claimed, fact)


def facts_of(event: ProviderEvent, letter: Letter) -> list[Fact]:
    """What an event says, by its letter."""
    headers = {letter.signature_header: letter.signature}
    return adapter_of(event.provider).facts(headers, letter.body)


def _names_charge(fact: Fact) -> bool:
    """Whether a fact may be about a charge by its reference, and about no account."""
    return fact.kind is Kind.CHARGE and bool(fact.reference) and not fact.account_reference


def _is_asked(claimed: Fact) -> bool:
    return claimed.kind in _ASKED and rules.is_ours(claimed)


def _is_believed(event: ProviderEvent, fact: Fact) -> bool:
    """Whether a fact was asked about, or signed."""
    signature = adapter_of(event.provider).capabilities.signature
    return fact.kind in _ASKED or signature is not Signature.LITERAL


def settled(
    tx: Transaction,
    event: ProviderEvent,
    judged: Judgement,
    facts: Sequence[Fact],
    *,
    is_confirmed: bool,
) -> ProviderEvent:
    """An event with what became of it."""
    is_over = judged.state not in OPEN
    return replace(
        event,
        state=judged.state,
        reason=judged.reason,
        tries=event.tries + (not is_over),
        summary=rules.summary_of(facts, is_confirmed=is_confirmed),
        handled_at=tx.real_now if is_over else None,
    )


def _again(tx: Transaction, event: ProviderEvent, judged: Judgement) -> datetime | None:
    if not judged.is_tried_again:
        return None
    return rules.next_try(event.tries, event.received_at, tx.real_now)


def _doubt(reason: str) -> Judgement:
    return Judgement(EventState.PARKED, reason, is_tried_again=True)


async def _flag(tx: Transaction, subject: UUID, reason: str) -> None:
    await store.fail(tx, ProviderEventId(subject), reason)
