"""What WhatsApp reports by webhooks: statuses of messages, and what people write."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo import tenancy
from monigo.core.ids import OrganizationId, parse_id
from monigo.infra.crypto import Vault
from monigo.infra.db import Database, Tenant, Transaction
from monigo.notifications.whatsapp import connections_store, service, store
from monigo.notifications.whatsapp.connecting import Opened, opened
from monigo.notifications.whatsapp.rules import after_report, wish_in
from monigo.providers.whatsapp import Hook, Received, StatusReport, is_signed, read_hook


class Receiver(Struct, frozen=True):
    """A connection of one mode, to which webhooks may be addressed."""

    tenant: Tenant
    opened: Opened


async def receivers(database: Database, vault: Vault, org_id: OrganizationId) -> list[Receiver]:
    """An organisation's connections, of both modes; none for an unknown organisation."""
    found: list[Receiver] = []
    async with database.transaction(Tenant(org_id, is_test=False)) as tx:
        for is_test in (False, True):
            tenant = Tenant(org_id, is_test)
            async with tenancy.bound_to(tx, tenant) as own:
                known = await opened(own, vault)
            if known is not None:
                found.append(Receiver(tenant, known))
    return found


def knows(found: Sequence[Receiver], verify_token: str) -> bool:
    """Whether one of the connections has this token; compares in constant time."""
    given = verify_token.encode()
    same = [hmac.compare_digest(one.opened.secrets.verify_token.encode(), given) for one in found]
    return any(same)


def signed_for(found: Sequence[Receiver], headers: Mapping[str, str], raw: bytes) -> list[Receiver]:
    """The connections by whose app's secret a webhook is signed."""
    return [one for one in found if is_signed(one.opened.secrets.app_secret, headers, raw)]


async def receive(database: Database, senders: Sequence[Receiver], raw: bytes) -> None:
    """Note what a signed webhook reports of these connections' numbers, each in one transaction.

    What is of other numbers or of messages that are not known here is left out.
    """
    hooks = read_hook(raw)
    for one in senders:
        number = one.opened.connection.phone_number_id
        own = [hook for hook in hooks if hook.phone_number_id == number]
        async with database.transaction(one.tenant) as tx:
            await connections_store.note_webhook(tx, one.opened.connection.id)
            await _note(tx, own)


async def _note(tx: Transaction, hooks: Sequence[Hook]) -> None:
    await _note_statuses(tx, [report for hook in hooks for report in hook.statuses])
    await connections_store.note_wishes(
        tx, _wishes(tx, (text for hook in hooks for text in hook.received))
    )


async def _note_statuses(tx: Transaction, reports: Sequence[StatusReport]) -> None:
    if not reports:
        return
    ids = [known for report in reports if (known := parse_id(report.reference)) is not None]
    found = await store.lock_reported(tx, ids, [report.message_id for report in reports])
    by_id: dict[UUID | str, UUID] = {}
    for message in found:
        by_id |= {message.id: message.id, message.whatsapp_id or str(message.id): message.id}
    after = {UUID(message.id.hex): message for message in found}
    for report in reports:
        reference = parse_id(report.reference)
        known = by_id.get(reference or "") or by_id.get(report.message_id)
        if known is not None:
            after[known] = after_report(after[known], report, tx.real_now)
    changed = [after[message.id] for message in found if after[message.id] != message]
    await service.save(tx, changed)


def _wishes(tx: Transaction, received: Iterable[Received]) -> dict[str, tuple[bool, datetime]]:
    """What each phone's owner said last; at one instant the wish for none counts."""
    wishes: dict[str, tuple[bool, datetime]] = {}
    for one in received:
        is_out = wish_in(one.text)
        if is_out is None:
            continue
        at = min(one.at, tx.real_now)
        before = wishes.get(one.phone)
        if before is None or (at, is_out) > (before[1], before[0]):
            wishes[one.phone] = is_out, at
    return wishes
