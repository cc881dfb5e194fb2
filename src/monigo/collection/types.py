"""How far the collection of an invoice has come, and what is done next."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import InvoiceId


class WaitsFor(StrEnum):
    """What must change before an invoice can be charged at all."""

    NOTHING = ""
    # A connection that collects its currency, or that of its saved method, switched on.
    CONNECTION = "connection"
    # The customer's e-mail address.
    EMAIL = "email"
    # The organisation's suspension.
    ORGANIZATION = "organization"


class Progress(Struct, frozen=True):
    """How far the collection of an unpaid invoice has come.

    `failures` counts tries that failed and steps that passed without a try, days from
    `first_failed_at` on. With `is_link_only` its saved method is not charged again;
    `has_new_method`: another was saved that was not tried yet. `suspended_at` is since when its
    subscription is suspended for it. It is looked at again as soon as that changes which it
    `waits_for`. Instants are of the tenant's time.
    """

    invoice_id: InvoiceId
    failures: int = 0
    first_failed_at: datetime | None = None
    is_link_only: bool = False
    has_new_method: bool = False
    reminders: int = 0
    suspended_at: datetime | None = None
    waits_for: WaitsFor = WaitsFor.NOTHING


class Action(StrEnum):
    """What is done for an invoice now."""

    # Nothing is to be collected.
    DROP = "drop"
    # It is looked at again, or when something happens.
    WAIT = "wait"
    # The saved method is charged.
    PULL = "pull"
    # The customer is reminded of it.
    REMIND = "remind"
    # The subscription is suspended for it.
    SUSPEND = "suspend"
    # It is not tried any more: uncollectible, the subscription suspended.
    END = "end"


class Step(Struct, frozen=True):
    """What is done for an invoice now, how far it has come by then, and when it is looked at next.

    `next_at` None: not until something happens.
    """

    action: Action
    progress: Progress
    next_at: datetime | None = None
