"""What providers say, put together: who takes their words in, and who asks whether they are so."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from monigo.core.ids import ConnectionId
from monigo.infra.agenda import Task
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.http_client import Outward
from monigo.infra.settings import Settings
from monigo.payments import accounts, charges, events, reconciliation, refunds, transfers
from monigo.payments.charges import Applied
from monigo.payments.connections import ProviderDesk
from monigo.payments.events import Apply, ApplyCharges, EventWork, Forwarding, Inbox
from monigo.payments.reconciliation import Reconciliation
from monigo.providers.port import Fact, Kind

# The due work that needs neither keys nor the network.
EVENT_TASKS = (
    events.WAKE_PARKED,
    events.FORGET,
    events.FORGET_FOREIGN,
    reconciliation.LOOK_DAILY,
)


class ProviderEvents(Struct, frozen=True):
    """What takes in and works off what providers say, in webhooks and in lists."""

    inbox: Inbox
    work: EventWork
    forwarding: Forwarding
    reconciliation: Reconciliation

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The due work that needs keys, or the network."""
        return (*self.work.tasks, self.forwarding.task, self.reconciliation.task)

    async def close(self) -> None:
        """Close what is open."""
        await self.forwarding.close()


def provider_events_of(settings: Settings, vault: Vault, desk: ProviderDesk) -> ProviderEvents:
    """What takes in and works off what providers say, under the settings."""
    inbox = Inbox(vault, reconciliation.schedule)
    apply = _apply(vault)
    return ProviderEvents(
        inbox,
        EventWork(inbox, desk, apply, _apply_charges(vault)),
        Forwarding(inbox, Outward(settings.forward_networks)),
        Reconciliation(desk, apply),
    )


def _apply_charges(vault: Vault) -> ApplyCharges:
    async def apply(
        tx: Transaction, facts: Sequence[tuple[ConnectionId, Fact]]
    ) -> Sequence[Applied]:
        return await charges.apply_facts(tx, vault, facts)

    return apply


def _apply(vault: Vault) -> Mapping[Kind, Apply]:
    """Who takes what into our rows, by what it is about."""

    async def came_in(tx: Transaction, connection_id: ConnectionId, fact: Fact) -> Applied:
        return await accounts.apply_fact(tx, vault, connection_id, fact)

    return {
        **dict.fromkeys((Kind.CHARGE, Kind.DEPOSIT, Kind.VIRTUAL_ACCOUNT), came_in),
        Kind.REFUND: refunds.apply_fact,
        Kind.DISPUTE: refunds.apply_fact,
        Kind.TRANSFER: transfers.apply_fact,
    }
