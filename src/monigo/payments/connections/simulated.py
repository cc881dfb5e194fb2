"""New organisations are connected to the simulated providers, where these run, in test mode."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from monigo import tenancy
from monigo.core.ids import OrganizationId
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant, Transaction
from monigo.infra.registry import Reaction
from monigo.payments.connections import service
from monigo.payments.connections.rules import currencies_of
from monigo.payments.connections.types import (
    Accepted,
    ConnectionChanges,
    ModeChanges,
    Purpose,
)
from monigo.providers.port import ProviderName
from monigo.providers.registry import PROVIDERS

PURPOSE = "simulated account"
# As long as a UUID's digits, which stand before it.
TAIL_LENGTH = 32
CONTRACT_CODE, WALLET = "4934121686", "3934178936"


def connect_new_organizations(vault: Vault) -> Reaction:
    """What connects organisations as they are made."""

    async def connect(tx: Transaction, facts: Sequence[Any]) -> None:
        for _ in facts:
            async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test=True)) as own:
                for provider in PROVIDERS:
                    await _connect(own, vault, provider.name)

    return connect


async def _connect(tx: Transaction, vault: Vault, provider: ProviderName) -> None:
    """Connect the transaction's organisation to one provider; the simulator knows every key."""
    new = await service.new_connection(tx, provider, is_test_mode=True)
    known = new.supported_currencies or currencies_of(provider, Purpose.COLLECT)
    new = replace(new, label=f"{new.label} (simulated)", supported_currencies=known)
    changes = _keys(vault, tx.org_id, provider)
    changed = service.merged(vault, tx.tenant, new, changes, tx.real_now)
    accepted = {True: Accepted()}
    await service.save(tx, vault, changed, before=None, changes=changes, accepted=accepted)


def _keys(vault: Vault, org_id: OrganizationId, provider: ProviderName) -> ConnectionChanges:
    """Keys that say whose they are, so that the simulator knows where webhooks go."""
    tail = vault.keyed_hash(PURPOSE, provider, context=org_id.bytes).hex()[:TAIL_LENGTH]
    own = org_id.hex
    match provider:
        case ProviderName.PAYSTACK:
            test = ModeChanges(secret_key=f"sk_test_{own}{tail}", public_key=f"pk_test_{own}")
        case ProviderName.FLUTTERWAVE:
            test = ModeChanges(
                secret_key=f"FLWSECK_TEST-{own}{tail}-X",
                public_key=f"FLWPUBK_TEST-{own}-X",
                webhook_secret=tail,
            )
        case ProviderName.MONNIFY:
            test = ModeChanges(
                secret_key=f"{own}{tail}",
                public_key=f"MK_TEST_{own}",
                contract_code=CONTRACT_CODE,
                source_account_number=WALLET,
            )
    return ConnectionChanges(test=test)
