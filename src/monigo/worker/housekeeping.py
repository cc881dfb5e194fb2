"""Keeps tables from growing with what nobody may ask for any more."""

from monigo import metering, subscriptions
from monigo.bootstrap import Services
from monigo.infra import idempotency_store, job_queue_store, outbox
from monigo.infra.database import Tenant
from monigo.worker.tenants import all_tenants, serve_each


async def forget_idempotency_records(services: Services) -> None:
    """Delete the answers that a repeated request no longer gets, tenant by tenant."""

    async def forget(tenant: Tenant) -> None:
        async with services.database.transaction(tenant) as tx:
            await idempotency_store.forget(tx, before=tx.real_now - idempotency_store.KEPT_FOR)

    await serve_each(await all_tenants(services), forget)


async def forget_outbox_events(services: Services) -> None:
    """Delete what happened longer ago than anybody asks for."""

    async def forget(tenant: Tenant) -> None:
        async with services.database.transaction(tenant) as tx:
            await outbox.forget(tx)

    await serve_each(await all_tenants(services), forget)


async def forget_event_properties(services: Services) -> None:
    """Empty the properties of events that are older than their organisation keeps them."""

    async def forget(tenant: Tenant) -> None:
        await metering.forget_properties(services.database, tenant, subscriptions.open_from)

    await serve_each(await all_tenants(services), forget)


async def forget_queue_log(services: Services) -> None:
    """Delete what the job queue wrote about jobs that ended long ago."""
    async with services.database.lookups() as connection:
        await job_queue_store.forget_log(connection)
