"""Long lists: exact, and made a few rows at a time, so that ingestion goes on beside them."""

import asyncio
import json

import pytest

from monigo.api.kernel.wire import listing
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import encode
from monigo.api.merchant.customers.schemas import CustomerList, CustomerOut
from monigo.core.paging import Page
from monigo.infra.db import Database, database
from support.api import event

ROWS = 1_000


async def with_turns(work):
    """What some work comes to, and how often others had their turn meanwhile."""
    turns = 0

    async def take_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    await asyncio.sleep(0)
    before = turns
    try:
        return await work, turns - before
    finally:
        other.cancel()


def customer(number):
    return CustomerOut(
        id=f"0197b3c0-0000-7000-8000-{number:012d}",
        org_id="0197b3c0-0000-7000-8000-000000000000",
        external_id=f"c-{number}",
        name='"ä🦄"\n',
        email="",
        phone="",
        locale="",
        metadata={"n": number},
        created_at="2027-01-01T00:00:00Z",
        updated_at="2027-01-01T00:00:00Z",
    )


def sent_by(response):
    """The messages of a response, and how often others had their turn while it was sent."""
    messages = []

    async def send(message):
        messages.append(message)

    _, turns = asyncio.run(with_turns(response({}, None, send)))
    return messages, turns


@pytest.mark.parametrize("count", [0, 1, listing.ROWS_AT_ONCE, listing.ROWS_AT_ONCE + 1, ROWS])
def test_a_list_is_the_text_that_its_envelope_says(count):
    items = [customer(number) for number in range(count)]
    page = Page(items, total=count + 5, offset=0)

    messages, _ = sent_by(ListResponse("customers", page, lambda item: item))

    body = b"".join(message["body"] for message in messages[1:])
    envelope = CustomerList(customers=items, count=count, total=count + 5, has_more=True)
    assert json.loads(body) == json.loads(encode(envelope))
    assert (b"content-length", str(len(body)).encode()) in messages[0]["headers"]
    assert [message.get("more_body", False) for message in messages[1:]][-2:] == [True, False]


def test_encoding_hands_the_loop_back_every_few_rows():
    page = Page([customer(number) for number in range(ROWS)], ROWS, 0)

    _, turns = sent_by(ListResponse("customers", page, lambda item: item))

    assert listing.ROWS_AT_ONCE <= 20
    assert turns >= ROWS // listing.ROWS_AT_ONCE - 1


def test_reading_hands_the_loop_back_every_few_rows(backend, api):
    async def read():
        async with Database.transaction(backend.services.database, api.tenant) as tx:
            query = "SELECT n FROM generate_series(1, 1000) AS n WHERE $1::uuid = $1 AND $2 = true"
            pieces = tx.pieces(query)
            return [[row["n"] for row in rows] async for rows in pieces]

    pieces, turns = backend.run(with_turns(read()))

    assert [number for rows in pieces for number in rows] == list(range(1, ROWS + 1))
    assert max(map(len, pieces)) == database.ROWS_AT_ONCE <= 50
    assert turns >= len(pieces)


@pytest.mark.parametrize("rows", [0, 1, 49, 50, 51, 100])
def test_pieces_end_with_the_last_row(backend, api, rows):
    async def read():
        async with Database.transaction(backend.services.database, api.tenant) as tx:
            query = (
                "SELECT n FROM generate_series(1, $3::integer) AS n"
                " WHERE $1::uuid = $1 AND $2 = true"
            )
            return [row["n"] async for piece in tx.pieces(query, rows) for row in piece]

    assert backend.run(read()) == list(range(1, rows + 1))


def test_invoices_in_a_list_are_those_that_are_read_one_by_one(api):
    *_, subscription = api.subscribed_customer()
    for number in range(3):
        api.ingest(event(str(number)))
        api.finalize(api.draft(subscription["id"])["id"])

    listed = api.get("/v1/invoices").json()

    ids = [one["id"] for one in listed["invoices"]]
    read = [api.get(f"/v1/invoices/{invoice_id}").json()["invoice"] for invoice_id in ids]
    assert listed["invoices"] == read
    assert [one["number"] for one in read] == ["INV-000003", "INV-000002", "INV-000001"]
    assert (listed["count"], listed["total"], listed["has_more"]) == (3, 3, False)


def test_a_list_longer_than_a_piece_comes_in_order_and_once(api):
    for number in range(120):
        api.customer(f"c-{number}")

    everybody = api.get("/v1/customers").json()
    part = api.get("/v1/customers", params={"limit": 60, "offset": 30}).json()

    names = [one["external_id"] for one in everybody["customers"]]
    assert names == [f"c-{number}" for number in range(119, -1, -1)]
    assert part["customers"] == everybody["customers"][30:90]
    assert (part["count"], part["total"], part["has_more"]) == (60, 120, True)
