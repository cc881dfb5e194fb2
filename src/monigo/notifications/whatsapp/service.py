"""Use cases of WhatsApp notices: which go by it, what goes by mail instead, and the log."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from monigo import customers, tenancy
from monigo.core.errors import invalid, not_found
from monigo.core.ids import CustomerId, WhatsAppMessageId
from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.notifications.occasions import Occasion
from monigo.notifications.whatsapp import connections_store, rules, store
from monigo.notifications.whatsapp.events import MessageFellBack
from monigo.notifications.whatsapp.types import (
    TEST,
    Connection,
    Message,
    MessageStatus,
    Notice,
    NoticeChanges,
    Settings,
)
from monigo.tenancy import MailType

# A message that is to be sent, and one of which nothing was heard yet.
SEND = Kind("whatsapp_message", Follows.REAL)
CONFIRM = Kind("whatsapp_confirmation", Follows.REAL)
EXPIRY = Kind("whatsapp_message_expiry", Follows.REAL)
# Long enough to answer who says that nothing came.
KEPT_FOR = timedelta(days=180)
EXPIRY_SPAN = timedelta(days=30)
# More than a customer has notices on the worst of days; what is beyond it goes by mail, which has
# a limit of its own.
HOURLY_MAX = 10
HOUR = timedelta(hours=1)
# What a request sends itself is left to it for so long; then due work looks after it.
LEFT_TO_REQUEST = timedelta(minutes=2)

_read_notices = msgspec.json.Decoder(dict[str, Notice]).decode


async def get_connection(tx: Transaction) -> Connection | None:
    """The number that the mode's messages come from; None where none is connected."""
    return await connections_store.load(tx)


async def get_settings(tx: Transaction, lock: RowLock = RowLock.NONE) -> Settings:
    """Which notices go by WhatsApp."""
    usual = rules.usual_settings()
    stored = await connections_store.load_notices(tx, lock)
    if stored is None:
        return usual
    written = _read_notices(stored).items()
    known = {MailType(name): notice for name, notice in written if name in rules.TYPES}
    return Settings({**usual.notices, **known})


