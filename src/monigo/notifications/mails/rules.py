"""When a mail may be sent, to whom, and why not. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from monigo.core.access import email_fault, spelled
from monigo.notifications.mails.types import (
    BILLS,
    NotSent,
    SuppressionReason,
)
from monigo.notifications.occasions import Circumstances, Occasion, undone

# More than a customer who is billed daily and pays by card has on the worst of days; less than
# makes a mailbox's owner or its provider call it a flood.
HOURLY_MAX = 20
HOUR = timedelta(hours=1)
# What would have to wait longer than that is old news.
WAITED_MAX = timedelta(days=1)


def send_at(now: datetime, last: Sequence[datetime]) -> datetime | None:
    """When the next mail to a customer may be sent; None where that would be too late.

    `last` are the times of the customer's last mails, sent or to be sent, ascending: the last
    `HOURLY_MAX` of them count. Mails stay in their order.
    """
    at = max([now, *last[-1:]])
    if len(last) >= HOURLY_MAX:
        at = max(at, last[-HOURLY_MAX] + HOUR)
    return at if at - now <= WAITED_MAX else None


def address_of(known: Circumstances, *, reaches_people: bool) -> str:
    """The address that a mail goes to; empty where there is none.

    In test mode it is the one that the organisation names for that, never a customer's; only where
    mails become files on this machine are they made out to customers.
    """
    customer = "" if known.customer is None else spelled(known.customer.email)
    if not known.is_test:
        return customer
    return known.organization.mails.mail_test_recipient or ("" if reaches_people else customer)


def held_back(
    occasion: Occasion,
    known: Circumstances,
    address: str,
    suppressed: Collection[SuppressionReason],
) -> NotSent | None:
    """Why a mail to an address is not made, by what is known when it is to be; None where it is."""
    undone_by = undone(occasion, known)
    why = None if undone_by is None else NotSent(undone_by.value)
    email = "" if known.customer is None else known.customer.email
    is_notice = occasion.type not in BILLS
    # In this order; the first that holds is the reason.
    reasons = (
        (known.customer is None, NotSent.CUSTOMER_DELETED),
        (why is not None, why),
        (not email.strip(), NotSent.NO_ADDRESS),
        (not address, NotSent.TEST_MODE),
        (email_fault(address) is not None, NotSent.BAD_ADDRESS),
        (SuppressionReason.BOUNCED in suppressed, NotSent.BOUNCED),
        (is_notice and SuppressionReason.UNSUBSCRIBED in suppressed, NotSent.UNSUBSCRIBED),
    )
    return next((reason for holds, reason in reasons if holds), None)
