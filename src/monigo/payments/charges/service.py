"""Use cases of charges: to ask for money, to read of it, and to decide what nobody knows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import conflict, not_found
from monigo.core.ids import ChargeId, InvoiceId
from monigo.infra import agenda
from monigo.infra.db import RowLock, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.payments import methods, received
from monigo.payments.charges import outcomes, rules, store
from monigo.payments.charges.outcomes import ASK
from monigo.payments.charges.types import (
    Charge,
    ChargeKind,
    ChargeState,
    NewCheckout,
    NewPull,
    OwnCode,
    Resolution,
)
from monigo.payments.connections import ConnectionDeletion
from monigo.payments.methods import MethodForgetting
from monigo.payments.received import PaymentKind, Receipt

# An invoice has fewer; more are not listed.
CHARGES_MAX = 200


def reference_of(tenant: Tenant, kind: str, subject: UUID, attempt: int) -> str:
    """Our reference of one try: the same for the same try, for ever, and no other's."""
    mode = "test" if tenant.is_test else "live"
    return rules.reference_of(tenant.org_id, mode, kind, subject, attempt)


async def create_pulls(tx: Transaction, wanted: Sequence[NewPull]) -> list[Charge]:
    """Intend to take money from saved methods; nothing is sent before the transaction commits.

    What nobody waits for is sent by the agenda; so is the rest, should its process die.

    Raises:
        DomainError: conflict, where a payment for the same is under way.
    """
    subjects = [one.top_up_id or one.wallet_id or one.invoice_id for one in wanted]
    subject_ids = [
        subject or one.method.customer_id for subject, one in zip(subjects, wanted, strict=True)
    ]
    attempts = await store.last_attempts(tx, ChargeKind.PULL, subject_ids)
    made: list[Charge] = []
    for subject, one in zip(subject_ids, wanted, strict=True):
        attempt = attempts[subject] = attempts.get(subject, 0) + 1
        made.append(
            Charge(
                id=ChargeId(new_id()),
                kind=ChargeKind.PULL,
                purpose=one.purpose,
                customer_id=one.method.customer_id,
                invoice_id=one.invoice_id,
                wallet_id=one.wallet_id,
                top_up_id=one.top_up_id,
                connection_id=one.method.connection_id,
                provider=one.method.provider,
                method_id=one.method.id,
                attempt=attempt,
                reference=reference_of(tx.tenant, ChargeKind.PULL, subject, attempt),
                amount=one.amount,
                description=one.description,
                email=one.method.email,
                actor=str(tx.principal),
                created_at=tx.now,
            )
        )
    await store.insert(tx, made)
    due = {
        charge.id: tx.real_now if one.is_unattended else tx.real_now + rules.CALL_LASTS
        for charge, one in zip(made, wanted, strict=True)
    }
    await agenda.put(tx, ASK, due)
    return made


async def create_checkout(tx: Transaction, wanted: NewCheckout) -> Charge:
    """Intend to make a link; an invoice's open link of the provider stands for what it asks for.

    Where another amount is due now, the open link is superseded, and listened to still.

    Raises:
        DomainError: conflict, where another link was made at this moment.
    """
    if wanted.invoice_id is not None:
        open_charges = await store.list_open_of_invoices(tx, [wanted.invoice_id], RowLock.CHANGE)
        same = [
            one
            for one in open_charges
            if one.kind is ChargeKind.CHECKOUT and one.provider == wanted.provider
        ]
        for charge in same:
            if rules.is_same_link(charge, wanted, tx.real_now):
                return charge
            await supersede(tx, charge)
    return await _new_checkout(tx, wanted)


async def _new_checkout(tx: Transaction, wanted: NewCheckout) -> Charge:
    subject = wanted.wallet_id or wanted.invoice_id or wanted.customer_id
    attempts = await store.last_attempts(tx, ChargeKind.CHECKOUT, [subject])
    attempt = attempts.get(subject, 0) + 1
    charge = Charge(
        id=ChargeId(new_id()),
        kind=ChargeKind.CHECKOUT,
        purpose=wanted.purpose,
        customer_id=wanted.customer_id,
        invoice_id=wanted.invoice_id,
        wallet_id=wanted.wallet_id,
        connection_id=wanted.connection_id,
        provider=wanted.provider,
        attempt=attempt,
        reference=reference_of(tx.tenant, ChargeKind.CHECKOUT, subject, attempt),
        amount=wanted.amount,
        description=wanted.description,
        email=wanted.email,
        return_url=wanted.return_url,
        save_method=wanted.save_method,
        is_inline=wanted.is_inline,
        actor=str(tx.principal),
        state=ChargeState.PENDING if wanted.is_inline else ChargeState.CREATED,
        expires_at=tx.real_now + rules.CHECKOUT_LASTS,
        created_at=tx.now,
    )
    await store.insert(tx, [charge])
    wait = rules.ASKED_AFTER[0] if wanted.is_inline else rules.CHECKOUT_LASTS
    await agenda.put(tx, ASK, {charge.id: tx.real_now + wait})
    return charge


