"""Use cases of reconciliation: a daily look at each connection's lists, and what it found."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import ConnectionId
from monigo.core.paging import PageRequest
from monigo.infra import agenda
from monigo.infra.agenda import BackOff, Claim, Entry, Follows, Slices, Steps, Task
from monigo.infra.agenda import Kind as WorkKind
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.facts import Fact as DomainFact
from monigo.payments.charges import Applied, AppliedState
from monigo.payments.events import Apply, Desk
from monigo.payments.reconciliation import rules, store, transfers
from monigo.payments.reconciliation.types import (
    Compared,
    Difference,
    Listed,
    ListedAs,
    Look,
    NextStep,
)
from monigo.providers.port import Fact, Facts, Kind, ListRows, Succeeded, Unknown, Verb

# Of all of a tenant's connections, once a day; and of one of them.
DAILY = WorkKind("reconciliation_day", Follows.REAL)
RECONCILE = WorkKind("reconciliation", Follows.REAL)
DAY = timedelta(days=1)
AFTER = timedelta(hours=1)
_VERBS = {ListedAs.CHARGE: Verb.LIST_CHARGES, ListedAs.TRANSFER: Verb.LIST_TRANSFERS}
# At fifty or a hundred rows each, more than any merchant's payments of some days; of a longer list
# nothing is said to be missing.
PAGES_MAX = 5_000
PAYMENTS_AT_ONCE = 500
BACK_OFF = BackOff(first=timedelta(minutes=10), most=timedelta(hours=6))


async def schedule(tx: Transaction) -> None:
    """Have the tenant's connections reconciled after this day; once, however often it is called."""
    await agenda.put_for_span(tx, DAILY, tx.real_now, span=DAY, after=AFTER)


async def begin(tx: Transaction, _facts: Sequence[DomainFact]) -> None:
    """Have the tenant's connections reconciled every day, after anything that says they are used.

    It need not be a webhook: of a connection that none ever reaches, payments are asked about.
    """
    await schedule(tx)


