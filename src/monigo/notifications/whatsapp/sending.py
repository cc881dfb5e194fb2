"""Sends messages, outside of any transaction: each once, unless it is certain that none left.

A message is noted as being sent before it is. One that is found so later, because a process
died or no answer came, is not sent again: WhatsApp would not recognise the repeat. What became of
it a webhook reports, or else its mail goes out.
"""

import asyncio
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import ensure
from monigo.infra import agenda
from monigo.infra.agenda import PUT_OFF, Claim, Steps, Task, Turns
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import Database, RowLock, Tenant, Transaction
from monigo.notifications.occasions import circumstances
from monigo.notifications.whatsapp import connections_store, rules, service, store
from monigo.notifications.whatsapp.connecting import Opened, opened
from monigo.notifications.whatsapp.types import Address, Fault, Message, MessageStatus
from monigo.notifications.whatsapp.wording import (
    address_of,
    held_back,
    test_address,
    unreachable,
)
from monigo.providers.whatsapp import (
    Accepted,
    Advice,
    NoAnswer,
    Outcome,
    Refused,
    TemplateMessage,
    WhatsAppClient,
)

# Under way at once of one tenant: some twenty a second, of the eighty that a number may send. Each
# tenant has as many, so that one whose messages hang leaves the others theirs.
OF_TENANT = 4
AT_ONCE = 16


class Messenger:
    """Sends messages with the keys of connections."""

    def __init__(self, client: WhatsAppClient, vault: Vault) -> None:
        self.client = client
        self.vault = vault
        self._turns = Turns(OF_TENANT)
        self.task = Task(service.SEND, Steps(self._work), concurrency=AT_ONCE)

    async def send(
        self, database: Database, tenant: Tenant, message_id: UUID
    ) -> tuple[Message | None, datetime | None]:
        """Send a message that waits; as it stands then, and when it is to be looked at again.

        One that somebody else is sending is left to them. None for one that is gone.
        """
        async with database.transaction(tenant) as tx:
            message, begun = await self._begin(tx, message_id)
        if message is None or begun is None:
            return message, _again_at(message)
        outcome = await self.client.send(
            begun.keys, begun.connection.phone_number_id, _sent(message), is_test=tenant.is_test
        )
        async with database.transaction(tenant) as tx:
            return await _record(tx, begun, message.id, outcome)

    async def _work(self, database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop  # A request is over soon.
        again_at: datetime | None = None
        async with self._turns.at(claim.tenant) as is_free:
            if is_free:
                _, again_at = await self.send(database, claim.tenant, claim.subject)
        async with database.transaction(claim.tenant) as tx:
            later = again_at if is_free else tx.real_now + PUT_OFF
            await claim.finish(tx, again_at=later)

    async def _begin(
        self, tx: Transaction, message_id: UUID
    ) -> tuple[Message | None, Opened | None]:
        """Note that a message is sent now, and with which keys; no keys where it is not."""
        message = await store.load(tx, message_id, RowLock.CHANGE)
        if message is None:
            return None, None
        if message.status is MessageStatus.SENDING:
            return await _abandoned(tx, message), None
        if message.status is not MessageStatus.WAITING:
            return message, None
        found = await self._address(tx, message)
        if isinstance(found, str):
            given_up = rules.failed(message, found, tx.real_now)
            await service.save(tx, [given_up])
            return given_up, None
        address, keys = found
        sending = replace(
            message,
            status=MessageStatus.SENDING,
            phone=address.phone,
            template=address.template,
            language=address.language,
            parameters=address.parameters,
            attempts=message.attempts + 1,
            sending_at=tx.real_now,
        )
        await store.address(tx, sending)
        return sending, keys

    async def _address(self, tx: Transaction, message: Message) -> tuple[Address, Opened] | str:
        """Where a message goes, as things stand now; or why it does not go."""
        (known,) = await circumstances(tx, [(message.customer_id, message.occasion)])
        keys = await self._opened(tx)
        address, fault = test_address(known), ""
        if message.occasion is not None:
            notice = (await service.get_settings(tx)).notices[message.occasion.type]
            address = address_of(message.occasion, known, notice)
            fault = held_back(message.occasion, known, notice)
        is_out = bool(await connections_store.opted_out(tx, [address.phone]))
        fault = fault or unreachable(message, known, address, tx.real_now, is_out=is_out)
        if keys is None:
            return Fault.NOT_CONNECTED
        return fault or (address, keys)

    async def _opened(self, tx: Transaction) -> Opened | None:
        """The connection and its keys; None where there is none, or they can't be read."""
        try:
            return await opened(tx, self.vault)
        except UnreadableSecretError:
            return None


async def _abandoned(tx: Transaction, message: Message) -> Message:
    """A message that is noted as being sent: by somebody now, or by a process that died."""
    ensure(message.sending_at is not None, "what is being sent began some time")
    if message.sending_at is None or tx.real_now - message.sending_at < rules.ANSWERED_WITHIN:
        return message
    lost, _ = rules.after_outcome(message, NoAnswer("the process ended"), tx.real_now)
    await service.save(tx, [lost])
    await _look_later(tx, lost)
    return lost


def _again_at(message: Message | None) -> datetime | None:
    """When to look whether the process that is sending a message has died."""
    if message is None or message.status is not MessageStatus.SENDING or not message.sending_at:
        return None
    return message.sending_at + rules.ANSWERED_WITHIN


def _sent(message: Message) -> TemplateMessage:
    return TemplateMessage(
        to=message.phone,
        template=message.template,
        language=message.language,
        parameters=message.parameters,
        reference=str(message.id),
    )


async def _record(
    tx: Transaction, begun: Opened, message_id: UUID, outcome: Outcome
) -> tuple[Message | None, datetime | None]:
    present = await store.load(tx, message_id, RowLock.CHANGE)
    if present is None:  # The mode's data was cleared meanwhile.
        return None, None
    message, again_at = rules.after_outcome(present, outcome, tx.real_now)
    await service.save(tx, [message])
    await _look_later(tx, message)
    if isinstance(outcome, Accepted):
        await connections_store.note_success(tx, begun.connection.id)
    elif isinstance(outcome, Refused) and outcome.advice is Advice.MEND:
        await connections_store.note_fault(tx, begun.connection.id, outcome.reason)
    return message, again_at


async def _look_later(tx: Transaction, message: Message) -> None:
    at = rules.look_at(message)
    if at is not None:
        await agenda.put(tx, service.CONFIRM, {message.id: at})
