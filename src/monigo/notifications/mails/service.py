"""Use cases of mails to customers: they follow from facts, and are looked up by the merchant."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from monigo import customers, tenancy
from monigo.core.errors import not_found
from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Transaction
from monigo.infra.facts import Recorded, Subscriber
from monigo.infra.mail import MailId, Outcome
from monigo.notifications import whatsapp
from monigo.notifications.mails import rules, store
from monigo.notifications.mails.links import Subscription
from monigo.notifications.mails.types import (
    CustomerMail,
    MailStatus,
    NotSent,
    Suppression,
    SuppressionReason,
)
from monigo.notifications.occasions import FACTS, Occasion, occasion_of

MessageFellBack = whatsapp.events.MessageFellBack

# A mail that is to be made when its time has come.
COMPOSING = Kind("customer_mail", Follows.REAL)
EXPIRY = Kind("customer_mail_expiry", Follows.REAL)
# Long enough to answer who says that nothing came.
KEPT_FOR = timedelta(days=180)
EXPIRY_SPAN = timedelta(days=30)


async def note(tx: Transaction, recorded: Sequence[Recorded]) -> None:
    """Write down the notices that follow from facts, each once, where the organisation wants them.

    What goes by WhatsApp is not mailed, too; its mail is written where it does not arrive.
    """
    occasions = [(one.id, occasion_of(one)) for one in recorded]
    found = [(fact_id, occasion) for fact_id, occasion in occasions if occasion is not None]
    if not found:
        return
    settings = (await tenancy.get_organization(tx)).mails
    by_whatsapp = await whatsapp.wanted(tx)
    wanted = {*settings.customer_mails, *by_whatsapp}
    # All are made for a developer who wants them; else test mode costs no more than live mode.
    is_all = tx.is_test and bool(settings.mail_test_recipient)
    found = [one for one in found if is_all or one[1].type in wanted]
    if found:
        await customers.lock(tx, sorted({occasion.customer_id for _, occasion in found}))
        taken = await whatsapp.take(tx, found, by_whatsapp)
        await _write(tx, [one for one in found if one[0] not in taken])


async def replace_messages(tx: Transaction, recorded: Sequence[Recorded]) -> None:
    """Write down the mails of notices that did not arrive by WhatsApp."""
    found = [
        (one.fact.fact_id, one.fact.occasion)
        for one in recorded
        if isinstance(one.fact, MessageFellBack)
    ]
    named = sorted({occasion.customer_id for _, occasion in found})
    await customers.lock(tx, named)
    # Of a customer who is gone with the test data nothing can be written down.
    there = await customers.names(tx, named)
    await _write(tx, [one for one in found if one[1].customer_id in there])


async def _write(tx: Transaction, found: Sequence[tuple[UUID, Occasion]]) -> None:
    """Write mails down. The customers are locked, so that the limit counts all."""
    if found:
        due = await store.insert(tx, await _timed(tx, found))
        await agenda.put(tx, COMPOSING, due)
        await agenda.put_for_span(tx, EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=KEPT_FOR)


# A mail may be a few seconds late, and a period's close need not wake anybody for each invoice.
SUBSCRIBER = Subscriber("customer mails", FACTS, note, is_woken=False)
REPLACING = Subscriber("mails instead of messages", (MessageFellBack,), replace_messages)


async def note_outcome(tx: Transaction, mail_id: MailId, outcome: Outcome) -> None:
    """Note how a mail ended, if it is a customer's; an address that is none gets no more."""
    is_sent = outcome is Outcome.SENT
    status = MailStatus.SENT if is_sent else MailStatus.NOT_SENT
    reason = "" if is_sent else NotSent(outcome.value).value
    recipient = await store.settle(tx, mail_id, status, reason)
    if recipient is not None and outcome is Outcome.ADDRESS_REFUSED:
        await store.suppress(tx, recipient, SuppressionReason.BOUNCED)


async def unsubscribe(tx: Transaction, subscription: Subscription) -> None:
    """Send no more notices to an address, whose owner asked for it."""
    await store.suppress(tx, subscription.address, SuppressionReason.UNSUBSCRIBED)


async def list_page(
    tx: Transaction, request: PageRequest, *, customer: str | None, status: MailStatus | None
) -> Page[CustomerMail]:
    """Mails to customers, newest first; none for an unknown customer."""
    customer_id = None
    if customer is not None:
        customer_id = (await customers.resolve(tx, [customer])).get(customer)
        if customer_id is None:
            return Page([], 0, request.offset)
    return await store.list_page(tx, request, customer_id=customer_id, status=status)


async def list_suppressions(tx: Transaction, request: PageRequest) -> Page[Suppression]:
    """Addresses that get no mails, newest first."""
    return await store.list_suppressions(tx, request)


async def lift_suppression(tx: Transaction, suppression_id: UUID) -> None:
    """Let an address get mails again.

    Raises:
        DomainError: not_found.
    """
    lifted = await store.delete_suppression(tx, suppression_id)
    if lifted is None:
        raise not_found("mail_suppression")
    tx.changed(lifted, None)


async def forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Delete mails of long ago."""
    await store.delete_before(tx, tx.real_now - KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)


async def _timed(tx: Transaction, found: Sequence[tuple[UUID, Occasion]]) -> list[store.NewMail]:
    """When each mail may be sent, the customers being locked."""
    customer_ids = sorted({occasion.customer_id for _, occasion in found})
    since = tx.real_now - rules.HOUR
    last = await store.load_last(tx, customer_ids, since=since, limit=rules.HOURLY_MAX)
    timed: list[store.NewMail] = []
    for fact_id, occasion in found:
        times = last[occasion.customer_id]
        at = rules.send_at(tx.real_now, times)
        if at is not None:
            times.append(at)
        timed.append(store.NewMail(fact_id, occasion, at))
    return timed