async def _begin(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    found = await store.connections_with_keys(tx)
    await agenda.put(tx, RECONCILE, dict.fromkeys(found, tx.real_now))
    if found:
        await schedule(tx)
    return ()


LOOK_DAILY = Task(DAILY, Slices(_begin), concurrency=1, every_seconds=60)


async def list_page(
    tx: Transaction, connection_id: ConnectionId, request: PageRequest, *, is_open: bool | None
) -> Listed:
    """What the looks at a connection's list found, newest first."""
    page = await store.load_page(tx, connection_id, request, is_open=is_open)
    return Listed(page, await store.load_look(tx, connection_id))


class Reconciliation:
    """Compares providers' lists with our rows; `apply` takes what is definite into them."""

    def __init__(self, desk: Desk, apply: Mapping[Kind, Apply]) -> None:
        self._desk = desk
        self.apply = apply
        self.task = Task(RECONCILE, Steps(self._reconcile), back_off=BACK_OFF, every_seconds=10)

    async def _reconcile(self, database: Database, claim: Claim, stop: asyncio.Event) -> None:
        connection_id = ConnectionId(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            began_at = tx.real_now
            if connection_id not in await store.connections_with_keys(tx):
                await claim.finish(tx)
                return
            since = began_at - rules.LOOKS_BACK[ListedAs.TRANSFER]
            # Of others the merchant's keys may not even show the list.
            has_sent = await store.has_transfers(tx, connection_id, since)
        looks = [
            _Look(self, database, claim.tenant, connection_id, began_at, listed_as=listed_as)
            for listed_as in ListedAs
            if has_sent or listed_as is not ListedAs.TRANSFER
        ]
        for look in looks:
            if not await look.read_list(stop):
                return  # The worker stops; the next look begins anew.
            if not look.is_whole:
                continue
            await look.find_unlisted()
            async with database.transaction(claim.tenant) as tx:
                # No later than the differences that this look noted.
                await store.settle_unseen(
                    tx,
                    connection_id,
                    look.listed_as,
                    since=look.since + rules.BEGUN_WITHIN,
                    before=began_at,
                )
        async with database.transaction(claim.tenant) as tx:
            rows = sum(look.rows for look in looks)
            done = Look(looks[0].since, began_at, rows, tx.real_now)
            await store.save_look(tx, connection_id, done)
            await claim.finish(tx)

    async def page(
        self,
        database: Database,
        tenant: Tenant,
        connection_id: ConnectionId,
        intent: ListRows,
    ) -> Facts:
        """One page of a provider's list.

        Raises:
            DomainError: unavailable, where the provider does not give it.
        """
        outcome = await self._desk.ask(database, tenant, connection_id, intent)
        if isinstance(outcome, Succeeded) and isinstance(outcome.result, Facts):
            return outcome.result
        why = outcome.cause.value if isinstance(outcome, Unknown) else "it refused"
        raise DomainError(
            ErrorKind.UNAVAILABLE, "list_unavailable", f"the provider's list was not read: {why}"
        )

    async def take_over(self, tx: Transaction, connection_id: ConnectionId, fact: Fact) -> Applied:
        """Take a definite word of the provider's into our rows."""
        apply = self.apply.get(fact.kind)
        if apply is None:
            return Applied(AppliedState.UNKNOWN_REFERENCE)
        return await apply(tx, connection_id, fact)


class _Look:
    """One look at one of a connection's lists: what it has read so far."""

    def __init__(
        self,
        owner: Reconciliation,
        database: Database,
        tenant: Tenant,
        connection_id: ConnectionId,
        began_at: datetime,
        *,
        listed_as: ListedAs,
    ) -> None:
        self.listed_as = listed_as
        self._owner = owner
        self._database = database
        self._tenant = tenant
        self._connection_id = connection_id
        self._began_at = began_at
        self.since = began_at - rules.LOOKS_BACK[listed_as]
        self.rows = 0
        self.is_whole = False
        self._listed: set[str] = set()

    async def read_list(self, stop: asyncio.Event) -> bool:
        """Compare the whole list, page by page; False where the worker stops before its end."""
        page: int | None = 1
        while page is not None:
            if stop.is_set():
                return False
            verb = _VERBS[self.listed_as]
            intent = ListRows(verb=verb, since=self.since, until=self._began_at, page=page)
            found = await self._owner.page(
                self._database, self._tenant, self._connection_id, intent
            )
            await self._compare(found.facts)
            self.is_whole = found.next_page is None
            page = found.next_page if page < PAGES_MAX else None
        return True

    async def _compare(self, facts: Sequence[Fact]) -> None:
        self.rows += len(facts)
        async with self._database.transaction(self._tenant) as tx:
            if self.listed_as is ListedAs.CHARGE:
                found = await self._compare_charges(tx, facts)
            else:
                found = await self._compare_transfers(tx, facts)
        for fact, compared in zip(facts, found, strict=True):
            if compared.is_news or compared.difference is not None:
                # One in each transaction, which locks what it is about.
                async with self._database.transaction(self._tenant) as tx:
                    await self._note(tx, fact, compared)

    async def _compare_charges(self, tx: Transaction, facts: Sequence[Fact]) -> list[Compared]:
        self._listed.update(fact.provider_id for fact in facts)
        references = [one.reference or one.account_reference for one in facts]
        provider_ids = [one.provider_id for one in facts if one.provider_id]
        ours = await store.load_ours(tx, self._connection_id, references, provider_ids)
        return [rules.compare(fact, ours, tx.real_now) for fact in facts]

    async def _compare_transfers(self, tx: Transaction, facts: Sequence[Fact]) -> list[Compared]:
        self._listed.update(fact.reference for fact in facts)
        references = [one.reference for one in facts]
        ours = await store.our_transfers(tx, self._connection_id, references)
        return [transfers.compare(fact, ours.get(fact.reference), tx.real_now) for fact in facts]

    async def _note(self, tx: Transaction, fact: Fact, compared: Compared) -> None:
        difference = compared.difference
        made = None
        if compared.is_news:
            made = await self._owner.take_over(tx, self._connection_id, fact)
        if difference is None:
            return
        if (
            made is not None
            and made.state is AppliedState.UNKNOWN_REFERENCE
            and not rules.is_ours(fact)
        ):
            return  # Money of the merchant's own shop.
        await self._save(tx, _decided(difference, made))

    async def _save(self, tx: Transaction, difference: Difference) -> None:
        is_over = difference.next_step is NextStep.TAKEN_OVER
        await store.save(tx, self._connection_id, difference, tx.real_now if is_over else None)

    async def find_unlisted(self) -> None:
        """Note what counts here, is of the span, and is not on the whole list."""
        after: str | None = ""
        while after is not None:
            async with self._database.transaction(self._tenant) as tx:
                if self.listed_as is ListedAs.CHARGE:
                    after = await self._next_payments(tx, after)
                else:
                    after = await self._next_transfers(tx, after)

    @property
    def _span(self) -> tuple[datetime, datetime]:
        return self.since + rules.BEGUN_WITHIN, self._began_at - rules.SETTLES_IN

    async def _next_payments(self, tx: Transaction, after: str) -> str | None:
        found = await store.payments_of_span(
            tx, self._connection_id, *self._span, after=after, limit=PAYMENTS_AT_ONCE
        )
        for difference in rules.missing_there(found, self._listed, tx.real_now):
            await self._save(tx, difference)
        return found[-1].provider_id if len(found) == PAYMENTS_AT_ONCE else None

    async def _next_transfers(self, tx: Transaction, after: str) -> str | None:
        found = await store.transfers_of_span(
            tx, self._connection_id, *self._span, after=after, limit=PAYMENTS_AT_ONCE
        )
        for difference in transfers.missing_there(found, self._listed, tx.real_now):
            await self._save(tx, difference)
        return found[-1].reference if len(found) == PAYMENTS_AT_ONCE else None


def _decided(difference: Difference, made: Applied | None) -> Difference:
    if made is None:
        return replace(difference, reason="the provider's word is another than ours")
    if made.state is AppliedState.APPLIED:
        return replace(difference, next_step=NextStep.TAKEN_OVER, reason="taken over")
    reason = made.reason or "nothing of ours is known by its reference"
    return replace(difference, next_step=NextStep.PERSON, reason=reason)
