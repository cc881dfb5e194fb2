"""Lines and the invoice that they are of: written lines first, final at once, and never after."""

from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from monigo import invoicing
from monigo.invoicing import InvoiceStatus
from monigo.invoicing.documents import rated_store
from monigo.invoicing.types import Settlement
from support.api import event


@pytest.fixture
def subscription(api):
    *_, made = api.subscribed_customer(unit_price="40")
    api.ingest(event("1"))
    return made


def final_as(rated, number=1):
    """What a payment of nothing makes of an invoice."""
    return Settlement(rated.id, number, InvoiceStatus.FINALIZED, None, Decimal(0), (), None)


def write(api, subscription, *steps):
    """Write what the running period comes to, in these steps and one transaction; its id."""

    async def once():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            rated = await invoicing.preview(tx, UUID(subscription["id"]))
            for step in steps:
                await step(tx, rated)
            return rated.id

    return api.backend.run(once())


async def lines(tx, rated):
    await rated_store.write_lines(tx, [rated])


async def final(tx, rated):
    await rated_store.write_final(tx, [rated], [final_as(rated)])


def test_lines_come_before_their_invoice_and_never_after(api, backend, subscription):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        write(api, subscription, final, lines)

    assert refused.value.constraint_name == "invoice_line_items_final_immutable"
    made = write(api, subscription, lines, final)
    (row,) = backend.sql(
        "SELECT status, amount_paid, finalized_at IS NOT NULL AS is_final FROM invoices"
        " WHERE id = $1",
        made,
    )
    assert tuple(row) == ("finalized", 0, True)
    assert backend.sql("SELECT amount FROM invoice_line_items WHERE invoice_id = $1", made)


def test_lines_without_their_invoice_are_never_committed(api, backend, subscription):
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        write(api, subscription, lines)

    assert refused.value.constraint_name == "invoice_line_items_invoice_fkey"
    mine = "SELECT 1 FROM invoice_line_items WHERE subscription_id = $1"
    assert not backend.sql(mine, subscription["id"])


def test_a_final_invoice_is_written_once(api, subscription):
    async def again(tx, rated):
        await rated_store.write_final(tx, [rated], [final_as(rated, number=2)])

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        write(api, subscription, lines, final, again)

    assert refused.value.constraint_name == "invoices_final_immutable"
