"""Sends charges, and asks what became of them, outside of any transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo import customers
from monigo.core.errors import DomainError, ErrorKind, conflict, not_found
from monigo.core.ids import ChargeId, CustomerId, PaymentMethodId
from monigo.infra import registry
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, RowLock, Tenant, Transaction
from monigo.payments import connections, methods
from monigo.payments.charges import outcomes, rules, service, store
from monigo.payments.charges.outcomes import Word
from monigo.payments.charges.types import (
    Charge,
    ChargeKind,
    ChargeState,
    ChargeSubmission,
    OwnCode,
    Refusal,
)
from monigo.providers import port
from monigo.providers.port import Cause, Failed, FailureCode, Outcome, Unknown, Verb
from monigo.providers.registry import adapter_of

# While another request makes the same link, which is shown once only.
LOOK_SECONDS = 0.2
# Links that are looked up before an invoice's pull is sent; there is one for each provider.
LOOKED_UP_MAX = 5


class Desk(Protocol):
    """Asks providers, and has the vault in which tokens can be read."""

    @property
    def vault(self) -> Vault:
        """What tokens are encrypted by."""
        ...

    async def ask(
        self, database: Database, tenant: Tenant, connection_id: UUID, intent: port.Intent
    ) -> Outcome:
        """What came of an intent."""
        ...

    async def ask_all(
        self, database: Database, tenant: Tenant, asked: Sequence[tuple[UUID, port.Intent]]
    ) -> Sequence[Outcome | DomainError]:
        """What came of several intents, each by its connection."""
        ...


class Step(Struct, frozen=True, kw_only=True):
    """A charge, and what its provider is to be asked; nothing, where there is no more to learn.

    `links` are looked up before, `must_wait` says that another request makes the link just now.
    """

    charge: Charge
    intent: port.Intent | None = None
    is_answer: bool = False
    links: tuple[Charge, ...] = ()
    must_wait: bool = False


class _Means(Struct, frozen=True):
    """What pulls are made of: names of customers, and tokens of methods."""

    names: Mapping[CustomerId, str]
    tokens: Mapping[PaymentMethodId, str]


async def submit(desk: Desk, database: Database, tenant: Tenant, charge_id: ChargeId) -> Charge:
    """Send a charge that was not sent, or ask what became of it; as it stands then.

    Of two at once one sends, and the other asks. A link that the provider has and nobody got is
    made anew: then the charge that is returned is another one than was asked for.

    Raises:
        DomainError: not_found.
    """
    charge = await _submit(desk, database, tenant, charge_id)
    if charge.failure is not None and charge.failure.code == OwnCode.LINK_LOST:
        async with database.transaction(tenant) as tx:
            successor = await service.make_successor(tx, charge)
        charge = await _submit(desk, database, tenant, successor.id)
    return charge


async def _submit(desk: Desk, database: Database, tenant: Tenant, charge_id: ChargeId) -> Charge:
    # A request that was sent before ends by itself within half a minute.
    while True:
        (step,) = await submit_all(desk, database, tenant, [charge_id])
        if not step.must_wait:
            return step.charge
        await asyncio.sleep(LOOK_SECONDS)


async def submit_all(
    desk: Desk, database: Database, tenant: Tenant, charge_ids: Sequence[ChargeId]
) -> list[Step]:
    """As `submit`, for several charges of a tenant, whose providers are asked at the same time.

    They come in any order. One whose link another request makes just now is left to that.

    Raises:
        DomainError: not_found.
    """
    async with database.transaction(tenant) as tx:
        steps = await _prepare(tx, desk.vault, charge_ids)
    with_links = [step for step in steps if step.links]
    if with_links:
        steps = [step for step in steps if not step.links]
        steps += await _after_links(desk, database, tenant, with_links)
    ended = [step for step in steps if step.intent is None]
    asked = await _call(desk, database, tenant, [step for step in steps if step.intent is not None])
    now = database.real_now()
    missing = [charge.id for charge, _ in asked if rules.is_missing(charge, now)]
    ended += [Step(charge=charge) for charge, _ in asked if charge.id not in missing]
    if missing:
        # Their provider has known nothing of them for long enough.
        async with database.transaction(tenant) as tx:
            again = await _prepare_again(tx, desk.vault, missing)
        ended += [step for step in again if step.intent is None]
        sent = [step for step in again if step.intent is not None]
        ended += [Step(charge=one) for one, _ in await _call(desk, database, tenant, sent)]
    return ended


async def _call(
    desk: Desk, database: Database, tenant: Tenant, steps: Sequence[Step]
) -> list[tuple[Charge, Outcome]]:
    """Ask, all at the same time, and record in one transaction what came of it."""
    if not steps:
        return []
    intents = [step.intent or _question(step.charge) for step in steps]
    asked = [
        (step.charge.connection_id, intent) for step, intent in zip(steps, intents, strict=True)
    ]
    said = await desk.ask_all(database, tenant, asked)
    answers = [_outcome(*one) for one in zip(intents, said, strict=True)]
    words = [
        Word(
            charge_id=step.charge.id,
            outcome=outcome,
            is_answer=step.is_answer,
            is_question=not step.is_answer,
        )
        for step, outcome in zip(steps, answers, strict=True)
    ]
    async with database.transaction(tenant) as tx:
        made = [charge for charge, _ in await outcomes.apply_words(tx, desk.vault, words)]
        over = [
            (charge, _ended(charge, tx))
            for charge, outcome in zip(made, answers, strict=True)
            if rules.is_over(charge, tx.real_now) and rules.is_answered(outcome)
        ]
        await outcomes.save(tx, over)
    last = {after.id: after for _, after in over}
    return [
        (last.get(charge.id, charge), outcome)
        for charge, outcome in zip(made, answers, strict=True)
    ]


def _outcome(intent: port.Intent, said: Outcome | DomainError) -> Outcome:
    """What a provider says; an amount that it does not take is its refusal."""
    if isinstance(said, DomainError):
        if said.kind is not ErrorKind.INVALID:
            raise said
        faults = "; ".join(f"{name} {fault}" for name, fault in said.fields.items())
        return Failed(code=FailureCode.INVALID_REQUEST, reason=faults, is_final=False)
    if intent.verb is Verb.DISABLE_CHECKOUT:
        # It may be paid all the same; whatever the provider says, its link is listened to.
        return Unknown(cause=Cause.REFUSED)
    return said


def _ended(charge: Charge, tx: Transaction) -> Charge:
    """A charge whose time is over."""
    is_unsent = charge.kind is ChargeKind.PULL and charge.state is ChargeState.CREATED
    code = FailureCode.NOT_SENT if is_unsent else FailureCode.EXPIRED
    return rules.failed(charge, code, "", is_final=False, now=tx.now)


async def _after_links(
    desk: Desk, database: Database, tenant: Tenant, steps: Sequence[Step]
) -> list[Step]:
    """Ask about invoices' open links before these are pulled.

    A pull waits while nobody answers, and while one is being paid.
    """
    answered: list[ChargeId] = []
    waiting: list[ChargeId] = []
    for step in steps:
        questions = [Step(charge=link, intent=_question(link)) for link in step.links]
        found = await _call(desk, database, tenant, questions)
        waits = rules.waits_for_links(step.charge, [said for _, said in found], database.real_now())
        (waiting if waits else answered).append(step.charge.id)
    async with database.transaction(tenant) as tx:
        again = await _prepare(tx, desk.vault, answered, has_looked=True)
        later = await store.load(tx, waiting, RowLock.CHANGE)
        put_off = [(charge, _put_off(charge, tx)) for charge in later.values()]
        await outcomes.save(tx, put_off)
    return [*again, *(Step(charge=after) for _, after in put_off)]


def _put_off(charge: Charge, tx: Transaction) -> Charge:
    """A pull that is sent later, for an open link may have been paid, or is being paid."""
    begun_at = charge.submitted_at or tx.real_now
    return replace(
        charge,
        submitted_at=begun_at,
        sent_at=charge.sent_at or begun_at,
        asked=charge.asked + 1,
        asked_at=tx.real_now,
    )


async def _prepare(
    tx: Transaction, vault: Vault, charge_ids: Sequence[ChargeId], *, has_looked: bool = False
) -> list[Step]:
    """Decide what is to be asked of each charge, and note what is sent."""
    charges = await store.load(tx, charge_ids, RowLock.CHANGE)
    if len(charges) < len(set(charge_ids)):
        raise not_found("transaction")
    leaving = [one for one in charges.values() if _is_leaving(one, tx.real_now)]
    links = {} if has_looked else await _links(tx, leaving)
    sent = await _sent(tx, vault, [one for one in leaving if one.id not in links])
    steps = [
        sent.get(one.id)
        or (Step(charge=one, links=links[one.id]) if one.id in links else _unsent(tx, one))
        for one in charges.values()
    ]
    await outcomes.save(tx, [(charges[step.charge.id], step.charge) for step in steps])
    return steps


async def _prepare_again(
    tx: Transaction, vault: Vault, charge_ids: Sequence[ChargeId]
) -> list[Step]:
    """Send pulls again that their provider never got, under the same references, where it's safe.

    The others wait for a person.
    """
    charges = await store.load(tx, charge_ids, RowLock.CHANGE)
    again: list[Charge] = []
    steps: list[Step] = []
    for charge in charges.values():
        repeat = adapter_of(charge.provider).capabilities.repeat.get(Verb.CHARGE)
        if not rules.is_missing(charge, tx.real_now):
            steps.append(Step(charge=charge))
        elif rules.may_send_again(repeat):
            again.append(replace(charge, state=ChargeState.UNKNOWN, first_not_found_at=None))
        else:
            since = charge.needs_person_at or tx.real_now
            steps.append(Step(charge=replace(charge, needs_person_at=since)))
    steps += (await _sent(tx, vault, again)).values()
    await outcomes.save(tx, [(charges[step.charge.id], step.charge) for step in steps])
    return steps


async def _means(tx: Transaction, vault: Vault, charges: Sequence[Charge]) -> _Means:
    pulls = [one for one in charges if one.kind is ChargeKind.PULL]
    method_ids = [one.method_id for one in pulls if one.method_id is not None]
    if not pulls:
        return _Means({}, {})
    names = await customers.names(tx, [one.customer_id for one in pulls])
    return _Means(names, await methods.tokens_of(tx, vault, method_ids))


def _is_leaving(charge: Charge, now: datetime) -> bool:
    """Whether a locked charge is to be sent now."""
    return (
        charge.is_live
        and not rules.is_over(charge, now)
        and rules.is_to_be_sent(charge)
        and not rules.is_being_sent(charge, now)
    )


def _unsent(tx: Transaction, charge: Charge) -> Step:
    """What is to be asked of a locked charge that is not to be sent."""
    if not charge.is_live:
        return Step(charge=charge, intent=_of_given_up(charge, tx))
    is_over = rules.is_over(charge, tx.real_now)
    is_sent = charge.submitted_at is not None or charge.is_inline
    if is_over and not is_sent:
        return Step(charge=_ended(charge, tx))
    if is_over or not rules.is_to_be_sent(charge):
        return Step(charge=charge, intent=_question(charge))
    return Step(charge=charge, must_wait=True)


async def _links(tx: Transaction, charges: Sequence[Charge]) -> dict[ChargeId, tuple[Charge, ...]]:
    """The open links of invoices that are to be pulled, by the pull; absent where there is none."""
    pulls = {
        one.invoice_id: one.id
        for one in charges
        if one.kind is ChargeKind.PULL and one.invoice_id is not None
    }
    found: defaultdict[ChargeId, list[Charge]] = defaultdict(list)
    for one in await store.list_open_of_invoices(tx, pulls) if pulls else ():
        if one.kind is ChargeKind.CHECKOUT and one.submitted_at and one.invoice_id is not None:
            found[pulls[one.invoice_id]].append(one)
    return {pull: tuple(links[:LOOKED_UP_MAX]) for pull, links in found.items()}


def _of_given_up(charge: Charge, tx: Transaction) -> port.Intent | None:
    """What is asked about a link that was given up: to disable it, and then whether it was paid."""
    if rules.next_question(charge, tx.real_now) is None:
        return None
    verbs = adapter_of(charge.provider).capabilities.verbs
    if Verb.DISABLE_CHECKOUT in verbs and not charge.asked:
        return port.DisableCheckout(reference=charge.reference, url=charge.url)
    return _question(charge)


def _question(charge: Charge) -> port.Lookup:
    named = charge.provider_id
    return port.Lookup(kind=port.Kind.CHARGE, reference=charge.reference, provider_id=named)


async def _sent(tx: Transaction, vault: Vault, charges: Sequence[Charge]) -> dict[ChargeId, Step]:
    """Locked charges that are sent; before that, everybody is asked who has a say."""
    if not charges:
        return {}
    refusals: list[Refusal] = await registry.gather(tx, ChargeSubmission(charges))
    reasons = {one.charge_id: one.reason for one in reversed(refusals)}
    means = await _means(tx, vault, charges)
    steps: dict[ChargeId, Step] = {}
    for charge in charges:
        reason, intent = reasons.get(charge.id), None
        if reason is None:
            try:
                intent = await _intent(tx, charge, means)
            except DomainError as refusal:
                reason = refusal.message
        if reason is not None:
            code, now = OwnCode.SUPERSEDED, tx.now
            ended = rules.failed(charge, code, reason, is_final=False, now=now)
            steps[charge.id] = Step(charge=ended)
            continue
        # What was sent before may have arrived: then a refusal of this one says nothing of that.
        is_again = charge.kind is ChargeKind.PULL and charge.state is ChargeState.UNKNOWN
        sent = replace(
            charge,
            state=charge.state if is_again else ChargeState.SUBMITTED,
            submitted_at=charge.submitted_at or tx.real_now,
            sent_at=tx.real_now,
        )
        steps[charge.id] = Step(charge=sent, intent=intent, is_answer=True)
    return steps


async def _intent(tx: Transaction, charge: Charge, means: _Means) -> port.Intent:
    """What is sent.

    Raises:
        DomainError: conflict, where the method or the connection is gone.
    """
    if charge.method_id is not None:
        if charge.method_id not in means.tokens:
            raise conflict("payment_method_gone", "the payment method was removed")
        name = means.names.get(charge.customer_id, "")
        return port.Charge(
            reference=charge.reference,
            amount=charge.amount,
            payer=port.Payer(email=charge.email, name=name),
            token=means.tokens[charge.method_id],
            description=charge.description,
        )
    connection = await connections.find(tx, charge.connection_id)
    if connection is None:
        raise conflict("payment_connection_gone", "the payment connection was deleted")
    details = (await customers.get(tx, charge.customer_id)).details
    return port.Checkout(
        reference=charge.reference,
        amount=charge.amount,
        payer=port.Payer(email=charge.email, name=details.name, phone=details.phone),
        return_url=charge.return_url,
        description=charge.description,
        channels=connection.channels,
        options=connection.provider_options,
    )