async def update_settings(tx: Transaction, changes: Mapping[str, NoticeChanges]) -> Settings:
    """Change which notices go by WhatsApp; those that are not named stay as they are.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    before = await get_settings(tx, RowLock.CHANGE)
    after = rules.settings_after(before, changes)
    await connections_store.update_notices(tx, msgspec.json.encode(after.notices).decode())
    tx.changed(before, after)
    return after


async def wanted(tx: Transaction) -> frozenset[MailType]:
    """The types of notices that go by WhatsApp, or by mail where that reaches nobody."""
    if await connections_store.load(tx) is None:
        return frozenset()
    settings = await get_settings(tx)
    return frozenset(one for one, notice in settings.notices.items() if notice.enabled)


async def take(
    tx: Transaction, found: Sequence[tuple[UUID, Occasion]], types: frozenset[MailType]
) -> set[UUID]:
    """Have the notices of these types sent whose customers WhatsApp reaches; by their facts' ids.

    The caller has the customers' locks, so that the limit counts all. A fact that comes again makes
    no other message.
    """
    offered = [one for one in found if one[1].type in types]
    if not offered:
        return set()
    customer_ids = sorted({occasion.customer_id for _, occasion in offered})
    reached = await _reached(tx, customer_ids)
    written = await store.count_since(tx, customer_ids, tx.real_now - HOUR)
    messages: list[Message] = []
    for fact_id, occasion in offered:
        count = written.get(occasion.customer_id, 0)
        if occasion.customer_id in reached and count < HOURLY_MAX:
            written[occasion.customer_id] = count + 1
            messages.append(_new(tx, occasion.customer_id, occasion.type.value, fact_id, occasion))
    if messages:
        stored = await store.insert(tx, messages)
        await agenda.put(tx, SEND, {WhatsAppMessageId(one): tx.real_now for one in stored})
        await _expire(tx)
    return {one.fact_id for one in messages if one.fact_id is not None}


def _new(
    tx: Transaction,
    customer_id: CustomerId,
    kind: str,
    fact_id: UUID | None,
    occasion: Occasion | None,
) -> Message:
    return Message(
        id=WhatsAppMessageId(new_id()),
        fact_id=fact_id,
        customer_id=customer_id,
        type=kind,
        occasion=occasion,
        status=MessageStatus.WAITING,
        created_at=tx.real_now,
    )


async def _expire(tx: Transaction) -> None:
    await agenda.put_for_span(tx, EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=KEPT_FOR)


async def _reached(tx: Transaction, customer_ids: Sequence[CustomerId]) -> set[CustomerId]:
    """The customers with a phone whose owner wants messages."""
    country = (await tenancy.get_organization(tx)).country
    living = await customers.living(tx, customer_ids)
    phones = {
        customer_id: rules.phone_of(customer.details.phone, country)
        for customer_id, customer in living.items()
    }
    out = await connections_store.opted_out(tx, [phone for phone in phones.values() if phone])
    return {one for one, phone in phones.items() if phone and phone not in out}


async def write_test(tx: Transaction, reference: str) -> WhatsAppMessageId:
    """Write down a message by which somebody sees whether messages arrive at a customer.

    Raises:
        DomainError: not_found, for an unknown customer, or where no number is connected; invalid,
            for a customer whom it can't be sent to.
    """
    if await connections_store.load(tx) is None:
        raise not_found("whatsapp_connection")
    customer = await customers.get(tx, reference)
    country = (await tenancy.get_organization(tx)).country
    phone = rules.phone_of(customer.details.phone, country)
    if not phone:
        raise invalid({"customer_id": "has no phone number that WhatsApp could reach"})
    if await connections_store.opted_out(tx, [phone]):
        raise invalid({"customer_id": "has written STOP, and gets no messages"})
    message = _new(tx, customer.id, TEST, None, None)
    await store.insert(tx, [message])
    # The request sends it; if its process dies, this notices what became of it.
    await agenda.put(tx, SEND, {message.id: tx.real_now + LEFT_TO_REQUEST})
    await _expire(tx)
    tx.changed(None, message)
    return message.id


async def get_message(tx: Transaction, message_id: UUID) -> Message:
    """A message.

    Raises:
        DomainError: not_found.
    """
    message = await store.load(tx, message_id)
    if message is None:
        raise not_found("whatsapp_message")
    return message


async def list_messages(tx: Transaction, request: PageRequest) -> Page[Message]:
    """Messages, newest first."""
    return await store.list_page(tx, request)


async def save(tx: Transaction, messages: Sequence[Message]) -> None:
    """Store locked messages, and have those that failed replaced by mails, each once."""
    settled = [
        replace(one, fell_back_at=tx.real_now)
        if one.status is MessageStatus.FAILED and rules.falls_back(one)
        else one
        for one in messages
    ]
    await store.update(tx, settled)
    await _report(tx, [one for one, before in zip(settled, messages, strict=True) if one != before])


async def give_up_waiting(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Due work: replace by mails what nobody has confirmed for too long."""
    found = await store.load_many(tx, [entry.subject for entry in entries], RowLock.CHANGE)
    replaced = [replace(one, fell_back_at=tx.real_now) for one in found if rules.falls_back(one)]
    await store.update(tx, replaced)
    await _report(tx, replaced)
    return ()


async def _report(tx: Transaction, replaced: Sequence[Message]) -> None:
    facts = [
        MessageFellBack(
            message_id=one.id,
            customer_id=one.customer_id,
            fact_id=one.fact_id,
            occasion=one.occasion,
        )
        for one in replaced
        if one.fact_id is not None and one.occasion is not None
    ]
    await outbox.emit(tx, facts)


async def forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Due work: delete messages of long ago."""
    await store.delete_before(tx, tx.real_now - KEPT_FOR)
    return ()


CONFIRMATIONS = Task(CONFIRM, Slices(give_up_waiting))
FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)
