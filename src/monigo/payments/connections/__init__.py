"""Connections: merchants' accounts at payment providers, and the one desk that asks these."""

from monigo.payments.connections import events
from monigo.payments.connections.desk import ProviderDesk
from monigo.payments.connections.rules import currencies_of
from monigo.payments.connections.saving import plan_creation, plan_update, record, try_keys
from monigo.payments.connections.service import (
    FORGET_CALLS,
    delete,
    find,
    get,
    list_calls,
    list_page,
    note_webhook,
    of_provider,
    pick,
    toggle,
)
from monigo.payments.connections.simulated import connect_new_organizations
from monigo.payments.connections.types import (
    Accepted,
    Connection,
    ConnectionChanges,
    ConnectionDeletion,
    Credentials,
    FeeBearer,
    Health,
    HealthState,
    ModeChanges,
    ProviderCall,
    Purpose,
    Saving,
    WebhookSecrets,
)

__all__ = [
    "FORGET_CALLS",
    "Accepted",
    "Connection",
    "ConnectionChanges",
    "ConnectionDeletion",
    "Credentials",
    "FeeBearer",
    "Health",
    "HealthState",
    "ModeChanges",
    "ProviderCall",
    "ProviderDesk",
    "Purpose",
    "Saving",
    "WebhookSecrets",
    "connect_new_organizations",
    "currencies_of",
    "delete",
    "events",
    "find",
    "get",
    "list_calls",
    "list_page",
    "note_webhook",
    "of_provider",
    "pick",
    "plan_creation",
    "plan_update",
    "record",
    "toggle",
    "try_keys",
]
