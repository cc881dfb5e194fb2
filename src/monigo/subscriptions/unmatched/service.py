"""What payout rules came to that no bill has: for a person to look at."""

from monigo import metering
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.subscriptions.unmatched import store
from monigo.subscriptions.unmatched.types import Unmatched


async def list_unmatched(tx: Transaction, request: PageRequest) -> Page[Unmatched]:
    """Events of the last 90 days that pay nobody, by rule, reason and recipient.

    What is older is paid to nobody any more, also where the recipient subscribes.
    """
    return await store.list_page(tx, request, since=tx.now - metering.AGE_MAX)
