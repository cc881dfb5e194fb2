"""What every notice has in common: whether there is anything to say, and how. Pure."""

import unicodedata

from monigo import invoicing
from monigo.invoicing import InvoiceStatus
from monigo.notifications.occasions.types import (
    Circumstances,
    Occasion,
    Undone,
)
from monigo.tenancy import MailType

# After these there is nothing to ask for.
_ASKS = frozenset({MailType.INVOICE_OVERDUE, MailType.PAYMENT_FAILED})
# Of a name in a sentence: a longer one is no name, and would bury what the mail is about.
_NAME_LENGTH_MAX = 100
# Beside what is no character (C…) all that turns the direction of what follows.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def undone(occasion: Occasion, known: Circumstances) -> Undone | None:
    """Why there is nothing to say any more of an occasion; None where there is."""
    status = None if known.document is None else known.document.status
    if status is InvoiceStatus.VOID:
        return Undone.WITHDRAWN
    if status is InvoiceStatus.PAID and occasion.type in _ASKS:
        return Undone.SETTLED
    return None


def number_of(occasion: Occasion, known: Circumstances) -> str:
    """The number of the invoice or bill; empty for an occasion that is about none."""
    document = known.document
    if occasion.number or document is None or document.number is None:
        return occasion.number
    return invoicing.invoice_number(document.number, document.plan_type)


def shown_name(name: str) -> str:
    """A name as it stands in a sentence: one line, without what can't be seen."""
    spaced = " ".join(name.split())
    seen = "".join(sign for sign in spaced if unicodedata.category(sign) not in _UNSEEN)
    return seen[:_NAME_LENGTH_MAX]
