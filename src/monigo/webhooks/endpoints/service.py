"""Use cases of endpoints: made, changed and deleted by merchants, disabled where they fail."""

import os
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from monigo import people, reports, tenancy
from monigo.core.access import Role
from monigo.core.errors import conflict, ensure, invalid, not_found
from monigo.core.ids import WebhookEndpointId
from monigo.core.paging import Page, PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.crypto import Vault
from monigo.infra.db import RowLock, Transaction
from monigo.infra.http_client import Outward
from monigo.infra.ids import new_id
from monigo.webhooks.endpoints import store
from monigo.webhooks.endpoints.cipher import EndpointCipher
from monigo.webhooks.endpoints.events import WebhookEndpointDisabled
from monigo.webhooks.endpoints.rules import (
    PREVIOUS_SECRET_VALID_FOR,
    SECRET_BYTES_MIN,
    after_outcome,
    events_fault,
    secret_fault,
    secret_of,
)
from monigo.webhooks.endpoints.types import DisabledReason, Endpoint, EndpointChanges, Issued

# A merchant has a few; each event is stored once for each that wants it.
ENDPOINTS_MAX = 100
# Who makes deliveries of facts, for tenants that have endpoints.
SUBSCRIBER_NAME = "webhooks"
# An owner is to hear by mail that an endpoint was disabled.
NOTICE = Kind("webhook_endpoint_notice", Follows.REAL)


async def create(
    tx: Transaction, vault: Vault, outward: Outward, wanted: EndpointChanges
) -> Issued:
    """Make an endpoint, with the secret that is given or a random one.

    Raises:
        DomainError: invalid (url, events, secret_key); conflict, where there are too many.
    """
    _check(outward, wanted)
    if await store.count(tx) >= ENDPOINTS_MAX:
        raise conflict("too_many_webhook_endpoints", f"there are {ENDPOINTS_MAX} endpoints already")
    endpoint_id = WebhookEndpointId(new_id())
    secret = wanted.secret or random_secret()
    is_enabled = wanted.is_enabled is not False
    endpoint = Endpoint(
        id=endpoint_id,
        url=wanted.url or "",
        events=wanted.events or ("*",),
        is_enabled=is_enabled,
        disabled_reason=DisabledReason.NONE if is_enabled else DisabledReason.BY_HAND,
        secret_ciphertext=EndpointCipher(vault, tx.tenant).encrypt(endpoint_id, secret),
        previous_ciphertext=None,
        previous_until=None,
        failing_since=None,
        created_at=tx.real_now,
        updated_at=tx.real_now,
    )
    await store.insert(tx, endpoint)
    await outbox.listen(tx, SUBSCRIBER_NAME)
    tx.changed(None, endpoint)
    return Issued(endpoint, secret)


async def get(tx: Transaction, endpoint_id: UUID, lock: RowLock = RowLock.NONE) -> Endpoint:
    """An endpoint. Raises not_found."""
    found = (await store.load(tx, [endpoint_id], lock)).get(endpoint_id)
    if found is None:
        raise not_found("webhook_endpoint")
    return found


async def get_enabled(tx: Transaction, endpoint_id: UUID) -> Endpoint:
    """An endpoint that gets events, and does so until the transaction ends.

    Raises:
        DomainError: not_found; conflict, where it is disabled.
    """
    endpoint = await get(tx, endpoint_id, RowLock.FREEZE)
    if not endpoint.is_enabled:
        raise conflict("webhook_endpoint_disabled", "the webhook endpoint is disabled")
    return endpoint


async def list_page(tx: Transaction, request: PageRequest) -> Page[Endpoint]:
    """Endpoints, newest first."""
    return await store.load_page(tx, request)


async def listening(tx: Transaction) -> list[Endpoint]:
    """The endpoints that get events."""
    return await store.load_enabled(tx)


async def load(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Endpoint]:
    """Those of the endpoints that are not deleted."""
    return await store.load(tx, ids)


async def change(
    tx: Transaction, vault: Vault, outward: Outward, endpoint_id: UUID, wanted: EndpointChanges
) -> Endpoint:
    """Change what is given. A new secret replaces the one before, which signs for 72 hours more.

    Raises:
        DomainError: not_found; invalid (url, events, secret_key).
    """
    _check(outward, wanted)
    before = await get(tx, endpoint_id, RowLock.CHANGE)
    after = replace(
        before,
        url=before.url if wanted.url is None else wanted.url,
        events=before.events if wanted.events is None else wanted.events,
        updated_at=tx.real_now,
    )
    if wanted.is_enabled is not None and wanted.is_enabled != before.is_enabled:
        # What failed before is no reason to disable it again. Until something succeeds it stays
        # among those that fail, so that no other lane sends what is under way.
        after = replace(
            after,
            is_enabled=wanted.is_enabled,
            disabled_reason=DisabledReason.NONE if wanted.is_enabled else DisabledReason.BY_HAND,
            failing_since=before.failing_since and tx.real_now,
        )
    if wanted.secret is not None:
        after = _with_secret(tx, vault, after, wanted.secret)
    await store.update(tx, [after])
    tx.changed(before, after)
    return after


