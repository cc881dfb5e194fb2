"""The event explorer and its export: every event once, in order, whatever is ingested meanwhile."""

import asyncio
import csv
import io
from datetime import timedelta

import pytest

from monigo import metering
from monigo.infra import json
from monigo.metering import EventFilter
from monigo.metering.explorer import service as explorer
from monigo.metering.explorer import store as explorer_store
from support.api import Api, event
from support.clock import STARTS_AT

CUSTOMERS, NAMES = ("c1", "c2"), ("call", "sms")


def ago(hours):
    return (STARTS_AT - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def listed(api, **query):
    response = api.get("/v1/events", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def keys(body):
    return [item["idempotency_key"] for item in body["events"]]


def walked(api, **query):
    """All keys of a list, by following its cursors."""
    found, cursor = [], ""
    while True:
        body = listed(api, cursor=cursor, **query)
        found += keys(body)
        cursor = body["next_cursor"]
        if not cursor:
            return found


def exported(api, face="/v1", **query):
    response = api.get(f"{face}/events/export", params=query)
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


@pytest.fixture(scope="module")
def sent():
    """Forty events in eight batches; their times go back and forth, and some are equal."""
    return [
        [
            event(
                f"{batch}-{at}",
                CUSTOMERS[(batch + at) % 2],
                name=NAMES[at % 2],
                timestamp=ago(hours=(batch * 7 + at // 2 * 3) % 40),
                properties={"n": at},
            )
            for at in range(5)
        ]
        for batch in range(8)
    ]


@pytest.fixture(scope="module")
def full(backend, sent):
    """A merchant with all of them. No test here adds to it."""
    with Api.of_new_organization(backend) as api:
        for external_id in CUSTOMERS:
            api.customer(external_id)
        for batch in sent:
            api.ingest(*batch)
        yield api


@pytest.fixture
def short_sight(monkeypatch):
    """Let a statement look at seven events only."""
    for name in ("OF_CUSTOMER_DOWN", "OF_CUSTOMER_UP", "OF_ALL_DOWN", "OF_ALL_UP"):
        statement = getattr(explorer_store, name)
        assert "LIMIT 100000" in statement
        monkeypatch.setattr(explorer_store, name, statement.replace("LIMIT 100000", "LIMIT 7"))
    monkeypatch.setattr(explorer_store, "EXAMINED_MAX", 7)


@pytest.fixture
def crowd(api):
    """A customer of the test's own with nine events, an hour apart."""
    api.customer("c1")
    for number in range(9):
        api.ingest(event(str(number), timestamp=ago(hours=number)))
    return api


def test_an_event_is_told_as_it_was_sent(api):
    customer = api.customer("c1")
    time = ago(hours=1).replace("Z", ".123456Z")
    properties = '{"n": 0.30000000000000004, "deep": [1, {"a": null}]}'
    body = f"""{{"events": [{{"event_name": "call", "customer_id": "c1", "idempotency_key": "k",
        "timestamp": "{time}", "properties": {properties}}}]}}"""
    api.post("/v1/ingest", content=body).raise_for_status()

    answer = json.decode(api.get("/v1/events").content)

    told = answer["events"][0]
    assert (answer["count"], answer["next_cursor"]) == (1, "")
    assert told == {
        "id": told["id"],
        "org_id": str(api.org_id),
        "idempotency_key": "k",
        "customer_id": customer["id"],
        "event_name": "call",
        "timestamp": time,
        "properties": json.decode(properties),
        "received_at": told["received_at"],
        "is_test": True,
        "created_at": told["received_at"],
    }


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_without_events_the_list_is_empty(api, face):
    answer = api.get(f"{face}/events", params={"customer_id": "nobody"})

    assert answer.json() == {"events": [], "count": 0, "next_cursor": ""}
    assert api.get(f"{face}/events").json() == answer.json()


def of_customer(sent, customer, *, name=None, hours=None):
    """What a list of a customer's events must hold, oldest first but for equal times."""
    return [
        item
        for batch in sent
        for item in batch
        if item["customer_id"] == customer
        and (name is None or item["event_name"] == name)
        and (hours is None or ago(hours[0]) <= item["timestamp"] < ago(hours[1]))
    ]


@pytest.mark.parametrize(("limit", "name"), [(1, None), (3, "sms"), (50, None), (50, "sms")])
@pytest.mark.parametrize("hours", [None, (30, 4)])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_customers_events_come_by_time_each_once(  # noqa: PLR0917 - parametrized
    full, sent, limit, name, hours, order
):
    query = {"limit": limit, "sort_order": order, "event_name": name or ""}
    query |= {"from": ago(hours[0]), "to": ago(hours[1])} if hours else {}

    found = walked(full, customer_id="c1", **query)

    wanted = of_customer(sent, "c1", name=name, hours=hours)
    times = {item["idempotency_key"]: item["timestamp"] for item in wanted}
    assert sorted(found) == sorted(times)
    told = [times[key] for key in found]
    assert told == sorted(told, reverse=order == "desc")


@pytest.mark.parametrize("limit", [1, 4, 50])
@pytest.mark.parametrize("query", [{}, {"event_name": "call"}, {"from": ago(30), "to": ago(4)}])
def test_without_a_customer_events_come_by_arrival_each_once(full, sent, limit, query):
    down = walked(full, limit=limit, **query)
    up = walked(full, limit=limit, sort_by="timestamp", sort_order="asc", **query)

    wanted = {
        item["idempotency_key"]
        for customer in CUSTOMERS
        for item in of_customer(
            sent, customer, name=query.get("event_name"), hours=(30, 4) if "from" in query else None
        )
    }
    assert sorted(down) == sorted(wanted)
    assert up == down[::-1]
    batches = [key.partition("-")[0] for key in up]
    assert batches == sorted(batches)


@pytest.mark.usefixtures("short_sight")
@pytest.mark.parametrize("customer", [{}, {"customer_id": "c1"}])
@pytest.mark.parametrize(
    "query", [{}, {"event_name": "sms"}, {"event_name": "none"}, {"from": ago(9), "to": ago(4)}]
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_what_lies_beyond_what_a_statement_looks_at_is_reached_by_cursors(
    full, sent, customer, query, order
):
    found = walked(full, limit=5, sort_order=order, **customer, **query)

    wanted = [
        item["idempotency_key"]
        for known in ([customer["customer_id"]] if customer else CUSTOMERS)
        for item in of_customer(
            sent, known, name=query.get("event_name"), hours=(9, 4) if "from" in query else None
        )
    ]
    assert sorted(found) == sorted(wanted)


@pytest.mark.usefixtures("short_sight")
def test_the_walk_by_arrival_ends_where_nothing_later_can_lie(api, monkeypatch):
    monkeypatch.setattr(explorer, "ARRIVAL_SLACK", timedelta())
    api.customer("c1")
    for number in range(20):
        api.ingest(event(f"old-{number}"))
    api.backend.clock.advance(days=3)
    api.ingest(event("new", timestamp=None))

    recent = listed(api, **{"from": (STARTS_AT + timedelta(days=2)).isoformat()})
    all_names = listed(api, event_name="none")

    assert keys(recent) == ["new"]
    assert recent["next_cursor"] == ""
    assert all_names["next_cursor"] != ""


@pytest.mark.parametrize("query", [{"customer_id": "c1"}, {}])
def test_what_comes_meanwhile_neither_repeats_nor_shifts(crowd, query):
    first = listed(crowd, limit=4, **query)

    crowd.ingest(event("newer"), event("between", timestamp=ago(hours=2)))
    second = listed(crowd, limit=4, cursor=first["next_cursor"], **query)
    third = listed(crowd, limit=4, cursor=second["next_cursor"], **query)

    parts = keys(first) + keys(second) + keys(third)
    assert sorted(parts) == [str(number) for number in range(9)]
    assert third["next_cursor"] == ""


def test_pages_by_number_go_on_where_the_last_one_ended(crowd):
    pages = [listed(crowd, customer_id="c1", limit=4, page=page) for page in (1, 2, 3, 4)]

    assert [keys(page) for page in pages] == [
        ["0", "1", "2", "3"],
        ["4", "5", "6", "7"],
        ["8"],
        [],
    ]
    second = listed(crowd, customer_id="c1", limit=4, cursor=pages[0]["next_cursor"])
    assert keys(second) == keys(pages[1])


@pytest.mark.usefixtures("short_sight")
def test_a_page_that_lies_too_far_is_refused(crowd):
    first = listed(crowd, limit=4, event_name="none")
    second = crowd.get("/v1/events", params={"limit": 4, "event_name": "none", "page": 2})

    assert (keys(first), first["next_cursor"] != "") == ([], True)
    assert (second.status_code, list(second.json()["details"])) == (400, ["page"])


def test_a_cursor_holds_for_its_own_order_only(crowd):
    cursor = listed(crowd, limit=2, customer_id="c1")["next_cursor"]
    others = [{}, {"customer_id": "c1", "sort_order": "asc"}]

    answers = [crowd.get("/v1/events", params={"cursor": cursor, **other}) for other in others]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [list(answer.json()["details"]) for answer in answers] == [["cursor"], ["cursor"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("page=0", "page"),
        ("page=2001&limit=50", "page"),
        ("page=" + "9" * 50, "page"),
        ("page=2&cursor=eA", "page"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=dGR__________________________________w", "cursor"),
        ("cursor=" + "A" * 101, "cursor"),
        ("sort_by=size", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("customer_id=%00", "customer_id"),
        ("event_name=%00", "event_name"),
        ("from=yesterday", "from"),
        ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    ],
)
def test_a_bad_question_is_refused_and_named(api, query, field):
    answer = api.get(f"/v1/events?{query}")

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_no_list_or_export_shows_another_tenants_events(full, backend):
    with Api.of(backend, full.org_id, is_test=False) as live, Api.of_new_organization(backend) as b:
        known = full.get("/v1/customers/c1").json()["customer"]["id"]

        for other in (live, b):
            assert listed(other)["events"] == []
            assert listed(other, customer_id=known)["events"] == []
            assert exported(other, customer_id=known) == []
            assert property_keys(other, "call") == []


def property_keys(api, name):
    body = api.get("/v1/metrics/event-property-keys", params={"event_name": name}).json()
    assert (body["event_name"], body["count"]) == (name, len(body["keys"]))
    return body["keys"]


def test_property_keys_are_those_of_recent_events_of_the_name(api):
    api.customer("c1")
    api.ingest(
        event("1", name="call", properties={"b": 1, "": {"x": 1}}),
        event("2", name="call", properties={"a": None, "b": 2}),
        event("3", name="sms", properties={"c": 1}),
    )

    assert property_keys(api, "call") == ["", "a", "b"]
    assert property_keys(api, "none") == []
    missing = api.get("/api/v1/metrics/event-property-keys")
    assert (missing.status_code, list(missing.json()["details"])) == (400, ["event_name"])


@pytest.mark.parametrize("customer", [{}, {"customer_id": "c1"}])
def test_an_export_holds_what_the_list_holds(full, monkeypatch, customer):
    monkeypatch.setattr(explorer, "EVENTS_A_PAGE_MAX", 3)
    query = {"event_name": "sms", "from": ago(hours=30), **customer}

    rows = exported(full, **query)

    body = listed(full, limit=1_000, **query)
    assert len(rows) >= 6
    assert [row["idempotency_key"] for row in rows] == keys(body)
    first = body["events"][0]
    told = {**first, "is_test": "true", "properties": json.encode(first["properties"])}
    row = {**rows[0], "properties": json.encode(json.decode(rows[0]["properties"]))}
    assert row == {name: told[name] for name in row}


@pytest.mark.parametrize(
    ("span", "count"), [("1d", 1), ("3d", 2), ("all", 3), ("", 3), ("99999d", 3)]
)
def test_an_export_reaches_back_as_far_as_its_range(api, span, count):
    api.customer("c1")
    for hours in (1, 50, 500):
        api.ingest(event(str(hours), timestamp=ago(hours)))

    assert len(exported(api, face="/api/v1", range=span)) == count
    assert len(exported(api, range=span, **{"from": ago(2)})) == 1


@pytest.mark.parametrize("span", ["7", "d", "0d", "-1d", "7 d", "999999d", "1w", "٣d"])
def test_a_range_that_is_none_is_refused(api, span):
    answer = api.get("/v1/events/export", params={"range": span})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["range"])


def test_an_export_is_a_csv_file_without_formulas(api):
    api.customer("c1")
    odd = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x", 'a,"b"\nc', "'x"]
    api.ingest(*[event(key, name=key, properties={"p": 'x,"y"'}) for key in odd])

    answer = api.get("/v1/events/export")
    rows = exported(api)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    wanted = {f"'{key}" if key[0] in "=+-@\t\r" else key for key in odd}
    assert {row["idempotency_key"] for row in rows} == wanted
    assert {row["event_name"] for row in rows} == wanted
    assert {row["properties"] for row in rows} == {'{"p": "x,\\"y\\""}'}


def test_a_slow_reader_of_an_export_holds_no_transaction(full, monkeypatch):
    monkeypatch.setattr(explorer, "EVENTS_A_PAGE_MAX", 10)
    open_ones = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
    """
    services = full.backend.services

    async def read_slowly():
        async with services.database.transaction(full.tenant) as tx:
            walk = await metering.plan_walk(tx, EventFilter(), newest_first=True)
        return [
            (await asyncio.to_thread(full.backend.sql, open_ones))[0]["count"]
            async for _ in metering.export_csv(services.database, full.tenant, walk)
        ]

    assert full.backend.run(read_slowly()) == [0] * 5