async def make_successor(tx: Transaction, charge: Charge) -> Charge:
    """Intend to make another link in the place of one that was lost."""
    return await create_checkout(
        tx,
        NewCheckout(
            purpose=charge.purpose,
            amount=charge.amount,
            customer_id=charge.customer_id,
            connection_id=charge.connection_id,
            provider=charge.provider,
            email=charge.email,
            invoice_id=charge.invoice_id,
            wallet_id=charge.wallet_id,
            description=charge.description,
            return_url=charge.return_url,
            save_method=charge.save_method,
            is_inline=charge.is_inline,
        ),
    )


async def supersede(tx: Transaction, charge: Charge) -> Charge:
    """Give up a locked, live charge for another one; what it brings still counts."""
    return await give_up(tx, charge, OwnCode.SUPERSEDED, "")


async def give_up(tx: Transaction, charge: Charge, code: str, reason: str) -> Charge:
    """Fail a locked, live charge by our own decision; what it brings still counts.

    Where it has a link, the provider is asked to disable that.
    """
    failed = rules.failed(charge, code, reason, is_final=False, now=tx.now)
    after = replace(failed, asked=0)
    await outcomes.save(tx, [(charge, after)])
    if after.url:
        await agenda.put(tx, ASK, {after.id: tx.real_now})
    return after


async def get_charge(tx: Transaction, charge_id: UUID, *, is_locked: bool = False) -> Charge:
    """A charge.

    Raises:
        DomainError: not_found.
    """
    lock = RowLock.CHANGE if is_locked else RowLock.NONE
    found = await store.load(tx, [charge_id], lock)
    if not found:
        raise not_found("transaction")
    return found[ChargeId(charge_id)]


async def charges_of(tx: Transaction, invoice_id: UUID) -> list[Charge]:
    """An invoice's charges, oldest first."""
    return await store.list_of_invoice(tx, invoice_id, CHARGES_MAX)


async def lock_open_of(tx: Transaction, invoice_id: UUID) -> list[Charge]:
    """An invoice's live charges, locked; before the invoice is."""
    return await store.list_open_of_invoices(tx, [invoice_id], RowLock.CHANGE)


async def live_pulls_of(
    tx: Transaction, invoice_ids: Collection[UUID]
) -> Mapping[InvoiceId, Charge]:
    """The pulls of invoices that are live; absent where there is none."""
    return await store.live_pulls(tx, invoice_ids)


async def links_of(tx: Transaction, invoice_ids: Collection[UUID]) -> dict[InvoiceId, str]:
    """Where invoices can be paid now, by those that were asked for; absent where there is none."""
    return await store.links(tx, invoice_ids)


async def charges_of_wallet(tx: Transaction, wallet_id: UUID, since: datetime) -> list[Charge]:
    """A wallet's charges since an instant of the tenant's time, newest first."""
    return await store.list_of_wallet(tx, wallet_id, since, CHARGES_MAX)


async def live_top_up_of(tx: Transaction, wallet_id: UUID) -> Charge | None:
    """The charge that is to top up a wallet and is not final."""
    return await store.live_top_up(tx, wallet_id)


async def resolve(
    tx: Transaction,
    charge_id: UUID,
    outcome: ChargeState,
    *,
    provider_id: str = "",
    note: str = "",
) -> Charge:
    """Take a person's word for a charge of which the provider has said nothing definite.

    The provider's later word still wins, and a contradiction is noted.

    Raises:
        DomainError: not_found; conflict, where it is settled.
    """
    before = await get_charge(tx, charge_id, is_locked=True)
    if not before.is_live:
        raise conflict("transaction_settled", f"the transaction is {before.state} already")
    said = Resolution(str(tx.principal), tx.real_now, outcome, note)
    charge = replace(before, resolution=said)
    if outcome is ChargeState.SUCCEEDED:
        # Known by our reference until the provider says by which id it knows it.
        named = provider_id or charge.provider_id or f"{charge.reference} by a person"
        await received.receive(tx, _said(charge, named))
        counted = rules.Counted(has_any=True, is_standing=True)
        after = rules.settled_by(charge, counted, tx.now)
    else:
        after = rules.failed(charge, OwnCode.RESOLVED, note, is_final=True, now=tx.now)
    await outcomes.save(tx, [(before, after)])
    return after


def _said(charge: Charge, provider_id: str) -> Receipt:
    return Receipt(
        kind=PaymentKind.CHARGE,
        purpose=charge.purpose,
        connection_id=charge.connection_id,
        provider=charge.provider,
        provider_id=provider_id,
        customer_id=charge.customer_id,
        amount=charge.amount,
        reference=charge.reference,
        asked=charge.amount,
        charge_id=charge.id,
        invoice_id=charge.invoice_id,
        wallet_id=charge.wallet_id,
        top_up_id=charge.top_up_id,
        is_by_person=True,
    )


async def refuse_connection_in_use(tx: Transaction, question: ConnectionDeletion) -> None:
    """Keep a connection while something of it is not final, or a method is charged through it.

    Raises:
        DomainError: conflict.
    """
    if await store.is_any_live(tx, question.connection_id):
        raise conflict("connection_in_use", "payments of the connection are not final")
    if await methods.is_connection_used(tx, question.connection_id):
        raise conflict("connection_in_use", "payment methods are charged through the connection")


async def refuse_method_in_use(tx: Transaction, question: MethodForgetting) -> None:
    """Keep a method's token while a pull by it is not final.

    Raises:
        DomainError: conflict.
    """
    if await store.is_method_used(tx, question.method_id):
        raise conflict("payment_method_in_use", "a payment by the method is not final")