async def rotate(tx: Transaction, vault: Vault, endpoint_id: UUID) -> Issued:
    """Give an endpoint another random secret; the one before signs for 72 hours more.

    Raises:
        DomainError: not_found.
    """
    before = await get(tx, endpoint_id, RowLock.CHANGE)
    secret = random_secret()
    after = replace(_with_secret(tx, vault, before, secret), updated_at=tx.real_now)
    await store.update(tx, [after])
    tx.changed(before, after)
    return Issued(after, secret)


async def delete(tx: Transaction, endpoint_id: UUID) -> None:
    """Delete an endpoint and its secrets; its log is kept for its time.

    Raises:
        DomainError: not_found.
    """
    before = await get(tx, endpoint_id, RowLock.CHANGE)
    await store.hide(tx, before.id)
    tx.changed(before, None)


async def note_outcomes(tx: Transaction, outcomes: Mapping[UUID, bool]) -> dict[UUID, Endpoint]:
    """Note of endpoints whether one of their attempts succeeded; as they are now.

    What failed for three days is disabled, and its owners get a mail.
    """
    known = await store.load(tx, outcomes)
    changing = [one.id for one in known.values() if _after(tx, one, outcomes) != one]
    if not changing:
        return known
    before = await store.load(tx, changing, RowLock.CHANGE)
    after = {one.id: _after(tx, one, outcomes) for one in before.values()}
    await store.update(tx, list(after.values()))
    disabled = [one for one in after.values() if one.is_enabled != before[one.id].is_enabled]
    if disabled:
        await outbox.emit(tx, [_disabled(one) for one in disabled])
        await agenda.put(tx, NOTICE, {one.id: tx.real_now for one in disabled})
    return {**known, **after}


def notice_task(desk: people.People) -> Task:
    """Due work that writes mails to an organisation's owners about disabled endpoints."""

    async def work(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
        found = await store.load(tx, [entry.subject for entry in entries])
        disabled = [one for one in found.values() if one.failing_since and not one.is_enabled]
        if not disabled:
            return ()
        organization = await tenancy.get_organization(tx)
        members = await people.organizations.list_members(tx)
        for owner in (one for one in members if one.role is Role.OWNER):
            for endpoint in disabled:
                await desk.write_mail(
                    tx,
                    "webhook_endpoint_disabled",
                    owner.email,
                    full_name=owner.full_name,
                    organization=organization.name,
                    url=endpoint.url,
                    mode="test" if tx.is_test else "live",
                    since=format_instant(endpoint.failing_since or tx.real_now),
                )
        return ()

    return Task(NOTICE, Slices(work), concurrency=1, every_seconds=5)


async def steps_taken(tx: Transaction, asked: reports.StepsTaken) -> Sequence[reports.Step]:
    """The first step of taking webhooks, where there is an endpoint."""
    del asked
    return [reports.Step.WEBHOOK] if await store.count(tx) else []


def _check(outward: Outward, wanted: EndpointChanges) -> None:
    faults: dict[str, str] = {}
    if wanted.url is not None:
        faults["url"] = outward.fault(wanted.url)
    if wanted.events is not None:
        faults["events"] = events_fault(wanted.events)
    if wanted.secret is not None:
        faults["secret_key"] = secret_fault(wanted.secret)
    named = {field: fault for field, fault in faults.items() if fault}
    if named:
        raise invalid(named)


def _after(tx: Transaction, endpoint: Endpoint, outcomes: Mapping[UUID, bool]) -> Endpoint:
    return after_outcome(endpoint, tx.real_now, is_success=outcomes[endpoint.id])


def _with_secret(tx: Transaction, vault: Vault, endpoint: Endpoint, secret: str) -> Endpoint:
    cipher = EndpointCipher(vault, tx.tenant)
    ensure(endpoint.secret_ciphertext is not None, "an endpoint that is not deleted has a secret")
    if cipher.decrypt(endpoint.id, endpoint.secret_ciphertext or b"") == secret:
        return endpoint
    return replace(
        endpoint,
        secret_ciphertext=cipher.encrypt(endpoint.id, secret),
        previous_ciphertext=endpoint.secret_ciphertext,
        previous_until=tx.real_now + PREVIOUS_SECRET_VALID_FOR,
    )


def random_secret() -> str:
    """A new secret, as it is shown."""
    return secret_of(os.urandom(SECRET_BYTES_MIN))


def _disabled(endpoint: Endpoint) -> WebhookEndpointDisabled:
    since = endpoint.failing_since
    if since is None:
        raise AssertionError("what is disabled for failing has failed")
    return WebhookEndpointDisabled(endpoint_id=endpoint.id, failing_since=since)
