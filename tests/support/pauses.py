"""Pauses that no request makes."""

from uuid import UUID

from msgspec.structs import replace

from monigo import subscriptions
from monigo.subscriptions import PauseReason, Status, stretches, timeline
from monigo.subscriptions.pauses import store as pause_store
from monigo.subscriptions.timeline import TimelineEvent


def pause_for_balance(api, backend, subscription):
    """As where a wallet had too little."""

    async def run():
        async with backend.services.database.transaction(api.tenant) as tx:
            known = await subscriptions.get(tx, UUID(subscription["id"]), for_update=True)
            await subscriptions.pause_for_balance(tx, known, is_realtime=False)

    backend.run(run())


def pause_for_dunning(api, backend, subscription):
    """As where an invoice stayed unpaid."""

    async def run():
        async with backend.services.database.transaction(api.tenant) as tx:
            known = await subscriptions.get(tx, UUID(subscription["id"]), for_update=True)
            reason = PauseReason.DUNNING
            await pause_store.open_pause(tx, known.id, reason, tx.now)
            await stretches.release(tx, known, tx.now)
            await timeline.append(tx, known.id, TimelineEvent.PAUSED, reason)
            await subscriptions.save(
                tx, replace(known, status=Status.SUSPENDED, pause_reason=reason)
            )

    backend.run(run())
